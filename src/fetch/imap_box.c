/* SPDX-License-Identifier: ISC */
#include "fetch/imap_box.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/imap_bodies.h"
#include "fetch/imap_large.h"
#include "fetch/imap_look.h"
#include "fetch/imap_remove.h"
#include "fetch/intake.h"
#include "fetch/plan.h"
#include "sys/log.h"
#include "util/mem.h"

#define ROUNDS 3       /* times that a missing body is asked for */
#define NOTES_MAX 1000 /* of these, by one fetch */

static struct imap *
machine(struct imap_box *b)
{
	return imap_session_machine(b->session);
}

static void
on_done(void *arg)
{
	struct imap_box *b = arg;

	b->fn(b->arg, b->err.kind == ERR_NONE ? NULL : &b->err);
}

/* What was given to the deliverer is waited for; it does not take long. */
void
imap_box_quiet(struct imap_box *b)
{
	if (b->ledger == NULL || client_pending(b->ledger) == 0)
		loop_timer_arm(b->done, 0);
}

/* The session is not used any more once the box has ended. */
void
imap_box_end(struct imap_box *b, const struct err *e)
{
	if (e != NULL && (b->err.kind == ERR_NONE || fetch_is_fatal(e)))
		b->err = *e;
	if (b->ended)
		return;
	b->ended = true;
	intake_drop(&b->intake);
	if (b->session != NULL)
		imap_session_pause(b->session, fetch_is_fatal(&b->err));
	imap_box_quiet(b);
}

/* It broke the last try, too. */
static bool
is_suspect(const struct imap_box *b, uint32_t uid)
{
	const struct fetch_suspect *s = &b->f->params->suspect;

	return s->number == uid && strcmp(s->mailbox, b->mailbox) == 0;
}

void
imap_box_stop(struct imap_box *b)
{
	struct fetch_suspect *suspect = &b->f->result.suspect;

	suspect->number = intake_at(&b->intake);
	snprintf(suspect->mailbox, sizeof(suspect->mailbox), "%s", b->mailbox);
	if (suspect->number != 0 && is_suspect(b, suspect->number))
		fetch_note_absence(b->ledger, suspect->number,
		    "the connection is lost each time it is fetched");
	b->session = NULL;
	imap_box_end(b, NULL);
}

/* For a fault of one message: the mailbox goes on. */
void
imap_box_note(struct imap_box *b, const struct err *e)
{
	if (b->err.kind == ERR_NONE)
		b->err = *e;
}

/* ---- fetching ---- */

/* Bodies that did not come are asked for one by one the next times. */
static void
take_off(struct imap_box *b)
{
	uint64_t most = b->rounds == 0 ? FLIGHT_MAX : 1;
	struct flight *fl;

	while (
	    !set_empty(&b->todo) && (fl = flights_free(&b->flights)) != NULL) {
		set_take(&fl->uids, &b->todo, most, FLIGHT_RANGES);
		fl->ticket =
		    imap_fetch(machine(b), &fl->uids, b->f->params->keep_flags);
	}
	imap_session_flush(b->session);
}

/* Of more than it can have lost the next fetches tell. */
static void
note_absences(struct imap_box *b)
{
	struct set some = { 0 };

	set_take(&some, &b->again, NOTES_MAX, NOTES_MAX);
	while (!set_empty(&some)) {
		uint32_t uid = set_first(&some);

		set_remove(&some, uid, uid);
		fetch_note_absence(
		    b->ledger, uid, "the server lists it but does not send it");
	}
	set_deinit(&some);
}

static void
report_missing(struct imap_box *b)
{
	struct err e;

	err_set(&e, ERR_MESSAGE, 0,
	    "%s: the server lists %" PRIu64 " messages "
	    "(the first is uid %u) but does not send them; they are tried "
	    "again later, at most %d times",
	    b->mailbox, set_count(&b->again), set_first(&b->again),
	    FETCH_ABSENCES_MAX);
	log_warning(b->f->params->subject, "%s", e.text);
	b->f->result.troubles += set_count(&b->again);
	imap_box_note(b, &e);
	note_absences(b);
	set_clear(&b->again);
}

