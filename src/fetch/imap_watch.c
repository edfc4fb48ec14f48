/* SPDX-License-Identifier: ISC */
#include "fetch/imap_watch.h"

#include <stdlib.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define DELIVERER_MS 200  /* until it is looked whether one is back */
#define PROBE_S 5         /* a server that lives answers in this time */
#define NAMES_MAX 100     /* that one NOTIFY names */
#define ASKED_MAX 8       /* STATUS commands in flight */
#define LIST_STATUS_MIN 4 /* so many mailboxes are worth one LIST of all */
#define SHORT_MS 1000     /* an IDLE that the server ends sooner is none */
#define SHORT_MAX 3       /* in a row */

enum st {
	ST_LOOKING, /* the owner does */
	ST_IDLE,
	ST_QUIET, /* NOTIFY without IDLE */
	ST_ASKING,
	ST_NOTIFY, /* NOTIFY is not answered yet */
	ST_NOOP
};

struct imap_watch {
	struct fetch *f;              /* not ours */
	struct imap_session *session; /* not ours */
	struct imap_names *names;     /* not ours */
	imap_watch_fn fn;
	void *arg;
	struct loop_timer *timer; /* to what is due first */
	enum st st;
	struct imap_name *home; /* the mailbox of IDLE; NULL: none */
	uint32_t ticket;        /* of IDLE, NOTIFY, NOOP, LIST */
	unsigned int asked;     /* STATUS commands in flight */
	size_t next;            /* name to be asked about */
	uint64_t renew_at, ask_at, safety_at, idle_at;
	unsigned int shorts;
	bool idle, notify, notifying; /* notifying: NOTIFY was accepted */
	bool done_said;               /* in ST_IDLE */
	bool ask, look, probe;        /* are due */
	bool wary;                    /* the look is to see whether mail came
	                                 of which nobody told */
	bool told; /* it came properly, since the last look */
	struct fetch_round round;
};

static struct imap *
machine(struct imap_watch *w)
{
	return imap_session_machine(w->session);
}

static const struct fetch_stay *
stay(const struct imap_watch *w)
{
	return &w->f->params->stay;
}

/* ---- time ---- */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool
has_unwatched(const struct imap_watch *w)
{
	return !w->notifying && imap_names_count(w->names) > 1;
}

/* A request in flight has its own deadline. */
static void
arm(struct imap_watch *w)
{
	uint64_t now = clock_ms();
	uint64_t at = earlier(w->renew_at, w->safety_at);

	if (has_unwatched(w))
		at = earlier(at, w->ask_at);
	loop_timer_arm(w->timer, at > now ? at - now : 0);
}

/* ---- waiting ---- */

/* On top of NOTIFY, too: Dovecot tells of the selected mailbox only then. */
static void
begin_idle(struct imap_watch *w)
{
	w->st = ST_IDLE;
	w->done_said = false;
	w->idle_at = clock_ms();
	w->ticket = imap_idle(machine(w));
	imap_session_flush(w->session);
}

static enum fetch_how
how(const struct imap_watch *w)
{
	if (w->notifying)
		return FETCH_HOW_NOTIFY;
	return w->home != NULL && w->idle ? FETCH_HOW_IDLE : FETCH_HOW_POLL;
}

/* The last thing in any event: who is told may leave, and w is no more. */
static void
tell_round(struct imap_watch *w)
{
	size_t n = imap_names_count(w->names);
	struct fetch_round round = w->round;

	w->round = (struct fetch_round){ 0 };
	round.how = how(w);
	round.home = w->home == NULL ? NULL : w->home->text;
	round.watched = w->notifying ? n : 1;
	round.polled = n - (n < round.watched ? n : round.watched);
	fetch_end_round(w->f, &round);
}

/* An IDLE that is not answered is no rest: the round ends by its "+". */
static enum imap_watch_says
rest(struct imap_watch *w)
{
	w->renew_at = clock_ms() + stay(w)->renew_s * 1000;
	if (w->idle && w->home != NULL) {
		begin_idle(w);
		arm(w);
	} else if (w->notifying) {
		w->st = ST_QUIET;
		arm(w);
		tell_round(w);
	} else {
		w->st = ST_LOOKING;
		return IMAP_WATCH_DONE;
	}
	return IMAP_WATCH_WAITS;
}

static void
hear_idling(struct imap_watch *w)
{
	if (w->st == ST_IDLE && !w->done_said)
		tell_round(w);
}

/* ---- asking about mailboxes nobody tells of ---- */

static bool
is_asked_about(const struct imap_watch *w, const struct imap_name *name)
{
	return !name->away && name != w->home;
}

static void
ask_more(struct imap_watch *w)
{
	for (; w->next < w->names->n && w->asked < ASKED_MAX; w->next++) {
		const struct imap_name *name = &w->names->v[w->next];

		if (!is_asked_about(w, name))
			continue;
		(void)imap_status(machine(w), name->text);
		w->asked++;
	}
	imap_session_flush(w->session);
}

