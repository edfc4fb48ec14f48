/* SPDX-License-Identifier: ISC */
#include "proc/posts.h"

#include <stdlib.h>

#include "io/ipc.h"
#include "proc/member.h"
#include "proc/wire.h"
#include "sys/clock.h"
#include "util/mem.h"

struct post *
posts_find(const struct posts *p, const char *user)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->v[i] != NULL &&
		    team_deliverer_is(p->v[i]->deliverer, user))
			return p->v[i];
	return NULL;
}

static void
place(struct posts *p, struct post *it)
{
	while (it->number < p->n && p->v[it->number] != NULL)
		it->number++;
	if (it->number == p->n)
		p->v = mem_grow(p->v, ++p->n, sizeof(*p->v));
	p->v[it->number] = it;
}

struct post *
posts_add(struct posts *p, struct loop *loop, void *owner,
    const struct team_deliverer_params *params,
    const struct team_deliverer_events *events, struct err *e)
{
	struct post *it = mem_new(sizeof(*it));

	it->owner = owner;
	it->deliverer = team_deliverer_new(loop, params, events, it, e);
	if (it->deliverer == NULL) {
		free(it);
		return NULL;
	}
	place(p, it);
	return it;
}

static void
remove_by(struct posts *p, struct post *post, uint64_t deadline)
{
	p->v[post->number] = NULL;
	team_deliverer_free(&post->deliverer, deadline);
	free(post);
}

void
posts_remove(struct posts *p, struct post *post)
{
	remove_by(p, post, clock_ms() + MEMBER_END_MS);
}

void
posts_deinit(struct posts *p, uint64_t deadline)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->v[i] != NULL)
			(void)team_deliverer_dismiss(p->v[i]->deliverer);
	for (uint32_t i = 0; i < p->n; i++)
		if (p->v[i] != NULL)
			remove_by(p, p->v[i], deadline);
	free(p->v);
	*p = (struct posts){ 0 };
}

int
post_link(struct post *p, struct team_engine *engine, struct err *e)
{
	int pair[2];

	if (p->linked || !team_deliverer_ready(p->deliverer) ||
	    !team_engine_there(engine))
		return 0;
	if (ipc_pair(pair, e) != 0)
		return -1;
	team_engine_link(engine, p->number, pair[0]);
	team_deliverer_link(p->deliverer, pair[1]);
	p->linked = true;
	return 0;
}

void
post_unlink(struct post *p, struct team_engine *engine)
{
	if (p->linked)
		team_engine_say(engine, WIRE_UNLINK, p->number);
	p->linked = false;
}
