/* SPDX-License-Identifier: ISC */
#include "io/lull.h"

#include <stdlib.h>

#include "sys/clock.h"
#include "util/mem.h"

struct lull {
	struct loop_timer *timer;
	uint64_t quiet_ms, most_ms;
	uint64_t first, last; /* stir; ms */
	loop_fn fn;
	void *arg;
};

static void
on_timer(void *arg)
{
	struct lull *l = arg;
	uint64_t now = clock_ms();
	uint64_t due = l->last + l->quiet_ms;

	if (due > l->first + l->most_ms)
		due = l->first + l->most_ms;
	if (due > now) {
		loop_timer_arm(l->timer, due - now);
		return;
	}
	/* what was stirred lately is not at rest yet: it counts again */
	if (now < l->last + l->quiet_ms) {
		l->first = now;
		loop_timer_arm(l->timer, l->quiet_ms);
	}
	l->fn(l->arg);
}

void
lull_stir(struct lull *l)
{
	if (l == NULL)
		return;
	l->last = clock_ms();
	if (loop_timer_armed(l->timer))
		return;
	l->first = l->last;
	loop_timer_arm(l->timer, l->quiet_ms);
}

struct lull *
lull_new(struct loop *loop, uint64_t quiet_ms, uint64_t most_ms, loop_fn fn,
    void *arg)
{
	struct lull *l = mem_new(sizeof(*l));

	l->timer = loop_timer_new(loop, on_timer, l);
	l->quiet_ms = quiet_ms;
	l->most_ms = most_ms;
	l->fn = fn;
	l->arg = arg;
	return l;
}

void
lull_free(struct lull **l)
{
	struct lull *it = *l;

	*l = NULL;
	if (it == NULL)
		return;
	loop_timer_free(&it->timer);
	free(it);
}
