/* SPDX-License-Identifier: ISC */
#include "fetch/imap_box.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/flights.h"
#include "fetch/imap_look.h"
#include "fetch/imap_remove.h"
#include "fetch/intake.h"
#include "fetch/plan.h"
#include "sys/log.h"
#include "util/mem.h"

#define ROUNDS 3 /* times that a missing body is asked for */

struct imap_box {
	struct fetch *f;              /* not ours */
	struct imap_session *session; /* not ours */
	struct client_box *ledger;
	struct imap_remove *remove;
	struct intake intake;
	struct loop_timer *done; /* tells the owner, from the loop */
	imap_box_fn fn;
	void *arg;
	char *mailbox;
	uint32_t select, sizes; /* tickets */
	uint32_t uidvalidity;
	struct imap_look look;
	struct set handled, todo;
	uint32_t suspect;  /* of todo, but comes last; 0: none */
	struct set hollow; /* came with no octet: is that so? */
	struct set empty;  /* yes, by its size */
	struct set again;  /* asked for, and no body came */
	struct flights flights;
	unsigned int rounds;
	bool fetching; /* todo is known */
	bool ended, read_only;
	struct err err;
};

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
static void
tell_when_quiet(struct imap_box *b)
{
	if (b->ledger == NULL || client_pending(b->ledger) == 0)
		loop_timer_arm(b->done, 0);
}

/* The session is not used any more once the box has ended. */
static void
end(struct imap_box *b, const struct err *e)
{
	if (e != NULL && (b->err.kind == ERR_NONE || fetch_is_fatal(e)))
		b->err = *e;
	if (b->ended)
		return;
	b->ended = true;
	intake_drop(&b->intake);
	if (b->session != NULL)
		imap_session_pause(b->session, fetch_is_fatal(&b->err));
	tell_when_quiet(b);
}

void
imap_box_stop(struct imap_box *b)
{
	struct fetch_suspect *suspect = &b->f->result.suspect;

	suspect->number = intake_at(&b->intake);
	snprintf(suspect->mailbox, sizeof(suspect->mailbox), "%s", b->mailbox);
	b->session = NULL;
	end(b, NULL);
}

/* For a fault of one message: the mailbox goes on. */
static void
note(struct imap_box *b, const struct err *e)
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
		fl->ticket = imap_fetch(machine(b), &fl->uids, false);
	}
	imap_session_flush(b->session);
}

