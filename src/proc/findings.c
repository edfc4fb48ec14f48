/* SPDX-License-Identifier: ISC */
#include "proc/findings.h"

#include <stdlib.h>

#include "proc/wire_fact.h"
#include "util/mem.h"

#define DAY_S 86400

void
findings_deinit(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		wire_free_fact(&f->v[i]);
	free(f->v);
	*f = (struct findings){ 0 };
}

void
findings_add(struct findings *f, const struct fact *fact)
{
	if (f->n == FINDINGS_MAX)
		return;
	if (f->n == f->cap) {
		f->cap = f->cap == 0 ? 16 : f->cap * 2;
		f->v = mem_grow(f->v, f->cap, sizeof(*f->v));
	}
	wire_copy_fact(&f->v[f->n++], fact);
}

const struct fact *
findings_next(const struct findings *f, enum fact_kind kind, size_t *at)
{
	while (*at < f->n) {
		const struct fact *it = &f->v[(*at)++];

		if (it->kind == kind)
			return it;
	}
	return NULL;
}

const struct fact *
findings_first(const struct findings *f, enum fact_kind kind)
{
	size_t at = 0;

	return findings_next(f, kind, &at);
}

int64_t
findings_days(uint64_t then, int64_t now)
{
	int64_t s = (int64_t)then - now;

	return s >= 0 ? s / DAY_S : -((-s + DAY_S - 1) / DAY_S);
}
