/* SPDX-License-Identifier: ISC */
#include "ledger/uidl.h"

#include <string.h>

#include "ledger/runs.h"

/* ---- rows ---- */

#define ROW "seq, size, absent, state, doubt, uidl"

static int
read_row(struct db *d, sqlite3_stmt *q, struct uidl_row *row, struct err *e)
{
	struct span uidl = db_blob(q, 5);
	int64_t state = sqlite3_column_int64(q, 3);

	row->seq = sqlite3_column_int64(q, 0);
	row->size = sqlite3_column_int64(q, 1);
	row->absent = sqlite3_column_int64(q, 2);
	row->doubt = sqlite3_column_int64(q, 4) != 0;
	if (row->seq < 1 || state < UIDL_KEPT || state > UIDL_GONE ||
	    uidl.n > sizeof(row->uidl))
		return db_damaged(d, "a UIDL", e);
	row->state = (enum uidl_state)state;
	row->n = uidl.n;
	memcpy(row->uidl, uidl.p, uidl.n);
	return 0;
}

static int
one_row(struct db *d, const char *sql, const struct db_arg *args,
    struct uidl_row *row, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	row->seq = 0;
	if (db_query(d, &q, sql, args, e) < 0)
		return -1;
	r = db_step(d, q, e);
	if (r > 0) {
		r = read_row(d, q, row, e);
		db_done(q);
	}
	return r;
}

int
uidl_exact(struct db *d, int64_t box, struct span uidl, int64_t size,
    int64_t nth, struct uidl_row *row, struct err *e)
{
	return one_row(d,
	    "SELECT " ROW " FROM uidl WHERE box = ?1 AND uidl = ?2 AND "
	    "size = ?3 AND nth = ?4",
	    DB_ARGS(db_i(box), db_b(uidl.p, uidl.n), db_i(size), db_i(nth)),
	    row, e);
}

int
uidl_any(struct db *d, int64_t box, struct span uidl, struct uidl_row *row,
    struct err *e)
{
	return one_row(d,
	    "SELECT " ROW " FROM uidl WHERE box = ?1 AND uidl = ?2 "
	    "ORDER BY size, nth LIMIT 1",
	    DB_ARGS(db_i(box), db_b(uidl.p, uidl.n)), row, e);
}

