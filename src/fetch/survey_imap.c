/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "fetch/survey_half.h"
#include "fetch/survey_names.h"
#include "fetch/survey_tell.h"
#include "fetch/survey_uses.h"
#include "util/mem.h"
#include "util/text.h"

/* The IMAP half of a survey: log in, LIST, STATUS of each, log out. */

#define BYE_MS 2000  /* for the answer to LOGOUT */
#define ID_MAX 1024  /* octets of the answer to ID */
#define AHEAD_MAX 16 /* STATUS commands under way */

struct run {
	const struct survey_half *half; /* not ours */
	struct imap_session *session;
	struct loop_timer *bye;
	struct survey_names names;
	struct buf id;
	struct err trouble; /* of a mailbox: the rest was told */
	uint32_t list;      /* ticket */
	size_t ahead;       /* STATUS commands */
	bool at_once;       /* LIST brings the counts */
	bool entered;       /* the way to the login was told, */
	bool known;         /* what is known of such servers, */
	bool told;          /* and the mailboxes */
	bool logged_in, over;
};

static const struct fetch_params *
params(const struct run *r)
{
	return r->half->params->fetch;
}

static struct imap *
machine(struct run *r)
{
	return imap_session_machine(r->session);
}

/* ---- what is told ---- */

static void
tell(const struct run *r, enum fact_kind kind, struct span text)
{
	survey_tell(r->half->params, kind, text, SPAN(""));
}

static void
tell_quirks(struct run *r)
{
	const struct quirks_signs signs = { .host = params(r)->conn.host,
		.greeting = imap_greeting(machine(r)),
		.capabilities = imap_capabilities(machine(r)),
		.id = buf_span(&r->id) };

	if (r->known)
		return;
	r->known = true;
	survey_tell_quirks(r->half->params, &signs);
}

/* As far as it came; of a session that has not ended. */
static void
tell_entry(struct run *r)
{
	const struct survey_params *p = r->half->params;
	struct imap *m = machine(r);

	if (r->entered)
		return;
	r->entered = true;
	survey_tell_way(p, imap_session_conn(r->session));
	tell(r, FACT_GREETING, imap_greeting(m));
	tell(r, FACT_OFFERED, imap_offered(m));
	survey_tell_login(p, imap_login_choice(m));
	if (r->logged_in)
		tell(r, FACT_CAPABILITIES, imap_capabilities(m));
}

static void
tell_mailboxes(struct run *r)
{
	if (r->told)
		return;
	r->told = true;
	survey_names_tell(&r->names, r->half->params);
}

/* What is known when it ends before its time. */
static void
tell_all(struct run *r)
{
	if (r->session != NULL) {
		tell_entry(r);
		tell_quirks(r);
	}
	tell_mailboxes(r);
}

static void
finish(struct run *r, const struct err *e)
{
	if (r->over)
		return;
	tell_all(r);
	r->over = true;
	imap_session_free(&r->session);
	loop_timer_stop(r->bye);
	if (e == NULL && r->trouble.kind != ERR_NONE)
		e = &r->trouble;
	r->half->done(r->half->arg, e);
}

static void
on_bye(void *arg)
{
	finish(arg, NULL);
}

static void
leave(struct run *r)
{
	tell_mailboxes(r);
	imap_logout(machine(r));
	imap_session_flush(r->session);
	loop_timer_arm(r->bye, BYE_MS);
}

/* ---- the mailboxes ---- */

static void
ask_ahead(struct run *r)
{
	struct survey_name *name = NULL;

	while (r->ahead < AHEAD_MAX &&
	    (name = survey_names_next(&r->names, r->at_once)) != NULL) {
		name->ticket = imap_status(machine(r), name->text);
		r->ahead++;
	}
	if (r->ahead == 0)
		leave(r);
	else
		imap_session_flush(r->session);
}

static void
note(struct run *r, const struct err *e)
{
	if (r->trouble.kind == ERR_NONE)
		r->trouble = *e;
}

