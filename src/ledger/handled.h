/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_HANDLED_H
#define MAILHAUL_LEDGER_HANDLED_H

/* Whether a message is handled, whatever names it. In the caller's
 * transaction. */

#include <stdbool.h>

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "ledger/names.h"
#include "ledger/uidl.h"
#include "util/err.h"

/* By its name. An error for number 0, and for one that is not listed. */
int handled_has(
    struct db *d, const struct message *m, bool *handled, struct err *e);

/* The message is here in whole (unless it is a stub): sets m->known. A UIDL
 * that turns out to be another message's is not handled from then on. */
int handled_find(
    struct db *d, bool pop3, struct ledger_entry *m, struct err *e);

/* By content: the number is remembered for messages_gone(). */
int handled_name(struct db *d, const struct ledger_entry *m, struct err *e);

enum uidl_state handled_state(const struct ledger_entry *m);

#endif
