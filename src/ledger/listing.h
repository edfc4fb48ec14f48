/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_LISTING_H
#define MAILHAUL_LEDGER_LISTING_H

/*
 * One POP3 listing on its way in: which lines are handled, which are fresh,
 * and which rows are listed no more. Memory is constant but for the set of
 * owed numbers. How messages are named stands in uidl.h; the rules for UIDLs
 * that occur more than once are in listing.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"
#include "util/set.h"
#include "util/span.h"

struct listing;

/* What is listed of the box from earlier is forgotten. */
struct listing *listing_new(struct db *d, int64_t box, struct err *e);
void listing_free(struct listing **l);

/* A second line with the same number is ignored. */
int listing_add(struct listing *l, uint32_t number, struct span uidl,
    uint64_t size, struct err *e);

/*
 * In the caller's transaction; now in Unix time, and what is absent for
 * keep_s is forgotten. The sets are replaced. Once: then listing_free(),
 * when the transaction is through. *useless: UIDLs are repeated, and no line
 * had a size to tell them apart by; then the sets are empty, and the
 * transaction is to be taken back.
 */
int listing_end(struct listing *l, int64_t now, int64_t keep_s,
    struct set *fresh, struct set *owed, uint32_t *repeated, bool *useless,
    struct err *e);

#endif
