/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_RUNS_H
#define MAILHAUL_LEDGER_RUNS_H

/*
 * Which message number of a POP3 listing is which row: runs of numbers and
 * seqs that ascend together, in the temporary table run. While a listing
 * comes in, the run that grows is kept in memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"

struct runs {
	struct db *d; /* not ours */
	int64_t box;
	int64_t last_seq;       /* the highest */
	int64_t number, n, seq; /* the run that grows; n is 0: none */
};

/* Drops what the table has of the box. */
int runs_init(struct runs *r, struct db *d, int64_t box, struct err *e);
int runs_add(struct runs *r, uint32_t number, int64_t seq, struct err *e);
int runs_store(struct runs *r, struct err *e); /* all is in the table */

/* The number listed for seq, or 0. */
int runs_number(
    const struct runs *r, int64_t seq, int64_t *number, struct err *e);
/* Is number in the run that grows? */
bool runs_growing(const struct runs *r, uint32_t number);

/* The seq of number by the table, or 0. */
int runs_seq(
    struct db *d, int64_t box, uint32_t number, int64_t *seq, struct err *e);

#endif
