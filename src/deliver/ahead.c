/* SPDX-License-Identifier: ISC */
#include "deliver/ahead.h"

void
ahead_init(struct ahead *a)
{
	*a = (struct ahead){ .target = AHEAD_MIN };
}

unsigned int
ahead_want(const struct ahead *a)
{
	unsigned int have = a->n + a->asked;

	if (!a->flowing)
		return a->first || have > 0 ? 0 : 1;
	return have <= a->target / 2 ? a->target - have : 0;
}

void
ahead_ask(struct ahead *a, unsigned int n)
{
	a->asked += n;
}

bool
ahead_put(struct ahead *a, uint32_t token, int fd)
{
	unsigned int at = (a->head + a->n) % AHEAD_MAX;

	if (a->asked == 0 || a->n == AHEAD_MAX)
		return false;
	a->asked--;
	a->file[at].token = token;
	a->file[at].fd = fd;
	a->n++;
	return true;
}

bool
ahead_take(struct ahead *a, uint32_t *token, int *fd)
{
	a->used = true;
	if (a->n == 0) {
		if (a->flowing && a->asked > 0 && a->target < AHEAD_MAX)
			a->target *= 2;
		a->flowing = a->flowing || a->first;
		return false;
	}
	a->first = true;
	*token = a->file[a->head].token;
	*fd = a->file[a->head].fd;
	a->head = (a->head + 1) % AHEAD_MAX;
	a->n--;
	return true;
}

bool
ahead_rest(struct ahead *a)
{
	bool idle = !a->used;

	a->used = false;
	if (idle)
		ahead_calm(a);
	return idle;
}

bool
ahead_awake(const struct ahead *a)
{
	return a->n > 0 || a->asked > 0 || a->first;
}

void
ahead_calm(struct ahead *a)
{
	a->target = AHEAD_MIN;
	a->used = a->first = a->flowing = false;
}