/* Is what did not come still there, and has what came empty no octet? Ask,
 * then fetch it again. */
static void
look_again(struct imap_box *b)
{
	b->rounds++;
	b->fetching = false;
	if (!set_empty(&b->hollow))
		b->sizes = imap_fetch_headers(machine(b), &b->hollow);
	imap_look_again(&b->look, machine(b), &b->again);
	imap_session_flush(b->session);
}

/* What comes next, after any event; ends the box when nothing does. */
void
imap_box_check(struct imap_box *b)
{
	if (b->ended || !b->fetching)
		return;
	if (b->large != NULL)
		imap_large_take(b->large, &b->todo);
	take_off(b);
	if (!flights_any(&b->flights) && b->suspect != 0) {
		set_add(&b->todo, b->suspect, b->suspect);
		b->suspect = 0;
		take_off(b);
	}
	if (flights_any(&b->flights) || client_pending(b->ledger) > 0 ||
	    (b->large != NULL && !imap_large_idle(b->large)))
		return;
	if (!set_empty(&b->again) && b->rounds + 1 < ROUNDS) {
		look_again(b);
		return;
	}
	if (!set_empty(&b->again))
		report_missing(b);
	if (b->remove != NULL && !imap_remove_idle(b->remove)) {
		imap_remove_flush(b->remove);
		if (!imap_remove_idle(b->remove))
			return;
	}
	if (b->remove != NULL && imap_remove_error(b->remove) != NULL)
		imap_box_note(b, imap_remove_error(b->remove));
	imap_box_end(b, NULL);
}

/* What broke the last try is fetched when all else is here. */
static void
put_suspect_last(struct imap_box *b)
{
	const struct fetch_suspect *suspect = &b->f->params->suspect;

	if (!set_has(&b->todo, suspect->number) ||
	    strcmp(suspect->mailbox, b->mailbox) != 0)
		return;
	b->suspect = suspect->number;
	set_remove(&b->todo, b->suspect, b->suspect);
}

/* found: what exists of what was asked about. */
static void
begin_fetching(struct imap_box *b, const struct set *found)
{
	plan_todo(&b->todo, found, &b->handled);
	if (b->rounds == 0)
		b->f->result.progress.total += set_count(&b->todo);
	put_suspect_last(b);
	b->fetching = true;
	if (b->large != NULL)
		imap_large_sort(b->large, &b->todo, &b->full);
	imap_box_check(b);
}

/* ---- the way there ---- */

static void
on_verified(void *arg, uint32_t uid, bool same, const struct err *e)
{
	struct imap_box *b = arg;

	if (b->ended)
		return;
	imap_remove_verified(b->remove, uid, same, e);
	imap_box_check(b);
}

static void
start_removing(struct imap_box *b, struct set *owed)
{
	if (!b->f->params->remove)
		return;
	if (b->read_only) {
		log_warning(b->f->params->subject,
		    "%s: the server opened it "
		    "read-only: nothing is removed there",
		    b->mailbox);
		return;
	}
	b->remove = imap_remove_new(
	    b->f->params, b->session, b->ledger, b->mailbox, on_verified);
	imap_remove_old(b->remove, owed);
}

/* What was to be tried again and is not there any more. */
static void
drop_missing(struct imap_box *b, const struct set *found)
{
	set_remove_set(&b->due, found);
	client_missing(b->ledger, &b->due);
	set_clear(&b->due);
}

static void
look(struct imap_box *b)
{
	struct set found = { 0 };

	if (b->look.exists == 0)
		drop_missing(b, &found);
	if (imap_look_begin(&b->look, machine(b), &b->handled, &found))
		begin_fetching(b, &found);
	else
		imap_session_flush(b->session);
	set_deinit(&found);
}

