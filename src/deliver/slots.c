/* SPDX-License-Identifier: ISC */
#include "deliver/slots.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define SLOTS_FIRST 64
#define NONE UINT32_MAX

void
slots_init(struct slots *s)
{
	*s = (struct slots){ .first_free = NONE };
}

void
slots_deinit(struct slots *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free(s->v[i].e);
	free(s->v);
	slots_init(s);
}

static void
release(struct slots *s, uint32_t i)
{
	s->v[i] = (struct slot){ .next_free = s->first_free };
	s->first_free = i;
}

static void
grow(struct slots *s)
{
	uint32_t n = s->n == 0 ? SLOTS_FIRST : 2 * s->n;

	s->v = mem_grow(s->v, n, sizeof(*s->v));
	for (uint32_t i = n; i-- > s->n;)
		release(s, i);
	s->n = n;
}

uint32_t
slots_put(struct slots *s, const struct slot *slot)
{
	uint32_t i;

	if (s->first_free == NONE)
		grow(s);
	i = s->first_free;
	s->first_free = s->v[i].next_free;
	s->v[i] = *slot;
	s->v[i].used = true;
	s->used++;
	if (slot->failed) {
		s->v[i].e = mem_new(sizeof(*slot->e));
		*s->v[i].e = *slot->e;
		s->failed++;
	}
	return i;
}

struct slot *
slots_find(struct slots *s, uint32_t cookie)
{
	return cookie < s->n && s->v[cookie].used ? &s->v[cookie] : NULL;
}

void
slots_take(struct slots *s, uint32_t cookie, struct slot *out)
{
	*out = s->v[cookie];
	s->used--;
	s->failed -= out->failed;
	release(s, cookie);
}

bool
slots_first(const struct slots *s, bool any, uint32_t *cookie)
{
	if (any ? s->used == 0 : s->failed == 0)
		return false;
	for (uint32_t i = 0; i < s->n; i++) {
		if (!s->v[i].used || !(any || s->v[i].failed))
			continue;
		*cookie = i;
		return true;
	}
	return false;
}

void
slots_orphan(struct slots *s, const struct client_box *box)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i].box == box)
			s->v[i].box = NULL;
	}
}

void
slots_orphan_letter(struct slots *s, const struct letter *letter)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i].letter != letter)
			continue;
		s->v[i].box = NULL;
		s->v[i].letter = NULL;
	}
}
