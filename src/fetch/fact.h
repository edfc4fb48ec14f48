/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_FACT_H
#define MAILHAUL_FETCH_FACT_H

/*
 * What a survey finds out, one thing at a time. Texts are printable, at most
 * FACT_TEXT_MAX with their NUL, and never NULL when they are handed out; what
 * a kind does not name is empty or 0.
 */

#include <stdint.h>

enum fact_kind {
	FACT_REACHED,      /* address */
	FACT_TLS,          /* version and cipher, verified how, what is to be
	                     said of it */
	FACT_CERTIFICATE,  /* subject, names, issuer, pin; valid from, until
	                     (Unix seconds); the first is the server's own;
	                     without FACT_TLS it was refused */
	FACT_GREETING,     /* text */
	FACT_OFFERED,      /* capabilities before the login */
	FACT_LOGIN,        /* mechanism, why it was chosen */
	FACT_CAPABILITIES, /* after it */
	FACT_SERVER,       /* its answer to ID */
	FACT_QUIRK,        /* server, what we do about it */
	FACT_USE,          /* for what, by what of the server's */
	FACT_MAILBOX,  /* name, why it cannot be asked about; enum fact_mark,
	                  messages, UIDNEXT, UIDVALIDITY (each 0: not told) */
	FACT_REST,     /* so many mailboxes more, of which are chosen */
	FACT_MAILDROP, /* of POP3: messages, octets */
	FACT_WARNING,  /* text */
	FACT_KINDS
};

/* Of a mailbox, in its first number. */
enum fact_mark {
	FACT_CHOSEN = 1,   /* by the option mailboxes */
	FACT_NOSELECT = 2, /* it holds no mail */
	FACT_COUNTED = 4,  /* the numbers are the server's */
	FACT_MISSING = 8   /* asked for by name, and LIST has no such */
};

#define FACT_TEXTS 4
#define FACT_NUMBERS 4
#define FACT_TEXT_MAX 2048

struct fact {
	enum fact_kind kind;
	const char *text[FACT_TEXTS]; /* not ours */
	uint64_t number[FACT_NUMBERS];
};

/* All of it is borrowed for the call. */
typedef void (*fact_fn)(void *arg, const struct fact *fact);

#endif
