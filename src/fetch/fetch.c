/* SPDX-License-Identifier: ISC */
#include "fetch/fetch.h"

#include <stdlib.h>

#include "fetch/run.h"
#include "util/mem.h"

static void
on_finished(void *arg)
{
	struct fetch *f = arg;
	struct fetch_result result = f->result;

	f->fn(f->arg, &result);
}

static void
on_total(void *arg)
{
	struct fetch *f = arg;
	struct err e;

	err_set(&e, ERR_NET, 0, "the fetch took longer than %llu s",
	    (unsigned long long)f->params->total_timeout_s);
	fetch_note(f, &e);
	f->driver->stop(f->run);
}

struct fetch *
fetch_new(const struct fetch_env *env, const struct fetch_params *params,
    fetch_fn fn, void *arg)
{
	struct fetch *f = mem_new(sizeof(*f));

	f->env = env;
	f->params = params;
	f->fn = fn;
	f->arg = arg;
	f->driver = params->is_pop3 ? &pop3_driver : &imap_driver;
	f->result.progress.doing = "connecting";
	f->finished = loop_timer_new(env->loop, on_finished, f);
	f->total = loop_timer_new(env->loop, on_total, f);
	if (params->total_timeout_s > 0)
		loop_timer_arm(f->total, params->total_timeout_s * 1000);
	f->run = f->driver->start(f);
	return f;
}

void
fetch_free(struct fetch **f)
{
	struct fetch *it = *f;

	*f = NULL;
	if (it == NULL)
		return;
	it->driver->free(it->run);
	loop_timer_free(&it->finished);
	loop_timer_free(&it->total);
	free(it);
}

void
fetch_stop(struct fetch *f)
{
	struct err e;

	err_set(&e, ERR_CANCEL, 0, "interrupted");
	fetch_note(f, &e);
	f->driver->stop(f->run);
}

const struct fetch_progress *
fetch_progress(const struct fetch *f)
{
	return &f->result.progress;
}

/* ---- for the drivers ---- */

void
fetch_note(struct fetch *f, const struct err *e)
{
	const struct err *kept = &f->result.err;

	if (kept->kind == ERR_NONE ||
	    (!fetch_is_fatal(kept) && fetch_is_fatal(e)))
		f->result.err = *e;
}

void
fetch_finish(struct fetch *f, const struct err *e)
{
	if (e != NULL)
		fetch_note(f, e);
	f->result.progress.doing = "done";
	loop_timer_stop(f->total);
	loop_timer_arm(f->finished, 0);
}

bool
fetch_is_fatal(const struct err *e)
{
	return e->kind != ERR_NONE && e->kind != ERR_MESSAGE &&
	    e->kind != ERR_MAILBOX;
}
