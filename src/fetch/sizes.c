/* SPDX-License-Identifier: ISC */
#include "fetch/sizes.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define FIRST 256

void
sizes_deinit(struct sizes *s)
{
	free(s->v);
	*s = (struct sizes){ 0 };
}

static void
make_room(struct sizes *s, size_t needed)
{
	size_t n = s->n == 0 ? FIRST : s->n;
	uint64_t *v;

	while (n < needed)
		n *= 2;
	v = mem_array(n, sizeof(*v));
	if (s->n > 0)
		memcpy(v, s->v, s->n * sizeof(*v));
	free(s->v);
	s->v = v;
	s->n = n;
}

void
sizes_put(struct sizes *s, uint32_t number, uint64_t size)
{
	if (number == 0 || number > SIZES_MAX)
		return;
	if (number > s->n)
		make_room(s, number);
	s->v[number - 1] = size == 0 ? 1 : size;
}

uint64_t
sizes_of(const struct sizes *s, uint32_t number)
{
	return number == 0 || number > s->n ? 0 : s->v[number - 1];
}
