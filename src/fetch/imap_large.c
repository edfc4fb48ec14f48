/* SPDX-License-Identifier: ISC */
#include "fetch/imap_large.h"

#include <stdlib.h>

#include "fetch/run.h"
#include "util/mem.h"

#define SIZES_AT_ONCE 2000 /* messages of one command */
#define HEADERS_AT_ONCE 20
#define RANGES_MAX 100

struct imap_large {
	const struct fetch_params *params; /* not ours */
	struct imap_session *session;      /* not ours */
	struct large large;
	struct set unknown;       /* their size is not asked for yet */
	struct set asked, fit;    /* it is; and it is small enough */
	struct set full;          /* wanted whatever their size */
	struct set over, headers; /* too large; their header is asked for */
	uint32_t sizes_ticket, headers_ticket;
};

struct imap_large *
imap_large_new(const struct fetch_params *params, struct imap_session *session,
    struct intake *intake, const char *mailbox, letter_fn stub_delivered)
{
	struct imap_large *l = mem_new(sizeof(*l));

	l->params = params;
	l->session = session;
	large_init(&l->large, params, intake, mailbox, stub_delivered);
	return l;
}

void
imap_large_free(struct imap_large **p)
{
	struct imap_large *l = *p;

	*p = NULL;
	if (l == NULL)
		return;
	large_deinit(&l->large);
	set_deinit(&l->unknown);
	set_deinit(&l->asked);
	set_deinit(&l->fit);
	set_deinit(&l->full);
	set_deinit(&l->over);
	set_deinit(&l->headers);
	free(l);
}

/* ---- asking ---- */

static void
ask_sizes(struct imap_large *l)
{
	if (l->sizes_ticket != 0 || set_empty(&l->unknown))
		return;
	set_take(&l->asked, &l->unknown, SIZES_AT_ONCE, RANGES_MAX);
	l->sizes_ticket =
	    imap_fetch_sizes(imap_session_machine(l->session), &l->asked);
}

static void
ask(struct imap_large *l)
{
	ask_sizes(l);
	if (l->headers_ticket == 0 && !set_empty(&l->over)) {
		set_take(&l->headers, &l->over, HEADERS_AT_ONCE, RANGES_MAX);
		l->headers_ticket = imap_fetch_whole_headers(
		    imap_session_machine(l->session), &l->headers);
	}
	imap_session_flush(l->session);
}

void
imap_large_sort(struct imap_large *l, struct set *todo, const struct set *full)
{
	struct set wanted = { 0 };

	set_copy(&l->full, full);
	set_intersect(&wanted, todo, full);
	set_remove_set(todo, full);
	set_add_set(&l->unknown, todo);
	set_move(todo, &wanted);
	set_deinit(&wanted);
	ask(l);
}

void
imap_large_take(struct imap_large *l, struct set *todo)
{
	set_add_set(todo, &l->fit);
	set_clear(&l->fit);
}

bool
imap_large_idle(const struct imap_large *l)
{
	return l->sizes_ticket == 0 && l->headers_ticket == 0 &&
	    set_empty(&l->unknown) && set_empty(&l->over) &&
	    set_empty(&l->fit) && !l->large.waiting;
}

bool
imap_large_allows(const struct imap_large *l, uint32_t uid, uint64_t octets)
{
	if (octets <= l->params->max_size)
		return true;
	return uid == 0 ? !set_empty(&l->full) : set_has(&l->full, uid);
}

void
imap_large_add(struct imap_large *l, uint32_t uid)
{
	set_add(&l->over, uid, uid);
	ask(l);
}

/* ---- hearing ---- */

static void
hear_size(struct imap_large *l, const struct imap_info *info)
{
	if (!set_has(&l->asked, info->uid) || !info->has_size)
		return;
	set_remove(&l->asked, info->uid, info->uid);
	if (imap_large_allows(l, info->uid, info->rfc822_size))
		set_add(&l->fit, info->uid, info->uid);
	else
		set_add(&l->over, info->uid, info->uid);
}

static enum intake_answer
hear_header(struct imap_large *l, const struct imap_info *info)
{
	if (!set_has(&l->headers, info->uid))
		return INTAKE_GO;
	set_remove(&l->headers, info->uid, info->uid);
	return large_note(&l->large, info->uid, info->rfc822_size, info->data);
}

/* What no size was told of is fetched: the body says it. */
static void
done_sizes(struct imap_large *l)
{
	l->sizes_ticket = 0;
	set_add_set(&l->fit, &l->asked);
	set_clear(&l->asked);
}

/* What no header came of is gone, which the next fetch sees; or the server
 * has none to give. */
static void
done_headers(struct imap_large *l)
{
	l->headers_ticket = 0;
	while (!set_empty(&l->headers)) {
		uint32_t uid = set_first(&l->headers);

		set_remove(&l->headers, uid, uid);
		fetch_note_absence(l->large.intake->box, uid,
		    "it is too large, and the server does not send its "
		    "header");
	}
}

static bool
hear_done(struct imap_large *l, uint32_t ticket)
{
	if (ticket == 0)
		return false;
	if (ticket == l->sizes_ticket)
		done_sizes(l);
	else if (ticket == l->headers_ticket)
		done_headers(l);
	else
		return false;
	ask(l);
	return true;
}

bool
imap_large_event(struct imap_large *l, enum imap_event ev,
    const struct imap_info *info, enum intake_answer *answer)
{
	*answer = INTAKE_GO;
	if (ev == IMAP_DONE)
		return hear_done(l, info->ticket);
	if (ev != IMAP_FETCHED || info->ticket == 0)
		return false;
	if (info->ticket == l->sizes_ticket)
		hear_size(l, info);
	else if (info->ticket == l->headers_ticket)
		*answer = hear_header(l, info);
	else
		return false;
	return true;
}

bool
imap_large_waits(const struct imap_large *l)
{
	return l->large.waiting;
}

enum intake_answer
imap_large_resume(struct imap_large *l)
{
	return large_resume(&l->large);
}

const struct err *
imap_large_error(const struct imap_large *l)
{
	return &l->large.e;
}
