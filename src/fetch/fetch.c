/* SPDX-License-Identifier: ISC */
#include "fetch/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/run.h"
#include "sys/log.h"
#include "util/mem.h"

/* Less than this in a quarter of an hour is no fetch, whatever the server
 * says meanwhile: the state is not to be held for it. */
#define STALL_MS (15 * 60 * 1000)
#define STALL_OCTETS (256 * 1024)
#define LEAVE_MS 1      /* a round of the loop, for a last word to go out */
#define WARNINGS_MAX 20 /* of messages that did not get through */

static void
on_finished(void *arg)
{
	struct fetch *f = arg;
	struct fetch_result result = f->result;

	f->fn(f->arg, &result);
}

/* ---- a fetch that comes to nothing ---- */

static void
stop(struct fetch *f, const struct err *e)
{
	if (f->relays != NULL)
		relays_stop(f->relays, e);
	f->driver->stop(f->run);
}

static void
too_late(struct fetch *f, const struct err *e)
{
	f->result.late = true;
	fetch_note(f, e);
	stop(f, e);
}

static uint64_t
done_so_far(const struct fetch *f)
{
	return f->result.progress.messages + f->result.removed +
	    f->result.troubles + f->result.progress.octets / STALL_OCTETS +
	    f->steps;
}

static void
on_stall(void *arg)
{
	struct fetch *f = arg;
	uint64_t done = done_so_far(f);
	struct err e;

	if (done != f->watched) {
		f->watched = done;
		loop_timer_arm(f->stall, STALL_MS);
		return;
	}
	err_set(&e, ERR_NET, 0, "no progress for %d minutes", STALL_MS / 60000);
	too_late(f, &e);
}

static void
on_total(void *arg)
{
	struct fetch *f = arg;
	struct err e;

	err_set(&e, ERR_NET, 0, "the fetch took longer than %llu s",
	    (unsigned long long)f->params->total_timeout_s);
	too_late(f, &e);
}

static void
arm_limits(struct fetch *f)
{
	f->watched = done_so_far(f);
	loop_timer_arm(f->stall, STALL_MS);
	if (f->params->total_timeout_s > 0)
		loop_timer_arm(f->total, f->params->total_timeout_s * 1000);
}

static void
stop_limits(struct fetch *f)
{
	loop_timer_stop(f->total);
	loop_timer_stop(f->stall);
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
	f->stall = loop_timer_new(env->loop, on_stall, f);
	arm_limits(f);
	if (params->relays)
		f->relays = relays_new(env, &params->relay);
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
	relays_free(&it->relays); /* before the boxes of its letters */
	it->driver->free(it->run);
	loop_timer_free(&it->finished);
	loop_timer_free(&it->total);
	loop_timer_free(&it->stall);
	free(it);
}

void
fetch_stop(struct fetch *f)
{
	struct err e;

	err_set(&e, ERR_CANCEL, 0, "interrupted");
	fetch_note(f, &e);
	stop(f, &e);
}

const struct fetch_progress *
fetch_progress(const struct fetch *f)
{
	return &f->result.progress;
}

/* ---- one that stays ---- */

bool
fetch_look(struct fetch *f)
{
	return f->driver->look != NULL && f->driver->look(f->run);
}

void
fetch_probe(struct fetch *f)
{
	if (f->driver->probe != NULL)
		f->driver->probe(f->run);
}

bool
fetch_detach(struct fetch *f)
{
	if (f->driver->rests == NULL || !f->driver->rests(f->run))
		return false;
	if (f->relays != NULL)
		relays_free(&f->relays);
	f->detached = true;
	return true;
}

void
fetch_attach(struct fetch *f)
{
	f->detached = false;
}

void
fetch_leave(struct fetch *f)
{
	if (f->driver->leave == NULL || !f->driver->leave(f->run))
		fetch_stop(f);
}

void
fetch_safety(struct fetch *f, uint64_t s)
{
	if (f->driver->safety != NULL)
		f->driver->safety(f->run, s);
}

const char *
fetch_mailbox(const struct fetch *f, size_t i)
{
	return f->driver->mailbox == NULL ? NULL
					  : f->driver->mailbox(f->run, i);
}

void
fetch_give_away(struct fetch *f, const char *mailbox)
{
	if (f->driver->away != NULL)
		f->driver->away(f->run, mailbox, true);
}

void
fetch_take_back(struct fetch *f, const char *mailbox)
{
	if (f->driver->away != NULL)
		f->driver->away(f->run, mailbox, false);
}

/* ---- for the drivers ---- */

/* A server of LMTP does not wait for days, and need not. */
void
fetch_end_round(struct fetch *f, const struct fetch_round *round)
{
	struct fetch_result result = f->result;
	struct fetch_round told = *round;

	stop_limits(f);
	if (f->relays != NULL)
		relays_leave(f->relays);
	f->result = (struct fetch_result){ .logged_in = true,
		.progress.doing = "watching" };
	told.result = &result;
	if (f->params->stay.round != NULL)
		f->params->stay.round(f->arg, &told);
}

void
fetch_begin_round(struct fetch *f)
{
	if (strcmp(f->result.progress.doing, "watching") != 0)
		return; /* the last one has not ended */
	f->result.progress.doing = "fetching";
	arm_limits(f);
	if (!f->params->relays)
		return;
	if (f->relays != NULL)
		relays_free(&f->relays);
	f->relays = relays_new(f->env, &f->params->relay);
}

void
fetch_note(struct fetch *f, const struct err *e)
{
	const struct err *kept = &f->result.err;

	if (kept->kind == ERR_NONE ||
	    (!fetch_is_fatal(kept) && fetch_is_fatal(e)))
		f->result.err = *e;
}

void
fetch_trouble(struct fetch *f, const char *what, const struct err *e)
{
	struct err named = *e;

	err_prefix(&named, "%s", what);
	if (e->sys == EALREADY) { /* it has been told */
		log_debug(f->params->subject, "%s", named.text);
		return;
	}
	f->result.troubles++;
	if (f->result.troubles <= WARNINGS_MAX)
		log_warning(f->params->subject, "%s%s", named.text,
		    f->result.troubles == WARNINGS_MAX
			? "; more are not listed here: mailhaul held"
			: "");
	fetch_note(f, &named);
}

void
fetch_note_absence(
    struct client_box *ledger, uint32_t number, const char *reason)
{
	struct client_note note = { .number = number,
		.why = CLIENT_WHY_NO_DATA,
		.hold_after = FETCH_ABSENCES_MAX,
		.reason = reason };

	client_note(ledger, &note);
}

void
fetch_finish(struct fetch *f, const struct err *e)
{
	if (e != NULL)
		fetch_note(f, e);
	f->result.progress.doing = "done";
	stop_limits(f);
	if (f->relays != NULL)
		relays_leave(f->relays);
	loop_timer_arm(f->finished, LEAVE_MS);
}

bool
fetch_is_fatal(const struct err *e)
{
	return e->kind != ERR_NONE && e->kind != ERR_MESSAGE &&
	    e->kind != ERR_MAILBOX;
}
