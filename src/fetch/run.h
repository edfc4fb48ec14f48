/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_RUN_H
#define MAILHAUL_FETCH_RUN_H

/*
 * What a fetch and its protocol's half share. The protocol's half is a
 * driver; it ends by calling fetch_finish() once.
 */

#include "fetch/fetch.h"

struct fetch_driver {
	void *(*start)(struct fetch *f);
	void (*stop)(void *run); /* see fetch_stop(); fetch_finish() follows */
	void (*free)(void *run);
	/* Of one that stays, see fetch.h; NULL: it never does. */
	bool (*look)(void *run);
	void (*probe)(void *run);
	bool (*rests)(void *run);
	bool (*leave)(void *run); /* false: stop it */
	void (*safety)(void *run, uint64_t s);
	const char *(*mailbox)(void *run, size_t i);
	void (*away)(void *run, const char *mailbox, bool away);
};

struct fetch {
	const struct fetch_env *env;
	const struct fetch_params *params;
	const struct fetch_driver *driver;
	void *run;
	bool detached;         /* no deliverer knows the account */
	struct relays *relays; /* NULL: the deliverer delivers */
	fetch_fn fn;
	void *arg;
	struct loop_timer *total;    /* the deadline of the whole */
	struct loop_timer *stall;    /* looks whether anything happens */
	uint64_t watched;            /* what it saw last */
	uint64_t steps;              /* mailboxes gone through */
	struct loop_timer *finished; /* calls fn from the loop */
	struct fetch_result result;
};

extern const struct fetch_driver imap_driver;
extern const struct fetch_driver pop3_driver;

/* The first error is kept, and the first that ends the fetch before one that
 * does not. */
void fetch_note(struct fetch *f, const struct err *e);

/* A message did not get through, and the ledger has a note of it; e says why
 * and is named as what, "INBOX: uid 7". The fetch goes on. */
void fetch_trouble(struct fetch *f, const char *what, const struct err *e);

#define FETCH_ABSENCES_MAX 3

/* The server does not produce the message: the ledger notes it, and after so
 * many fetches it is held. */
void fetch_note_absence(
    struct client_box *ledger, uint32_t number, const char *reason);

/* All is fetched, and the session waits; and goes on. */
void fetch_end_round(struct fetch *f, const struct fetch_round *round);
void fetch_begin_round(struct fetch *f);

/* The end; e NULL when there is nothing to add. A second call does nothing. */
void fetch_finish(struct fetch *f, const struct err *e);

/* Ends the fetch or not: a fault of one message or mailbox does not. */
bool fetch_is_fatal(const struct err *e);

#endif
