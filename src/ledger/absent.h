/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_ABSENT_H
#define MAILHAUL_LEDGER_ABSENT_H

/*
 * After a whole POP3 listing: the rows that it does not list. Removed by us,
 * or in doubt: forgotten. Otherwise they are remembered for keep_s, since
 * servers show short lists on bad days.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"

struct absent {
	int64_t box;
	int64_t now, keep_s; /* seconds; now is Unix time */
	bool back;           /* a row that was absent is listed */
};

/* By the table run; in the caller's transaction. */
int absent_mark(struct db *d, const struct absent *a, struct err *e);

#endif
