/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_ACCOUNTS_H
#define MAILHAUL_PROC_ACCOUNTS_H

/*
 * All accounts of the daemon, handed to the rolls: those of the configuration
 * at once, and those that users have in their own files when these were read,
 * which may take time. Until then, and if it fails, a user keeps what he had.
 */

#include "conf/conf.h"
#include "io/loop.h"
#include "proc/rolls.h"
#include "proc/tell.h"

struct accounts;

struct accounts_events { /* from the loop */
	/* For who asked for a reload; it has been logged. */
	void (*says)(void *arg, bool bad, const char *line);
	/* Once after each accounts_set(): no user who is worth waiting for
	 * is left. Those who are slow come all the same. */
	void (*known)(void *arg);
	/* Which accounts there are changed. */
	void (*changed)(void *arg);
};

/* rolls and tell are not ours. */
struct accounts *accounts_new(struct loop *loop, struct rolls *rolls,
    struct tell *tell, const struct accounts_events *events, void *arg);
/* After the rolls were freed. */
void accounts_free(struct accounts **a);

/* conf outlives the next one, and that before must live until it returns. What
 * changed is told of the accounts of conf alone. */
void accounts_set(
    struct accounts *a, const struct conf *conf, struct rolls_change *change);

/* The files of users are not waited for any more. */
void accounts_stop(struct accounts *a);

#endif
