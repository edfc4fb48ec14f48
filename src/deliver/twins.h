/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_TWINS_H
#define MAILHAUL_DELIVER_TWINS_H

/*
 * A message on its way to a program is not in the ledger yet, and may come a
 * second time: from an engine that took the place of one that died, or by a
 * new connection of the same. The second waits until it is known what has
 * become of the first.
 */

#include <stdbool.h>

#include "deliver/job.h"

struct twins {
	struct job_list waiting;
};

void twins_init(struct twins *t);
void twins_deinit(struct twins *t); /* frees those that wait */

/* False: the same message is on its way, and j waits for it, in t. Otherwise
 * j is on its way until twins_end(). */
bool twins_begin(struct twins *t, struct job *j);
void twins_end(struct job *j);
/* One of the account that may begin now, no longer in t; or NULL. */
struct job *twins_next(struct twins *t, const struct job_account *a);

#endif