static void
report_missing(struct imap_box *b)
{
	struct err e;

	err_set(&e, ERR_MESSAGE, 0,
	    "%s: the server lists %" PRIu64 " messages "
	    "(the first is uid %u) but does not send them; the next fetch "
	    "asks again",
	    b->mailbox, set_count(&b->again), set_first(&b->again));
	log_warning(b->f->params->subject, "%s", e.text);
	note(b, &e);
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
static void
check(struct imap_box *b)
{
	if (b->ended || !b->fetching)
		return;
	take_off(b);
	if (!flights_any(&b->flights) && b->suspect != 0) {
		set_add(&b->todo, b->suspect, b->suspect);
		b->suspect = 0;
		take_off(b);
	}
	if (flights_any(&b->flights) || client_pending(b->ledger) > 0)
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
		note(b, imap_remove_error(b->remove));
	end(b, NULL);
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
	check(b);
}

/* ---- the bodies ---- */

static void
on_letter(void *arg, uint32_t uid, bool known, const struct err *e)
{
	struct imap_box *b = arg;

	if (e != NULL) {
		end(b, e);
	} else if (known) {
		log_debug(b->f->params->subject, "%s: uid %u is known",
		    b->mailbox, uid);
	} else {
		b->f->result.progress.messages++;
		log_info(b->f->params->subject, "%s: delivered uid %u",
		    b->mailbox, uid);
	}
	if (b->ended) {
		tell_when_quiet(b);
		return;
	}
	if (b->remove != NULL)
		imap_remove_add(b->remove, uid);
	check(b);
}

static void
follow(struct imap_box *b, enum intake_answer answer)
{
	imap_session_pause(b->session, answer == INTAKE_WAIT);
}

static void
on_ready(void *arg)
{
	struct imap_box *b = arg;

	if (!b->ended && b->intake.waiting)
		follow(b, intake_resume(&b->intake));
}

static void
body_begins(struct imap_box *b, const struct imap_info *info)
{
	bool wanted = info->uid == 0
	    ? flights_any(&b->flights)
	    : flights_of_uid(&b->flights, info->uid) != NULL;

	b->intake.number = info->uid;
	follow(b, intake_begin(&b->intake, wanted));
}

static void
body_goes_on(struct imap_box *b, const struct imap_info *info)
{
	struct err e;

	if (intake_data(&b->intake, info->data, &e) == INTAKE_GO)
		return;
	if (fetch_is_fatal(&e)) {
		end(b, &e);
		return;
	}
	log_warning(b->f->params->subject, "%s: uid %u: %s", b->mailbox,
	    info->uid, e.text);
	note(b, &e);
}

/* A body without an octet is more often a server's fault than a message: it
 * counts when the size says so, too. */
static bool
is_hollow(struct imap_box *b, const struct imap_info *info)
{
	if (info->size > 0 || set_has(&b->empty, info->uid))
		return false;
	if (b->hollow.n < FLIGHT_RANGES)
		set_add(&b->hollow, info->uid, info->uid);
	return true;
}

/* Only what was asked for is kept, and each but once. */
static void
body_ends(struct imap_box *b, const struct imap_info *info)
{
	struct flight *fl = flights_of_uid(&b->flights, info->uid);
	struct letter_params params = {
		.number = info->uid,
		.owes = b->remove != NULL,
	};

	if (fl == NULL) {
		intake_drop(&b->intake);
		log_debug(b->f->params->subject,
		    "%s: a message that nobody asked for (uid %u) is dropped",
		    b->mailbox, info->uid);
	} else if (b->intake.refused) {
		set_remove(&fl->uids, info->uid, info->uid);
	} else if (is_hollow(b, info)) {
		intake_drop(&b->intake);
	} else if (intake_end(&b->intake, &params, on_letter)) {
		set_remove(&fl->uids, info->uid, info->uid);
	}
}

/* ---- the way there ---- */

static void
on_verified(void *arg, uint32_t uid, bool same, const struct err *e)
{
	struct imap_box *b = arg;

	if (b->ended)
		return;
	imap_remove_verified(b->remove, uid, same, e);
	check(b);
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

static void
look(struct imap_box *b)
{
	struct set found = { 0 };

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
		end(b, info->e);
		return;
	}
	if (info->state == CLIENT_BOX_CHANGED) {
		err_set(&e, ERR_MAILBOX, 0,
		    "%s: UIDVALIDITY changed from %u "
		    "to %u: the server renumbered this mailbox, so old and "
		    "new mail cannot be told apart; nothing was fetched or "
		    "removed (see mailhaul(1), CAVEATS)",
		    b->mailbox, info->was, b->uidvalidity);
		end(b, &e);
		return;
	}
	set_move(&b->handled, &info->handled);
	set_move(&b->look.settled, &info->settled);
	start_removing(b, &info->owed);
	look(b);
}

static void
done_select(struct imap_box *b, const struct imap_info *info)
{
	struct err e = info->err;

	b->select = 0;
	if (!info->ok) {
		err_prefix(&e, "%s", b->mailbox);
		end(b, &e);
	} else if (info->uidvalidity == 0) {
		err_set(&e, ERR_MAILBOX, 0,
		    "%s: the server gives it no "
		    "UIDVALIDITY, so its messages have no lasting numbers and "
		    "nothing can be fetched just once",
		    b->mailbox);
		end(b, &e);
	} else {
		b->uidvalidity = info->uidvalidity;
		b->look.uidnext = info->uidnext;
		b->look.exists = info->exists;
		b->read_only = info->read_only;
		b->f->result.progress.doing = "fetching";
		b->ledger =
		    client_box_open(b->f->env->client, b->f->params->account,
			b->mailbox, b->uidvalidity, on_ledger, on_ready, b);
		b->intake.box = b->ledger;
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
		end(b, &e);
		return;
	}
	imap_look_done(&b->look, &b->handled, &found, &absent);
	if (!set_empty(&absent))
		client_settle(b->ledger, &absent);
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
	end(b, &e);
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
		end(b, &info->err);
	else
		check(b);
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
	if (b->ended)
		return;
	if (b->remove != NULL && imap_remove_event(b->remove, ev, info)) {
		check(b);
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
		body_begins(b, info);
		break;
	case IMAP_BODY_DATA:
		body_goes_on(b, info);
		break;
	case IMAP_BODY_END:
		body_ends(b, info);
		break;
	case IMAP_DONE:
		if (info->ticket != 0)
			hear_done(b, info);
		break;
	case IMAP_MORE:
	case IMAP_UPGRADE:
	case IMAP_READY:
	case IMAP_LISTED:
	case IMAP_CHANGED: /* the next fetch sees it */
	case IMAP_VANISHED:
	case IMAP_NOTICE:
	case IMAP_CLOSED:
	case IMAP_FAILED:
		break;
	}
}

/* ---- life ---- */

struct imap_box *
imap_box_new(struct fetch *f, struct imap_session *session, const char *mailbox,
    imap_box_fn fn, void *arg)
{
	struct imap_box *b = mem_new(sizeof(*b));

	b->f = f;
	b->session = session;
	b->fn = fn;
	b->arg = arg;
	b->mailbox = mem_strdup(mailbox);
	b->done = loop_timer_new(f->env->loop, on_done, b);
	b->intake.progress = &f->result.progress;
	b->intake.skipping = true;
	b->select = imap_select(machine(b), mailbox);
	imap_session_flush(session);
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
	client_box_close(&it->ledger);
	loop_timer_free(&it->done);
	set_deinit(&it->handled);
	imap_look_deinit(&it->look);
	set_deinit(&it->hollow);
	set_deinit(&it->empty);
	set_deinit(&it->todo);
	set_deinit(&it->again);
	flights_deinit(&it->flights);
	free(it->mailbox);
	free(it);
}
