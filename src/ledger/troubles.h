/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_TROUBLES_H
#define MAILHAUL_LEDGER_TROUBLES_H

/*
 * The tables trouble and reached: messages that did not get through, by their
 * names (names.h), and the recipients that have theirs already. Another
 * process may change the rows at any time, so nothing of them is remembered
 * from one transaction to the next. All of this runs in the caller's
 * transaction; now is Unix time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "ledger/names.h"
#include "util/err.h"
#include "util/span.h"

#define TROUBLES_DELAY_MAX_S (4 * 3600)

struct trouble {
	int64_t id; /* 0: there is none */
	enum ledger_trouble_state state;
	unsigned int tries;
	int64_t next;
	bool stub, full;
};

/* How long to wait after so many tries. */
unsigned int troubles_delay_s(unsigned int tries);
/* It is not to be fetched now. */
bool troubles_bar(const struct trouble *t, int64_t now);

int troubles_any(struct db *d, int64_t box, bool *any, struct err *e);
int troubles_find(struct db *d, int64_t box, struct span name,
    struct trouble *t, struct err *e);
/* Columns TROUBLES_COLUMNS from this one on. */
#define TROUBLES_COLUMNS "id, state, tries, next, stub, full"
int troubles_read(struct db *d, sqlite3_stmt *q, int column, struct trouble *t,
    struct err *e);

/* A row is made or brought up to date; *t is as it is now. What the user
 * dropped stays dropped. */
int troubles_note(struct db *d, const struct name *name,
    const struct ledger_note *note, int64_t now, struct trouble *t,
    struct err *e);

/* It was on the server; written about once a day. */
int troubles_seen(struct db *d, int64_t id, int64_t now, struct err *e);
/* The rows of the box that were not on the server for keep_s are forgotten. */
int troubles_expire(
    struct db *d, int64_t box, int64_t now, int64_t keep_s, struct err *e);

int troubles_forget(struct db *d, int64_t id, struct err *e);
int troubles_forget_name(
    struct db *d, int64_t box, struct span name, struct err *e);

/* Up to the caller to free, each one and the array; added to what is there. */
int troubles_reached(
    struct db *d, int64_t id, char ***recipients, size_t *n, struct err *e);

/* ---- by hand ---- */

/* An error with sys ENOENT when there is no such row. */
int troubles_retry(struct db *d, int64_t id, bool full, struct err *e);
int troubles_drop(struct db *d, int64_t id, struct err *e);

/* A stub that comes once more: held as before, if somebody said "later". */
int troubles_hold_stub(struct db *d, int64_t id, struct err *e);

int troubles_show(struct db *d, const char *account, ledger_trouble_fn fn,
    void *arg, struct err *e);

#endif
