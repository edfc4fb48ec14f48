/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_ROLLS_H
#define MAILHAUL_PROC_ROLLS_H

/*
 * The daemon's accounts: which there are, the number each has with the team,
 * its secret, whether it is paused, and what is known of it. A reload hands
 * in the accounts anew: what did not change goes on undisturbed.
 *
 * An account has a number that is never used again. One that changed is
 * dropped, and begins under its new number when the old one has left.
 *
 * A secret that is a token is replaced before it expires, so that the team has
 * a good one whenever it logs in.
 */

#include "conf/conf.h"
#include "proc/team.h"

struct rolls;

struct rolls_entry { /* only to be read */
	uint32_t number;
	const char *name;
	const struct conf_account *account; /* not ours; NULL when it leaves */
	bool paused;
	bool no_secret; /* it cannot be had for now: status.err says why */
	struct status status;
};

struct rolls_events { /* all from the loop */
	/* Something in status changed, or whether it has its secret. */
	void (*changed)(void *arg, const struct rolls_entry *entry);
	void (*progress)(void *arg, const struct rolls_entry *entry,
	    const struct fetch_progress *progress);
	/* Of a look that rolls_poll() asked for. */
	void (*result)(void *arg, const struct rolls_entry *entry,
	    const struct fetch_result *result);
	/* After rolls_stop(): the last has left. */
	void (*empty)(void *arg);
};

/* What rolls_set() did. */
struct rolls_change {
	size_t added, changed, removed;
};

/* For secrets that are tokens: see struct secrets_params. Both are copied;
 * user may be NULL. */
struct rolls_params {
	const char *state_dir, *user;
};

struct rolls *rolls_new(struct loop *loop, struct team *team,
    const struct rolls_params *params, const struct rolls_events *events,
    void *arg);
void rolls_free(struct rolls **r);

/* These are the accounts from now on; each outlives the next rolls_set().
 * Those before must live until it returns. One that is at the same address
 * as before was not read anew, and is left alone in every way. */
void rolls_set(struct rolls *r, const struct conf_account *const *accounts,
    size_t n, struct rolls_change *out);

/* In the order of rolls_set(). */
size_t rolls_count(const struct rolls *r);
const struct rolls_entry *rolls_at(const struct rolls *r, size_t i);
/* NULL when there is none of that name. */
const struct rolls_entry *rolls_find(const struct rolls *r, const char *name);
/* The known name that is nearest, or NULL: for "did you mean". */
const char *rolls_nearest(const struct rolls *r, const char *name);

/* Every account is with the team, or has failed to get there. */
bool rolls_settled(const struct rolls *r);

/* Results follow: the next one (0) or the one after it (1) is of a look that
 * begins after this call. -1: it cannot be looked at now; e says why. */
int rolls_poll(struct rolls *r, uint32_t number, struct err *e);
void rolls_pause(struct rolls *r, uint32_t number);
/* Also closes the breaker, and asks for a missing secret at once. */
void rolls_resume(struct rolls *r, uint32_t number);

/* All accounts leave in order; then events->empty, from the loop. */
void rolls_stop(struct rolls *r);

/* What the team tells; numbers that are not known are ignored. */
void rolls_on_progress(
    struct rolls *r, uint32_t number, const struct fetch_progress *progress);
void rolls_on_result(
    struct rolls *r, uint32_t number, const struct fetch_result *result);
void rolls_on_status(
    struct rolls *r, uint32_t number, const struct status *status);
void rolls_on_want(struct rolls *r, uint32_t number);
void rolls_on_gone(struct rolls *r, uint32_t number);
void rolls_on_lost(struct rolls *r, uint32_t number);

#endif
