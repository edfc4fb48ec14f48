/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_DUE_H
#define MAILHAUL_LEDGER_DUE_H

/*
 * Which messages in trouble are to be fetched now, and which are not; and
 * those that the server does not have any more. Memory is that of the sets.
 * now is Unix time.
 */

#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"
#include "util/set.h"

/* IMAP. The sets are replaced; full is a part of due. */
int due_uids(struct db *d, int64_t box, int64_t now, struct set *barred,
    struct set *due, struct set *full, struct err *e);
/* In the caller's transaction. What was dropped stays. */
int due_missing(
    struct db *d, int64_t box, const struct set *numbers, struct err *e);

/*
 * POP3, when the listing is in the temporary tables and fresh is what is not
 * handled; in the caller's transaction. Takes those that are barred out of
 * fresh, and counts them. full is replaced. Rows that were not listed for
 * keep_s are forgotten.
 */
int due_lines(struct db *d, int64_t box, int64_t now, int64_t keep_s,
    struct set *fresh, struct set *full, uint32_t *barred, struct err *e);

#endif
