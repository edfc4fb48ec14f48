/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_QUOTE_H
#define MAILHAUL_DELIVER_QUOTE_H

/*
 * Quoting for an mbox of the kind mboxrd: a line that begins with any number
 * of > (none, too) and "From " gets one more >, so that no line of a message
 * is taken for the beginning of the next one, and a reader can undo it. Lines
 * end in LF. The input may be split anywhere: nothing is kept but how much of
 * "From " was seen.
 *
 *	while ((s = quote_next(&q, &in)).n > 0)	use s
 *	s = quote_end(&q);			use s
 */

#include <stddef.h>

#include "util/span.h"

enum quote_st {
	QUOTE_START, /* of a line, behind its > if any */
	QUOTE_FROM,  /* some of "From " was seen and not yet handed out */
	QUOTE_LINE   /* this line needs nothing any more */
};

struct quote {
	enum quote_st st;
	size_t matched;
};

void quote_init(struct quote *q);

/* The next octets to write: borrowed from *in, or constant. Steps over what
 * was used of *in; empty when all of it was. */
struct span quote_next(struct quote *q, struct span *in);

/* After the last octet: what was kept back. */
struct span quote_end(struct quote *q);

#endif
