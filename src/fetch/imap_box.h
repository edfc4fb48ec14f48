/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_BOX_H
#define MAILHAUL_FETCH_IMAP_BOX_H

/*
 * One mailbox of an IMAP fetch: select it, ask the ledger, search, fetch
 * what is new with several commands in flight, remove what is to be removed.
 * All events of the session are given to it until it is done.
 */

#include "fetch/flights.h"
#include "fetch/imap_large.h"
#include "fetch/imap_look.h"
#include "fetch/imap_remove.h"
#include "fetch/intake.h"
#include "fetch/run.h"

struct imap_box;

/* Called once, from the loop. e NULL: all is well; a fault of
 * this mailbox or of messages: go on with the next; else: the fetch ends. */
typedef void (*imap_box_fn)(void *arg, const struct err *e);

struct imap_box_params {
	const char *mailbox; /* copied */
	char delimiter;      /* between levels of its name; 0: not known */
	/* Of a mailbox that is selected already; 0: select it */
	uint32_t uidvalidity;
	bool read_only;
};

struct imap_box *imap_box_new(struct fetch *f, struct imap_session *session,
    const struct imap_box_params *params, imap_box_fn fn, void *arg);
void imap_box_free(struct imap_box **b); /* also from inside fn */

void imap_box_event(
    struct imap_box *b, enum imap_event ev, const struct imap_info *info);

/* The session is no more: fn once what was given to the deliverer is
 * answered. */
void imap_box_stop(struct imap_box *b);

/* ---- what it shares with imap_bodies.c ---- */

struct imap_box {
	struct fetch *f;              /* not ours */
	struct imap_session *session; /* not ours */
	struct client_box *ledger;
	struct imap_remove *remove;
	struct imap_large *large; /* NULL: any size is welcome */
	struct draft_style style;
	struct intake intake;
	struct loop_timer *done; /* tells the owner, from the loop */
	imap_box_fn fn;
	void *arg;
	char *mailbox;
	char delimiter;
	uint32_t select, sizes;        /* tickets */
	uint32_t uidvalidity, uidnext; /* uidnext: 0: not told */
	struct imap_look look;
	struct set handled, todo; /* handled: and barred */
	struct set due, full;     /* of earlier troubles: to be tried again */
	uint32_t suspect;         /* of todo, but comes last; 0: none */
	struct set hollow;        /* came with no octet: is that so? */
	struct set empty;         /* yes, by its size */
	struct set again;         /* asked for, and no body came */
	struct flights flights;
	unsigned int rounds;
	bool fetching; /* todo is known */
	bool ended, read_only;
	struct err err;
	struct err refusal; /* of the body that could not be stored */
};

/* The box is over: e as with imap_box_fn. */
void imap_box_end(struct imap_box *b, const struct err *e);
/* For a fault of one message: the mailbox goes on. */
void imap_box_note(struct imap_box *b, const struct err *e);
/* What comes next, after any event; ends the box when nothing does. */
void imap_box_check(struct imap_box *b);
/* After the end: tells the owner once nothing is with the deliverer. */
void imap_box_quiet(struct imap_box *b);

#endif