static void
begin_asking(struct imap_watch *w)
{
	bool list = stay(w)->list_status &&
	    imap_can(machine(w), "LIST-STATUS") &&
	    imap_names_count(w->names) > LIST_STATUS_MIN;

	w->ask = false;
	w->st = ST_ASKING;
	w->ask_at = clock_ms() + stay(w)->poll_s * 1000;
	w->ticket = 0;
	w->asked = 0;
	w->next = 0;
	if (list) {
		w->next = w->names->n;
		w->asked = 1;
		w->ticket = imap_list_status(machine(w));
		imap_session_flush(w->session);
	} else {
		ask_more(w);
	}
}

/* ---- NOTIFY ---- */

static bool
wants_notify(const struct imap_watch *w)
{
	size_t n = imap_names_count(w->names);

	return w->notify && !w->notifying && n > 1 && n <= NAMES_MAX;
}

static void
begin_notify(struct imap_watch *w)
{
	const char *list[NAMES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < w->names->n; i++)
		if (!w->names->v[i].away)
			list[n++] = w->names->v[i].text;
	w->st = ST_NOTIFY;
	w->ticket = imap_notify(machine(w), list, n);
	imap_session_flush(w->session);
}

/* What changed between our look and its beginning is to be asked for. */
static void
done_notify(struct imap_watch *w, bool ok)
{
	w->notify = ok;
	w->notifying = ok;
	w->ask |= ok;
}

/* ---- what next ---- */

static void
look_at_all(struct imap_watch *w)
{
	w->look = w->ask = false;
	w->ask_at = clock_ms() + stay(w)->poll_s * 1000;
	imap_names_soil(w->names);
}

/* No request is in flight. */
static enum imap_watch_says
proceed(struct imap_watch *w)
{
	loop_timer_stop(w->timer);
	w->ticket = 0;
	w->probe = false;
	if (w->look)
		look_at_all(w);
	if (imap_names_dirty(w->names, NULL) != NULL) {
		w->st = ST_LOOKING;
		return IMAP_WATCH_LOOK;
	}
	if (!wants_notify(w) && !w->ask)
		return rest(w);
	if (wants_notify(w))
		begin_notify(w);
	else
		begin_asking(w);
	return IMAP_WATCH_WAITS;
}

/* Mail could not be delivered now. */
static bool
has_no_deliverer(struct imap_watch *w)
{
	if (!w->f->detached)
		return false;
	loop_timer_arm(w->timer, DELIVERER_MS);
	return true;
}

static void
go_on(struct imap_watch *w)
{
	enum imap_watch_says says;

	w->st = ST_QUIET;
	if (has_no_deliverer(w))
		return;
	says = proceed(w);

	if (says != IMAP_WATCH_WAITS)
		w->fn(w->arg, says);
}

static void
begin_noop(struct imap_watch *w)
{
	w->st = ST_NOOP;
	w->ticket = imap_noop(machine(w));
	imap_session_flush(w->session);
	if (w->probe)
		imap_session_hurry(w->session, PROBE_S);
}

/* Something is due: IDLE is ended for it. */
static void
interrupt(struct imap_watch *w)
{
	if ((w->st == ST_IDLE || w->st == ST_QUIET) && has_no_deliverer(w))
		return;
	if (w->st == ST_IDLE && !w->done_said) {
		w->done_said = true;
		imap_idle_done(machine(w));
		imap_session_flush(w->session);
	}
	if (w->st == ST_IDLE && w->probe)
		imap_session_hurry(w->session, PROBE_S);
	if (w->st == ST_QUIET &&
	    (w->look || w->ask || imap_names_dirty(w->names, NULL) != NULL))
		go_on(w);
	else if (w->st == ST_QUIET)
		begin_noop(w);
}

static void
on_timer(void *arg)
{
	struct imap_watch *w = arg;
	uint64_t now = clock_ms();

	if (now >= w->safety_at)
		w->look = w->wary = true;
	if (has_unwatched(w) && now >= w->ask_at)
		w->ask = true;
	interrupt(w);
}

/* ---- what the server says ---- */

static void
home_is_dirty(struct imap_watch *w)
{
	if (w->home != NULL)
		w->home->dirty = w->home->told = true;
}

/* Mail that is told of only when we end IDLE was not told of. */
static void
hear_changed(struct imap_watch *w)
{
	if (w->st == ST_LOOKING)
		return; /* the owner sees it */
	if (w->st == ST_QUIET || (w->st == ST_IDLE && !w->done_said))
		w->told = w->round.heard = true;
	else if (w->st == ST_IDLE && !w->told)
		w->round.missed = true;
	home_is_dirty(w);
	interrupt(w);
}

static void
hear_counted(struct imap_watch *w, const struct imap_info *info)
{
	imap_names_counted(w->names, info);
	if ((w->st == ST_QUIET || w->st == ST_IDLE) &&
	    imap_names_dirty(w->names, NULL) != NULL)
		interrupt(w);
}

/* It is tried again in each session, but told once. */
static void
give_idle_up(struct imap_watch *w, const char *why)
{
	static const char text[] =
	    "the server does not keep IDLE (%s): polling instead";
	const char *subject = w->f->params->subject;

	w->idle = false;
	w->f->result.no_idle = true;
	if (stay(w)->no_idle)
		log_debug(subject, text, why);
	else
		log_notice(subject, text, why);
}

