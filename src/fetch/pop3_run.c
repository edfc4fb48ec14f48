/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_run.h"

#include <stdlib.h>

#include "fetch/pop3_large.h"
#include "fetch/pop3_work.h"
#include "sys/log.h"
#include "util/mem.h"

/*
 * The POP3 half of a fetch: list, retrieve and delete ahead of the answers,
 * quit. Deletions are final only with the answer to QUIT (RFC 1939 6); until
 * then the ledger owes them, and the next session does them, once the header
 * says that the message is the same.
 */

#define BEHIND_MS 5 /* before asking again whether the ledger is */

struct pop3 *
pop3_run_machine(struct pop3_run *r)
{
	return pop3_session_machine(r->session);
}

static void
finish(struct pop3_run *r, const struct err *e)
{
	pop3_session_free(&r->session);
	fetch_finish(r->f, e);
}

void
pop3_run_quiet(struct pop3_run *r)
{
	if (r->ledger == NULL || client_pending(r->ledger) == 0)
		finish(r, NULL);
}

void
pop3_run_end(struct pop3_run *r, const struct err *e)
{
	if (e != NULL)
		fetch_note(r->f, e);
	if (r->ended)
		return;
	r->ended = true;
	r->f->result.suspect.number = intake_at(&r->intake);
	pop3_work_note_suspect(r);
	loop_timer_stop(r->behind);
	intake_drop(&r->intake);
	pop3_session_free(&r->session);
	pop3_run_quiet(r);
}

/* ---- the ledger ---- */

static void
no_sizes(struct pop3_run *r)
{
	struct err e;

	err_set(&e, ERR_PROTO, 0,
	    "the server gives neither identifiers (UIDL) nor sizes (LIST) to "
	    "tell messages apart by");
	pop3_run_end(r, &e);
}

static void
on_list(void *arg, struct client_box_info *info)
{
	struct pop3_run *r = arg;

	if (r->ended)
		return;
	if (info->e != NULL) {
		pop3_run_end(r, info->e);
		return;
	}
	switch (pop3_listing_again(&r->listing, info, pop3_run_machine(r))) {
	case POP3_LISTING_AGAIN:
		pop3_session_flush(r->session);
		return;
	case POP3_LISTING_HOPELESS:
		no_sizes(r);
		return;
	case POP3_LISTING_DONE:
		break;
	}
	if (info->repeated > 0)
		log_warning(r->f->params->subject,
		    "the server gives %u "
		    "messages an identifier (UIDL) that is not their own; "
		    "they are told apart by size and order",
		    info->repeated);
	if (info->n_barred > 0)
		log_debug(r->f->params->subject, "%u messages are held or wait",
		    info->n_barred);
	set_move(&r->fresh, &info->fresh);
	set_move(&r->full, &info->full);
	if (r->f->params->remove)
		pop3_owed_take(
		    &r->owed, &info->owed, pop3_run_machine(r), &r->again);
	pop3_work_begin(r);
}

static void
on_box(void *arg, struct client_box_info *info)
{
	struct pop3_run *r = arg;

	if (r->ended)
		return;
	if (info->e != NULL) {
		pop3_run_end(r, info->e);
		return;
	}
	r->had_uidls = info->listed;
	r->f->result.progress.doing = "listing";
	pop3_stat(pop3_run_machine(r));
	pop3_uidl(pop3_run_machine(r));
	pop3_session_flush(r->session);
}

/* Without UIDL what stays cannot be told from what is new. A server that has
 * it and refuses it now would make all that is known new again. */
static void
no_uidl(struct pop3_run *r, const struct err *refusal)
{
	struct err e;

	if (fetch_is_fatal(refusal) && refusal->kind != ERR_PROTO) {
		pop3_run_end(r, refusal);
		return;
	}
	if (r->had_uidls || r->listing.again ||
	    pop3_can(pop3_run_machine(r), "UIDL")) {
		err_set(&e, ERR_TEMP, 0,
		    "%s; it has UIDL at other times, so nothing is fetched "
		    "without it",
		    refusal->text);
		pop3_run_end(r, &e);
		return;
	}
	if (!r->f->params->remove) {
		err_set(&e, ERR_CONFIG, 0,
		    "the server has no UIDL, so mail "
		    "that stays there cannot be told from new mail: set "
		    "after = delete for this account");
		pop3_run_end(r, &e);
		return;
	}
	log_info(r->f->params->subject,
	    "the server has no UIDL: messages are known by their content");
	r->by_content = r->style.by_content = true;
	set_add(&r->fresh, 1, r->count);
	pop3_work_begin(r);
}

void
pop3_run_wait(struct pop3_run *r)
{
	if (!client_behind(r->ledger))
		return;
	pop3_session_pause(r->session, true);
	loop_timer_arm(r->behind, BEHIND_MS);
}

static void
hear_uidl(struct pop3_run *r, const struct pop3_info *info)
{
	pop3_listing_uidl(&r->listing, info);
	pop3_run_wait(r);
}

static void
on_behind(void *arg)
{
	struct pop3_run *r = arg;

	if (client_behind(r->ledger))
		loop_timer_arm(r->behind, BEHIND_MS);
	else
		pop3_session_pause(r->session, false);
}

static void
done_uidl(struct pop3_run *r, const struct pop3_info *info)
{
	if (!info->ok) {
		no_uidl(r, &info->err);
		return;
	}
	pop3_listing_end(&r->listing, on_list);
}

