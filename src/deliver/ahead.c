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
		if (a->asked > 0 && a->target < AHEAD_MAX)
			a->target *= 2;
		return false;
	}
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
		a->target = AHEAD_MIN;
	return idle;
}
