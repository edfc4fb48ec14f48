/* SPDX-License-Identifier: ISC */
#include "proc/turns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "util/mem.h"

struct group { /* those of many owners, each of whom has few */
	TAILQ_HEAD(, turn) owners; /* who have any */
	unsigned int n, most, most_each;
};

struct turn { /* those of one owner */
	TAILQ_ENTRY(turn) next;
	struct group *group; /* NULL: ours */
	char *owner;
	unsigned int n;
};

struct turns {
	struct turn ours;
	struct group users, providers;
};

struct turns *
turns_new(void)
{
	struct turns *t = mem_new(sizeof(*t));

	t->users.most = TURNS_USERS;
	t->users.most_each = TURNS_USER;
	TAILQ_INIT(&t->users.owners);
	t->providers.most = TURNS_PROVIDERS;
	t->providers.most_each = TURNS_PROVIDER;
	TAILQ_INIT(&t->providers.owners);
	return t;
}

void
turns_free(struct turns **p)
{
	struct turns *t = *p;

	*p = NULL;
	if (t == NULL)
		return;
	assert(t->users.n == 0 && t->providers.n == 0 && t->ours.n == 0);
	free(t);
}

static struct turn *
find(struct group *g, const char *owner)
{
	struct turn *one;

	TAILQ_FOREACH (one, &g->owners, next)
		if (strcmp(one->owner, owner) == 0)
			return one;
	return NULL;
}

static struct turn *
take(struct group *g, const char *owner)
{
	struct turn *one = find(g, owner);

	if (g->n >= g->most || (one != NULL && one->n >= g->most_each))
		return NULL;
	if (one == NULL) {
		one = mem_new(sizeof(*one));
		one->group = g;
		one->owner = mem_strdup(owner);
		TAILQ_INSERT_TAIL(&g->owners, one, next);
	}
	one->n++;
	g->n++;
	return one;
}

struct turn *
turns_take(struct turns *t, const char *owner)
{
	if (owner != NULL)
		return take(&t->users, owner);
	if (t->ours.n >= TURNS_OURS)
		return NULL;
	t->ours.n++;
	return &t->ours;
}

struct turn *
turns_take_provider(struct turns *t, const char *url)
{
	return take(&t->providers, url);
}

void
turns_give_back(struct turns *t, struct turn **p)
{
	struct turn *one = *p;

	*p = NULL;
	(void)t;
	if (one == NULL)
		return;
	one->n--;
	if (one->group == NULL)
		return;
	one->group->n--;
	if (one->n > 0)
		return;
	TAILQ_REMOVE(&one->group->owners, one, next);
	free(one->owner);
	free(one);
}
