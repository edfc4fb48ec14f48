/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_RANGES_H
#define MAILHAUL_LEDGER_RANGES_H

/*
 * Sets of UIDs on disk, as struct set has them in memory: a row per range,
 * disjoint and not adjacent. A million consecutive numbers are one row.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"
#include "util/set.h"

enum ranges_kind { /* as stored */
	RANGES_HANDLED,
	RANGES_OWED,
	RANGES_SETTLED
};

/* In the caller's transaction. */
int ranges_add(struct db *d, int64_t box, enum ranges_kind kind,
    const struct set *s, struct err *e);
int ranges_remove(struct db *d, int64_t box, enum ranges_kind kind,
    const struct set *s, struct err *e);

int ranges_read(struct db *d, int64_t box, enum ranges_kind kind, struct set *s,
    struct err *e);
int ranges_has(struct db *d, int64_t box, enum ranges_kind kind,
    uint32_t number, bool *has, struct err *e);

#endif
