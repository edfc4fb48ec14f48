/* SPDX-License-Identifier: ISC */
#include "ledger/due.h"

#include "ledger/names.h"
#include "ledger/troubles.h"
#include "ledger/uidl.h"

/* ---- IMAP ---- */

static int
sort_uid(struct db *d, sqlite3_stmt *q, int64_t now, struct set *const sets[3],
    struct err *e)
{
	int64_t uid = sqlite3_column_int64(q, 0);
	struct trouble t;

	if (troubles_read(d, q, 1, &t, e) < 0)
		return -1;
	if (uid > SET_MAX_NUMBER)
		return db_damaged(d, "a message in trouble", e);
	if (troubles_bar(&t, now)) {
		set_add(sets[0], (uint32_t)uid, (uint32_t)uid);
		return 0;
	}
	set_add(sets[1], (uint32_t)uid, (uint32_t)uid);
	if (t.full)
		set_add(sets[2], (uint32_t)uid, (uint32_t)uid);
	return 0;
}

int
due_uids(struct db *d, int64_t box, int64_t now, struct set *barred,
    struct set *due, struct set *full, struct err *e)
{
	struct set *const sets[3] = { barred, due, full };
	sqlite3_stmt *q;
	int r;

	for (int i = 0; i < 3; i++)
		set_clear(sets[i]);
	if (db_query(d, &q,
		"SELECT uid, " TROUBLES_COLUMNS " FROM trouble "
		"WHERE box = ?1 AND uid > 0 ORDER BY uid",
		DB_ARGS(db_i(box)), e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		if (sort_uid(d, q, now, sets, e) < 0) {
			db_done(q);
			return -1;
		}
	}
	return r;
}

/* The next row behind *uid: 1, or 0. No statement stays open. A damaged index
 * may lead back, and round and round. */
static int
next_row(struct db *d, int64_t box, int64_t *uid, int64_t *id, struct err *e)
{
	int64_t before = *uid;
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q,
		"SELECT uid, id FROM trouble WHERE box = ?1 AND uid > ?2 AND "
		"state <> 2 ORDER BY uid LIMIT 1",
		DB_ARGS(db_i(box), db_i(*uid)), e) < 0)
		return -1;
	r = db_step(d, q, e);
	if (r > 0) {
		*uid = sqlite3_column_int64(q, 0);
		*id = sqlite3_column_int64(q, 1);
		db_done(q);
		if (*uid <= before)
			return db_damaged(d, "a message in trouble", e);
	}
	return r;
}

/* By the rows, which are few: the numbers may be billions, in many ranges. */
int
due_missing(struct db *d, int64_t box, const struct set *numbers, struct err *e)
{
	int64_t uid = 0, id = 0;
	int r;

	while ((r = next_row(d, box, &uid, &id, e)) > 0) {
		if (uid <= SET_MAX_NUMBER && set_has(numbers, (uint32_t)uid) &&
		    troubles_forget(d, id, e) < 0)
			return -1;
	}
	return r;
}

/* ---- POP3 ---- */

static int
sort_line(struct db *d, sqlite3_stmt *q, int64_t box, int64_t now,
    struct set *barred, struct set *full, struct err *e)
{
	uint32_t number = (uint32_t)sqlite3_column_int64(q, 0);
	struct uidl_name line;
	struct trouble t;
	struct name name;

	if (uidl_read_name(d, q, 1, &line, e) < 0)
		return -1;
	names_of_line(&line, &name);
	if (troubles_find(d, box, names_span(&name), &t, e) < 0)
		return -1;
	if (t.id == 0)
		return 0;
	if (troubles_bar(&t, now))
		set_add(barred, number, number);
	else if (t.full)
		set_add(full, number, number);
	return troubles_seen(d, t.id, now, e);
}

static int
sort_lines(struct db *d, int64_t box, int64_t now, struct set *barred,
    struct set *full, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q,
		"SELECT number, uidl, size, nth, doubt FROM temp.line "
		"WHERE box = ?1 AND seq = 0 ORDER BY number",
		DB_ARGS(db_i(box)), e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		if (sort_line(d, q, box, now, barred, full, e) < 0) {
			db_done(q);
			return -1;
		}
	}
	return r;
}

int
due_lines(struct db *d, int64_t box, int64_t now, int64_t keep_s,
    struct set *fresh, struct set *full, uint32_t *barred, struct err *e)
{
	struct set out;
	bool any;
	int r;

	set_clear(full);
	*barred = 0;
	r = troubles_any(d, box, &any, e);
	if (r < 0 || !any)
		return r;
	set_init(&out);
	r = sort_lines(d, box, now, &out, full, e);
	if (r == 0) {
		*barred = (uint32_t)set_count(&out);
		set_remove_set(fresh, &out);
		r = troubles_expire(d, box, now, keep_s, e);
	}
	set_deinit(&out);
	return r;
}
