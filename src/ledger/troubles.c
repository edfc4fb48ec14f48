/* SPDX-License-Identifier: ISC */
#include "ledger/troubles.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

#define DELAY_FIRST_S 60U
#define TRIES_MAX 1000000
#define SEEN_AGAIN_S 86400

unsigned int
troubles_delay_s(unsigned int tries)
{
	unsigned int doublings = tries > 1 ? tries - 1 : 0;

	if (doublings >= 8) /* 256 minutes */
		return TROUBLES_DELAY_MAX_S;
	return DELAY_FIRST_S << doublings;
}

/* Further away than any delay: the clock was wrong then. */
static bool
is_ahead(int64_t next, int64_t now)
{
	return next > now && next - now <= TROUBLES_DELAY_MAX_S;
}

bool
troubles_bar(const struct trouble *t, int64_t now)
{
	switch (t->state) {
	case LEDGER_LATER:
		return is_ahead(t->next, now);
	case LEDGER_HELD:
	case LEDGER_DROPPED:
		break;
	}
	return true;
}

/* ---- rows ---- */

int
troubles_any(struct db *d, int64_t box, bool *any, struct err *e)
{
	int64_t found;
	int r = db_number(d, "SELECT 1 FROM trouble WHERE box = ?1 LIMIT 1",
	    DB_ARGS(db_i(box)), 0, &found, e);

	*any = found != 0;
	return r;
}

int
troubles_read(
    struct db *d, sqlite3_stmt *q, int column, struct trouble *t, struct err *e)
{
	int64_t state = sqlite3_column_int64(q, column + 1);
	int64_t tries = sqlite3_column_int64(q, column + 2);

	t->id = sqlite3_column_int64(q, column);
	t->next = sqlite3_column_int64(q, column + 3);
	t->stub = sqlite3_column_int64(q, column + 4) != 0;
	t->full = sqlite3_column_int64(q, column + 5) != 0;
	if (t->id < 1 || state < LEDGER_LATER || state > LEDGER_DROPPED ||
	    tries < 0 || tries > TRIES_MAX || t->next < 0)
		return db_damaged(d, "a message in trouble", e);
	t->state = (enum ledger_trouble_state)state;
	t->tries = (unsigned int)tries;
	return 0;
}

int
troubles_find(struct db *d, int64_t box, struct span name, struct trouble *t,
    struct err *e)
{
	sqlite3_stmt *q;
	int r;

	*t = (struct trouble){ .id = 0 };
	if (db_query(d, &q,
		"SELECT " TROUBLES_COLUMNS " FROM trouble "
		"WHERE box = ?1 AND name = ?2",
		DB_ARGS(db_i(box), db_b(name.p, name.n)), e) < 0)
		return -1;
	r = db_step(d, q, e);
	if (r > 0) {
		r = troubles_read(d, q, 0, t, e);
		db_done(q);
	}
	return r;
}

/* ---- notes ---- */

static int
insert(struct db *d, int64_t box, const struct name *name, int64_t now,
    struct trouble *t, struct err *e)
{
	*t = (struct trouble){ .state = LEDGER_LATER };
	if (db_run(d,
		"INSERT INTO trouble (box, name, uid, state, why, tries, since,"
		" next, seen, size, stub, full, reason, about) "
		"VALUES (?1, ?2, ?3, 0, 0, 0, ?4, 0, ?4, 0, 0, 0, '', '')",
		DB_ARGS(db_i(box), db_b(name->b, name->n), db_i(name->uid),
		    db_i(now)),
		e) < 0)
		return -1;
	return db_number(d, "SELECT last_insert_rowid()", NULL, 0, &t->id, e);
}

/* One more try failed. */
static void
count(struct trouble *t, const struct ledger_note *note, int64_t now)
{
	if (t->tries < TRIES_MAX)
		t->tries++;
	t->state = note->state;
	if (note->hold_after != 0 && t->tries >= note->hold_after)
		t->state = LEDGER_HELD;
	t->next = t->state == LEDGER_LATER
	    ? now + (int64_t)troubles_delay_s(t->tries)
	    : 0;
	t->stub = t->stub || note->stub;
}