static void
done_list(struct run *r, const struct imap_info *info)
{
	const struct fetch_params *f = params(r);
	struct err e = info->err;

	r->list = 0;
	tell_quirks(r);
	survey_uses_imap(r->half->params, machine(r));
	if (!info->ok) {
		err_prefix(&e, "LIST");
		note(r, &e);
		leave(r);
		return;
	}
	survey_names_missing(&r->names, f->mailboxes, f->n_mailboxes);
	if (survey_names_chosen(&r->names) == 0)
		tell(r, FACT_WARNING,
		    SPAN("no mailbox of the server fits the option mailboxes"));
	ask_ahead(r);
}

/* The user asked for it by its name, or cannot know whether it matters. */
static void
done_status(struct run *r, const struct imap_info *info)
{
	const struct survey_name *name = NULL;
	struct err e = info->err;

	if (!info->ok)
		name = survey_names_refused(&r->names, info->ticket, &e);
	if (name != NULL && (name->marks & FACT_CHOSEN) != 0) {
		err_prefix(&e, "%s", name->text);
		note(r, &e);
	}
	r->ahead -= r->ahead > 0;
	ask_ahead(r);
}

static void
on_done(struct run *r, const struct imap_info *info)
{
	if (info->ticket == r->list && r->list != 0)
		done_list(r, info);
	else if (r->ahead > 0)
		done_status(r, info);
}

static void
on_ready(struct run *r)
{
	r->logged_in = true;
	tell_entry(r);
	r->at_once =
	    params(r)->stay.list_status && imap_can(machine(r), "LIST-STATUS");
	r->list =
	    r->at_once ? imap_list_status(machine(r)) : imap_list(machine(r));
	imap_session_flush(r->session);
}

/* ---- events ---- */

static void
hear_listed(struct run *r, const struct imap_info *info)
{
	if (r->list != 0)
		survey_names_listed(&r->names, params(r)->mailboxes,
		    params(r)->n_mailboxes, info);
}

static void
hear_id(struct run *r, struct span text)
{
	if (r->id.n > 0)
		return;
	(void)buf_add(
	    &r->id, span_take(&text, text.n < ID_MAX ? text.n : ID_MAX));
	tell(r, FACT_SERVER, buf_span(&r->id));
}

static void
on_event(void *arg, enum imap_event ev, struct imap_info *info)
{
	struct run *r = arg;

	if (ev == IMAP_READY)
		on_ready(r);
	else if (ev == IMAP_IDENTIFIED)
		hear_id(r, info->text);
	else if (ev == IMAP_LISTED)
		hear_listed(r, info);
	else if (ev == IMAP_COUNTED)
		survey_names_counted(&r->names, info);
	else if (ev == IMAP_NOTICE)
		tell(r, FACT_WARNING, info->text);
	else if (ev == IMAP_DONE && !r->told)
		on_done(r, info);
	else if (ev == IMAP_FAILED)
		finish(r, r->told ? NULL : &info->err);
	else if (ev == IMAP_CLOSED)
		finish(r, NULL);
}

/* ---- life ---- */

static void *
start(const struct survey_half *half)
{
	const struct fetch_env *env = half->params->env;
	struct run *r = mem_new(sizeof(*r));
	struct imap_params imap = half->params->fetch->imap;

	r->half = half;
	r->bye = loop_timer_new(env->loop, on_bye, r);
	buf_init(&r->id, ID_MAX);
	imap.keep_offer = true;
	r->session = imap_session_open(env->loop, env->dns, &params(r)->conn,
	    &imap, params(r)->subject, on_event, r);
	return r;
}

static void
stop(void *run)
{
	struct run *r = run;

	if (r->over)
		return;
	tell_all(r);
	r->over = true;
	imap_session_free(&r->session);
	loop_timer_stop(r->bye);
}

static void
release(void *run)
{
	struct run *r = run;

	imap_session_free(&r->session);
	loop_timer_free(&r->bye);
	survey_names_deinit(&r->names);
	buf_deinit(&r->id);
	free(r);
}

const struct survey_driver survey_imap = { start, stop, release };
