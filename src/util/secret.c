/* SPDX-License-Identifier: ISC */
#include "util/secret.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct secret {
	size_t n;
	char octets[];
};

struct secret *
secret_new(struct span octets)
{
	struct secret *s;

	if (octets.n > SECRET_MAX)
		return NULL;
	s = mem_new(sizeof(*s) + octets.n);
	s->n = octets.n;
	if (octets.n > 0)
		memcpy(s->octets, octets.p, octets.n);
	return s;
}

void
secret_free(struct secret **s)
{
	if (*s == NULL)
		return;
	mem_wipe(*s, sizeof(**s) + (*s)->n);
	free(*s);
	*s = NULL;
}

struct span
secret_span(const struct secret *s)
{
	return span_make(s->octets, s->n);
}

bool
secret_same(const struct secret *a, const struct secret *b)
{
	unsigned char differs = 0;

	if (a == NULL || b == NULL || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		differs |= (unsigned char)(a->octets[i] ^ b->octets[i]);
	return differs == 0;
}
