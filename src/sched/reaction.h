/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_REACTION_H
#define MAILHAUL_SCHED_REACTION_H

/* What each kind of error means for the account and for the exit status:
 * the one table from kind to reaction. */

#include <stdbool.h>

#include "util/err.h"

struct reaction {
	bool retry;      /* a session that was lost is worth another */
	int exit_status; /* sysexits.h */
};

const struct reaction *reaction_of(enum err_kind kind);

/* The worse of two exit statuses: 78, 77, 76, 75, 69, and 0 last. */
int reaction_worse(int a, int b);

#endif
