/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "fetch/survey_half.h"
#include "fetch/survey_tell.h"
#include "fetch/survey_uses.h"
#include "util/mem.h"

/* The POP3 half of a survey: log in, STAT, QUIT. Nothing is retrieved, which
 * some servers would take for read, and nothing is deleted. */

#define BYE_MS 2000 /* for the answer to QUIT */
#define SHOWN_MAX (FACT_TEXT_MAX - 1)

struct run {
	const struct survey_half *half; /* not ours */
	struct pop3_session *session;
	struct loop_timer *bye;
	bool entered, asked, over;
};

static const struct fetch_params *
params(const struct run *r)
{
	return r->half->params->fetch;
}

static struct pop3 *
machine(struct run *r)
{
	return pop3_session_machine(r->session);
}

/* ---- what is told ---- */

/* On one line: "UIDL, SASL PLAIN LOGIN". */
static void
tell_capabilities(const struct run *r, struct span lines, bool logged_in)
{
	struct buf text;

	buf_init(&text, SHOWN_MAX);
	while (lines.n > 0) {
		(void)buf_add(&text, span_until(&lines, '\n'));
		if (lines.n > 0)
			(void)buf_add(&text, SPAN(", "));
	}
	survey_tell(r->half->params,
	    logged_in ? FACT_CAPABILITIES : FACT_OFFERED, buf_span(&text),
	    SPAN(""));
	buf_deinit(&text);
}

static void
tell_quirks(struct run *r)
{
	const struct quirks_signs signs = { .is_pop3 = true,
		.host = params(r)->conn.host,
		.greeting = pop3_greeting(machine(r)),
		.capabilities = pop3_capabilities(machine(r)) };

	survey_tell_quirks(r->half->params, &signs);
}

static void
tell_entry(struct run *r, bool logged_in)
{
	const struct survey_params *p = r->half->params;
	struct pop3 *m = machine(r);

	if (r->entered)
		return;
	r->entered = true;
	survey_tell_way(p, pop3_session_conn(r->session));
	survey_tell(p, FACT_GREETING, pop3_greeting(m), SPAN(""));
	survey_tell_login(p, pop3_login_choice(m));
	tell_capabilities(r, pop3_capabilities(m), logged_in);
	tell_quirks(r);
}

static void
end_session(struct run *r)
{
	if (r->session != NULL)
		tell_entry(r, false);
	r->over = true;
	pop3_session_free(&r->session);
	loop_timer_stop(r->bye);
}

static void
finish(struct run *r, const struct err *e)
{
	if (r->over)
		return;
	end_session(r);
	r->half->done(r->half->arg, e);
}

static void
on_bye(void *arg)
{
	finish(arg, NULL);
}

/* ---- events ---- */

static void
on_ready(struct run *r)
{
	tell_entry(r, true);
	survey_uses_pop3(r->half->params, machine(r));
	pop3_stat(machine(r));
	pop3_session_flush(r->session);
}

static void
hear_stat(struct run *r, const struct pop3_info *info)
{
	const struct fact fact = { .kind = FACT_MAILDROP,
		.text = { "", "", "", "" },
		.number = { info->count, info->size } };

	r->half->params->fact(r->half->params->arg, &fact);
}

static void
on_done(struct run *r, const struct pop3_info *info)
{
	struct err e = info->err;

	if (info->request != POP3_REQ_STAT)
		return;
	if (!info->ok) {
		err_prefix(&e, "STAT");
		finish(r, &e);
		return;
	}
	r->asked = true;
	pop3_quit(machine(r));
	pop3_session_flush(r->session);
	loop_timer_arm(r->bye, BYE_MS);
}

static void
on_event(void *arg, enum pop3_event ev, struct pop3_info *info)
{
	struct run *r = arg;

	if (ev == POP3_READY)
		on_ready(r);
	else if (ev == POP3_STAT)
		hear_stat(r, info);
	else if (ev == POP3_DONE)
		on_done(r, info);
	else if (ev == POP3_FAILED)
		finish(r, r->asked ? NULL : &info->err);
	else if (ev == POP3_CLOSED)
		finish(r, NULL);
}

/* ---- life ---- */

static void *
start(const struct survey_half *half)
{
	const struct fetch_env *env = half->params->env;
	struct run *r = mem_new(sizeof(*r));

	r->half = half;
	r->bye = loop_timer_new(env->loop, on_bye, r);
	r->session = pop3_session_open(env->loop, env->dns, &params(r)->conn,
	    &params(r)->pop3, params(r)->subject, on_event, r);
	return r;
}

static void
stop(void *run)
{
	struct run *r = run;

	if (!r->over)
		end_session(r);
}

static void
release(void *run)
{
	struct run *r = run;

	pop3_session_free(&r->session);
	loop_timer_free(&r->bye);
	free(r);
}

const struct survey_driver survey_pop3 = { start, stop, release };
