/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_SPAN_H
#define MAILHAUL_UTIL_SPAN_H

/*
 * A borrowed run of octets. It never owns; whoever hands one out says until
 * when it lives. NUL is an octet like any other.
 */

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *p;
	size_t n;
};

/* clang-format off */
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })
/* clang-format on */

struct span span_of(const char *s); /* s up to its NUL; NULL is empty */
struct span span_make(const char *p, size_t n);

bool span_eq(struct span a, struct span b);
bool span_ieq(struct span a, struct span b); /* ASCII case is ignored */

/* If *s begins with prefix, step over it. */
bool span_skip(struct span *s, struct span prefix);
bool span_iskip(struct span *s, struct span prefix);

/* Take n octets (at most all) off the front of *s. */
struct span span_take(struct span *s, size_t n);

/* Take what stands before c off the front; c itself is dropped. Without c,
 * all of *s is taken. */
struct span span_until(struct span *s, char c);

/* Where c first stands in s, or s.n. */
size_t span_find(struct span s, char c);

bool span_has(struct span haystack, struct span needle);
bool span_ihas(struct span haystack, struct span needle);

/* Without blanks (SP, HTAB, CR, LF) at both ends. */
struct span span_trim(struct span s);

#endif
