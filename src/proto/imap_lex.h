/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_LEX_H
#define MAILHAUL_PROTO_IMAP_LEX_H

/*
 * What an IMAP server sends, cut into words, parentheses and strings (RFC
 * 3501 4 and 9), at any split of the input. It knows no keyword but those in
 * front of a section, "BODY[...]", and keeps nothing but the word it is in:
 * the octets of literals are handed out as they lie in the input.
 *
 * Its one duty: never to lose count. A literal that is announced is stepped
 * over whatever stands around it, and where an announcement makes no sense it
 * says LOST, for then nothing behind can be told from a message's text.
 *
 * Lines end in CRLF or in a bare LF; blanks may be many.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/span.h"

enum imap_token {
	IMAP_TOK_MORE = 0, /* all input is used */
	IMAP_TOK_ATOM,     /* value: a word, "BODY[...]<0>" in one piece */
	IMAP_TOK_OPEN,
	IMAP_TOK_CLOSE,
	IMAP_TOK_STRING,  /* quoted or literal: l->size octets follow */
	IMAP_TOK_OCTETS,  /* value: some of them, at least one */
	IMAP_TOK_END,     /* of the string */
	IMAP_TOK_TEXT,    /* value: what was left of the line; the line ends */
	IMAP_TOK_GARBLED, /* a word or quoted string too long to keep, or a
	                     quote without an end: do not use this line */
	IMAP_TOK_EOL,
	IMAP_TOK_LOST /* no way on; said again for ever */
};

#define IMAP_LEX_WORD_MAX 65536     /* octets of a word or quoted string */
#define IMAP_LEX_LINE_MAX 1048576   /* octets of a line without literals */
#define IMAP_LEX_LONG_MAX (1 << 28) /* the same, of a list of numbers */

struct imap_lex {
	unsigned int at; /* enum place in imap_lex.c */
	struct buf word; /* what is collected */
	uint64_t size;   /* of the string that IMAP_TOK_STRING announced */
	uint64_t left;   /* octets of the literal not yet seen */
	size_t line;     /* octets of this line so far */
	size_t line_max;
	bool numbers;  /* see imap_lex_numbers() */
	bool overlong; /* the word does not fit */
};

void imap_lex_init(struct imap_lex *l);
void imap_lex_deinit(struct imap_lex *l);

/* Between words the memory of the last one is given back. */
void imap_lex_rest(struct imap_lex *l);

/* *value is valid until the next call; octets of literals point into the
 * input. */
enum imap_token imap_lex_next(
    struct imap_lex *l, struct span *in, struct span *value);

/* After a word: the rest of the line is free text. Of a text longer than
 * IMAP_LEX_WORD_MAX the beginning is given. */
void imap_lex_text(struct imap_lex *l);

/* After a word: the line is a list of numbers; it may be very long, and a
 * comma ends a word. */
void imap_lex_numbers(struct imap_lex *l);

#endif
