/* SPDX-License-Identifier: ISC */
#include "util/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define FIRST_OCTETS 256

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_deinit(struct buf *b)
{
	free(b->mem);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	mem_wipe(b->mem, b->cap);
	buf_deinit(b);
}

static size_t
grown(const struct buf *b, size_t need)
{
	size_t cap = b->cap < FIRST_OCTETS ? FIRST_OCTETS : b->cap;

	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	return cap < b->max ? cap : b->max;
}

/* A fresh block, not realloc(3): the old one may hold a secret, and must be
 * overwritten before it is given back. */
static void
grow(struct buf *b, size_t cap)
{
	char *mem = mem_grow(NULL, cap, 1);

	if (b->n > 0)
		memcpy(mem, b->mem + b->off, b->n);
	mem_wipe(b->mem, b->cap);
	free(b->mem);
	b->mem = mem;
	b->off = 0;
	b->cap = cap;
}

/* Makes room for want more octets at the end, if max allows them. */
static bool
reserve(struct buf *b, size_t want)
{
	if (want > b->max - b->n)
		return false;
	if (want <= b->cap - b->off - b->n)
		return true;
	/* moving pays only when at least as much was dropped as is moved */
	if (want <= b->cap - b->n && b->off >= b->n) {
		if (b->n > 0)
			memmove(b->mem, b->mem + b->off, b->n);
		b->off = 0;
	} else {
		grow(b, grown(b, b->n + want));
	}
	return true;
}

int
buf_add(struct buf *b, struct span s)
{
	if (s.n == 0)
		return 0;
	if (!reserve(b, s.n))
		return -1;
	memcpy(b->mem + b->off + b->n, s.p, s.n);
	b->n += s.n;
	return 0;
}

int
buf_addc(struct buf *b, char c)
{
	return buf_add(b, span_make(&c, 1));
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	char *big;
	va_list ap, again;
	int n, r;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		r = -1;
	} else if ((size_t)n < sizeof(small)) {
		r = buf_add(b, span_make(small, (size_t)n));
	} else {
		big = mem_grow(NULL, (size_t)n + 1, 1);
		vsnprintf(big, (size_t)n + 1, fmt, again);
		r = buf_add(b, span_make(big, (size_t)n));
		mem_wipe(big, (size_t)n);
		free(big);
	}
	va_end(again);
	mem_wipe(small, sizeof(small));
	return r;
}

char *
buf_room(struct buf *b, size_t want, size_t *n)
{
	if (want > b->max - b->n)
		want = b->max - b->n;
	*n = want;
	if (want == 0)
		return NULL;
	reserve(b, want);
	return b->mem + b->off + b->n;
}

void
buf_wrote(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->off - b->n);
	b->n += n;
}

struct span
buf_span(const struct buf *b)
{
	return b->n == 0 ? SPAN("") : span_make(b->mem + b->off, b->n);
}

void
buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n -= n;
	b->off = b->n == 0 ? 0 : b->off + n;
}

void
buf_clear(struct buf *b)
{
	b->off = b->n = 0;
}

void
buf_release(struct buf *b)
{
	if (b->n == 0)
		buf_deinit(b);
}