static int
update(struct db *d, const struct trouble *t, const struct ledger_note *note,
    int64_t now, struct err *e)
{
	char reason[LEDGER_REASON_MAX + 1], about[LEDGER_ABOUT_MAX + 1];
	uint64_t size = note->size > INT64_MAX ? INT64_MAX : note->size;

	text_printable(reason, sizeof(reason), span_of(note->reason));
	text_printable(about, sizeof(about), span_of(note->about));
	return db_run(d,
	    "UPDATE trouble SET state = ?2, why = ?3, tries = ?4, next = ?5, "
	    "seen = ?6, stub = ?7, "
	    "size = CASE ?8 WHEN 0 THEN size ELSE ?8 END, "
	    "reason = CASE ?9 WHEN '' THEN reason ELSE ?9 END, "
	    "about = CASE ?10 WHEN '' THEN about ELSE ?10 END WHERE id = ?1",
	    DB_ARGS(db_i(t->id), db_i(t->state), db_i(note->why),
		db_i(t->tries), db_i(t->next), db_i(now), db_i(t->stub ? 1 : 0),
		db_i((int64_t)size), db_t(reason), db_t(about)),
	    e);
}

static int
add_reached(
    struct db *d, int64_t id, const struct ledger_note *note, struct err *e)
{
	for (size_t i = 0; i < note->n_reached; i++)
		if (db_run(d, "INSERT OR IGNORE INTO reached VALUES (?1, ?2)",
			DB_ARGS(db_i(id), db_t(note->reached[i])), e) < 0)
			return -1;
	return 0;
}

int
troubles_note(struct db *d, const struct name *name,
    const struct ledger_note *note, int64_t now, struct trouble *t,
    struct err *e)
{
	if (troubles_find(d, note->box, names_span(name), t, e) < 0)
		return -1;
	if (t->id == 0 && insert(d, note->box, name, now, t, e) < 0)
		return -1;
	if (t->state != LEDGER_DROPPED) {
		count(t, note, now);
		if (update(d, t, note, now, e) < 0)
			return -1;
	}
	return add_reached(d, t->id, note, e);
}

int
troubles_seen(struct db *d, int64_t id, int64_t now, struct err *e)
{
	return db_run(d,
	    "UPDATE trouble SET seen = ?2 WHERE id = ?1 AND "
	    "(seen <= ?3 OR seen > ?2)",
	    DB_ARGS(db_i(id), db_i(now), db_i(now - SEEN_AGAIN_S)), e);
}

/* ---- out ---- */

int
troubles_expire(
    struct db *d, int64_t box, int64_t now, int64_t keep_s, struct err *e)
{
	const struct db_arg *args = DB_ARGS(db_i(box), db_i(now - keep_s));

	if (db_run(d,
		"DELETE FROM reached WHERE trouble IN (SELECT id FROM trouble "
		"WHERE box = ?1 AND seen <= ?2)",
		args, e) < 0 ||
	    db_run(d, "DELETE FROM trouble WHERE box = ?1 AND seen <= ?2", args,
		e) < 0)
		return -1;
	/* later than now: the clock was wrong then, or is now */
	return db_run(d,
	    "UPDATE trouble SET seen = ?2 WHERE box = ?1 AND seen > ?2",
	    DB_ARGS(db_i(box), db_i(now)), e);
}

int
troubles_forget(struct db *d, int64_t id, struct err *e)
{
	if (db_run(d, "DELETE FROM reached WHERE trouble = ?1",
		DB_ARGS(db_i(id)), e) < 0)
		return -1;
	return db_run(
	    d, "DELETE FROM trouble WHERE id = ?1", DB_ARGS(db_i(id)), e);
}

int
troubles_forget_name(struct db *d, int64_t box, struct span name, struct err *e)
{
	int64_t id;

	if (db_number(d, "SELECT id FROM trouble WHERE box = ?1 AND name = ?2",
		DB_ARGS(db_i(box), db_b(name.p, name.n)), 0, &id, e) < 0)
		return -1;
	return id == 0 ? 0 : troubles_forget(d, id, e);
}

int
troubles_reached(
    struct db *d, int64_t id, char ***recipients, size_t *n, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q, "SELECT recipient FROM reached WHERE trouble = ?1",
		DB_ARGS(db_i(id)), e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		*recipients =
		    mem_grow(*recipients, *n + 1, sizeof(**recipients));
		(*recipients)[(*n)++] = mem_spandup(db_blob(q, 0));
	}
	return r;
}

