/* SPDX-License-Identifier: ISC */
#include "fetch/found.h"

#define PORTION 1024 /* ranges: inserting into so few is cheap */

static void
merge(struct found *f)
{
	set_add_set(&f->all, &f->recent);
	set_clear(&f->recent);
}

bool
found_add(struct found *f, uint32_t first, uint32_t last)
{
	if (f->all.n >= FOUND_RANGES_MAX)
		return false;
	set_add(&f->recent, first, last);
	if (f->recent.n >= PORTION)
		merge(f);
	return true;
}

void
found_take(
    struct found *f, struct set *to, const struct set *asked, uint32_t from)
{
	struct set wanted = { 0 };

	merge(f);
	set_copy(&wanted, asked);
	if (from != 0)
		set_add(&wanted, from, SET_MAX_NUMBER);
	set_intersect(to, &f->all, &wanted);
	set_deinit(&wanted);
	found_deinit(f);
}

void
found_deinit(struct found *f)
{
	set_deinit(&f->recent);
	set_deinit(&f->all);
}
