/* SPDX-License-Identifier: ISC */
#include "proc/pulse.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sys/log.h"
#include "util/mem.h"

#define EVERY_MS 10000
#define PATIENCE_MS 30000

struct pulse {
	struct team *team; /* not ours */
	struct pulse_params params;
	struct loop_timer *timer;
	loop_fn alive;
	void *arg;
	bool asked;         /* and not answered */
	uint64_t silent_ms; /* counted in rounds: not while we slept */
	bool said;          /* it did not answer last time either */
};

struct pulse_params
pulse_params_for(uint64_t watchdog_ms)
{
	struct pulse_params p = { EVERY_MS, PATIENCE_MS };

	if (watchdog_ms > 0 && watchdog_ms / 6 < p.every_ms)
		p.every_ms = watchdog_ms / 6;
	if (watchdog_ms > 0 && watchdog_ms / 2 < p.patience_ms)
		p.patience_ms = watchdog_ms / 2;
	return p;
}

static void
kill_it(struct pulse *p)
{
	if (!p->said)
		log_error("engine",
		    "has not answered for %" PRIu64 " s: it is ended and "
		    "started again",
		    p->silent_ms / 1000);
	p->said = true;
	p->asked = false;
	team_kill_engine(p->team);
}

static void
on_timer(void *arg)
{
	struct pulse *p = arg;

	if (p->asked)
		p->silent_ms += p->params.every_ms;
	if (p->asked && p->silent_ms >= p->params.patience_ms)
		kill_it(p);
	if (!p->asked) {
		p->asked = true;
		p->silent_ms = 0;
		team_ping(p->team);
	}
	loop_timer_arm(p->timer, p->params.every_ms);
}

void
pulse_on_pong(struct pulse *p)
{
	p->asked = false;
	p->said = false;
	p->alive(p->arg);
}

struct pulse *
pulse_new(struct loop *loop, struct team *team,
    const struct pulse_params *params, loop_fn alive, void *arg)
{
	struct pulse *p = mem_new(sizeof(*p));

	p->team = team;
	p->params = *params;
	p->alive = alive;
	p->arg = arg;
	p->timer = loop_timer_new(loop, on_timer, p);
	loop_timer_arm(p->timer, 0);
	return p;
}

void
pulse_free(struct pulse **p)
{
	struct pulse *it = *p;

	*p = NULL;
	if (it == NULL)
		return;
	loop_timer_free(&it->timer);
	free(it);
}
