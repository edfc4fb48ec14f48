/* SPDX-License-Identifier: ISC */
#include "proc/turns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "util/mem.h"

struct turn { /* those of one owner */
	TAILQ_ENTRY(turn) next;
	char *owner; /* NULL: ours */
	unsigned int n;
};

struct turns {
	struct turn ours;
	TAILQ_HEAD(, turn) users; /* who have any */
	unsigned int of_users;    /* in all */
};

struct turns *
turns_new(void)
{
	struct turns *t = mem_new(sizeof(*t));

	TAILQ_INIT(&t->users);
	return t;
}

void
turns_free(struct turns **p)
{
	struct turns *t = *p;

	*p = NULL;
	if (t == NULL)
		return;
	assert(TAILQ_EMPTY(&t->users) && t->ours.n == 0);
	free(t);
}

static struct turn *
find(struct turns *t, const char *owner)
{
	struct turn *one;

	TAILQ_FOREACH (one, &t->users, next)
		if (strcmp(one->owner, owner) == 0)
			return one;
	return NULL;
}

static struct turn *
take_users(struct turns *t, const char *owner)
{
	struct turn *one = find(t, owner);

	if (t->of_users >= TURNS_USERS || (one != NULL && one->n >= TURNS_USER))
		return NULL;
	if (one == NULL) {
		one = mem_new(sizeof(*one));
		one->owner = mem_strdup(owner);
		TAILQ_INSERT_TAIL(&t->users, one, next);
	}
	one->n++;
	t->of_users++;
	return one;
}

struct turn *
turns_take(struct turns *t, const char *owner)
{
	if (owner != NULL)
		return take_users(t, owner);
	if (t->ours.n >= TURNS_OURS)
		return NULL;
	t->ours.n++;
	return &t->ours;
}

void
turns_give_back(struct turns *t, struct turn **p)
{
	struct turn *one = *p;

	*p = NULL;
	if (one == NULL)
		return;
	one->n--;
	if (one->owner == NULL)
		return;
	t->of_users--;
	if (one->n > 0)
		return;
	TAILQ_REMOVE(&t->users, one, next);
	free(one->owner);
	free(one);
}
