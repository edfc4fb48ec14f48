/* SPDX-License-Identifier: ISC */
#include "ledger/ranges.h"

/* One range as SQLite counts: no wrap at 2^32. */
struct range {
	int64_t lo, hi;
};

static int
put(struct db *d, int64_t box, enum ranges_kind kind, struct range r,
    struct err *e)
{
	if (r.lo > r.hi)
		return 0;
	return db_run(d, "INSERT OR REPLACE INTO ranges VALUES (?1,?2,?3,?4)",
	    DB_ARGS(db_i(box), db_i(kind), db_i(r.lo), db_i(r.hi)), e);
}

/*
 * What the rows that begin up to last and end at or behind first cover, as
 * one range: lo of the lowest, hi of the highest. lo > hi when there is none.
 */
static int
touching(struct db *d, int64_t box, enum ranges_kind kind, struct range r,
    struct range *found, struct err *e)
{
	sqlite3_stmt *q;
	int more;

	*found = (struct range){ .lo = INT64_MAX, .hi = 0 };
	if (db_query(d, &q,
		"SELECT lo, hi FROM ranges WHERE box = ?1 AND kind = ?2 AND "
		"lo <= ?3 ORDER BY lo DESC",
		DB_ARGS(db_i(box), db_i(kind), db_i(r.hi)), e) < 0)
		return -1;
	while ((more = db_step(d, q, e)) > 0) {
		int64_t hi = sqlite3_column_int64(q, 1);

		if (hi < r.lo)
			break;
		found->lo = sqlite3_column_int64(q, 0);
		found->hi = hi > found->hi ? hi : found->hi;
	}
	db_done(q);
	return more < 0 ? -1 : 0;
}

static int
drop(struct db *d, int64_t box, enum ranges_kind kind, struct range r,
    struct err *e)
{
	return db_run(d,
	    "DELETE FROM ranges WHERE box = ?1 AND kind = ?2 AND "
	    "lo BETWEEN ?3 AND ?4",
	    DB_ARGS(db_i(box), db_i(kind), db_i(r.lo), db_i(r.hi)), e);
}

static int
add(struct db *d, int64_t box, enum ranges_kind kind, struct set_range new,
    struct err *e)
{
	struct range r = { .lo = new.first, .hi = new.last };
	struct range near = { .lo = r.lo - 1, .hi = r.hi + 1 };
	struct range old;

	if (touching(d, box, kind, near, &old, e) < 0)
		return -1;
	r.lo = old.lo < r.lo ? old.lo : r.lo;
	r.hi = old.hi > r.hi ? old.hi : r.hi;
	near.lo = r.lo + 1; /* the row at lo is replaced */
	if (old.hi >= near.lo && drop(d, box, kind, near, e) < 0)
		return -1;
	return put(d, box, kind, r, e);
}

static int
cut(struct db *d, int64_t box, enum ranges_kind kind, struct set_range gone,
    struct err *e)
{
	struct range r = { .lo = gone.first, .hi = gone.last };
	struct range old, left, right;

	if (touching(d, box, kind, r, &old, e) < 0)
		return -1;
	if (old.lo > old.hi)
		return 0;
	left = (struct range){ .lo = old.lo, .hi = r.lo - 1 };
	right = (struct range){ .lo = r.hi + 1, .hi = old.hi };
	if (drop(d, box, kind, (struct range){ .lo = old.lo, .hi = r.hi }, e) <
		0 ||
	    put(d, box, kind, left, e) < 0)
		return -1;
	return put(d, box, kind, right, e);
}

int
ranges_add(struct db *d, int64_t box, enum ranges_kind kind,
    const struct set *s, struct err *e)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (add(d, box, kind, s->r[i], e) < 0)
			return -1;
	return 0;
}

int
ranges_remove(struct db *d, int64_t box, enum ranges_kind kind,
    const struct set *s, struct err *e)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (cut(d, box, kind, s->r[i], e) < 0)
			return -1;
	return 0;
}

static int
read_row(struct db *d, sqlite3_stmt *q, struct set *s, struct err *e)
{
	int64_t lo = sqlite3_column_int64(q, 0);
	int64_t hi = sqlite3_column_int64(q, 1);

	if (lo < 1 || lo > hi || hi > SET_MAX_NUMBER)
		return db_damaged(d, "a range of numbers", e);
	set_add(s, (uint32_t)lo, (uint32_t)hi);
	return 0;
}

int
ranges_read(struct db *d, int64_t box, enum ranges_kind kind, struct set *s,
    struct err *e)
{
	sqlite3_stmt *q;
	int r;

	set_clear(s);
	if (db_query(d, &q,
		"SELECT lo, hi FROM ranges WHERE box = ?1 AND kind = ?2 "
		"ORDER BY lo",
		DB_ARGS(db_i(box), db_i(kind)), e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		if (read_row(d, q, s, e) < 0) {
			db_done(q);
			return -1;
		}
	}
	return r;
}

int
ranges_has(struct db *d, int64_t box, enum ranges_kind kind, uint32_t number,
    bool *has, struct err *e)
{
	int64_t hi;
	int r = db_number(d,
	    "SELECT hi FROM ranges WHERE box = ?1 AND kind = ?2 AND "
	    "lo <= ?3 ORDER BY lo DESC LIMIT 1",
	    DB_ARGS(db_i(box), db_i(kind), db_i(number)), 0, &hi, e);

	*has = r == 0 && hi >= number;
	return r;
}
