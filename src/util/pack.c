/* SPDX-License-Identifier: ISC */
#include "util/pack.h"

#include <assert.h>
#include <string.h>

#include "util/mem.h"

static void
put(struct buf *b, uint64_t v, size_t octets)
{
	char raw[8];
	size_t i;
	int r;

	for (i = 0; i < octets; i++)
		raw[i] = (char)(v >> (8 * i) & 0xff);
	r = buf_add(b, span_make(raw, octets));
	assert(r == 0);
	(void)r;
}

void
pack_u8(struct buf *b, uint8_t v)
{
	put(b, v, 1);
}

void
pack_u32(struct buf *b, uint32_t v)
{
	put(b, v, 4);
}

void
pack_u64(struct buf *b, uint64_t v)
{
	put(b, v, 8);
}

void
pack_span(struct buf *b, struct span s)
{
	int r;

	assert(s.n <= UINT32_MAX);
	pack_u32(b, (uint32_t)s.n);
	r = buf_add(b, s);
	assert(r == 0);
	(void)r;
}

void
pack_str(struct buf *b, const char *s)
{
	pack_span(b, span_of(s));
}

struct unpack
unpack_of(struct span packet)
{
	return (struct unpack){ .rest = packet };
}

static struct span
take(struct unpack *u, size_t n)
{
	if (u->bad || n > u->rest.n) {
		u->bad = true;
		return SPAN("");
	}
	return span_take(&u->rest, n);
}

static uint64_t
get(struct unpack *u, size_t octets)
{
	struct span raw = take(u, octets);
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < raw.n; i++)
		v |= (uint64_t)(unsigned char)raw.p[i] << (8 * i);
	return v;
}

uint8_t
unpack_u8(struct unpack *u)
{
	return (uint8_t)get(u, 1);
}

uint32_t
unpack_u32(struct unpack *u)
{
	return (uint32_t)get(u, 4);
}

uint64_t
unpack_u64(struct unpack *u)
{
	return get(u, 8);
}

struct span
unpack_span(struct unpack *u)
{
	return take(u, unpack_u32(u));
}

char *
unpack_str(struct unpack *u)
{
	struct span s = unpack_span(u);

	if (span_find(s, '\0') < s.n) {
		u->bad = true;
		s = SPAN("");
	}
	return mem_spandup(s);
}

bool
unpack_more(const struct unpack *u)
{
	return !u->bad && u->rest.n > 0;
}

bool
unpack_ok(const struct unpack *u)
{
	return !u->bad && u->rest.n == 0;
}
