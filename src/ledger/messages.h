/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_MESSAGES_H
#define MAILHAUL_LEDGER_MESSAGES_H

/*
 * Messages into the ledger and out of it, whatever names them: a UID, a line
 * of a POP3 listing, or what they hold. Everything but messages_next() runs
 * in the caller's transaction.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "util/err.h"
#include "util/set.h"

struct messages_work {
	bool pop3;
	int64_t now;  /* Unix time */
	int64_t *row; /* the next journal row; advanced */
};

/*
 * Records entries of one box. Those that are handled get known = true; the
 * others are journaled if they have a file. In trouble is none of them any
 * more, but stubs are from now on.
 */
int messages_add(struct db *d, const struct messages_work *w,
    struct ledger_entry *entries, size_t n, struct err *e);

/* Takes back what messages_add() did for the journal row. */
int messages_undo(struct db *d, int64_t row, struct err *e);

/* The journal forgets: published. */
int messages_published(struct db *d, int64_t row, struct err *e);

int messages_gone(struct db *d, int64_t box, bool pop3,
    const struct set *numbers, struct err *e);

int messages_fingerprint(struct db *d, int64_t box, bool pop3, uint32_t number,
    uint8_t fingerprint[LEDGER_FINGERPRINT], bool *found, struct err *e);

/*
 * The first journal row behind row: 1, or 0 when there is none. dir and file
 * are the caller's to free. No statement stays open.
 */
int messages_next(struct db *d, int64_t row, struct ledger_entry *entry,
    char **dir, char **file, struct err *e);
int messages_last_row(struct db *d, int64_t *row, struct err *e);

#endif