int
uidl_rows(struct db *d, int64_t box, int64_t seq, struct uidl_row *rows,
    size_t *n, struct err *e)
{
	size_t most = *n;
	sqlite3_stmt *q;
	int r;

	*n = 0;
	if (db_query(d, &q,
		"SELECT " ROW " FROM uidl WHERE box = ?1 AND seq >= ?2 "
		"ORDER BY seq LIMIT ?3",
		DB_ARGS(db_i(box), db_i(seq), db_i((int64_t)most)), e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		if (read_row(d, q, &rows[(*n)++], e) < 0) {
			db_done(q);
			return -1;
		}
	}
	return r;
}

/* ---- numbers ---- */

int
uidl_find(struct db *d, int64_t box, uint32_t number, struct uidl_line *line,
    struct err *e)
{
	int64_t seq;

	if (db_number(d,
		"SELECT seq FROM temp.line WHERE box = ?1 AND number = ?2",
		DB_ARGS(db_i(box), db_i(number)), -1, &seq, e) < 0 ||
	    runs_seq(d, box, number, &line->old, e) < 0)
		return -1;
	line->listed = seq >= 0 || line->old > 0;
	line->seq = seq >= 0 ? seq : line->old;
	return 0;
}

int
uidl_read_name(struct db *d, sqlite3_stmt *q, int column,
    struct uidl_name *name, struct err *e)
{
	struct span uidl = db_blob(q, column);

	if (uidl.n > sizeof(name->uidl))
		return db_damaged(d, "a UIDL", e);
	name->n = uidl.n;
	memcpy(name->uidl, uidl.p, uidl.n);
	name->size = sqlite3_column_int64(q, column + 1);
	name->nth = sqlite3_column_int64(q, column + 2);
	name->doubt = sqlite3_column_int64(q, column + 3) != 0;
	return 0;
}

int
uidl_name(struct db *d, int64_t box, uint32_t number, struct uidl_name *name,
    struct err *e)
{
	sqlite3_stmt *q;
	int64_t seq;
	int r;

	if (runs_seq(d, box, number, &seq, e) < 0 ||
	    db_query(d, &q,
		"SELECT uidl, size, nth, doubt FROM temp.line "
		"WHERE box = ?1 AND number = ?2 UNION ALL "
		"SELECT uidl, size, nth, doubt FROM uidl "
		"WHERE box = ?1 AND seq = ?3 LIMIT 1",
		DB_ARGS(db_i(box), db_i(number), db_i(seq)), e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: message %lu is not in the listing", db_path(d),
		    (unsigned long)number);
	r = uidl_read_name(d, q, 0, name, e);
	db_done(q);
	return r;
}

/* ---- is it the one? ---- */

static int
has_print(struct db *d, int64_t box, int64_t seq, struct span fingerprint,
    bool *has, struct err *e)
{
	int64_t found;

	if (db_number(d,
		"SELECT 1 FROM uidl WHERE box = ?1 AND seq = ?2 AND "
		"fingerprint = ?3",
		DB_ARGS(
		    db_i(box), db_i(seq), db_b(fingerprint.p, fingerprint.n)),
		0, &found, e) < 0)
		return -1;
	*has = found != 0;
	return 0;
}

/* A row of this UIDL that is not listed: *seq, or 0. The index is named, since
 * the planner would rather read the whole box. */
static int
find_absent(struct db *d, int64_t box, uint32_t number, struct span fingerprint,
    int64_t *seq, struct err *e)
{
	return db_number(d,
	    "SELECT seq FROM uidl INDEXED BY uidl_name WHERE box = ?1 AND "
	    "uidl = (SELECT uidl FROM temp.line WHERE box = ?1 AND "
	    "number = ?2) AND absent <> 0 AND fingerprint = ?3 LIMIT 1",
	    DB_ARGS(
		db_i(box), db_i(number), db_b(fingerprint.p, fingerprint.n)),
	    0, seq, e);
}

/* The row is listed under number, and has its name from now on. */
static int
adopt(struct db *d, int64_t box, uint32_t number, int64_t seq,
    enum uidl_state state, struct err *e)
{
	const struct db_arg *args = DB_ARGS(db_i(box), db_i(number), db_i(seq));

	if (db_run(d,
		"UPDATE uidl SET state = ?3, absent = 0 "
		"WHERE box = ?1 AND seq = ?2",
		DB_ARGS(db_i(box), db_i(seq), db_i(state)), e) < 0 ||
	    db_run(d,
		"UPDATE uidl SET (size, nth, doubt) = (SELECT size, nth, doubt "
		"FROM temp.line WHERE box = ?1 AND number = ?2) "
		"WHERE box = ?1 AND seq = ?3 AND EXISTS "
		"(SELECT 1 FROM temp.line WHERE box = ?1 AND number = ?2)",
		args, e) < 0)
		return -1;
	return db_run(d,
	    "UPDATE temp.line SET seq = ?3 WHERE box = ?1 AND number = ?2",
	    args, e);
}

/* Another message has its name: what was listed as handled is not. */
static int
drop_old(struct db *d, int64_t box, uint32_t number, int64_t seq, struct err *e)
{
	if (db_run(d,
		"INSERT OR REPLACE INTO temp.line SELECT ?1, ?2, uidl, size, "
		"nth, doubt, 0 FROM uidl WHERE box = ?1 AND seq = ?3 AND "
		"NOT EXISTS (SELECT 1 FROM temp.line WHERE box = ?1 AND "
		"number = ?2 AND seq = 0)",
		DB_ARGS(db_i(box), db_i(number), db_i(seq)), e) < 0)
		return -1;
	return db_run(d, "DELETE FROM uidl WHERE box = ?1 AND seq = ?2",
	    DB_ARGS(db_i(box), db_i(seq)), e);
}

int
uidl_compare(struct db *d, int64_t box, uint32_t number, enum uidl_state state,
    struct span fingerprint, bool *same, struct err *e)
{
	struct uidl_line line;
	int64_t seq, absent = 0;

	*same = false;
	if (uidl_find(d, box, number, &line, e) < 0)
		return -1;
	seq = line.seq != 0 ? line.seq : line.old;
	if (seq != 0 && has_print(d, box, seq, fingerprint, same, e) < 0)
		return -1;
	if (*same)
		return adopt(d, box, number, seq, state, e);
	if (seq != 0 && drop_old(d, box, number, seq, e) < 0)
		return -1;
	if (find_absent(d, box, number, fingerprint, &absent, e) < 0)
		return -1;
	*same = absent != 0;
	return *same ? adopt(d, box, number, absent, state, e) : 0;
}

/* Behind all rows and runs: one that was dropped may still be in a run. */
static int
next_seq(struct db *d, int64_t box, int64_t *seq, struct err *e)
{
	return db_number(d,
	    "SELECT max(coalesce((SELECT max(seq) + 1 FROM uidl "
	    "WHERE box = ?1), 1), coalesce((SELECT seq + n FROM temp.run "
	    "WHERE box = ?1 ORDER BY seq DESC LIMIT 1), 1))",
	    DB_ARGS(db_i(box)), 1, seq, e);
}

int
uidl_insert(struct db *d, int64_t box, uint32_t number, enum uidl_state state,
    struct span fingerprint, int64_t *seq, struct err *e)
{
	if (next_seq(d, box, seq, e) < 0 ||
	    db_run(d,
		"INSERT INTO uidl SELECT ?1, ?3, uidl, size, nth, ?4, doubt, "
		"0, ?5 FROM temp.line WHERE box = ?1 AND number = ?2",
		DB_ARGS(db_i(box), db_i(number), db_i(*seq), db_i(state),
		    db_b(fingerprint.p, fingerprint.n)),
		e) < 0)
		return -1;
	return db_run(d,
	    "UPDATE temp.line SET seq = ?3 WHERE box = ?1 AND number = ?2",
	    DB_ARGS(db_i(box), db_i(number), db_i(*seq)), e);
}

int
uidl_remove(
    struct db *d, int64_t box, uint32_t number, int64_t seq, struct err *e)
{
	if (db_run(d, "DELETE FROM uidl WHERE box = ?1 AND seq = ?2",
		DB_ARGS(db_i(box), db_i(seq)), e) < 0)
		return -1;
	return db_run(d,
	    "UPDATE temp.line SET seq = 0 "
	    "WHERE box = ?1 AND number = ?2 AND seq = ?3",
	    DB_ARGS(db_i(box), db_i(number), db_i(seq)), e);
}

/* What lines up in the run at hand with first to last. */
static int
clip(struct db *d, sqlite3_stmt *q, int64_t box, struct set_range r,
    struct err *e)
{
	int64_t number = sqlite3_column_int64(q, 0);
	int64_t end = number + sqlite3_column_int64(q, 1) - 1;
	int64_t shift = sqlite3_column_int64(q, 2) - number;
	int64_t from = number > r.first ? number : r.first;
	int64_t to = end < r.last ? end : r.last;

	if (from > to)
		return 0;
	if (db_run(d,
		"DELETE FROM uidl WHERE box = ?1 AND doubt <> 0 AND "
		"seq BETWEEN ?2 AND ?3",
		DB_ARGS(db_i(box), db_i(from + shift), db_i(to + shift)),
		e) < 0)
		return -1;
	return db_run(d,
	    "UPDATE uidl SET state = 2 WHERE box = ?1 AND "
	    "seq BETWEEN ?2 AND ?3",
	    DB_ARGS(db_i(box), db_i(from + shift), db_i(to + shift)), e);
}

static int
gone_runs(struct db *d, int64_t box, struct set_range r, struct err *e)
{
	sqlite3_stmt *q;
	int more;

	if (db_query(d, &q,
		"SELECT number, n, seq FROM temp.run WHERE box = ?1 AND "
		"number <= ?3 AND number >= coalesce((SELECT max(number) "
		"FROM temp.run WHERE box = ?1 AND number <= ?2), 0)",
		DB_ARGS(db_i(box), db_i(r.first), db_i(r.last)), e) < 0)
		return -1;
	while ((more = db_step(d, q, e)) > 0) {
		if (clip(d, q, box, r, e) < 0) {
			db_done(q);
			return -1;
		}
	}
	return more;
}

static int
gone_range(struct db *d, int64_t box, struct set_range r, struct err *e)
{
	const struct db_arg *args =
	    DB_ARGS(db_i(box), db_i(r.first), db_i(r.last));

	if (db_run(d,
		"DELETE FROM uidl WHERE box = ?1 AND doubt <> 0 AND seq IN "
		"(SELECT seq FROM temp.line WHERE box = ?1 AND "
		"number BETWEEN ?2 AND ?3 AND seq > 0)",
		args, e) < 0 ||
	    db_run(d,
		"UPDATE uidl SET state = 2 WHERE box = ?1 AND seq IN "
		"(SELECT seq FROM temp.line WHERE box = ?1 AND "
		"number BETWEEN ?2 AND ?3 AND seq > 0)",
		args, e) < 0)
		return -1;
	return gone_runs(d, box, r, e);
}

int
uidl_gone(struct db *d, int64_t box, const struct set *numbers, struct err *e)
{
	size_t i;

	for (i = 0; i < numbers->n; i++)
		if (gone_range(d, box, numbers->r[i], e) < 0)
			return -1;
	return 0;
}
