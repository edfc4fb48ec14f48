/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "fetch/imap_box.h"
#include "fetch/imap_names.h"
#include "fetch/imap_watch.h"
#include "fetch/run.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

/* The IMAP half of a fetch: log in, mailbox after mailbox, log out. */

#define BYE_MS 5000 /* for the answer to LOGOUT */

struct imap_run {
	struct fetch *f; /* not ours */
	struct imap_session *session;
	struct imap_box *box;     /* the look at one mailbox */
	struct imap_watch *watch; /* NULL: leave when all is fetched */
	struct loop_timer *bye;
	struct imap_names names; /* of the mailboxes to fetch */
	struct imap_name *at;    /* the mailbox of box */
	struct imap_name *selected;
	bool read_only;  /* selected is */
	uint64_t before; /* messages delivered before box */
	uint32_t list;   /* ticket */
	bool leaving;    /* all is done but the LOGOUT */
};

static struct imap *
machine(struct imap_run *r)
{
	return imap_session_machine(r->session);
}

static void
finish(struct imap_run *r, const struct err *e)
{
	imap_watch_free(&r->watch);
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
	imap_watch_free(&r->watch);
	r->leaving = true;
	r->f->result.progress.doing = "leaving";
	imap_logout(machine(r));
	imap_session_flush(r->session);
	loop_timer_arm(r->bye, BYE_MS);
}

static bool
waits(const struct imap_run *r)
{
	return r->watch != NULL && imap_watch_waits(r->watch);
}

static void
set_away(struct imap_run *r, const char *name, bool away)
{
	struct imap_name *it = imap_names_find(&r->names, name);

	if (it == NULL)
		return;
	it->away = away;
	it->dirty = !away;
	if (!away && waits(r))
		imap_watch_ask(r->watch);
}

/* ---- one after another ---- */

static void on_box(void *arg, const struct err *e);

static void
look_at(struct imap_run *r, struct imap_name *name)
{
	bool open = name->told && name == r->selected;

	r->at = name;
	r->before = r->f->result.progress.messages;
	name->dirty = name->told = name->failed = false;
	r->box = imap_box_new(r->f, r->session,
	    &(struct imap_box_params){ .mailbox = name->text,
		.delimiter = name->delimiter,
		.uidvalidity = open ? name->uidvalidity : 0,
		.read_only = r->read_only },
	    on_box, r);
}

/* Where it stays comes last. */
static struct imap_name *
next_name(struct imap_run *r)
{
	return imap_names_dirty(
	    &r->names, r->watch == NULL ? NULL : imap_names_home(&r->names));
}

static void
next_mailbox(struct imap_run *r)
{
	enum imap_watch_says says = IMAP_WATCH_LOOK;
	struct imap_name *name = next_name(r);

	if (name == NULL && r->watch != NULL)
		says = imap_watch_wait(r->watch, r->selected);
	if (name == NULL && says == IMAP_WATCH_LOOK)
		name = next_name(r);
	if (name != NULL)
		look_at(r, name);
	else if (says != IMAP_WATCH_WAITS)
		leave(r);
}

static void
on_watch(void *arg, enum imap_watch_says says)
{
	struct imap_run *r = arg;

	if (says == IMAP_WATCH_DONE) {
		leave(r);
		return;
	}
	fetch_begin_round(r->f);
	next_mailbox(r);
}

/* What a later STATUS is compared with. */
static void
keep_counts(struct imap_run *r)
{
	const struct imap_box *b = r->box;

	if (b->select == 0 && b->uidvalidity != 0) {
		r->selected = r->at;
		r->read_only = b->read_only;
		r->at->uidvalidity = b->uidvalidity;
		r->at->uidnext = b->uidnext;
		r->at->exists = b->look.exists;
	} else {
		r->selected = NULL;
		r->at->failed = true;
	}
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
	keep_counts(r);
	if (r->watch != NULL)
		imap_watch_looked(r->watch, r->at,
		    r->f->result.progress.messages - r->before);
	imap_box_free(&r->box);
	r->at = NULL;
	r->f->steps++;
	if (r->session == NULL || fetch_is_fatal(&why))
		finish(r, NULL); /* why was noted */
	else
		next_mailbox(r);
}

