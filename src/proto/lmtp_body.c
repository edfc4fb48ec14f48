/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_body.h"

void
lmtp_body_init(struct lmtp_body *b)
{
	b->at = LMTP_BODY_AT_LINE;
}

static enum lmtp_body_at
behind(char c)
{
	if (c == '\n')
		return LMTP_BODY_AT_LINE;
	return c == '\r' ? LMTP_BODY_AT_CR : LMTP_BODY_AT_TEXT;
}

/* What can go out as it is. */
static struct span
take_run(struct lmtp_body *b, struct span *in)
{
	size_t n;

	for (n = 0; n < in->n; n++) {
		char c = in->p[n];

		if ((c == '\n' && b->at != LMTP_BODY_AT_CR) ||
		    (c == '.' && b->at != LMTP_BODY_AT_TEXT))
			break;
		b->at = behind(c);
	}
	return span_take(in, n);
}

/* The octet that take_run() stopped at: a bare LF, or a dot that begins a line
 * or would for some. */
static struct span
mended(const struct lmtp_body *b, char c)
{
	if (c == '\n')
		return SPAN("\r\n");
	return b->at == LMTP_BODY_AT_CR ? SPAN("\n..") : SPAN("..");
}

void
lmtp_body_add(struct lmtp_body *b, struct span octets, struct buf *out)
{
	while (octets.n > 0) {
		buf_add(out, take_run(b, &octets));
		if (octets.n == 0)
			break;
		buf_add(out, mended(b, octets.p[0]));
		b->at = behind(octets.p[0]);
		span_take(&octets, 1);
	}
}

void
lmtp_body_end(struct lmtp_body *b, struct buf *out)
{
	if (b->at != LMTP_BODY_AT_LINE)
		buf_add(out, SPAN("\r\n"));
	buf_add(out, SPAN(".\r\n"));
	b->at = LMTP_BODY_AT_LINE;
}
