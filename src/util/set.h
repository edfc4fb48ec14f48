/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_SET_H
#define MAILHAUL_UTIL_SET_H

/*
 * A set of message numbers (UIDs, or POP3 message numbers) kept as sorted,
 * disjoint, non-adjacent ranges: a million consecutive numbers cost one
 * range. Numbers are 1 to 2^32-1 (RFC 3501 nz-number); 0 is never in a set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/span.h"

struct set_range {
	uint32_t first, last; /* both belong to it */
};

struct set {
	struct set_range *r;
	size_t n, cap;
};

#define SET_MAX_NUMBER UINT32_MAX

void set_init(struct set *s);
void set_deinit(struct set *s);
void set_clear(struct set *s);
void set_move(struct set *to, struct set *from); /* empties from */
void set_copy(struct set *to, const struct set *from);

/* first > last or first == 0 adds or removes nothing. Appending at the end
 * is O(1), anything else O(log n) plus the move. */
void set_add(struct set *s, uint32_t first, uint32_t last);
void set_remove(struct set *s, uint32_t first, uint32_t last);
void set_add_set(struct set *s, const struct set *other);
void set_remove_set(struct set *s, const struct set *other);

/* to = the numbers from first to last that are not in s. */
void set_invert(
    struct set *to, const struct set *s, uint32_t first, uint32_t last);
/* to = the numbers in both. */
void set_intersect(struct set *to, const struct set *a, const struct set *b);

bool set_has(const struct set *s, uint32_t n);
bool set_empty(const struct set *s);
uint64_t set_count(const struct set *s); /* numbers, not ranges */
uint32_t set_first(const struct set *s); /* 0 when empty */
uint32_t set_last(const struct set *s);  /* 0 when empty */
bool set_eq(const struct set *a, const struct set *b);

/* Moves the first max_count numbers, but not more than max_ranges ranges,
 * from *from to the end of *to (which is cleared first). */
void set_take(
    struct set *to, struct set *from, uint64_t max_count, size_t max_ranges);

/*
 * IMAP sequence-set text, ascending ("1:3,7"). set_write returns -1 when the
 * buffer is full. set_read accepts "1:3,7" and "7:5" (RFC 3501: any order),
 * with "*" read as star; false on anything else, and *s is then unchanged.
 */
int set_write(const struct set *s, struct buf *out);
bool set_read(struct set *s, struct span text, uint32_t star);

#endif
