/* SPDX-License-Identifier: ISC */
#include "deliver/roster.h"

#include <stdlib.h>

#include "deliver/outlet.h"
#include "util/mem.h"

void
roster_init(struct roster *r)
{
	*r = (struct roster){ .n = 0 };
	set_init(&r->forgotten);
}

static void
free_account(struct job_account *a)
{
	outlet_forget(a);
	target_free(&a->target);
	free(a);
}

void
roster_deinit(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		free_account(r->v[i]);
	free(r->v);
	set_deinit(&r->forgotten);
}

struct job_account *
roster_find(const struct roster *r, uint32_t number)
{
	for (size_t i = r->n; i-- > 0;) {
		if (r->v[i]->number == number && !r->v[i]->forgotten)
			return r->v[i];
	}
	return NULL;
}

void
roster_add(struct roster *r, uint32_t number, struct target *target)
{
	struct job_account *a = mem_new(sizeof(*a));

	roster_forget(r, number);
	set_remove(&r->forgotten, number, number);
	a->number = number;
	a->target = target;
	r->v = mem_grow(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = a;
}

void
roster_forget(struct roster *r, uint32_t number)
{
	struct job_account *a = roster_find(r, number);

	if (a == NULL)
		return;
	a->forgotten = true;
	r->n_forgotten++;
	set_add(&r->forgotten, number, number);
	roster_sweep(r);
}

bool
roster_knew(const struct roster *r, uint32_t number)
{
	return set_has(&r->forgotten, number);
}

/* A queue that is being stopped tells the outlet when it has. */
static bool
is_free(const struct job_account *a)
{
	return a->forgotten && a->counting == 0 &&
	    (!a->queue_stopping || a->queue_stopped);
}

void
roster_sweep(struct roster *r)
{
	size_t n = 0;

	if (r->n_forgotten == 0)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (is_free(r->v[i])) {
			free_account(r->v[i]);
			r->n_forgotten--;
		} else {
			r->v[n++] = r->v[i];
		}
	}
	r->n = n;
}
