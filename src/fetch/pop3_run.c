/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "fetch/intake.h"
#include "fetch/run.h"
#include "sys/log.h"
#include "util/mem.h"

/*
 * The POP3 half of a fetch: list, retrieve and delete ahead of the answers,
 * quit. Deletions are final only with the answer to QUIT (RFC 1939 6); until
 * then the ledger owes them, and the next session does them without
 * retrieving again.
 */

#define WINDOW 256      /* requests ahead of their answers */
#define BEHIND_MS 5     /* before asking again whether the ledger is */
#define WARNINGS_MAX 10 /* of messages refused, in one fetch */

struct pop3_run {
	struct fetch *f; /* not ours */
	struct pop3_session *session;
	struct client_box *ledger;
	struct intake intake;
	struct loop_timer *behind; /* the listing waits for the ledger */
	struct set fresh;          /* to be retrieved */
	struct set listed;    /* the same at first: LIST counts their octets */
	struct set to_delete; /* delivered, not asked for yet */
	struct set deleted;   /* DELE was answered +OK */
	uint32_t count;       /* of messages in the maildrop (STAT) */
	unsigned int asked;   /* RETRs not yet answered */
	unsigned int refused; /* messages that the server will not give */
	bool listing;         /* the ledger is being told the UIDLs */
	bool by_content;      /* no UIDL: known by what they hold */
	bool working, quitting, ended;
};

static struct pop3 *
machine(struct pop3_run *r)
{
	return pop3_session_machine(r->session);
}

static void
finish(struct pop3_run *r, const struct err *e)
{
	pop3_session_free(&r->session);
	fetch_finish(r->f, e);
}

static void
finish_when_quiet(struct pop3_run *r)
{
	if (r->ledger == NULL || client_pending(r->ledger) == 0)
		finish(r, NULL);
}

/* Leaves without QUIT: what is marked as deleted comes back, and a server
 * that hides what was retrieved shows it again. */
static void
end(struct pop3_run *r, const struct err *e)
{
	if (e != NULL)
		fetch_note(r->f, e);
	if (r->ended)
		return;
	r->ended = true;
	loop_timer_stop(r->behind);
	intake_drop(&r->intake);
	pop3_session_free(&r->session);
	finish_when_quiet(r);
}

/* ---- asking ---- */

static uint32_t
take_first(struct set *s)
{
	uint32_t n = set_first(s);

	set_remove(s, n, n);
	return n;
}

static void
quit(struct pop3_run *r)
{
	r->quitting = true;
	r->f->result.progress.doing = "leaving";
	pop3_quit(machine(r));
}

/* What comes next, after any event. */
static void
check(struct pop3_run *r)
{
	if (r->ended || !r->working || r->quitting)
		return;
	while (pop3_pending(machine(r)) < WINDOW && !set_empty(&r->to_delete))
		pop3_dele(machine(r), take_first(&r->to_delete));
	while (pop3_pending(machine(r)) < WINDOW && !set_empty(&r->fresh)) {
		pop3_retr(machine(r), take_first(&r->fresh));
		r->asked++;
	}
	if (r->asked == 0 && set_empty(&r->to_delete) &&
	    client_pending(r->ledger) == 0)
		quit(r);
	pop3_session_flush(r->session);
}

/* Sizes are worth their octets only when much is to come. */
static void
ask_sizes(struct pop3_run *r, uint64_t fresh)
{
	if (fresh * 2 < r->count)
		return;
	set_copy(&r->listed, &r->fresh);
	pop3_list(machine(r));
}

static void
begin(struct pop3_run *r)
{
	uint64_t fresh = set_count(&r->fresh);

	r->f->result.progress.doing = "fetching";
	r->f->result.progress.total = fresh;
	r->working = true;
	if (fresh > 0)
		ask_sizes(r, fresh);
	check(r);
}

/* ---- the ledger ---- */

static void
on_letter(void *arg, uint32_t number, const struct err *e)
{
	struct pop3_run *r = arg;

	if (e == NULL) {
		r->f->result.progress.messages++;
		log_info(r->f->params->subject, "delivered message %u", number);
	} else {
		end(r, e);
	}
	if (r->ended) {
		finish_when_quiet(r);
		return;
	}
	if (r->f->params->remove)
		set_add(&r->to_delete, number, number);
	check(r);
}

static void
on_list(void *arg, struct client_box_info *info)
{
	struct pop3_run *r = arg;

	if (r->ended)
		return;
	if (info->e != NULL) {
		end(r, info->e);
		return;
	}
	if (info->repeated > 0)
		log_warning(r->f->params->subject,
		    "the server gives %u "
		    "messages an identifier (UIDL) that is not their own; "
		    "they are told apart by their order",
		    info->repeated);
	set_move(&r->fresh, &info->fresh);
	if (r->f->params->remove)
		set_move(&r->to_delete, &info->owed);
	begin(r);
}

static void
on_box(void *arg, struct client_box_info *info)
{
	struct pop3_run *r = arg;

	if (r->ended)
		return;
	if (info->e != NULL) {
		end(r, info->e);
		return;
	}
	r->f->result.progress.doing = "listing";
	pop3_stat(machine(r));
	pop3_uidl(machine(r));
	pop3_session_flush(r->session);
}

