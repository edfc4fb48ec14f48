/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_ROSTER_H
#define MAILHAUL_PROC_ROSTER_H

/*
 * The daemon's accounts: which there are, the number each has with the team,
 * its secret, whether it is paused, and what is known of it. A reload hands
 * in the accounts anew: what did not change goes on undisturbed.
 *
 * An account has a number that is never used again. One that changed is
 * dropped, and begins under its new number when the old one has left.
 */

#include "conf/conf.h"
#include "proc/team_next.h"

struct roster;

struct roster_entry { /* only to be read */
	uint32_t number;
	const char *name;
	const struct conf_account *account; /* not ours; NULL when it leaves */
	bool paused;
	bool no_secret; /* it cannot be had for now: status.err says why */
	struct status status;
};

struct roster_events { /* all from the loop */
	/* Something in status changed, or whether it has its secret. */
	void (*changed)(void *arg, const struct roster_entry *entry);
	void (*progress)(void *arg, const struct roster_entry *entry,
	    const struct fetch_progress *progress);
	/* Of a look that roster_poll() asked for. */
	void (*result)(void *arg, const struct roster_entry *entry,
	    const struct fetch_result *result);
	/* After roster_stop(): the last has left. */
	void (*empty)(void *arg);
};

/* What roster_set() did. */
struct roster_change {
	size_t added, changed, removed;
};

struct roster *roster_new(struct loop *loop, struct team *team,
    const struct roster_events *events, void *arg);
void roster_free(struct roster **r);

/* These are the accounts from now on; each outlives the next roster_set().
 * Those before must live until it returns. */
void roster_set(struct roster *r, const struct conf_account *const *accounts,
    size_t n, struct roster_change *out);

/* In the order of roster_set(). */
size_t roster_count(const struct roster *r);
const struct roster_entry *roster_at(const struct roster *r, size_t i);
/* NULL when there is none of that name. */
const struct roster_entry *roster_find(
    const struct roster *r, const char *name);
/* The known name that is nearest, or NULL: for "did you mean". */
const char *roster_nearest(const struct roster *r, const char *name);

/* Every account is with the team, or has failed to get there. */
bool roster_settled(const struct roster *r);

/* Results follow: the next one (0) or the one after it (1) is of a look that
 * begins after this call. -1: it cannot be looked at now; e says why. */
int roster_poll(struct roster *r, uint32_t number, struct err *e);
void roster_pause(struct roster *r, uint32_t number);
/* Also closes the breaker, and asks for a missing secret at once. */
void roster_resume(struct roster *r, uint32_t number);

/* All accounts leave in order; then events->empty, from the loop. */
void roster_stop(struct roster *r);

/* What the team tells; numbers that are not known are ignored. */
void roster_on_progress(
    struct roster *r, uint32_t number, const struct fetch_progress *progress);
void roster_on_result(
    struct roster *r, uint32_t number, const struct fetch_result *result);
void roster_on_status(
    struct roster *r, uint32_t number, const struct status *status);
void roster_on_want(struct roster *r, uint32_t number);
void roster_on_gone(struct roster *r, uint32_t number);
void roster_on_lost(struct roster *r, uint32_t number);

#endif
