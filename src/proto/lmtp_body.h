/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_LMTP_BODY_H
#define MAILHAUL_PROTO_LMTP_BODY_H

/*
 * A message on its way through DATA (RFC 5321 4.5.2), fed at any split: a dot
 * at the beginning of a line is doubled, and the end is CRLF "." CRLF.
 *
 * What if a server takes more than CRLF for the end of a line? Then LF "." CRLF
 * inside a message would end it there, and the rest would be read as commands:
 * whoever wrote it would speak for us. So a bare LF becomes CRLF, and so does
 * a bare CR directly before a dot. Other bare CR stay.
 */

#include "util/buf.h"
#include "util/span.h"

enum lmtp_body_at {
	LMTP_BODY_AT_LINE, /* a line begins here */
	LMTP_BODY_AT_TEXT,
	LMTP_BODY_AT_CR /* behind a CR */
};

#define LMTP_BODY_GROWTH 3 /* no octet becomes more than so many */

struct lmtp_body {
	enum lmtp_body_at at;
};

void lmtp_body_init(struct lmtp_body *b);

/* out has room: LMTP_BODY_GROWTH times the octets; 5 for the end. */
void lmtp_body_add(struct lmtp_body *b, struct span octets, struct buf *out);
void lmtp_body_end(struct lmtp_body *b, struct buf *out);

#endif