static void
on_ledger(void *arg, struct client_box_info *info)
{
	struct imap_box *b = arg;
	struct err e;

	if (b->ended)
		return;
	if (info->e != NULL) {
		imap_box_end(b, info->e);
		return;
	}
	if (info->state == CLIENT_BOX_CHANGED) {
		err_set(&e, ERR_MAILBOX, 0,
		    "%s: UIDVALIDITY changed from %u "
		    "to %u: the server renumbered this mailbox, so old and "
		    "new mail cannot be told apart; nothing was fetched or "
		    "removed (see mailhaul(1), CAVEATS)",
		    b->mailbox, info->was, b->uidvalidity);
		imap_box_end(b, &e);
		return;
	}
	set_move(&b->handled, &info->handled);
	if (!set_empty(&info->barred))
		log_debug(b->f->params->subject,
		    "%s: %" PRIu64 " messages are held or wait", b->mailbox,
		    set_count(&info->barred));
	set_add_set(&b->handled, &info->barred);
	set_move(&b->due, &info->due);
	set_move(&b->full, &info->full);
	set_move(&b->look.settled, &info->settled);
	start_removing(b, &info->owed);
	look(b);
}

static void
open_ledger(struct imap_box *b)
{
	const struct fetch_params *p = b->f->params;
	struct client_box_params params = { .account = p->account,
		.mailbox = b->mailbox,
		.delimiter = b->delimiter,
		.uidvalidity = b->uidvalidity,
		.style = &b->style };

	b->f->result.progress.doing = "fetching";
	b->ledger = client_box_open(
	    b->f->env->client, &params, on_ledger, imap_bodies_ready, b);
	b->intake.box = b->ledger;
	if (p->max_size > 0)
		b->large = imap_large_new(
		    p, b->session, &b->intake, b->mailbox, imap_bodies_stub);
}

static void
done_select(struct imap_box *b, const struct imap_info *info)
{
	struct err e = info->err;

	b->select = 0;
	if (!info->ok) {
		err_prefix(&e, "%s", b->mailbox);
		imap_box_end(b, &e);
	} else if (info->uidvalidity == 0) {
		err_set(&e, ERR_MAILBOX, 0,
		    "%s: the server gives it no "
		    "UIDVALIDITY, so its messages have no lasting numbers and "
		    "nothing can be fetched just once",
		    b->mailbox);
		imap_box_end(b, &e);
	} else {
		b->uidvalidity = info->uidvalidity;
		b->uidnext = b->look.uidnext = info->uidnext;
		b->look.exists = info->exists;
		b->read_only = info->read_only;
		open_ledger(b);
	}
}

static void
done_search(struct imap_box *b, const struct imap_info *info)
{
	struct set absent = { 0 };
	struct set found = { 0 };
	struct err e = info->err;

	if (!info->ok) {
		err_prefix(&e, "%s: SEARCH", b->mailbox);
		imap_box_end(b, &e);
		return;
	}
	imap_look_done(&b->look, &b->handled, &found, &absent);
	if (!set_empty(&absent))
		client_settle(b->ledger, &absent);
	drop_missing(b, &found);
	begin_fetching(b, &found);
	set_deinit(&absent);
	set_deinit(&found);
}

static void
hear_found(struct imap_box *b, const struct imap_info *info)
{
	struct err e;

	if (imap_look_hear(&b->look, info))
		return;
	err_set(&e, ERR_PROTO, 0,
	    "%s: SEARCH finds more scattered numbers "
	    "than any mailbox has",
	    b->mailbox);
	imap_box_end(b, &e);
}

static void
hear_size(struct imap_box *b, const struct imap_info *info)
{
	if (info->has_size && info->rfc822_size == 0 &&
	    set_has(&b->hollow, info->uid))
		set_add(&b->empty, info->uid, info->uid);
}

static void
done_flight(struct imap_box *b, struct flight *fl, const struct imap_info *info)
{
	fl->ticket = 0;
	set_add_set(&b->again, &fl->uids);
	set_clear(&fl->uids);
	if (!info->ok && info->err.kind != ERR_PROTO &&
	    fetch_is_fatal(&info->err))
		imap_box_end(b, &info->err);
	else
		imap_box_check(b);
}

