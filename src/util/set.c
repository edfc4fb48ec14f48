/* SPDX-License-Identifier: ISC */
#include "util/set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

/*
 * Neighbours are compared as "last < first - 1" or with the sum in 64 bits,
 * since last + 1 would wrap at 2^32-1.
 */

void
set_init(struct set *s)
{
	*s = (struct set){ 0 };
}

void
set_deinit(struct set *s)
{
	free(s->r);
	set_init(s);
}

void
set_clear(struct set *s)
{
	s->n = 0;
}

void
set_move(struct set *to, struct set *from)
{
	if (to == from)
		return;
	free(to->r);
	*to = *from;
	set_init(from);
}

static void
reserve(struct set *s, size_t n)
{
	if (n <= s->cap)
		return;
	s->cap = n < 8 ? 8 : n + n / 2;
	s->r = mem_grow(s->r, s->cap, sizeof(*s->r));
}

void
set_copy(struct set *to, const struct set *from)
{
	if (to == from)
		return;
	reserve(to, from->n);
	if (from->n > 0)
		memcpy(to->r, from->r, from->n * sizeof(*to->r));
	to->n = from->n;
}

/* The first range that ends at n or above; s->n if there is none. */
static size_t
find(const struct set *s, uint64_t n)
{
	size_t low = 0, high = s->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->r[mid].last < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Puts n ranges in the place of those from at to end. */
static void
replace(
    struct set *s, size_t at, size_t end, const struct set_range *r, size_t n)
{
	size_t tail = s->n - end;

	reserve(s, at + n + tail);
	if (tail > 0)
		memmove(s->r + at + n, s->r + end, tail * sizeof(*s->r));
	if (n > 0)
		memcpy(s->r + at, r, n * sizeof(*s->r));
	s->n = at + n + tail;
}

/* True if the range could be put behind all others. */
static bool
append(struct set *s, uint32_t first, uint32_t last)
{
	struct set_range *end = s->n > 0 ? &s->r[s->n - 1] : NULL;

	if (end == NULL || first - 1 > end->last) {
		reserve(s, s->n + 1);
		s->r[s->n++] = (struct set_range){ first, last };
		return true;
	}
	if (first < end->first)
		return false;
	if (last > end->last)
		end->last = last;
	return true;
}

void
set_add(struct set *s, uint32_t first, uint32_t last)
{
	struct set_range whole = { first, last };
	size_t at, end;

	if (first == 0 || first > last || append(s, first, last))
		return;
	at = find(s, first - 1); /* it may touch us from below */
	end = at;
	while (end < s->n && s->r[end].first <= (uint64_t)last + 1)
		end++;
	if (end > at && s->r[at].first < whole.first)
		whole.first = s->r[at].first;
	if (end > at && s->r[end - 1].last > whole.last)
		whole.last = s->r[end - 1].last;
	replace(s, at, end, &whole, 1);
}

void
set_remove(struct set *s, uint32_t first, uint32_t last)
{
	struct set_range left[2];
	size_t at, end, n = 0;

	if (first == 0 || first > last)
		return;
	at = find(s, first);
	end = at;
	while (end < s->n && s->r[end].first <= last)
		end++;
	if (end == at)
		return;
	if (s->r[at].first < first)
		left[n++] = (struct set_range){ s->r[at].first, first - 1 };
	if (s->r[end - 1].last > last)
		left[n++] = (struct set_range){ last + 1, s->r[end - 1].last };
	replace(s, at, end, left, n);
}

void
set_add_set(struct set *s, const struct set *other)
{
	struct set both;
	size_t i = 0, j = 0;

	if (s == other)
		return;
	set_init(&both);
	reserve(&both, s->n + other->n);
	while (i < s->n || j < other->n) {
		const struct set_range *r;

		if (j == other->n ||
		    (i < s->n && s->r[i].first <= other->r[j].first))
			r = &s->r[i++];
		else
			r = &other->r[j++];
		append(&both, r->first, r->last);
	}
	set_move(s, &both);
}

void
set_remove_set(struct set *s, const struct set *other)
{
	struct set rest, both;

	set_init(&rest);
	set_init(&both);
	set_invert(&rest, other, 1, SET_MAX_NUMBER);
	set_intersect(&both, s, &rest);
	set_move(s, &both);
	set_deinit(&rest);
}

void
set_invert(struct set *to, const struct set *s, uint32_t first, uint32_t last)
{
	struct set gaps;
	uint64_t next = first; /* the first number not looked at */
	size_t i;

	set_init(&gaps);
	if (first == 0 || first > last)
		goto out;
	for (i = find(s, first); i < s->n && s->r[i].first <= last; i++) {
		if (s->r[i].first > next)
			append(&gaps, (uint32_t)next, s->r[i].first - 1);
		next = (uint64_t)s->r[i].last + 1;
	}
	if (next <= last)
		append(&gaps, (uint32_t)next, last);
out:
	set_move(to, &gaps);
}

void
set_intersect(struct set *to, const struct set *a, const struct set *b)
{
	struct set both;
	size_t i = 0, j = 0;

	set_init(&both);
	while (i < a->n && j < b->n) {
		const struct set_range *x = &a->r[i], *y = &b->r[j];
		uint32_t first = x->first > y->first ? x->first : y->first;
		uint32_t last = x->last < y->last ? x->last : y->last;

		if (first <= last)
			append(&both, first, last);
		if (x->last <= y->last)
			i++;
		else
			j++;
	}
	set_move(to, &both);
}

/* ---- questions ---- */

bool
set_has(const struct set *s, uint32_t n)
{
	size_t at = find(s, n);

	return n != 0 && at < s->n && s->r[at].first <= n;
}

bool
set_empty(const struct set *s)
{
	return s->n == 0;
}

static uint64_t
range_count(const struct set_range *r)
{
	return (uint64_t)r->last - r->first + 1;
}

uint64_t
set_count(const struct set *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		sum += range_count(&s->r[i]);
	return sum;
}

uint32_t
set_first(const struct set *s)
{
	return s->n == 0 ? 0 : s->r[0].first;
}

uint32_t
set_last(const struct set *s)
{
	return s->n == 0 ? 0 : s->r[s->n - 1].last;
}

bool
set_eq(const struct set *a, const struct set *b)
{
	return a->n == b->n &&
	    (a->n == 0 || memcmp(a->r, b->r, a->n * sizeof(*a->r)) == 0);
}

/* ---- taking and text ---- */

void
set_take(
    struct set *to, struct set *from, uint64_t max_count, size_t max_ranges)
{
	size_t i, n = from->n < max_ranges ? from->n : max_ranges;

	set_clear(to);
	for (i = 0; i < n && max_count > 0; i++) {
		struct set_range r = from->r[i];

		if (range_count(&r) > max_count)
			r.last = (uint32_t)(r.first + max_count - 1);
		append(to, r.first, r.last);
		max_count -= range_count(&r);
	}
	if (to->n > 0)
		set_remove(from, 1, set_last(to));
}

int
set_write(const struct set *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct set_range *r = &s->r[i];

		if (i > 0 && buf_addc(out, ',') < 0)
			return -1;
		if (buf_printf(out, "%" PRIu32, r->first) < 0)
			return -1;
		if (r->last > r->first &&
		    buf_printf(out, ":%" PRIu32, r->last) < 0)
			return -1;
	}
	return 0;
}

static bool
read_number(struct span *text, uint32_t star, uint32_t *n)
{
	uint64_t v;

	if (span_skip(text, SPAN("*")))
		v = star;
	else if (!text_number(text, SET_MAX_NUMBER, &v))
		return false;
	*n = (uint32_t)v;
	return v != 0;
}

/* "7" or "7:5" */
static bool
read_range(struct set *s, struct span *text, uint32_t star)
{
	uint32_t a, b;

	if (!read_number(text, star, &a))
		return false;
	b = a;
	if (span_skip(text, SPAN(":")) && !read_number(text, star, &b))
		return false;
	if (a <= b)
		set_add(s, a, b);
	else
		set_add(s, b, a);
	return true;
}

bool
set_read(struct set *s, struct span text, uint32_t star)
{
	struct set read;

	set_init(&read);
	do {
		if (!read_range(&read, &text, star)) {
			set_deinit(&read);
			return false;
		}
	} while (span_skip(&text, SPAN(",")));
	if (text.n > 0) {
		set_deinit(&read);
		return false;
	}
	set_move(s, &read);
	return true;
}
