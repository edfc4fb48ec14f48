/* SPDX-License-Identifier: ISC */
#include "fetch/survey.h"

#include <stdlib.h>

#include "fetch/survey_half.h"
#include "util/mem.h"

struct survey {
	struct survey_params params;
	struct survey_half half;
	const struct survey_driver *driver;
	void *run;
	struct loop_timer *deadline, *ended; /* ended calls from the loop */
	struct err e;
	bool over;
};

static void
on_ended(void *arg)
{
	struct survey *s = arg;
	struct err e = s->e;

	s->params.end(s->params.arg, &e);
}

static void
on_done(void *arg, const struct err *e)
{
	struct survey *s = arg;

	if (s->over)
		return;
	s->over = true;
	if (e != NULL)
		s->e = *e;
	loop_timer_stop(s->deadline);
	loop_timer_arm(s->ended, 0);
}

void
survey_stop(struct survey *s, const struct err *e)
{
	if (s->over)
		return;
	s->driver->stop(s->run);
	on_done(s, e);
}

static unsigned int
deadline_s(const struct survey *s)
{
	uint64_t total = s->params.fetch->total_timeout_s;

	return total > 0 && total < SURVEY_DEADLINE_S ? (unsigned int)total
						      : SURVEY_DEADLINE_S;
}

static void
on_deadline(void *arg)
{
	struct survey *s = arg;
	struct err e;

	err_set(
	    &e, ERR_NET, 0, "the check took longer than %u s", deadline_s(s));
	survey_stop(s, &e);
}

struct survey *
survey_new(const struct survey_params *params)
{
	struct survey *s = mem_new(sizeof(*s));

	s->params = *params;
	s->half = (struct survey_half){ &s->params, on_done, s };
	s->driver = params->fetch->is_pop3 ? &survey_pop3 : &survey_imap;
	s->deadline = loop_timer_new(params->env->loop, on_deadline, s);
	s->ended = loop_timer_new(params->env->loop, on_ended, s);
	loop_timer_arm(s->deadline, deadline_s(s) * 1000);
	s->run = s->driver->start(&s->half);
	return s;
}

void
survey_free(struct survey **s)
{
	struct survey *it = *s;

	*s = NULL;
	if (it == NULL)
		return;
	it->driver->free(it->run);
	loop_timer_free(&it->deadline);
	loop_timer_free(&it->ended);
	free(it);
}
