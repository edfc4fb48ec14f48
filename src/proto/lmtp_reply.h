/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_REPLY_H
#define MAILHAUL_PROTO_LMTP_REPLY_H

/*
 * Replies of SMTP (RFC 5321 4.2) out of octets fed at any split: a code of
 * three digits and one or more lines of text. "250-" goes on, "250 " (or the
 * bare code) ends it. Memory is bounded whatever comes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/pop3_line.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

#define LMTP_REPLY_LINES_MAX 1000
#define LMTP_REPLY_LINE_MAX 4096  /* what is kept of one */
#define LMTP_REPLY_TEXT_MAX 65536 /* what is kept of all */

enum lmtp_reply_answer {
	LMTP_REPLY_MORE,  /* all input is used */
	LMTP_REPLY_WHOLE, /* code and text are set, until the next call */
	LMTP_REPLY_BAD    /* no reply, or one without end: *e (ERR_PROTO) */
};

struct lmtp_reply {
	struct pop3_line line;
	unsigned int code; /* 200 to 599 */
	size_t lines;
	struct buf text; /* the lines behind the code, separated by LF */
	bool whole;
};

void lmtp_reply_init(struct lmtp_reply *r);
void lmtp_reply_deinit(struct lmtp_reply *r);

enum lmtp_reply_answer lmtp_reply_next(
    struct lmtp_reply *r, struct span *in, struct err *e);

/* What the lines behind the first say: the capabilities after EHLO. */
struct span lmtp_reply_behind_first(const struct lmtp_reply *r);

/* One printable line: "550 5.1.1 no such user". The enhanced code, which
 * each line has (RFC 2034 4), stands there once. Returns dst. */
char *lmtp_reply_text(const struct lmtp_reply *r, char *dst, size_t size);

#endif
