/* SPDX-License-Identifier: ISC */
#include "proto/pop3_body.h"

#include <string.h>

void
pop3_body_init(struct pop3_body *b, bool bare)
{
	b->at = POP3_BODY_AT_LINE;
	b->bare = bare;
}

/* Where we are behind the n octets at p, having been at b->at before. */
static enum pop3_body_at
behind(const struct pop3_body *b, const char *p, size_t n)
{
	bool cr;

	if (n == 0)
		return b->at;
	if (p[n - 1] == '\r')
		return POP3_BODY_AT_CR;
	cr = n > 1 ? p[n - 2] == '\r' : b->at == POP3_BODY_AT_CR;
	return p[n - 1] == '\n' && (cr || b->bare) ? POP3_BODY_AT_LINE
						   : POP3_BODY_AT_TEXT;
}

/*
 * Where the first dot stands that begins a line, or in.n. It looks for dots
 * and then back, not for line ends and then on: most lines of most octets
 * (base64) have no dot at all.
 */
static size_t
find_dot(const struct pop3_body *b, struct span in)
{
	size_t i = 0;

	while (i < in.n) {
		const char *dot = memchr(in.p + i, '.', in.n - i);

		if (dot == NULL)
			return in.n;
		i = (size_t)(dot - in.p);
		if (behind(b, in.p, i) == POP3_BODY_AT_LINE)
			return i;
		i++;
	}
	return in.n;
}

/* What stands behind a dot at the beginning of a line? The dot is dropped in
 * any case; true if it was the final one. */
static bool
after_dot(struct pop3_body *b, struct span *in)
{
	if (span_skip(in, SPAN("\r")))
		b->at = POP3_BODY_AT_DOT_CR;
	else if (b->bare && span_skip(in, SPAN("\n")))
		return true;
	else
		b->at = POP3_BODY_AT_TEXT;
	return false;
}

/* The CR was used up in case it was part of the end. */
static struct span
late_cr(struct pop3_body *b)
{
	b->at = POP3_BODY_AT_CR;
	return SPAN("\r");
}

static struct span
take_run(struct pop3_body *b, struct span *in)
{
	struct span run = span_take(in, find_dot(b, *in));

	b->at = behind(b, run.p, run.n);
	if (span_skip(in, SPAN(".")))
		b->at = POP3_BODY_AT_DOT;
	return run;
}

enum pop3_body_answer
pop3_body_next(struct pop3_body *b, struct span *in, struct span *run)
{
	*run = SPAN("");
	while (in->n > 0 && run->n == 0) {
		if (b->at == POP3_BODY_AT_DOT) {
			if (after_dot(b, in))
				return POP3_BODY_OVER;
		} else if (b->at == POP3_BODY_AT_DOT_CR) {
			if (span_skip(in, SPAN("\n")))
				return POP3_BODY_OVER;
			*run = late_cr(b);
		} else {
			*run = take_run(b, in);
		}
	}
	return run->n > 0 ? POP3_BODY_RUN : POP3_BODY_MORE;
}
