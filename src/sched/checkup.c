/* SPDX-License-Identifier: ISC */
#include "sched/checkup.h"

#include <stdlib.h>

#include "util/mem.h"

struct checkup {
	struct checkup_params params; /* of what checkup_new() was given */
	struct fetch_params fetch_params;
	struct hosts_place *place;
	struct loop_timer *stopped; /* before it had a place */
	struct survey *survey;
};

static void
on_fact(void *arg, const struct fact *fact)
{
	struct checkup *c = arg;

	c->params.fact(c->params.arg, fact);
}

static void
on_end(void *arg, const struct err *e)
{
	struct checkup *c = arg;

	hosts_leave(&c->place);
	c->params.end(c->params.arg, e);
}

static void
on_place(void *arg)
{
	struct checkup *c = arg;
	const struct survey_params params = { .env = c->params.env,
		.fetch = &c->fetch_params,
		.fact = on_fact,
		.end = on_end,
		.arg = c };

	c->survey = survey_new(&params);
}

static void
interrupt(struct err *e)
{
	err_set(e, ERR_CANCEL, 0, "interrupted");
}

static void
on_stopped(void *arg)
{
	struct checkup *c = arg;
	struct err e;

	interrupt(&e);
	on_end(c, &e);
}

struct checkup *
checkup_new(const struct checkup_params *params)
{
	struct checkup *c = mem_new(sizeof(*c));

	c->params = *params;
	c->params.who.stays = true; /* how would it watch? */
	params_fill(&c->fetch_params, &c->params.who);
	c->stopped = loop_timer_new(params->env->loop, on_stopped, c);
	c->place =
	    hosts_ask(params->hosts, params->who.conf->host, on_place, c);
	return c;
}

void
checkup_free(struct checkup **c)
{
	struct checkup *it = *c;

	*c = NULL;
	if (it == NULL)
		return;
	survey_free(&it->survey);
	hosts_leave(&it->place);
	loop_timer_free(&it->stopped);
	free(it);
}

void
checkup_stop(struct checkup *c)
{
	struct err e;

	interrupt(&e);
	if (c->survey != NULL) {
		survey_stop(c->survey, &e);
		return;
	}
	hosts_leave(&c->place);
	loop_timer_arm(c->stopped, 0);
}
