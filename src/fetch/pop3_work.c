/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_work.h"

#include <errno.h>
#include <stdio.h>

#include "fetch/delivered.h"
#include "fetch/pop3_large.h"
#include "sys/log.h"

#define WINDOW 256 /* requests ahead of their answers */

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
	pop3_quit(pop3_run_machine(r));
}

static bool
has_room(struct pop3_run *r)
{
	return pop3_pending(pop3_run_machine(r)) < WINDOW;
}

/* What turned out to be due joins the rest, and last of all the suspect. */
static void
gather(struct pop3_run *r)
{
	r->f->result.progress.total += set_count(&r->again);
	pop3_names_add(&r->names, &r->again);
	set_add_set(&r->fresh, &r->again);
	set_clear(&r->again);
	if (r->asked > 0 || !set_empty(&r->fresh) || r->suspect == 0)
		return;
	set_add(&r->fresh, r->suspect, r->suspect);
	r->suspect = 0;
}

static void on_name(void *arg, uint32_t number, const char *uidl);

static void
ask(struct pop3_run *r)
{
	while (has_room(r) && !set_empty(&r->to_delete))
		pop3_dele(pop3_run_machine(r), take_first(&r->to_delete));
	while (has_room(r) && !set_empty(&r->owed.todo))
		pop3_owed_ask(&r->owed, pop3_run_machine(r));
	pop3_large_ask(r);
	if (r->ended)
		return;
	pop3_names_ask(&r->names, r->ledger, on_name);
	while (has_room(r) && !r->sizing && !set_empty(&r->fresh) &&
	    pop3_names_has(&r->names, set_first(&r->fresh))) {
		pop3_retr(pop3_run_machine(r), take_first(&r->fresh));
		r->asked++;
	}
}

/* What comes next, after any event. */
static void
check(struct pop3_run *r)
{
	if (r->ended || !r->working || r->quitting)
		return;
	gather(r);
	ask(r);
	if (r->ended)
		return;
	if (r->asked == 0 && set_empty(&r->fresh) && set_empty(&r->to_delete) &&
	    pop3_owed_idle(&r->owed) && pop3_large_idle(r) &&
	    client_pending(r->ledger) == 0)
		quit(r);
	pop3_session_flush(r->session);
}

static void
on_name(void *arg, uint32_t number, const char *uidl)
{
	struct pop3_run *r = arg;

	pop3_names_put(&r->names, number, uidl);
	if (r->names.asked == 0)
		check(r);
}

/* For the progress sizes are worth their octets only when much is to come;
 * what is owed is compared by them. */
static void
ask_sizes(struct pop3_run *r, uint64_t fresh)
{
	bool much = fresh > 0 && fresh * 2 >= r->count;

	r->sizing = fresh > 0 && r->f->params->max_size > 0;
	if (r->listing.again) {
		pop3_large_sort(r);
		return;
	}
	if (!much && !r->sizing && set_empty(&r->owed.todo))
		return;
	set_copy(&r->listed, &r->fresh);
	pop3_list(pop3_run_machine(r));
}

void
pop3_work_begin(struct pop3_run *r)
{
	uint32_t suspect = r->f->params->suspect.number;
	uint64_t fresh = set_count(&r->fresh);

	r->f->result.progress.doing = "fetching";
	r->f->result.progress.total = fresh;
	r->working = true;
	pop3_names_init(
	    &r->names, r->f->params->style.source && !r->by_content);
	pop3_names_add(&r->names, &r->fresh); /* and what is too large of it */
	ask_sizes(r, fresh);
	r->suspect = set_has(&r->fresh, suspect) ? suspect : 0;
	set_remove(&r->fresh, r->suspect, r->suspect);
	check(r);
}

void
pop3_work_sized(struct pop3_run *r)
{
	if (!r->sizing)
		return;
	pop3_large_sort(r);
	check(r);
}

/* ---- what is owed ---- */

static void
on_verified(void *arg, uint32_t number, bool same, const struct err *e)
{
	struct pop3_run *r = arg;

	if (r->ended)
		return;
	pop3_owed_heard(&r->owed);
	if (e != NULL) {
		pop3_run_end(r, e);
		return;
	}
	r->f->steps++;
	if (!same)
		log_debug(r->f->params->subject,
		    "message %u is not the one that was to be removed", number);
	set_add(same ? &r->to_delete : &r->again, number, number);
	check(r);
}

static void
done_top(struct pop3_run *r, const struct pop3_info *info)
{
	pop3_owed_done(&r->owed, info, &r->again);
	if (!info->ok && fetch_is_fatal(&info->err))
		pop3_run_end(r, &info->err);
	else
		check(r);
}

/* A header, for the ledger to compare. */
static void
hear_header(struct pop3_run *r, enum pop3_event ev, struct pop3_info *info)
{
	if (ev == POP3_BODY_BEGIN)
		pop3_owed_begin(&r->owed);
	if (ev == POP3_BODY_DATA)
		pop3_owed_data(&r->owed, info->data);
	if (ev != POP3_BODY_END)
		return;
	pop3_owed_end(&r->owed, r->ledger, info->number,
	    sizes_of(&r->listing.sizes, info->number), on_verified, &r->again);
	pop3_run_wait(r);
}

