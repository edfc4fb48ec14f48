/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_ACCOUNTS_H
#define MAILHAUL_LEDGER_ACCOUNTS_H

/* The table account: what of an account outlives the process that fetches its
 * mail. */

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "util/err.h"

int accounts_find(
    struct db *d, const char *name, struct ledger_account *out, struct err *e);
/* In the caller's transaction. */
int accounts_note(struct db *d, const char *name,
    const struct ledger_account *a, struct err *e);

#endif
