/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TEAM_H
#define MAILHAUL_PROC_TEAM_H

/*
 * The supervisor's two children and the words it has with them: the engine
 * and the deliverer, started, linked to each other, and ended in order.
 */

#include "conf/conf.h"
#include "fetch/fetch.h"
#include "io/loop.h"
#include "util/err.h"

struct team;

struct team_params {
	const struct conf *conf; /* not ours */
	int lock_fd;             /* the deliverer holds it too */
	int stderr_fd;           /* of the children; -1: ours */
	unsigned long max_files; /* that an MDA may have open; 0: any */
	bool progress;           /* to be told on the way */
	enum log_level log_level;
};

struct team_events {
	void (*ready)(void *arg); /* accounts may be given */
	/* what is in progress and result is borrowed for the call */
	void (*progress)(
	    void *arg, uint32_t number, const struct fetch_progress *progress);
	void (*result)(
	    void *arg, uint32_t number, const struct fetch_result *result);
	/* A child is gone or the ledger cannot be used: no results follow. */
	void (*broken)(void *arg, const struct err *e);
};

struct team *team_new(struct loop *loop, const struct team_params *params,
    const struct team_events *events, void *arg, struct err *e);

/* Number is the account's place in the configuration. -1: its certificates
 * cannot be read. */
int team_account(struct team *t, uint32_t number,
    const struct conf_account *account, const struct secret *secret,
    struct err *e);

void team_stop(struct team *t); /* the accounts end soon, with results */

/* Waits until both are gone: the deliverer flushes its ledger. NULL is fine. */
void team_free(struct team **t);

#endif
