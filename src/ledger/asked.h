/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_ASKED_H
#define MAILHAUL_LEDGER_ASKED_H

/* What ledger_ask() tells of a message. In the caller's transaction. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "util/err.h"

/* Of one that handled_find() has looked at; out is empty before. now is Unix
 * time. */
int asked_find(struct db *d, const struct ledger_entry *m, bool pop3,
    int64_t now, struct ledger_asked *out, struct err *e);

#endif
