/* SPDX-License-Identifier: ISC */
#include "ledger/accounts.h"

#include <string.h>

static int
read_refused(
    struct db *d, const char *name, struct ledger_account *out, struct err *e)
{
	sqlite3_stmt *q;
	int64_t refused, mark;
	int r;

	if (db_query(d, &q,
		"SELECT refused, refused_at, mark FROM account "
		"WHERE name = ?1",
		DB_ARGS(db_t(name)), e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return 0;
	refused = sqlite3_column_int64(q, 0);
	out->refused_at = sqlite3_column_int64(q, 1);
	mark = sqlite3_column_int64(q, 2);
	db_done(q);
	if (refused < 0 || refused > UINT32_MAX || out->refused_at < 0 ||
	    mark < 0 || mark > UINT16_MAX)
		return db_damaged(d, "an account", e);
	out->refused = (uint32_t)refused;
	out->mark = (uint16_t)mark;
	return 0;
}

static int
count_troubles(
    struct db *d, const char *name, struct ledger_account *out, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q,
		"SELECT coalesce(sum(state = ?2), 0), "
		"coalesce(sum(state = ?3), 0) FROM box "
		"CROSS JOIN trouble ON trouble.box = box.id "
		"WHERE account = ?1",
		DB_ARGS(db_t(name), db_i(LEDGER_HELD), db_i(LEDGER_LATER)),
		e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return 0;
	out->held = (uint64_t)sqlite3_column_int64(q, 0);
	out->waiting = (uint64_t)sqlite3_column_int64(q, 1);
	db_done(q);
	return 0;
}

static int
read_salt(struct db *d, struct ledger_account *out, struct err *e)
{
	sqlite3_stmt *q;
	struct span salt;
	bool good;
	int r;

	if (db_query(d, &q, "SELECT salt FROM meta", NULL, e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	salt = r > 0 ? db_blob(q, 0) : SPAN("");
	good = salt.n == LEDGER_SALT;
	if (good)
		memcpy(out->salt, salt.p, LEDGER_SALT);
	db_done(q);
	return good ? 0 : db_damaged(d, "salt", e);
}

int
accounts_find(
    struct db *d, const char *name, struct ledger_account *out, struct err *e)
{
	*out = (struct ledger_account){ .refused = 0 };
	if (read_refused(d, name, out, e) < 0 ||
	    count_troubles(d, name, out, e) < 0)
		return -1;
	return read_salt(d, out, e);
}

int
accounts_note(struct db *d, const char *name, const struct ledger_account *a,
    struct err *e)
{
	return db_run(d,
	    "INSERT OR REPLACE INTO account VALUES (?1, ?2, ?3, ?4)",
	    DB_ARGS(db_t(name), db_i(a->refused), db_i(a->refused_at),
		db_i(a->mark)),
	    e);
}
