/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_POP3_RUN_H
#define MAILHAUL_FETCH_POP3_RUN_H

/*
 * What the two parts of a POP3 fetch share: pop3_run.c has its life and the
 * listing, pop3_work.c what is done with it.
 */

#include "fetch/intake.h"
#include "fetch/large.h"
#include "fetch/pop3_listing.h"
#include "fetch/pop3_names.h"
#include "fetch/pop3_owed.h"
#include "fetch/run.h"

struct pop3_run {
	struct fetch *f; /* not ours */
	struct pop3_session *session;
	struct client_box *ledger;
	struct draft_style style;
	struct intake intake;
	struct loop_timer *behind; /* the listing waits for the ledger */
	struct pop3_listing listing;
	struct pop3_owed owed; /* removals of earlier sessions */
	struct set fresh;      /* to be retrieved */
	struct set again;      /* the same, but delivered as it seems */
	struct set listed;     /* fresh at first: LIST counts their octets */
	struct set full;       /* wanted whatever their size */
	struct set over;       /* too large: their header is to be fetched */
	struct large large;
	uint32_t heading;  /* whose header is coming for it; 0: none */
	struct buf header; /* that one */
	bool sizing;       /* sizes are to come first */
	struct pop3_names names;
	struct set to_delete; /* delivered, not asked for yet */
	struct set deleted;   /* DELE was answered +OK */
	uint32_t count;       /* of messages in the maildrop (STAT) */
	unsigned int asked;   /* RETRs not yet answered */
	uint32_t suspect;     /* to be retrieved after all others; 0: none */
	bool had_uidls;       /* in an earlier session */
	bool by_content;      /* no UIDL: known by what they hold */
	bool working, quitting, ended;
};

struct pop3 *pop3_run_machine(struct pop3_run *r);

/* Leaves without QUIT: what is marked as deleted comes back, and a server
 * that hides what was retrieved shows it again. */
void pop3_run_end(struct pop3_run *r, const struct err *e);
/* After the end: is all answered that was given to the deliverer? */
void pop3_run_quiet(struct pop3_run *r);

/* Pauses the session while the ledger is behind. */
void pop3_run_wait(struct pop3_run *r);

#endif
