/* SPDX-License-Identifier: ISC */
#include "fetch/imap_remove.h"

#include <stdlib.h>

#include "fetch/found.h"
#include "sys/log.h"
#include "util/mem.h"

#define BATCH 200      /* messages of one STORE */
#define RANGES_MAX 100 /* of one command's set */
#define REPEATS_MAX 3  /* for what an EXPUNGE left */

struct imap_remove {
	const struct fetch_params *params; /* not ours */
	struct imap_session *session;      /* not ours */
	struct client_box *box;            /* not ours */
	const char *mailbox;               /* not ours */
	client_verify_fn verified;
	struct set unsure;    /* of earlier runs, not asked about yet */
	struct set asked;     /* their headers are asked for */
	struct set ready;     /* to be removed */
	struct set batch;     /* STORE (and UID EXPUNGE) on its way */
	struct set marked;    /* \Deleted by us, no UIDPLUS: EXPUNGE is due */
	struct found deleted; /* what SEARCH DELETED says */
	struct found left;    /* of the batch, after its EXPUNGE */
	uint32_t headers, store, expunge, check, search, bare; /* tickets */
	uint64_t vanished;      /* EXPUNGE responses to this batch */
	unsigned int repeats;   /* of batches that did not go */
	unsigned int verifying; /* answers of the deliverer still to come */
	bool flushing, given_up;
	bool too_many; /* deleted by others; some were dropped */
	uint64_t count;
	struct err err;
};

struct imap_remove *
imap_remove_new(const struct fetch_params *params, struct imap_session *session,
    struct client_box *box, const char *mailbox, client_verify_fn verified)
{
	struct imap_remove *r = mem_new(sizeof(*r));

	r->params = params;
	r->session = session;
	r->box = box;
	r->mailbox = mailbox;
	r->verified = verified;
	return r;
}

void
imap_remove_free(struct imap_remove **r)
{
	struct imap_remove *it = *r;

	*r = NULL;
	if (it == NULL)
		return;
	set_deinit(&it->unsure);
	set_deinit(&it->asked);
	set_deinit(&it->ready);
	set_deinit(&it->batch);
	set_deinit(&it->marked);
	found_deinit(&it->deleted);
	found_deinit(&it->left);
	free(it);
}

static struct imap *
machine(struct imap_remove *r)
{
	return imap_session_machine(r->session);
}

static bool
busy(const struct imap_remove *r)
{
	return r->headers != 0 || r->store != 0 || r->expunge != 0 ||
	    r->check != 0 || r->search != 0 || r->bare != 0 || r->verifying > 0;
}

bool
imap_remove_idle(const struct imap_remove *r)
{
	if (busy(r))
		return false;
	return r->given_up ||
	    (set_empty(&r->unsure) && set_empty(&r->ready) &&
		set_empty(&r->marked));
}

static void
give_up(struct imap_remove *r, const struct err *e)
{
	r->given_up = true;
	r->err = *e;
	err_prefix(&r->err, "%s: mail stays on the server", r->mailbox);
}

static void
gone(struct imap_remove *r, struct set *uids, bool removed)
{
	if (set_empty(uids))
		return;
	client_gone(r->box, uids);
	if (removed)
		r->count += set_count(uids);
	set_clear(uids);
}

/* ---- what to ask next; one thing at a time ---- */

static void
ask_headers(struct imap_remove *r)
{
	set_take(&r->asked, &r->unsure, BATCH, RANGES_MAX);
	r->headers = imap_fetch_headers(machine(r), &r->asked);
}

static void
ask_store(struct imap_remove *r)
{
	set_take(&r->batch, &r->ready, BATCH, RANGES_MAX);
	r->store = imap_store_deleted(machine(r), &r->batch);
}

/* Not sent ahead of the answer to STORE: Dovecot 2.3 then says OK to some of
 * these and expunges nothing. */
static void
ask_expunge(struct imap_remove *r)
{
	r->vanished = 0;
	r->expunge = imap_expunge_uids(machine(r), &r->batch);
}

static void
next(struct imap_remove *r)
{
	if (busy(r))
		return;
	if (r->given_up)
		; /* what is left stays owed */
	else if (!set_empty(&r->unsure))
		ask_headers(r);
	else if (set_count(&r->ready) >= BATCH ||
	    (r->flushing && !set_empty(&r->ready)))
		ask_store(r);
	else if (r->flushing && !set_empty(&r->marked))
		r->search = imap_search_deleted(machine(r));
	imap_session_flush(r->session);
}

void
imap_remove_old(struct imap_remove *r, struct set *owed)
{
	set_add_set(&r->unsure, owed);
	set_clear(owed);
	next(r);
}

void
imap_remove_add(struct imap_remove *r, uint32_t uid)
{
	set_add(&r->ready, uid, uid);
	if (set_count(&r->ready) >= BATCH)
		next(r);
}

void
imap_remove_flush(struct imap_remove *r)
{
	r->flushing = true;
	next(r);
}

/* ---- what we hear ---- */

void
imap_remove_verified(
    struct imap_remove *r, uint32_t uid, bool same, const struct err *e)
{
	struct set one = { 0 };