/* Without UIDL what stays cannot be told from what is new. */
static void
no_uidl(struct pop3_run *r, const struct err *refusal)
{
	struct err e;

	if (fetch_is_fatal(refusal) && refusal->kind != ERR_PROTO) {
		end(r, refusal);
		return;
	}
	if (!r->f->params->remove) {
		err_set(&e, ERR_CONFIG, 0,
		    "the server has no UIDL, so mail "
		    "that stays there cannot be told from new mail: set "
		    "after = delete for this account");
		end(r, &e);
		return;
	}
	log_info(r->f->params->subject,
	    "the server has no UIDL: messages are known by their content");
	r->by_content = true;
	set_add(&r->fresh, 1, r->count);
	begin(r);
}

/* Not before the server has agreed to list. */
static void
open_list(struct pop3_run *r)
{
	if (!r->listing)
		client_list_begin(r->ledger);
	r->listing = true;
}

static void
hear_uidl(struct pop3_run *r, const struct pop3_info *info)
{
	open_list(r);
	client_list_add(r->ledger, info->number, info->uidl, 0);
	if (client_behind(r->ledger)) {
		pop3_session_pause(r->session, true);
		loop_timer_arm(r->behind, BEHIND_MS);
	}
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
	open_list(r);
	client_list_end(r->ledger, on_list);
}

/* ---- the bodies ---- */

static void
follow(struct pop3_run *r, enum intake_answer answer, const struct err *e)
{
	if (answer == INTAKE_FAILED)
		end(r, e);
	else
		pop3_session_pause(r->session, answer == INTAKE_WAIT);
}

static void
on_letters_ready(void *arg)
{
	struct pop3_run *r = arg;

	if (!r->ended && r->intake.waiting)
		follow(r, intake_resume(&r->intake), NULL);
}

static void
body_goes_on(struct pop3_run *r, const struct pop3_info *info)
{
	struct err e;

	if (intake_data(&r->intake, info->data, &e) == INTAKE_FAILED)
		end(r, &e);
}

static void
body_ends(struct pop3_run *r, const struct pop3_info *info)
{
	struct letter_params params = {
		.number = info->number,
		.by_content = r->by_content,
		.owes = r->f->params->remove,
	};

	(void)intake_end(&r->intake, &params, on_letter);
}

/* ---- answers ---- */

static void
done_retr(struct pop3_run *r, const struct pop3_info *info)
{
	struct err e = info->err;

	r->asked--;
	if (info->ok) {
		check(r);
		return;
	}
	err_prefix(&e, "message %u", info->number);
	if (fetch_is_fatal(&info->err)) {
		end(r, &e);
		return;
	}
	if (r->refused++ < WARNINGS_MAX)
		log_warning(r->f->params->subject, "%s%s", e.text,
		    r->refused == WARNINGS_MAX ? "; more are not listed" : "");
	fetch_note(r->f, &e);
	check(r);
}

static void
done_dele(struct pop3_run *r, const struct pop3_info *info)
{
	if (info->ok)
		set_add(&r->deleted, info->number, info->number);
	else
		log_warning(r->f->params->subject,
		    "message %u is not "
		    "removed: %s",
		    info->number, info->err.text);
	check(r);
}

static void
hear_done(struct pop3_run *r, const struct pop3_info *info)
{
	switch (info->request) {
	case POP3_REQ_UIDL:
		done_uidl(r, info);
		break;
	case POP3_REQ_RETR:
		done_retr(r, info);
		break;
	case POP3_REQ_DELE:
		done_dele(r, info);
		break;
	case POP3_REQ_STAT:
	case POP3_REQ_LIST:
	case POP3_REQ_TOP:
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

static void
on_ready(struct pop3_run *r)
{
	struct fetch_result *result = &r->f->result;

	result->logged_in = true;
	/* Gmail lists a few hundred messages at a time. */
	result->more = span_ihas(pop3_greeting(machine(r)), SPAN("Gpop "));
	r->ledger = client_box_open(r->f->env->client, r->f->params->account,
	    "", 0, on_box, on_letters_ready, r);
	r->intake.box = r->ledger;
}

static void
hear_size(struct pop3_run *r, const struct pop3_info *info)
{
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
		follow(r, intake_begin(&r->intake, true), NULL);
		break;
	case POP3_BODY_DATA:
		body_goes_on(r, info);
		break;
	case POP3_BODY_END:
		body_ends(r, info);
		break;
	case POP3_DONE:
		hear_done(r, info);
		break;
	case POP3_CLOSED:
		on_closed(r, info);
		break;
	case POP3_FAILED:
		end(r, &info->err);
		break;
	case POP3_MORE:
	case POP3_UPGRADE:
		break;
	}
}

/* ---- life ---- */

static void *
start(struct fetch *f)
{
	struct pop3_run *r = mem_new(sizeof(*r));

	r->f = f;
	r->intake.progress = &f->result.progress;
	r->intake.skipping = true;
	r->behind = loop_timer_new(f->env->loop, on_behind, r);
	r->session = pop3_session_open(f->env->loop, f->env->dns,
	    &f->params->conn, &f->params->pop3, f->params->command_timeout_s,
	    f->params->subject, on_event, r);
	return r;
}

static void
stop(void *run)
{
	end(run, NULL);
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
	set_deinit(&r->fresh);
	set_deinit(&r->listed);
	set_deinit(&r->to_delete);
	set_deinit(&r->deleted);
	free(r);
}

const struct fetch_driver pop3_driver = { start, stop, release };
