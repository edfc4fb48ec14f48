/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_UIDL_H
#define MAILHAUL_LEDGER_UIDL_H

/*
 * POP3: the delivered messages of a box (table uidl, on disk), and the
 * message numbers of the present listing (tables line and run, temporary).
 *
 * A row has a seq, ascending in the order of delivery, which is nearly always
 * the order of the server's listing. So the handled part of a listing is a few
 * runs (number, seq, n), however long it is. A line is what is listed and not
 * handled; once prepared it has a seq too.
 *
 * A message is named by its UIDL alone as long as that was never seen twice
 * in one listing. Otherwise its row is in doubt, and the name is the UIDL,
 * the size and nth, its place among those of equal UIDL and size. A UIDL may
 * name another message later: then the fingerprint, taken when the message is
 * there in whole, has the last word.
 *
 * All of this runs in the caller's transaction.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/db.h"
#include "util/err.h"
#include "util/set.h"
#include "util/span.h"

#define UIDL_MAX_OCTETS 255 /* RFC 1939 7 says 70; servers differ */

enum uidl_state {
	UIDL_KEPT, /* as stored */
	UIDL_OWED,
	UIDL_GONE /* removed by us, or not ours to remove any more; listed
	             again, it is fresh */
};

struct uidl_row {
	int64_t seq; /* 0: there is no such row */
	int64_t size;
	int64_t absent; /* since when, Unix time; 0: it is listed */
	enum uidl_state state;
	bool doubt;
	size_t n; /* octets of uidl */
	char uidl[UIDL_MAX_OCTETS];
};

int uidl_exact(struct db *d, int64_t box, struct span uidl, int64_t size,
    int64_t nth, struct uidl_row *row, struct err *e);
int uidl_any(struct db *d, int64_t box, struct span uidl, struct uidl_row *row,
    struct err *e);
/* Up to *n rows from seq on; *n becomes their number. */
int uidl_rows(struct db *d, int64_t box, int64_t seq, struct uidl_row *rows,
    size_t *n, struct err *e);

/* A message of the present listing. */
struct uidl_line {
	bool listed;
	int64_t seq; /* of its row; 0: not handled */
	int64_t old; /* of the row that had its name last; 0: none */
};

int uidl_find(struct db *d, int64_t box, uint32_t number,
    struct uidl_line *line, struct err *e);

struct uidl_name {
	int64_t size, nth;
	bool doubt; /* size and nth belong to the name */
	size_t n;   /* octets of uidl */
	char uidl[UIDL_MAX_OCTETS];
};

/* Columns uidl, size, nth, doubt from this one on. */
int uidl_read_name(struct db *d, sqlite3_stmt *q, int column,
    struct uidl_name *name, struct err *e);
/* An error when number is not in the present listing. */
int uidl_name(struct db *d, int64_t box, uint32_t number,
    struct uidl_name *name, struct err *e);

/*
 * The message is here in whole. *same: it is that of the row found by its
 * name, or of one that is not listed (now it is), and stays handled. Else a
 * row that had its name is dropped, and it is not handled.
 */
int uidl_compare(struct db *d, int64_t box, uint32_t number,
    enum uidl_state state, struct span fingerprint, bool *same, struct err *e);

/* The listed, unhandled message gets a row; *seq is its. */
int uidl_insert(struct db *d, int64_t box, uint32_t number,
    enum uidl_state state, struct span fingerprint, int64_t *seq,
    struct err *e);
/* And back again. */
int uidl_remove(
    struct db *d, int64_t box, uint32_t number, int64_t seq, struct err *e);

/* The state of what is listed under these numbers is UIDL_GONE; what is in
 * doubt is dropped, since the next of that name may be any. */
int uidl_gone(
    struct db *d, int64_t box, const struct set *numbers, struct err *e);

#endif
