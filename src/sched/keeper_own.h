/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_KEEPER_OWN_H
#define MAILHAUL_SCHED_KEEPER_OWN_H

/* What the files of the keeper share, and nobody else. */

#include "sched/breaker.h"
#include "sched/incident.h"
#include "sched/keeper.h"
#include "sched/lane.h"
#include "sched/pushes.h"

struct keeper_extra { /* a session for one mailbox */
	struct lane *lane;
	char *mailbox;
	const char *names[1]; /* the same, as fetch_params has it */
	unsigned int tries;   /* that failed in a row */
	size_t watched;
	struct pushes pushes;
};

struct keeper {
	struct keeper_params params;
	const struct keeper_events *events; /* not ours */
	void *arg;
	char *host; /* "host:port" */
	struct lane *main;
	struct keeper_extra **extras;
	const char **without; /* their mailboxes; n_extras of them */
	size_t n_extras, max_extras;
	struct fetch_result *answer; /* somebody waits for it; NULL: nobody */
	struct loop_timer *soon;     /* what is to be told from the loop */
	struct breaker breaker;
	struct pushes pushes; /* to main */
	struct incident incident;
	struct status status;
	size_t watched, polled; /* by main */
	unsigned int tries;     /* of main that failed in a row */
	char salt[16];          /* of the ledger */
	int today;              /* the day that status.today counts */
	bool begun, paused, stopped, leaving;
	bool detached; /* no deliverer knows the account */
	bool unsaved;  /* the breaker, as there was none */
	bool recalling;
	bool stale;          /* what comes of that, as more happened since */
	bool again;          /* somebody waits for the answer after it */
	bool answered, left; /* are to be told */
};

/* What one report of a session adds to the status. */
void keeper_count(struct keeper *k, const struct fetch_result *result);
void keeper_succeeded(struct keeper *k, const struct fetch_result *result);
void keeper_failed(struct keeper *k, const struct err *e);
void keeper_remember(struct keeper *k); /* the breaker, in the ledger */
void keeper_recall(struct keeper *k);   /* what is held; from the ledger */

/* What a round or the end of a session says of the server. pushes is of the
 * session. */
void keeper_learn_pushes(
    struct keeper *k, struct pushes *pushes, const struct fetch_round *round);
void keeper_learn_renew(struct keeper *k, const struct fetch_result *result);

/* main is in a round: sessions for mailboxes it need not poll. */
void keeper_extras_open(struct keeper *k, const struct fetch_round *round);
void keeper_extras_free(struct keeper *k);
/* Its mailbox is main's again. */
void keeper_extra_end(struct keeper *k, size_t i);
/* One of them left: is this the end of all? */
void keeper_left(struct keeper *k);
void keeper_answer(struct keeper *k, const struct lane_report *report);

#endif
