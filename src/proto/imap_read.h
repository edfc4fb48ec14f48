/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_READ_H
#define MAILHAUL_PROTO_IMAP_READ_H

/*
 * What an IMAP server sends, as responses (RFC 3501 7), one at a time and at
 * any split. It knows how answers are written, not what was asked: what they
 * mean is proto/imap.h's. Lines that make no sense are IMAP_HEARD_OTHER.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/imap_items.h"
#include "proto/imap_lex.h"
#include "proto/imap_named.h"
#include "util/span.h"

enum imap_heard {
	IMAP_HEARD_MORE = 0, /* all input is used */
	IMAP_HEARD_STATUS,   /* status, tag (0: untagged), text and its parts */
	IMAP_HEARD_CONTINUE, /* "+": text */
	IMAP_HEARD_CAPABILITY,  /* text: the words */
	IMAP_HEARD_EXISTS,      /* number */
	IMAP_HEARD_EXPUNGE,     /* number */
	IMAP_HEARD_LISTED,      /* data: the name; named */
	IMAP_HEARD_COUNTED,     /* STATUS, likewise */
	IMAP_HEARD_IDENTIFIED,  /* ID: text, "name Dovecot, version 2.3" */
	IMAP_HEARD_FOUND,       /* first to last, of SEARCH or ESEARCH */
	IMAP_HEARD_FOUND_BADLY, /* a SEARCH line that could not be read */
	IMAP_HEARD_BODY_BEGIN,  /* items.uid, items.body_size */
	IMAP_HEARD_BODY_DATA,   /* data */
	IMAP_HEARD_FETCHED,     /* a FETCH response ended: items, all of it */
	IMAP_HEARD_OTHER,       /* any other line */
	IMAP_HEARD_LOST         /* framing is lost; said again for ever */
};

enum imap_status {
	IMAP_STATUS_OK,
	IMAP_STATUS_NO,
	IMAP_STATUS_BAD,
	IMAP_STATUS_BYE,
	IMAP_STATUS_PREAUTH
};

#define IMAP_TAG_STRANGE UINT32_MAX /* a tag that we cannot have made */

struct imap_read {
	struct imap_lex lex;
	unsigned int at;              /* enum place in imap_read.c */
	uint32_t run_first, run_last; /* found, not yet reported; 0: none */
	/* What was heard, valid until the next call: */
	enum imap_status status;
	uint32_t tag, number, first, last;
	struct span text, code, args, rest; /* "[CODE args] rest" */
	struct span data;
	struct imap_named named;
	struct imap_items items;
};

void imap_read_init(struct imap_read *r);
void imap_read_deinit(struct imap_read *r);

/* Nothing is expected for long: gives back the memory that is not needed for a
 * line half read. What was heard is no longer valid. */
void imap_read_rest(struct imap_read *r);

enum imap_heard imap_read_next(struct imap_read *r, struct span *in);

#endif
