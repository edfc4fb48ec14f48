/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_FOUND_H
#define MAILHAUL_FETCH_FOUND_H

/*
 * What a SEARCH answers, in whatever order: gathered in portions, so that a
 * million scattered numbers from a hostile server cost no more than sorting
 * them, and no more memory than FOUND_RANGES_MAX allows.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/set.h"

#define FOUND_RANGES_MAX (1 << 20)

struct found { /* zeroed is empty */
	struct set recent, all;
};

/* False when there are too many ranges: they are dropped. */
bool found_add(struct found *f, uint32_t first, uint32_t last);

/* Moves to *to those of them that are in asked, or not below from (0: none);
 * f is then empty. What nobody asked for is not worth a look. */
void found_take(
    struct found *f, struct set *to, const struct set *asked, uint32_t from);
void found_deinit(struct found *f);

#endif