/* The sizes of the listing; at other times they are of use, no more. */
static void
done_list(struct pop3_run *r, const struct pop3_info *info)
{
	if (!info->ok && !r->working)
		pop3_run_end(r, &info->err);
	else if (r->working)
		pop3_work_sized(r);
}

/* ---- answers ---- */

static void
hear_done(struct pop3_run *r, const struct pop3_info *info)
{
	switch (info->request) {
	case POP3_REQ_UIDL:
		done_uidl(r, info);
		break;
	case POP3_REQ_LIST:
		done_list(r, info);
		break;
	case POP3_REQ_RETR:
	case POP3_REQ_TOP:
	case POP3_REQ_DELE:
		pop3_work_done(r, info);
		break;
	case POP3_REQ_STAT:
	case POP3_REQ_NOOP:
	case POP3_REQ_QUIT:
	case POP3_REQ_NONE:
		break;
	}
}

static void
on_closed(struct pop3_run *r, const struct pop3_info *info)
{
	struct err e;

	r->ended = true;
	if (info->ok && !set_empty(&r->deleted)) {
		client_gone(r->ledger, &r->deleted);
		r->f->result.removed += set_count(&r->deleted);
	} else if (!info->ok) {
		err_set(&e, ERR_TEMP, 0,
		    "the server did not remove all that "
		    "was marked; the next fetch tries again");
		fetch_note(r->f, &e);
	}
	finish(r, NULL);
}

/* RFC 2449 6.7. Some expire what was fetched, whatever we say of it. */
static void
tell_expiry(struct pop3_run *r)
{
	unsigned int days;

	if (!pop3_expires(pop3_run_machine(r), &days) || r->f->params->remove)
		return;
	log_info(r->f->params->subject,
	    days == 0 ? "the server removes by itself what was fetched"
		      : "the server removes mail by itself after %u days",
	    days);
}

static void
on_ready(struct pop3_run *r)
{
	struct fetch_result *result = &r->f->result;

	result->logged_in = true;
	result->delay_s = pop3_login_delay_s(pop3_run_machine(r));
	tell_expiry(r);
	/* Gmail lists a few hundred messages at a time. */
	result->more =
	    span_ihas(pop3_greeting(pop3_run_machine(r)), SPAN("Gpop "));
	r->ledger = client_box_open(r->f->env->client,
	    &(struct client_box_params){ .account = r->f->params->account,
		.mailbox = "",
		.style = &r->style },
	    on_box, pop3_work_letters_ready, r);
	r->intake.box = r->ledger;
	r->listing.ledger = r->ledger;
}

static void
hear_size(struct pop3_run *r, const struct pop3_info *info)
{
	if (!r->working || r->sizing || !pop3_owed_idle(&r->owed))
		pop3_listing_size(&r->listing, info);
	if (set_has(&r->listed, info->number))
		r->f->result.progress.total_octets += info->size;
}

static void
on_event(void *arg, enum pop3_event ev, struct pop3_info *info)
{
	struct pop3_run *r = arg;

	if (r->ended)
		return;
	switch (ev) {
	case POP3_READY:
		on_ready(r);
		break;
	case POP3_STAT:
		r->count = info->count;
		break;
	case POP3_UIDL:
		hear_uidl(r, info);
		break;
	case POP3_LIST:
		hear_size(r, info);
		break;
	case POP3_BODY_BEGIN:
	case POP3_BODY_DATA:
	case POP3_BODY_END:
		pop3_work_body(r, ev, info);
		break;
	case POP3_DONE:
		hear_done(r, info);
		break;
	case POP3_CLOSED:
		on_closed(r, info);
		break;
	case POP3_FAILED:
		pop3_run_end(r, &info->err);
		break;
	case POP3_MORE:
	case POP3_UPGRADE:
	case POP3_CHALLENGED:
		break;
	}
}

/* ---- life ---- */

static void *
start(struct fetch *f)
{
	struct pop3_run *r = mem_new(sizeof(*r));

	r->f = f;
	r->style = f->params->style;
	r->intake.progress = &f->result.progress;
	r->intake.skipping = true;
	r->intake.relays = f->relays;
	pop3_large_init(r);
	pop3_owed_init(&r->owed);
	r->behind = loop_timer_new(f->env->loop, on_behind, r);
	r->session =
	    pop3_session_open(f->env->loop, f->env->dns, &f->params->conn,
		&f->params->pop3, f->params->subject, on_event, r);
	return r;
}

static void
stop(void *run)
{
	pop3_run_end(run, NULL);
}

static void
release(void *run)
{
	struct pop3_run *r = run;

	if (r == NULL)
		return;
	intake_drop(&r->intake);
	loop_timer_free(&r->behind);
	pop3_session_free(&r->session);
	client_box_close(&r->ledger);
	pop3_listing_deinit(&r->listing);
	pop3_owed_deinit(&r->owed);
	pop3_names_deinit(&r->names);
	pop3_large_deinit(r);
	set_deinit(&r->fresh);
	set_deinit(&r->again);
	set_deinit(&r->listed);
	set_deinit(&r->to_delete);
	set_deinit(&r->deleted);
	free(r);
}

const struct fetch_driver pop3_driver = {
	.start = start, .stop = stop, .free = release
};