static void
hear_done(struct imap_box *b, const struct imap_info *info)
{
	struct flight *fl = flights_of_ticket(&b->flights, info->ticket);

	if (info->ticket == b->select)
		done_select(b, info);
	else if (info->ticket == b->look.ticket)
		done_search(b, info);
	else if (fl != NULL)
		done_flight(b, fl, info);
}

void
imap_box_event(
    struct imap_box *b, enum imap_event ev, const struct imap_info *info)
{
	enum intake_answer answer;

	if (b->ended)
		return;
	if (b->remove != NULL && imap_remove_event(b->remove, ev, info)) {
		imap_box_check(b);
		return;
	}
	if (b->large != NULL && imap_large_event(b->large, ev, info, &answer)) {
		imap_bodies_follow(b, answer);
		imap_box_check(b);
		return;
	}
	switch (ev) {
	case IMAP_FOUND:
		if (info->ticket == b->look.ticket && info->ticket != 0)
			hear_found(b, info);
		break;
	case IMAP_FETCHED: /* without a body: its flight ends without it */
		if (b->sizes != 0 && info->ticket == b->sizes)
			hear_size(b, info);
		break;
	case IMAP_BODY_BEGIN:
		imap_bodies_begin(b, info);
		break;
	case IMAP_BODY_DATA:
		imap_bodies_data(b, info);
		break;
	case IMAP_BODY_END:
		imap_bodies_end(b, info);
		break;
	case IMAP_DONE:
		if (info->ticket != 0)
			hear_done(b, info);
		break;
	case IMAP_MORE:
	case IMAP_UPGRADE:
	case IMAP_CHALLENGED:
	case IMAP_READY:
	case IMAP_LISTED:
	case IMAP_IDLING:
	case IMAP_COUNTED:
	case IMAP_OVERFLOW:
	case IMAP_CHANGED: /* the next fetch sees it */
	case IMAP_VANISHED:
	case IMAP_NOTICE:
	case IMAP_IDENTIFIED:
	case IMAP_CLOSED:
	case IMAP_FAILED:
		break;
	}
}

/* ---- life ---- */

struct imap_box *
imap_box_new(struct fetch *f, struct imap_session *session,
    const struct imap_box_params *params, imap_box_fn fn, void *arg)
{
	struct imap_box *b = mem_new(sizeof(*b));

	b->f = f;
	b->session = session;
	b->fn = fn;
	b->arg = arg;
	b->mailbox = mem_strdup(params->mailbox);
	b->delimiter = params->delimiter;
	b->uidvalidity = params->uidvalidity;
	b->read_only = params->read_only;
	b->style = f->params->style;
	b->style.mailbox = b->mailbox;
	b->done = loop_timer_new(f->env->loop, on_done, b);
	b->intake.progress = &f->result.progress;
	b->intake.skipping = true;
	b->intake.relays = f->relays;
	if (b->uidvalidity != 0) {
		b->look.exists = imap_exists(machine(b));
		open_ledger(b);
	} else {
		b->select = imap_select(machine(b), params->mailbox);
		imap_session_flush(session);
	}
	return b;
}

void
imap_box_free(struct imap_box **b)
{
	struct imap_box *it = *b;

	*b = NULL;
	if (it == NULL)
		return;
	if (it->remove != NULL)
		it->f->result.removed += imap_remove_count(it->remove);
	intake_drop(&it->intake);
	imap_remove_free(&it->remove);
	imap_large_free(&it->large);
	client_box_close(&it->ledger);
	loop_timer_free(&it->done);
	set_deinit(&it->handled);
	set_deinit(&it->due);
	set_deinit(&it->full);
	imap_look_deinit(&it->look);
	set_deinit(&it->hollow);
	set_deinit(&it->empty);
	set_deinit(&it->todo);
	set_deinit(&it->again);
	flights_deinit(&it->flights);
	free(it->mailbox);
	free(it);
}
