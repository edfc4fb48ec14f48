/* SPDX-License-Identifier: ISC */
#include "ledger/boxes.h"

int
boxes_find(struct db *d, const char *account, const char *mailbox,
    struct box *box, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	box->id = 0;
	if (db_query(d, &q,
		"SELECT id, uidvalidity FROM box "
		"WHERE account = ?1 AND mailbox = ?2",
		DB_ARGS(db_t(account), db_t(mailbox)), e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return 0;
	box->id = sqlite3_column_int64(q, 0);
	box->uidvalidity = sqlite3_column_int64(q, 1);
	db_done(q);
	if (box->id < 1 || box->uidvalidity < 0 ||
	    box->uidvalidity > UINT32_MAX)
		return db_damaged(d, "a box", e);
	return 0;
}

int
boxes_add(struct db *d, const char *account, const char *mailbox,
    uint32_t uidvalidity, int64_t *id, struct err *e)
{
	if (db_run(d,
		"INSERT INTO box (account, mailbox, uidvalidity) "
		"VALUES (?1, ?2, ?3)",
		DB_ARGS(db_t(account), db_t(mailbox), db_i(uidvalidity)),
		e) < 0)
		return -1;
	return db_number(d, "SELECT last_insert_rowid()", NULL, 0, id, e);
}

static int
no_box(const struct db *d, int64_t id, struct err *e)
{
	return err_set(e, ERR_DELIVER, 0, "ledger: %s: there is no box %lld",
	    db_path(d), (long long)id);
}

/* The mailbox of POP3 is ''. */
int
boxes_is_pop3(struct db *d, int64_t id, bool *pop3, struct err *e)
{
	int64_t found;

	if (db_number(d, "SELECT mailbox = '' FROM box WHERE id = ?1",
		DB_ARGS(db_i(id)), -1, &found, e) < 0)
		return -1;
	if (found < 0)
		return no_box(d, id, e);
	*pop3 = found != 0;
	return 0;
}

int
boxes_name(struct db *d, int64_t id, struct buf *out, struct err *e)
{
	sqlite3_stmt *q;
	int r, full;

	if (db_query(d, &q,
		"SELECT account, mailbox, CAST(uidvalidity AS TEXT) "
		"FROM box WHERE id = ?1",
		DB_ARGS(db_i(id)), e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return no_box(d, id, e);
	full = 0;
	for (int i = 0; i < 3 && full == 0; i++)
		if (buf_add(out, db_blob(q, i)) < 0 || buf_addc(out, '\0') < 0)
			full = -1;
	db_done(q);
	if (full < 0)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: the name of box %lld is too long", db_path(d),
		    (long long)id);
	return 0;
}

int
boxes_listed(struct db *d, int64_t id, bool *listed, struct err *e)
{
	int64_t found;

	if (db_number(d, "SELECT listed FROM box WHERE id = ?1",
		DB_ARGS(db_i(id)), 0, &found, e) < 0)
		return -1;
	*listed = found != 0;
	return 0;
}

int
boxes_set_listed(struct db *d, int64_t id, struct err *e)
{
	return db_run(d,
	    "UPDATE box SET listed = 1 WHERE id = ?1 AND listed = 0",
	    DB_ARGS(db_i(id)), e);
}
