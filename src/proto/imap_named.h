/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_NAMED_H
#define MAILHAUL_PROTO_IMAP_NAMED_H

/*
 * The responses that are about a mailbox by its name, word by word: LIST (RFC
 * 3501 7.2.2, 5258) and STATUS (7.2.4). The words come from
 * proto/imap_lex.h; the first is the one behind the keyword.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/imap_lex.h"
#include "util/buf.h"
#include "util/span.h"

#define IMAP_NAMED_MAX 4096  /* octets of a name */
#define IMAP_NAMED_DEPTH 100 /* lists in lists, in values of no use */

struct imap_named {
	unsigned int at;   /* enum place in imap_named.c */
	unsigned int item; /* enum item, likewise */
	int depth;
	struct buf name; /* as it was written */
	/* LIST */
	bool noselect;
	char delimiter; /* 0: none */
	/* STATUS; 0: not told, or no number */
	bool counted; /* the line is one */
	uint32_t messages, uidnext, uidvalidity;
};

enum imap_named_event {
	IMAP_NAMED_MORE,
	IMAP_NAMED_DONE, /* the line is over, and all of it was understood */
	IMAP_NAMED_BAD   /* the rest of the line is of no use */
};

void imap_named_init(struct imap_named *n);
void imap_named_deinit(struct imap_named *n);
void imap_named_rest(struct imap_named *n); /* between lines: forgets */

void imap_named_list(struct imap_named *n);   /* a LIST line begins */
void imap_named_status(struct imap_named *n); /* a STATUS line begins */

enum imap_named_event imap_named_token(
    struct imap_named *n, enum imap_token tok, struct span value);

#endif
