/* SPDX-License-Identifier: ISC */
#include "ledger/absent.h"

/* Rows from first to last: a gap between runs. */
static int
miss(struct db *d, const struct absent *a, int64_t first, int64_t last,
    struct err *e)
{
	if (first > last)
		return 0;
	if (db_run(d,
		"DELETE FROM uidl WHERE box = ?1 AND seq BETWEEN ?2 AND ?3 "
		"AND (state = 2 OR (doubt <> 0 AND size <> 0) OR "
		"(absent <> 0 AND absent <= ?4))",
		DB_ARGS(db_i(a->box), db_i(first), db_i(last),
		    db_i(a->now - a->keep_s)),
		e) < 0)
		return -1;
	/* later than now: the clock was wrong then, or is now */
	return db_run(d,
	    "UPDATE uidl SET absent = ?4 WHERE box = ?1 AND "
	    "seq BETWEEN ?2 AND ?3 AND (absent = 0 OR absent > ?4)",
	    DB_ARGS(db_i(a->box), db_i(first), db_i(last), db_i(a->now)), e);
}

static int
welcome(struct db *d, const struct absent *a, int64_t first, int64_t last,
    struct err *e)
{
	if (!a->back)
		return 0;
	return db_run(d,
	    "UPDATE uidl SET absent = 0 WHERE box = ?1 AND "
	    "seq BETWEEN ?2 AND ?3 AND absent <> 0",
	    DB_ARGS(db_i(a->box), db_i(first), db_i(last)), e);
}

int
absent_mark(struct db *d, const struct absent *a, struct err *e)
{
	sqlite3_stmt *q;
	int64_t behind = 1;
	int r;

	if (db_query(d, &q,
		"SELECT seq, n FROM temp.run WHERE box = ?1 ORDER BY seq",
		DB_ARGS(db_i(a->box)), e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		int64_t seq = sqlite3_column_int64(q, 0);
		int64_t end = seq + sqlite3_column_int64(q, 1);

		if (miss(d, a, behind, seq - 1, e) < 0 ||
		    welcome(d, a, seq, end - 1, e) < 0) {
			db_done(q);
			return -1;
		}
		behind = end;
	}
	return r < 0 ? -1 : miss(d, a, behind, INT64_MAX, e);
}