/* ---- which mailboxes ---- */

static void
begin(struct imap_run *r)
{
	const struct fetch_params *p = r->f->params;

	imap_names_plain(&r->names, p->mailboxes, p->n_mailboxes);
	if (r->names.n == 0)
		log_warning(p->subject,
		    "no mailbox of the server fits the option mailboxes");
	for (size_t i = 0; i < p->stay.n_without; i++)
		set_away(r, p->stay.without[i], true);
	if (p->stay.on)
		r->watch =
		    imap_watch_new(r->f, r->session, &r->names, on_watch, r);
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
	begin(r);
}

static void
on_ready(struct imap_run *r)
{
	const struct fetch_params *p = r->f->params;

	r->f->result.logged_in = true;
	if (imap_names_need_list(p->mailboxes, p->n_mailboxes)) {
		r->list = imap_list(machine(r));
	} else if (p->folders) {
		r->list = imap_list_delimiter(machine(r));
	} else {
		begin(r);
		return;
	}
	imap_session_flush(r->session);
}

/* Events of a session that looks at a mailbox or waits. */
static void
hear(struct imap_run *r, enum imap_event ev, const struct imap_info *info)
{
	if (r->watch != NULL && imap_watch_event(r->watch, ev, info))
		return;
	if (r->box == NULL)
		return;
	if (ev == IMAP_CHANGED && r->watch != NULL && r->box->select == 0)
		r->at->dirty = r->at->told = true;
	imap_box_event(r->box, ev, info);
}

/* The session is no more. */
static void
lost(struct imap_run *r, const struct err *e)
{
	if (r->watch != NULL)
		r->f->result.idled_s = imap_watch_idled_s(r->watch);
	imap_watch_free(&r->watch);
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
	else if (ev == IMAP_LISTED && r->list != 0)
		imap_names_listed(&r->names, r->f->params->mailboxes,
		    r->f->params->n_mailboxes, info);
	else if (ev == IMAP_NOTICE)
		log_notice(r->f->params->subject, "the server says: \"%s\"",
		    text_printable(text, sizeof(text), info->text));
	else if (ev == IMAP_FAILED)
		lost(r, &info->err);
	else if (ev == IMAP_CLOSED)
		finish(r, NULL);
	else if (ev == IMAP_DONE && r->list != 0 && info->ticket == r->list)
		done_list(r, info);
	else
		hear(r, ev, info);
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

	imap_watch_free(&r->watch);
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
	imap_watch_free(&r->watch);
	imap_names_deinit(&r->names);
	free(r);
}

/* ---- of one that stays ---- */

static bool
look(void *run)
{
	struct imap_run *r = run;

	if (!waits(r))
		return false;
	imap_watch_look(r->watch);
	return true;
}

static void
probe(void *run)
{
	struct imap_run *r = run;

	if (r->watch != NULL)
		imap_watch_probe(r->watch);
}

static bool
rests(void *run)
{
	struct imap_run *r = run;

	return r->watch != NULL && imap_watch_rests(r->watch);
}

static bool
leave_now(void *run)
{
	struct imap_run *r = run;

	if (!waits(r))
		return false;
	leave(r);
	return true;
}

static void
safety(void *run, uint64_t s)
{
	struct imap_run *r = run;

	if (r->watch != NULL)
		imap_watch_safety(r->watch, s);
}

static const char *
mailbox(void *run, size_t i)
{
	const struct imap_run *r = run;

	return i < r->names.n ? r->names.v[i].text : NULL;
}

static void
away(void *run, const char *name, bool is)
{
	set_away(run, name, is);
}

const struct fetch_driver imap_driver = { start, stop, release, look, probe,
	rests, leave_now, safety, mailbox, away };
