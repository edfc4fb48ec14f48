/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "fetch/imap_box.h"
#include "fetch/plan.h"
#include "fetch/run.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

/* The IMAP half of a fetch: log in, mailbox after mailbox, log out. */

#define MAILBOXES_MAX 10000 /* that patterns may choose */
#define BYE_MS 5000         /* for the answer to LOGOUT */

struct name {
	char *text;
	char delimiter; /* between its levels; 0: none, or not known */
};

struct imap_run {
	struct fetch *f; /* not ours */
	struct imap_session *session;
	struct imap_box *box;
	struct loop_timer *bye;
	struct name *names; /* of the mailboxes to fetch */
	size_t n, cap, at;
	char delimiter; /* of names that LIST did not tell of */
	uint32_t list;  /* ticket */
	bool leaving;   /* all is done but the LOGOUT */
};

static struct imap *
machine(struct imap_run *r)
{
	return imap_session_machine(r->session);
}

static void
finish(struct imap_run *r, const struct err *e)
{
	imap_session_free(&r->session);
	loop_timer_stop(r->bye);
	fetch_finish(r->f, e);
}

static void
on_bye(void *arg)
{
	finish(arg, NULL);
}

static void
leave(struct imap_run *r)
{
	r->leaving = true;
	r->f->result.progress.doing = "leaving";
	imap_logout(machine(r));
	imap_session_flush(r->session);
	loop_timer_arm(r->bye, BYE_MS);
}

/* ---- which mailboxes ---- */

static bool
have_name(const struct imap_run *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->names[i].text, name) == 0)
			return true;
	return false;
}

/* Each once; INBOX is the same in any case (RFC 3501 5.1). */
static void
add_name(struct imap_run *r, const char *name, char delimiter)
{
	if (span_ieq(span_of(name), SPAN("INBOX")))
		name = "INBOX";
	if (have_name(r, name))
		return;
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 8 : r->cap * 2;
		r->names = mem_grow(r->names, r->cap, sizeof(*r->names));
	}
	r->names[r->n++] = (struct name){ mem_strdup(name), delimiter };
}

static bool
need_list(const struct fetch_params *p)
{
	for (size_t i = 0; i < p->n_mailboxes; i++)
		if (plan_is_pattern(p->mailboxes[i]))
			return true;
	return false;
}

static void
on_listed(struct imap_run *r, const struct imap_info *info)
{
	const struct fetch_params *p = r->f->params;
	char *name;

	if (info->name.n == 0 || r->delimiter == 0)
		r->delimiter = info->delimiter;
	if (info->name.n == 0)
		return;
	name = mem_spandup(info->name);
	if (!info->noselect && r->n < MAILBOXES_MAX &&
	    strlen(name) == info->name.n &&
	    plan_chooses(p->mailboxes, p->n_mailboxes, name, info->delimiter))
		add_name(r, name, info->delimiter);
	free(name);
}

/* A plain name in the configuration is selected although LIST is silent
 * about it: the server then says what is wrong. */
static void
add_plain_names(struct imap_run *r)
{
	const struct fetch_params *p = r->f->params;

	for (size_t i = 0; i < p->n_mailboxes; i++)
		if (!plan_is_pattern(p->mailboxes[i]))
			add_name(r, p->mailboxes[i], r->delimiter);
}

/* ---- one after another ---- */

static void on_box(void *arg, const struct err *e);

static void
next_mailbox(struct imap_run *r)
{
	const struct name *name;

	if (r->at == r->n) {
		leave(r);
		return;
	}
	name = &r->names[r->at++];
	r->box = imap_box_new(
	    r->f, r->session, name->text, name->delimiter, on_box, r);
}

static void
on_box(void *arg, const struct err *e)
{
	struct imap_run *r = arg;
	struct err why = { 0 };

	if (e != NULL) {
		why = *e; /* e is the box's */
		fetch_note(r->f, &why);
	}
	imap_box_free(&r->box);
	r->f->steps++;
	if (r->session == NULL || fetch_is_fatal(&why))
		finish(r, NULL); /* why was noted */
	else
		next_mailbox(r);
}

static void
done_list(struct imap_run *r, const struct imap_info *info)
{
	struct err e = info->err;

	if (!info->ok) {
		err_prefix(&e, "LIST");
		finish(r, &e);
		return;
	}
	add_plain_names(r);
	if (r->n == 0)
		log_warning(r->f->params->subject,
		    "no mailbox of the server fits the option mailboxes");
	next_mailbox(r);
}

static void
on_ready(struct imap_run *r)
{
	r->f->result.logged_in = true;
	if (need_list(r->f->params)) {
		r->list = imap_list(machine(r));
	} else if (r->f->params->folders) {
		r->list = imap_list_delimiter(machine(r));
	} else {
		add_plain_names(r);
		next_mailbox(r);
		return;
	}
	imap_session_flush(r->session);
}

/* The session is no more. */
static void
lost(struct imap_run *r, const struct err *e)
{
	imap_session_free(&r->session);
	if (r->box != NULL) {
		fetch_note(r->f, e);
		imap_box_stop(r->box);
	} else {
		finish(r, r->leaving ? NULL : e);
	}
}

static void
on_event(void *arg, enum imap_event ev, struct imap_info *info)
{
	struct imap_run *r = arg;
	char text[ERR_TEXT_MAX];

	if (ev == IMAP_READY)
		on_ready(r);
	else if (ev == IMAP_LISTED)
		on_listed(r, info);
	else if (ev == IMAP_NOTICE)
		log_notice(r->f->params->subject, "the server says: \"%s\"",
		    text_printable(text, sizeof(text), info->text));
	else if (ev == IMAP_FAILED)
		lost(r, &info->err);
	else if (ev == IMAP_CLOSED)
		finish(r, NULL);
	else if (ev == IMAP_DONE && r->list != 0 && info->ticket == r->list)
		done_list(r, info);
	else if (r->box != NULL)
		imap_box_event(r->box, ev, info);
}

/* ---- life ---- */

static void *
start(struct fetch *f)
{
	struct imap_run *r = mem_new(sizeof(*r));

	r->f = f;
	r->bye = loop_timer_new(f->env->loop, on_bye, r);
	r->session =
	    imap_session_open(f->env->loop, f->env->dns, &f->params->conn,
		&f->params->imap, f->params->subject, on_event, r);
	return r;
}

static void
stop(void *run)
{
	struct imap_run *r = run;

	imap_session_free(&r->session);
	if (r->box != NULL)
		imap_box_stop(r->box);
	else
		finish(r, NULL);
}

static void
release(void *run)
{
	struct imap_run *r = run;

	if (r == NULL)
		return;
	imap_box_free(&r->box);
	imap_session_free(&r->session);
	loop_timer_free(&r->bye);
	for (size_t i = 0; i < r->n; i++)
		free(r->names[i].text);
	free(r->names);
	free(r);
}

const struct fetch_driver imap_driver = { start, stop, release };