/* ---- the bodies ---- */

static void
note_absence(struct pop3_run *r, uint32_t number, const char *reason)
{
	if (!r->by_content) /* else it has no name */
		fetch_note_absence(r->ledger, number, reason);
}

/* False when the fetch is over. */
static bool
heard(struct pop3_run *r, uint32_t number, const struct err *e)
{
	char what[32];

	if (e != NULL && e->kind == ERR_MESSAGE) {
		if (e->sys == EFBIG)
			note_absence(r, number, e->text);
		snprintf(what, sizeof(what), "message %u", number);
		fetch_trouble(r->f, what, e);
	} else if (e != NULL) {
		pop3_run_end(r, e);
	}
	if (r->ended)
		pop3_run_quiet(r);
	return !r->ended;
}

static void
count(struct pop3_run *r, uint32_t number, const char *what)
{
	r->f->result.progress.messages++;
	delivered_log(r->f->params, r->ledger, "", what, number);
}

static void
on_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct pop3_run *r = arg;

	if (known)
		log_debug(r->f->params->subject, "message %u is known", number);
	else if (e == NULL)
		count(r, number, "");
	if (!heard(r, number, e))
		return;
	if (r->f->params->remove && e == NULL)
		set_add(&r->to_delete, number, number);
	check(r);
}

void
pop3_work_stub(struct pop3_run *r, uint32_t number, const struct err *e)
{
	if (e == NULL)
		count(r, number, "a stub of ");
	if (heard(r, number, e))
		check(r);
}

static void
follow(struct pop3_run *r, enum intake_answer answer)
{
	pop3_session_pause(r->session, answer == INTAKE_WAIT);
}

void
pop3_work_letters_ready(void *run)
{
	struct pop3_run *r = run;

	if (r->ended || !r->intake.waiting)
		return;
	if (r->large.waiting)
		pop3_large_resume(r);
	else
		follow(r, intake_resume(&r->intake));
}

static void
body_begins(struct pop3_run *r, const struct pop3_info *info)
{
	r->intake.number = info->number;
	r->intake.uidl = pop3_names_of(&r->names, info->number);
	follow(r, intake_begin(&r->intake, true));
}

void
pop3_work_note_suspect(struct pop3_run *r)
{
	uint32_t number = intake_at(&r->intake);

	if (number != 0 && number == r->f->params->suspect.number)
		note_absence(r, number,
		    "the connection is lost each time it is fetched");
}

/* One message does not get through; the others do. */
static void
refuse(struct pop3_run *r, uint32_t number, const struct err *why)
{
	char what[32];

	snprintf(what, sizeof(what), "message %u", number);
	note_absence(r, number, why->text);
	fetch_trouble(r->f, what, why);
}

static void
body_goes_on(struct pop3_run *r, const struct pop3_info *info)
{
	struct err e;

	if (pop3_large_cuts(r, info->number, info->data.n) ||
	    intake_data(&r->intake, info->data, &e) == INTAKE_GO)
		return;
	if (fetch_is_fatal(&e))
		pop3_run_end(r, &e);
	else
		refuse(r, info->number, &e);
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
	if (!set_has(&r->over, info->number)) /* its stub is to come */
		pop3_names_drop(&r->names, info->number);
}

void
pop3_work_body(struct pop3_run *r, enum pop3_event ev, struct pop3_info *info)
{
	if (pop3_large_body(r, ev, info))
		return;
	if (info->request == POP3_REQ_TOP)
		hear_header(r, ev, info);
	else if (ev == POP3_BODY_BEGIN)
		body_begins(r, info);
	else if (ev == POP3_BODY_DATA)
		body_goes_on(r, info);
	else
		body_ends(r, info);
}

/* ---- answers ---- */

static void
done_retr(struct pop3_run *r, const struct pop3_info *info)
{
	struct err e = info->err;

	r->asked--;
	if (!info->ok && fetch_is_fatal(&info->err)) {
		err_prefix(&e, "message %u", info->number);
		pop3_run_end(r, &e);
		return;
	}
	if (!info->ok) {
		pop3_names_drop(&r->names, info->number);
		refuse(r, info->number, &info->err);
	}
	check(r);
}

static void
done_dele(struct pop3_run *r, const struct pop3_info *info)
{
	r->f->steps++;
	if (info->ok)
		set_add(&r->deleted, info->number, info->number);
	else
		log_warning(r->f->params->subject,
		    "message %u is not "
		    "removed: %s",
		    info->number, info->err.text);
	check(r);
}

void
pop3_work_done(struct pop3_run *r, const struct pop3_info *info)
{
	if (pop3_large_done(r, info))
		check(r);
	else if (info->request == POP3_REQ_RETR)
		done_retr(r, info);
	else if (info->request == POP3_REQ_DELE)
		done_dele(r, info);
	else
		done_top(r, info);
}
