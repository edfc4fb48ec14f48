/* SPDX-License-Identifier: ISC */
#include "deliver/eol.h"

#include <string.h>

void
eol_init(struct eol *eol)
{
	eol->cr = false;
}

/* Copies up to the next CR, and steps over that. */
static size_t
copy_run(struct eol *eol, struct span *in, char *out, size_t room)
{
	size_t n = in->n < room ? in->n : room;
	const char *cr = memchr(in->p, '\r', n);

	if (cr != NULL)
		n = (size_t)(cr - in->p);
	memcpy(out, in->p, n);
	span_take(in, n);
	if (cr != NULL) {
		span_take(in, 1);
		eol->cr = true;
	}
	return n;
}

size_t
eol_convert(struct eol *eol, struct span *in, char *out, size_t room)
{
	size_t n = 0;

	while (in->n > 0 && n < room) {
		if (eol->cr) {
			eol->cr = false;
			if (in->p[0] != '\n')
				out[n++] = '\r';
			if (n == room)
				break;
		}
		n += copy_run(eol, in, out + n, room - n);
	}
	return n;
}

size_t
eol_end(struct eol *eol, char *out)
{
	if (!eol->cr)
		return 0;
	eol->cr = false;
	out[0] = '\r';
	return 1;
}
