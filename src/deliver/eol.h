/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_EOL_H
#define MAILHAUL_DELIVER_EOL_H

/*
 * Line ends: CRLF becomes LF, and nothing else changes. A bare CR, a bare LF
 * and NUL stay; no line end is added to a last line without one. The input
 * may be split anywhere: the only state is a CR whose next octet is not
 * known yet.
 *
 *	while (in.n > 0)
 *		n = eol_convert(&eol, &in, out, room);	use out, n
 *	n = eol_end(&eol, out);				use out, n
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

struct eol {
	bool cr; /* a CR was seen and not yet written */
};

void eol_init(struct eol *eol);

/* Converts what fits into room octets (at least one) at out, steps over what
 * was used of *in, and returns the number of octets written. */
size_t eol_convert(struct eol *eol, struct span *in, char *out, size_t room);

/* After the last octet: writes 0 or 1 octet and returns how many. */
size_t eol_end(struct eol *eol, char *out);

/*
 * For octets that keep their CRLF: what a relay has to know of them. Also at
 * any split.
 */
struct eol_watch {
	char last;      /* octet seen */
	bool eight_bit; /* an octet above 127 was seen */
	bool bare;      /* a CR without LF, or an LF without CR */
	bool complete;  /* the last octets are CRLF */
};

void eol_watch_init(struct eol_watch *w);
void eol_watch(struct eol_watch *w, struct span octets);
/* After the last octet: is there a bare CR or LF, or no CRLF at the end? */
bool eol_watch_bare(const struct eol_watch *w);

#endif