	r->verifying--;
	if (e != NULL) {
		give_up(r, e);
	} else if (same) {
		set_add(&r->ready, uid, uid);
	} else {
		log_warning(r->params->subject,
		    "%s: uid %u is not the message that was delivered under "
		    "this number: it stays on the server",
		    r->mailbox, uid);
		set_add(&one, uid, uid);
		gone(r, &one, false);
		set_deinit(&one);
	}
	next(r);
}

static void
hear_header(struct imap_remove *r, const struct imap_info *info)
{
	if (!set_has(&r->asked, info->uid))
		return;
	set_remove(&r->asked, info->uid, info->uid);
	r->verifying++;
	client_verify(
	    r->box, info->uid, info->data, info->rfc822_size, r->verified);
}

static void
done_headers(struct imap_remove *r, const struct imap_info *info)
{
	r->headers = 0;
	if (info->ok)
		gone(r, &r->asked, false); /* not on the server any more */
	else
		give_up(r, &info->err);
}

static void
done_store(struct imap_remove *r, const struct imap_info *info)
{
	r->store = 0;
	if (!info->ok)
		give_up(r, &info->err);
	else if (imap_can(machine(r), "UIDPLUS"))
		ask_expunge(r);
	else
		set_add_set(&r->marked, &r->batch);
}

/* An OK is believed when as many went as were asked for; else we look. */
static void
done_expunge(struct imap_remove *r, const struct imap_info *info)
{
	r->expunge = 0;
	if (!info->ok)
		give_up(r, &info->err);
	else if (r->vanished >= set_count(&r->batch))
		gone(r, &r->batch, true);
	else
		r->check = imap_search_uids(machine(r), &r->batch, 0);
}

static void
done_check(struct imap_remove *r, const struct imap_info *info)
{
	struct set left = { 0 };
	struct err e;

	r->check = 0;
	found_take(&r->left, &left, &r->batch, 0);
	if (!info->ok) {
		give_up(r, &info->err);
	} else {
		set_remove_set(&r->batch, &left);
		gone(r, &r->batch, true);
		if (!set_empty(&left) && r->repeats++ >= REPEATS_MAX) {
			err_set(&e, ERR_MAILBOX, 0,
			    "the server says OK to "
			    "EXPUNGE, but %llu messages are still there",
			    (unsigned long long)set_count(&left));
			give_up(r, &e);
		}
		set_add_set(&r->ready, &left);
	}
	set_deinit(&left);
}

static void
refuse_bare(struct imap_remove *r, uint64_t others)
{
	struct err e;

	err_set(&e, ERR_MAILBOX, 0,
	    "the server has no UIDPLUS, and %llu "
	    "messages are marked deleted by another client; ours are marked "
	    "too (expunge-others = yes would remove them all)",
	    (unsigned long long)others);
	give_up(r, &e);
}

/* Only ours are marked (or the user allows it): a bare EXPUNGE is ours. */
static void
done_search(struct imap_remove *r, const struct imap_info *info)
{
	struct set others = { 0 };
	struct set none = { 0 };

	r->search = 0;
	found_take(&r->deleted, &others, &none, 1);
	set_remove_set(&others, &r->marked);
	if (!info->ok)
		give_up(r, &info->err);
	else if (r->params->expunge_others ||
	    (set_empty(&others) && !r->too_many))
		r->bare = imap_expunge(machine(r));
	else
		refuse_bare(r, set_count(&others));
	set_deinit(&others);
}

static void
done_bare(struct imap_remove *r, const struct imap_info *info)
{
	r->bare = 0;
	if (info->ok)
		gone(r, &r->marked, true);
	else
		give_up(r, &info->err);
}

static bool
hear_done(struct imap_remove *r, const struct imap_info *info)
{
	if (info->ticket == 0)
		return false;
	if (info->ticket == r->headers)
		done_headers(r, info);
	else if (info->ticket == r->store)
		done_store(r, info);
	else if (info->ticket == r->expunge)
		done_expunge(r, info);
	else if (info->ticket == r->check)
		done_check(r, info);
	else if (info->ticket == r->search)
		done_search(r, info);
	else if (info->ticket == r->bare)
		done_bare(r, info);
	else
		return false;
	next(r);
	return true;
}

bool
imap_remove_event(
    struct imap_remove *r, enum imap_event ev, const struct imap_info *info)
{
	if (ev == IMAP_DONE)
		return hear_done(r, info);
	if (ev == IMAP_FETCHED && r->headers != 0 &&
	    info->ticket == r->headers) {
		hear_header(r, info);
		return true;
	}
	if (ev == IMAP_VANISHED && r->expunge != 0) {
		r->vanished++;
		return true;
	}
	if (ev == IMAP_FOUND && r->check != 0 && info->ticket == r->check) {
		(void)found_add(&r->left, info->first, info->last);
		return true;
	}
	if (ev == IMAP_FOUND && r->search != 0 && info->ticket == r->search) {
		r->too_many |= !found_add(&r->deleted, info->first, info->last);
		return true;
	}
	return false;
}

uint64_t
imap_remove_count(const struct imap_remove *r)
{
	return r->count;
}

const struct err *
imap_remove_error(const struct imap_remove *r)
{
	return r->err.kind == ERR_NONE ? NULL : &r->err;
}
