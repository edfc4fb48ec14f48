/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_LEDGER_DB_H
#define MAILHAUL_LEDGER_DB_H

/*
 * SQLite with our manners: statements are prepared once and kept, every error
 * is a struct err that names the file, and a transaction that fails leaves
 * nothing behind, not even in the write-ahead log.
 *
 *	db_begin() db_run() ... db_commit()	or db_rollback()
 *
 *	if (db_query(d, &q, SQL, DB_ARGS(db_i(box)), e) == 0)
 *		while ((r = db_step(d, q, e)) > 0)
 *			... sqlite3_column_int64(q, 0) ...
 *
 * SQL is a string literal: its address is the name under which the statement
 * is kept. The same SQL cannot be used twice at a time.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

struct db;

/* An existing database. No pragma is set and nothing is checked here. */
struct db *db_open(const char *path, struct err *e);
void db_close(struct db **d); /* an open transaction is rolled back */
const char *db_path(const struct db *d);
/* Closing leaves the write-ahead log where it is. */
int db_keep_log(struct db *d, struct err *e);

/* ---- statements ---- */

enum db_type { DB_END, DB_INT, DB_BLOB, DB_TEXT };

struct db_arg {
	enum db_type type;
	int64_t i;
	struct span s; /* must live until the statement is done */
};

struct db_arg db_i(int64_t i);
struct db_arg db_b(const void *p, size_t n);
struct db_arg db_t(const char *s);

/* clang-format off */
#define DB_ARGS(...) ((const struct db_arg[]){ __VA_ARGS__, { .type = DB_END } })
/* clang-format on */

/* Statements without arguments and result, not kept. */
int db_script(struct db *d, const char *sql, struct err *e);

/* args may be NULL. */
int db_run(
    struct db *d, const char *sql, const struct db_arg *args, struct err *e);

/* Then db_step() until it gives 0 or -1, or db_done(). */
int db_query(struct db *d, sqlite3_stmt **q, const char *sql,
    const struct db_arg *args, struct err *e);
int db_step(struct db *d, sqlite3_stmt *q, struct err *e); /* 1: a row */
void db_done(sqlite3_stmt *q);

/* The first column of the first row; fallback when there is no row (or the
 * value is NULL). */
int db_number(struct db *d, const char *sql, const struct db_arg *args,
    int64_t fallback, int64_t *out, struct err *e);

/* A blob of the row at hand, until the next step. */
struct span db_blob(sqlite3_stmt *q, int column);

/* A value that we never wrote was found; -1. From now on nothing is written
 * any more. */
int db_damaged(struct db *d, const char *what, struct err *e);

/* ---- transactions ---- */

int db_begin(struct db *d, struct err *e);
int db_commit(struct db *d, struct err *e); /* on error: rolled back */
void db_rollback(struct db *d);             /* fine without a transaction */

/* In a transaction: a change of no meaning, so that there is one. */
int db_touch(struct db *d, struct err *e);
/* Room on the disk for so many octets more of the write-ahead log, where its
 * file system can do that. */
int db_reserve(struct db *d, long octets, struct err *e);

#endif