/* ---- by hand ---- */

static int
change(struct db *d, const char *sql, const struct db_arg *args, struct err *e)
{
	int64_t rows;

	if (db_run(d, sql, args, e) < 0 ||
	    db_number(d, "SELECT changes()", NULL, 0, &rows, e) < 0)
		return -1;
	if (rows != 0)
		return 0;
	return err_set(e, ERR_DELIVER, ENOENT,
	    "ledger: %s: there is no held message %lld", db_path(d),
	    (long long)args->i);
}

int
troubles_retry(struct db *d, int64_t id, bool full, struct err *e)
{
	return change(d,
	    "UPDATE trouble SET state = 0, next = 0, tries = 0, "
	    "full = max(full, ?2) WHERE id = ?1",
	    DB_ARGS(db_i(id), db_i(full ? 1 : 0)), e);
}

int
troubles_drop(struct db *d, int64_t id, struct err *e)
{
	return change(d, "UPDATE trouble SET state = 2, next = 0 WHERE id = ?1",
	    DB_ARGS(db_i(id)), e);
}

int
troubles_hold_stub(struct db *d, int64_t id, struct err *e)
{
	return db_run(d,
	    "UPDATE trouble SET state = 1, next = 0 "
	    "WHERE id = ?1 AND state = 0 AND full = 0",
	    DB_ARGS(db_i(id)), e);
}

static const char *
text_at(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text == NULL ? "" : text;
}

static int
read_shown(
    struct db *d, sqlite3_stmt *q, struct ledger_trouble *shown, struct err *e)
{
	int64_t uid = sqlite3_column_int64(q, 6);
	int64_t why = sqlite3_column_int64(q, 7);
	int64_t size = sqlite3_column_int64(q, 8);
	struct trouble t;

	if (troubles_read(d, q, 0, &t, e) < 0)
		return -1;
	if (uid < 0 || uid > UINT32_MAX || why < LEDGER_WHY_REFUSED ||
	    why > LEDGER_WHY_SIZE || size < 0)
		return db_damaged(d, "a message in trouble", e);
	*shown = (struct ledger_trouble){ .id = t.id,
		.uid = (uint32_t)uid,
		.state = t.state,
		.why = (enum ledger_why)why,
		.tries = t.tries,
		.since = sqlite3_column_int64(q, 9),
		.next = t.next,
		.size = (uint64_t)size,
		.stub = t.stub,
		.full = t.full,
		.account = text_at(q, 10),
		.mailbox = text_at(q, 11),
		.uidl = "",
		.reason = text_at(q, 12),
		.about = text_at(q, 13),
		.n_reached = (size_t)sqlite3_column_int64(q, 14) };
	return 0;
}

#define SHOWN                                                                  \
	TROUBLES_COLUMNS ", uid, why, size, since, account, mailbox, "         \
			 "reason, about, (SELECT count(*) FROM reached "       \
			 "WHERE reached.trouble = id), name"

static int
show(struct db *d, sqlite3_stmt *q, ledger_trouble_fn fn, void *arg,
    struct err *e)
{
	struct ledger_trouble shown = { .id = 0 };
	char uidl[LEDGER_UID_TEXT];

	if (read_shown(d, q, &shown, e) < 0)
		return -1;
	if (shown.uid == 0)
		shown.uidl = names_show(uidl, sizeof(uidl), db_blob(q, 15));
	return fn(arg, &shown, e);
}

int
troubles_show(struct db *d, const char *account, ledger_trouble_fn fn,
    void *arg, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q,
		"SELECT " SHOWN " FROM trouble JOIN "
		"(SELECT id AS box_id, account, mailbox FROM box) "
		"ON box_id = box "
		"WHERE state <> 2 AND (?1 = 0 OR account = ?2) "
		"ORDER BY account, mailbox, uid, id",
		DB_ARGS(db_i(account == NULL ? 0 : 1),
		    db_t(account == NULL ? "" : account)),
		e) < 0)
		return -1;
	while ((r = db_step(d, q, e)) > 0) {
		if (show(d, q, fn, arg, e) < 0) {
			db_done(q);
			return -1;
		}
	}
	return r;
}
