/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_ITEMS_H
#define MAILHAUL_PROTO_IMAP_ITEMS_H

/*
 * The items of one FETCH response (RFC 3501 7.4.2), from the words of
 * proto/imap_lex.h, in any order and among any others. Of those only UID,
 * FLAGS, INTERNALDATE, RFC822.SIZE, BODY[] and BODY[HEADER...] are looked at.
 *
 * Servers write more parentheses than they should (Domino), leave values out
 * ("BODY[2] )", Yandex), send NIL, "" or floats: an item that makes no sense
 * is left out, a line that makes none is torn.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/imap.h"
#include "proto/imap_date.h"
#include "proto/imap_lex.h"
#include "util/buf.h"
#include "util/span.h"

#define IMAP_ITEMS_DEPTH_MAX 32
#define IMAP_ITEMS_HEADER_MAX 65536 /* the beginning of a longer one is kept */

enum imap_items_named { /* items that stood there, whatever their value */
	IMAP_NAMED_SIZE = 1,
	IMAP_NAMED_BODY = 2,
	IMAP_NAMED_HEADER = 4, /* BODY[HEADER] */
	IMAP_NAMED_FIELDS = 8  /* BODY[HEADER.FIELDS ...] and the like */
};

enum imap_items_event {
	IMAP_ITEMS_MORE = 0,
	IMAP_ITEMS_BODY, /* the value of BODY[] begins: body_size octets */
	IMAP_ITEMS_DATA, /* the token's value is a piece of it */
	IMAP_ITEMS_DONE  /* the line is over */
};

struct imap_items {
	unsigned int at;   /* enum place in imap_items.c */
	unsigned int item; /* enum item: whose value is read */
	int depth, base;
	bool streaming, collecting, dating; /* what becomes of the string */
	char date[IMAP_DATE_MAX_OCTETS];
	size_t date_n;
	/* What was found: */
	bool torn;            /* not to be trusted */
	unsigned int named;   /* enum imap_items_named */
	unsigned int flags;   /* enum imap_flag, of the last list */
	int64_t internaldate; /* Unix seconds, of the last; 0: none */
	uint32_t uid;         /* 0: not (yet) said */
	bool body;            /* BODY[] has a value */
	bool body_nil;        /* BODY[] was NIL or left out */
	bool has_size;        /* RFC822.SIZE */
	bool has_header;      /* BODY[HEADER...] */
	uint64_t body_size, rfc822_size;
	struct buf header;
};

void imap_items_init(struct imap_items *it);
void imap_items_deinit(struct imap_items *it);
void imap_items_begin(struct imap_items *it); /* a new response */

/* size goes with IMAP_TOK_STRING. Not for IMAP_TOK_LOST and _TEXT. */
enum imap_items_event imap_items_token(struct imap_items *it,
    enum imap_token tok, struct span value, uint64_t size);

#endif
