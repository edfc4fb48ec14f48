/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_REACTION_H
#define MAILHAUL_SCHED_REACTION_H

/* What each kind of error means for the account, for people and for the exit
 * status: the one table from kind to reaction. */

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

/* What an account of the daemon does next. */
enum reaction_wait {
	REACT_NONE,    /* nothing: the next poll is soon enough */
	REACT_BACKOFF, /* try again, later each time */
	REACT_SLOWLY,  /* the same, but rarely: trying does not help */
	REACT_BREAKER, /* sched/breaker.h says when */
	REACT_STOP     /* no more until a reload */
};

struct reaction {
	bool retry;      /* a session that was lost is worth another */
	int exit_status; /* sysexits.h */
	enum reaction_wait wait;
	uint32_t base_s, ceiling_s; /* of BACKOFF and SLOWLY, else 0 */
	bool urgent;                /* somebody must act: told at once */
	const char *words;          /* for people: "the login was refused" */
};

const struct reaction *reaction_of(enum err_kind kind);

/* The longest wait a server can ask for; then we look again. */
#define REACTION_AFTER_MAX_S 86400

/*
 * How long to wait before the next try when this one, number tries_in_a_row
 * of them (1: the first), ended in e: as backoff_wait_ms(), and not less than
 * the server asked for, to which up to a tenth is added, as it asked others
 * for the same. What neither BACKOFF nor SLOWLY waits for is that alone.
 */
uint64_t reaction_wait_ms(
    const struct err *e, unsigned int tries_in_a_row, uint32_t chance);

/* The worse of two exit statuses: 78, 77, 76, 75, 69, and 0 last. */
int reaction_worse(int a, int b);

#endif