static void
done_idle(struct imap_watch *w, const struct imap_info *info)
{
	bool is_short = !w->done_said && clock_ms() - w->idle_at < SHORT_MS;

	w->idle_at = 0;
	w->shorts = is_short ? w->shorts + 1 : 0;
	if (!info->ok || w->shorts >= SHORT_MAX)
		give_idle_up(
		    w, info->ok ? "it ends it at once" : info->err.text);
}

static void
hear_done(struct imap_watch *w, const struct imap_info *info)
{
	if (w->st == ST_ASKING) {
		w->asked--;
		ask_more(w);
		if (w->asked > 0)
			return;
	} else if (info->ticket != w->ticket) {
		return;
	} else if (w->st == ST_IDLE) {
		done_idle(w, info);
	} else if (w->st == ST_NOTIFY) {
		done_notify(w, info->ok);
	}
	go_on(w);
}

bool
imap_watch_event(
    struct imap_watch *w, enum imap_event ev, const struct imap_info *info)
{
	if (ev == IMAP_COUNTED) {
		hear_counted(w, info);
		return true;
	}
	if (ev == IMAP_OVERFLOW) {
		w->notify = w->notifying = false;
		w->look = true;
		interrupt(w);
		return true;
	}
	if (w->st == ST_LOOKING)
		return false;
	if (ev == IMAP_CHANGED)
		hear_changed(w);
	else if (ev == IMAP_IDLING)
		hear_idling(w);
	else if (ev == IMAP_DONE)
		hear_done(w, info);
	return ev == IMAP_CHANGED || ev == IMAP_DONE || ev == IMAP_IDLING ||
	    ev == IMAP_LISTED || ev == IMAP_VANISHED;
}

/* ---- what the owner says ---- */

enum imap_watch_says
imap_watch_wait(struct imap_watch *w, struct imap_name *selected)
{
	struct imap_name *home = imap_names_home(w->names);

	w->home = selected;
	if (w->wary) {
		w->wary = false;
		w->safety_at = clock_ms() + stay(w)->safety_s * 1000;
	}
	w->told = false;
	if (w->idle && home != NULL && home != selected)
		home->dirty = true; /* to be selected, with a look at it */
	return proceed(w);
}

static bool
was_told(const struct imap_watch *w, const struct imap_name *name)
{
	return name == w->home ? w->told : name->counted || !w->notifying;
}

void
imap_watch_looked(struct imap_watch *w, struct imap_name *name, uint64_t found)
{
	if (w->wary && found > 0 && !was_told(w, name))
		w->round.missed = true;
	name->counted = false;
}

void
imap_watch_look(struct imap_watch *w)
{
	w->look = true;
	if (w->st != ST_LOOKING)
		loop_timer_arm(w->timer, 0);
}

void
imap_watch_ask(struct imap_watch *w)
{
	if (w->st != ST_LOOKING)
		loop_timer_arm(w->timer, 0);
}

void
imap_watch_probe(struct imap_watch *w)
{
	if (w->st == ST_LOOKING) {
		imap_session_hurry(w->session, 2 * PROBE_S);
		return;
	}
	w->probe = true;
	if (w->st != ST_QUIET && w->st != ST_IDLE)
		imap_session_hurry(w->session, PROBE_S);
	loop_timer_arm(w->timer, 0);
}

void
imap_watch_safety(struct imap_watch *w, uint64_t s)
{
	uint64_t at = clock_ms() + s * 1000;

	w->safety_at = earlier(w->safety_at, at);
	if (w->st == ST_IDLE || w->st == ST_QUIET)
		arm(w);
}

bool
imap_watch_rests(const struct imap_watch *w)
{
	return (w->st == ST_IDLE && !w->done_said) || w->st == ST_QUIET;
}

bool
imap_watch_waits(const struct imap_watch *w)
{
	return w->st != ST_LOOKING;
}

uint64_t
imap_watch_idled_s(const struct imap_watch *w)
{
	if (w->st != ST_IDLE || w->idle_at == 0)
		return 0;
	return (clock_ms() - w->idle_at) / 1000;
}

/* ---- life ---- */

struct imap_watch *
imap_watch_new(struct fetch *f, struct imap_session *session,
    struct imap_names *names, imap_watch_fn fn, void *arg)
{
	struct imap_watch *w = mem_new(sizeof(*w));
	uint64_t now = clock_ms();

	w->f = f;
	w->session = session;
	w->names = names;
	w->fn = fn;
	w->arg = arg;
	w->timer = loop_timer_new(f->env->loop, on_timer, w);
	w->idle = stay(w)->idle && imap_can(machine(w), "IDLE");
	w->notify = stay(w)->notify && imap_can(machine(w), "NOTIFY");
	w->ask_at = now + stay(w)->poll_s * 1000;
	w->safety_at = now + stay(w)->safety_s * 1000;
	return w;
}

void
imap_watch_free(struct imap_watch **w)
{
	struct imap_watch *it = *w;

	*w = NULL;
	if (it == NULL)
		return;
	loop_timer_free(&it->timer);
	free(it);
}
