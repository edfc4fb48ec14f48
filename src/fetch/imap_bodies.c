/* SPDX-License-Identifier: ISC */
#include "fetch/imap_bodies.h"

#include <errno.h>
#include <stdio.h>

#include "fetch/delivered.h"
#include "sys/log.h"

/* ---- what becomes of a letter ---- */

/* It never came as far as the deliverer. */
static void
note_unstored(struct imap_box *b, uint32_t uid, const char *reason)
{
	struct client_note note = {
		.number = uid, .why = CLIENT_WHY_REFUSED, .reason = reason
	};

	client_note(b->ledger, &note);
}

/* False when the mailbox has ended. */
static bool
heard(struct imap_box *b, uint32_t uid, const struct err *e)
{
	char what[FETCH_MAILBOX_MAX + 32];

	if (e != NULL && e->kind == ERR_MESSAGE) {
		if (e->sys == EFBIG)
			note_unstored(b, uid, e->text);
		snprintf(what, sizeof(what), "%s: uid %u", b->mailbox, uid);
		fetch_trouble(b->f, what, e);
	} else if (e != NULL) {
		imap_box_end(b, e);
	}
	if (b->ended)
		imap_box_quiet(b);
	return !b->ended;
}

static void
count(struct imap_box *b, uint32_t uid, bool known, const char *what)
{
	if (known) {
		log_debug(b->f->params->subject, "%s: uid %u is known",
		    b->mailbox, uid);
		return;
	}
	b->f->result.progress.messages++;
	delivered_log(b->f->params, b->ledger, b->mailbox, what, uid);
}

static void
on_letter(void *arg, uint32_t uid, bool known, const struct err *e)
{
	struct imap_box *b = arg;

	if (e == NULL)
		count(b, uid, known, "");
	if (!heard(b, uid, e))
		return;
	if (b->remove != NULL && e == NULL)
		imap_remove_add(b->remove, uid);
	imap_box_check(b);
}

/* The message itself stays where it is. */
void
imap_bodies_stub(void *arg, uint32_t uid, bool known, const struct err *e)
{
	struct imap_box *b = arg;

	if (e == NULL)
		count(b, uid, known, "a stub of ");
	if (heard(b, uid, e))
		imap_box_check(b);
}

void
imap_bodies_follow(struct imap_box *b, enum intake_answer answer)
{
	if (answer == INTAKE_FAILED)
		imap_box_end(b, imap_large_error(b->large));
	else
		imap_session_pause(b->session, answer == INTAKE_WAIT);
}

void
imap_bodies_ready(void *arg)
{
	struct imap_box *b = arg;

	if (b->ended || !b->intake.waiting)
		return;
	if (b->large != NULL && imap_large_waits(b->large))
		imap_bodies_follow(b, imap_large_resume(b->large));
	else
		imap_bodies_follow(b, intake_resume(&b->intake));
}

/* As its body is announced. */
static bool
is_too_large(const struct imap_box *b, const struct imap_info *info)
{
	return b->large != NULL &&
	    !imap_large_allows(b->large, info->uid, info->size);
}

void
imap_bodies_begin(struct imap_box *b, const struct imap_info *info)
{
	bool wanted = info->uid == 0
	    ? flights_any(&b->flights)
	    : flights_of_uid(&b->flights, info->uid) != NULL;

	if (is_too_large(b, info))
		wanted = false;
	b->intake.number = b->intake.uid = info->uid;
	imap_bodies_follow(b, intake_begin(&b->intake, wanted));
}

void
imap_bodies_data(struct imap_box *b, const struct imap_info *info)
{
	struct err e;

	if (intake_data(&b->intake, info->data, &e) == INTAKE_GO)
		return;
	if (fetch_is_fatal(&e))
		imap_box_end(b, &e);
	else
		b->refusal = e;
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

static unsigned int
flags_of(const struct imap_info *info)
{
	return (info->flags & IMAP_SEEN ? CLIENT_SEEN : 0) |
	    (info->flags & IMAP_FLAGGED ? CLIENT_FLAGGED : 0) |
	    (info->flags & IMAP_ANSWERED ? CLIENT_ANSWERED : 0) |
	    (info->flags & IMAP_DRAFT ? CLIENT_DRAFT : 0);
}

/* Only what was asked for is kept, and each but once. */
void
imap_bodies_end(struct imap_box *b, const struct imap_info *info)
{
	struct flight *fl = flights_of_uid(&b->flights, info->uid);
	struct letter_params params = {
		.number = info->uid,
		.owes = b->remove != NULL,
		.flags = b->f->params->keep_flags ? flags_of(info) : 0,
		.time = b->f->params->keep_flags ? info->internaldate : 0,
	};

	if (fl != NULL && is_too_large(b, info)) {
		intake_drop(&b->intake);
		set_remove(&fl->uids, info->uid, info->uid);
		imap_large_add(b->large, info->uid);
	} else if (fl == NULL) {
		intake_drop(&b->intake);
		log_debug(b->f->params->subject,
		    "%s: a message that nobody asked for (uid %u) is dropped",
		    b->mailbox, info->uid);
	} else if (b->intake.refused) {
		set_remove(&fl->uids, info->uid, info->uid);
		(void)heard(b, info->uid, &b->refusal);
	} else if (is_hollow(b, info)) {
		intake_drop(&b->intake);
	} else if (intake_end(&b->intake, &params, on_letter)) {
		set_remove(&fl->uids, info->uid, info->uid);
	}
}
