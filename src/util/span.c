/* SPDX-License-Identifier: ISC */
#include "util/span.h"

#include <string.h>

struct span
span_of(const char *s)
{
	if (s == NULL)
		return SPAN("");
	return span_make(s, strlen(s));
}

struct span
span_make(const char *p, size_t n)
{
	return (struct span){ p, n };
}

/* tolower() would ask the locale. */
static unsigned char
lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

static bool
same(const char *a, const char *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

static bool
same_ignoring_case(const char *a, const char *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && same(a.p, b.p, a.n);
}

bool
span_ieq(struct span a, struct span b)
{
	return a.n == b.n && same_ignoring_case(a.p, b.p, a.n);
}

struct span
span_take(struct span *s, size_t n)
{
	struct span front = *s;

	if (n < front.n)
		front.n = n;
	if (front.n > 0) /* NULL + 0 is not ours to compute */
		s->p += front.n;
	s->n -= front.n;
	return front;
}

bool
span_skip(struct span *s, struct span prefix)
{
	if (s->n < prefix.n || !same(s->p, prefix.p, prefix.n))
		return false;
	span_take(s, prefix.n);
	return true;
}

bool
span_iskip(struct span *s, struct span prefix)
{
	if (s->n < prefix.n || !same_ignoring_case(s->p, prefix.p, prefix.n))
		return false;
	span_take(s, prefix.n);
	return true;
}

size_t
span_find(struct span s, char c)
{
	const char *at;

	if (s.n == 0)
		return 0;
	at = memchr(s.p, c, s.n);
	return at == NULL ? s.n : (size_t)(at - s.p);
}

struct span
span_until(struct span *s, char c)
{
	struct span front = span_take(s, span_find(*s, c));

	span_take(s, 1);
	return front;
}

bool
span_has(struct span haystack, struct span needle)
{
	if (needle.n == 0)
		return true;
	if (haystack.n < needle.n)
		return false;
	return memmem(haystack.p, haystack.n, needle.p, needle.n) != NULL;
}

bool
span_ihas(struct span haystack, struct span needle)
{
	size_t i;

	if (haystack.n < needle.n)
		return false;
	if (needle.n == 0)
		return true;
	for (i = 0; i <= haystack.n - needle.n; i++) {
		if (same_ignoring_case(haystack.p + i, needle.p, needle.n))
			return true;
	}
	return false;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && blank(s.p[0]))
		span_take(&s, 1);
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}
