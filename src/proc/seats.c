/* SPDX-License-Identifier: ISC */
#include "proc/seats.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/pack.h"

static bool
is_taken(const struct seat *s)
{
	return s->state == SEAT_WAITING || s->state == SEAT_WORKING ||
	    s->state == SEAT_LEAVING || s->state == SEAT_ENDING;
}

struct seat *
seats_find(const struct seats *s, uint32_t name)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (is_taken(s->v[i]) && s->v[i]->name == name)
			return s->v[i];
	return NULL;
}

struct seat *
seats_at(const struct seats *s, uint32_t number)
{
	return number < s->n ? s->v[number] : NULL;
}

bool
seats_wanted(const struct seats *s, const void *post)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i]->post == post && is_taken(s->v[i]))
			return true;
	return false;
}

/* ---- taking one ---- */

static bool
same_target(const struct buf *a, const struct buf *b)
{
	return span_eq(buf_span(a), buf_span(b));
}

static struct seat *
find_spare(const struct seats *s, const void *post, const struct buf *target)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i]->state == SEAT_SPARE && s->v[i]->post == post &&
		    same_target(&s->v[i]->target, target))
			return s->v[i];
	return NULL;
}

static struct seat *
find_free(struct seats *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->v[i]->state == SEAT_FREE)
			return s->v[i];
	s->v = mem_grow(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n] = mem_new(sizeof(**s->v));
	s->v[s->n]->number = s->n;
	return s->v[s->n++];
}

struct seat *
seats_take(struct seats *s, void *post, uint32_t name, struct buf *target,
    struct buf *account)
{
	struct seat *it = find_spare(s, post, target);

	if (it == NULL) {
		it = find_free(s);
		it->target = *target;
	} else {
		buf_deinit(target);
	}
	it->state = SEAT_WAITING;
	it->name = name;
	it->post = post;
	it->account = *account;
	return it;
}

void
seat_pack_target(const struct seat *s, struct buf *b)
{
	struct span rest = buf_span(&s->target);

	(void)span_take(&rest, sizeof(uint32_t));
	pack_u32(b, s->number);
	(void)buf_add(b, rest);
}

/* ---- its life ---- */

/* What was waiting with it. */
static void
empty(struct seat *s)
{
	buf_wipe(&s->account);
	secret_free(&s->newer);
	s->poll = false;
	s->pause = 0;
}

void
seat_works(struct seat *s)
{
	empty(s);
	s->state = SEAT_WORKING;
}

static void
forget_tunnels(struct seat *s)
{
	for (size_t i = 0; i < TUNNEL_KINDS; i++)
		tunnel_recipe_free(&s->tunnel[i]);
}

static void
set_free(struct seat *s, enum seat_state state)
{
	buf_deinit(&s->target);
	forget_tunnels(s);
	s->told = s->known = false;
	s->post = NULL;
	s->state = state;
}

void
seat_leave(struct seat *s)
{
	empty(s);
	forget_tunnels(s);
	if (s->told)
		s->state = SEAT_SPARE;
	else
		set_free(s, SEAT_FREE);
}

void
seat_end(struct seat *s)
{
	s->state = SEAT_ENDING;
}

bool
seat_forget(struct seat *s)
{
	s->told = s->known = false;
	switch (s->state) {
	case SEAT_SPARE:
		set_free(s, SEAT_FREE);
		return false;
	case SEAT_WORKING:
	case SEAT_LEAVING:
		set_free(s, SEAT_ORPHAN);
		return true;
	case SEAT_FREE:
	case SEAT_WAITING:
	case SEAT_ENDING:
	case SEAT_ORPHAN:
		break;
	}
	return false;
}

void
seats_deinit(struct seats *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		buf_deinit(&s->v[i]->target);
		buf_wipe(&s->v[i]->account);
		secret_free(&s->v[i]->newer);
		forget_tunnels(s->v[i]);
		free(s->v[i]);
	}
	free(s->v);
	*s = (struct seats){ 0 };
}
