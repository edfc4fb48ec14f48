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

/* ---- what a relay has to know ---- */

void
eol_watch_init(struct eol_watch *w)
{
	*w = (struct eol_watch){ 0 };
}

static bool
has_eight_bit(struct span s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return (all & 0x80) != 0;
}

/* A run without LF, but for the one that ends it if lf. */
static void
watch_run(struct eol_watch *w, struct span run, bool lf)
{
	size_t body = lf ? run.n - 1 : run.n, cr;
	bool at_end;

	if (w->last == '\r' && body > 0)
		w->bare = true;
	cr = span_find(span_make(run.p, body), '\r');
	if (cr + 1 < body)
		w->bare = true;
	at_end = body > 0 ? run.p[body - 1] == '\r' : w->last == '\r';
	w->complete = lf && at_end;
	if (lf && !at_end)
		w->bare = true;
	w->last = run.p[run.n - 1];
}

void
eol_watch(struct eol_watch *w, struct span octets)
{
	w->eight_bit = w->eight_bit || has_eight_bit(octets);
	while (octets.n > 0) {
		size_t n = span_find(octets, '\n');
		bool lf = n < octets.n;

		watch_run(w, span_take(&octets, lf ? n + 1 : n), lf);
	}
}

bool
eol_watch_bare(const struct eol_watch *w)
{
	return w->bare || !w->complete;
}
