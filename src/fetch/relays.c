/* SPDX-License-Identifier: ISC */
#include "fetch/relays.h"

#include <stdlib.h>

#include "util/mem.h"

struct relays {
	size_t n;
	struct relay *v[];
};

struct relays *
relays_new(const struct fetch_env *env, const struct relay_params *params)
{
	size_t n = params->parallel;
	struct relays *r = mem_new(sizeof(*r) + n * sizeof(struct relay *));

	for (r->n = 0; r->n < n; r->n++)
		r->v[r->n] = relay_new(env, params);
	return r;
}

void
relays_free(struct relays **p)
{
	struct relays *r = *p;

	*p = NULL;
	if (r == NULL)
		return;
	while (r->n > 0)
		relay_free(&r->v[--r->n]);
	free(r);
}

/* The first of those with least to do: what is little needs no second
 * connection. */
static struct relay *
choose(const struct relays *r)
{
	struct relay *best = r->v[0];
	size_t least = relay_load(best), load;

	for (size_t i = 1; i < r->n && least > 0; i++) {
		load = relay_load(r->v[i]);
		if (load < least) {
			least = load;
			best = r->v[i];
		}
	}
	return best;
}

void
relays_take(struct relays *r, struct letter **l,
    const struct letter_params *params, letter_fn fn)
{
	relay_take(choose(r), l, params, fn);
}

void
relays_stop(struct relays *r, const struct err *why)
{
	for (size_t i = 0; i < r->n; i++)
		relay_stop(r->v[i], why);
}

void
relays_leave(struct relays *r)
{
	for (size_t i = 0; i < r->n; i++)
		relay_leave(r->v[i]);
}
