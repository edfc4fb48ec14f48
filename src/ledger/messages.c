/* SPDX-License-Identifier: ISC */
#include "ledger/messages.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/handled.h"
#include "ledger/names.h"
#include "ledger/ranges.h"
#include "ledger/troubles.h"
#include "ledger/uidl.h"
#include "util/mem.h"

enum kind { BY_UID, BY_UIDL, BY_CONTENT, BY_STUB }; /* as in the journal */

/* The entries of one box. */
struct group {
	const struct messages_work *w;
	bool troubles;            /* there are some in the box */
	struct set handled, owed; /* UIDs that are added */
};

static struct db_arg
print_of(const struct ledger_entry *m)
{
	return db_b(m->fingerprint, LEDGER_FINGERPRINT);
}

/* ---- in ---- */

static int
journal(struct db *d, struct ledger_entry *m, enum kind kind, int64_t seq,
    int64_t *row, struct err *e)
{
	if (m->dir == NULL)
		return 0;
	if (m->has_offset && m->offset > INT64_MAX)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: there is no such offset", db_path(d));
	m->row = (*row)++;
	return db_run(d,
	    "INSERT INTO journal (id, box, number, kind, seq, owes, "
	    "fingerprint, dir, file, offset) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	    DB_ARGS(db_i(m->row), db_i(m->box), db_i(m->number), db_i(kind),
		db_i(seq), db_i(m->owes ? 1 : 0), print_of(m), db_t(m->dir),
		db_t(m->file), db_i(m->has_offset ? (int64_t)m->offset : -1)),
	    e);
}

static int
add_uid(struct db *d, struct ledger_entry *m, struct group *g, struct err *e)
{
	set_add(&g->handled, m->number, m->number);
	if (m->owes)
		set_add(&g->owed, m->number, m->number);
	if (db_run(d, "INSERT OR REPLACE INTO fingerprints VALUES (?1, ?2, ?3)",
		DB_ARGS(db_i(m->box), db_i(m->number), print_of(m)), e) < 0)
		return -1;
	return journal(d, m, BY_UID, 0, g->w->row, e);
}

static int
add_uidl(struct db *d, struct ledger_entry *m, int64_t *row, struct err *e)
{
	int64_t seq;

	if (uidl_insert(d, m->box, m->number, handled_state(m),
		span_make((const char *)m->fingerprint, LEDGER_FINGERPRINT),
		&seq, e) < 0)
		return -1;
	return journal(d, m, BY_UIDL, seq, row, e);
}

static int
add_content(struct db *d, struct ledger_entry *m, int64_t *row, struct err *e)
{
	if (handled_name(d, m, e) < 0 ||
	    db_run(d, "INSERT INTO content VALUES (?1, ?2)",
		DB_ARGS(db_i(m->box), print_of(m)), e) < 0)
		return -1;
	return journal(d, m, BY_CONTENT, 0, row, e);
}

static struct ledger_note
note_of_stub(const struct ledger_entry *m)
{
	struct ledger_note note = { .box = m->box,
		.state = LEDGER_HELD,
		.why = LEDGER_WHY_SIZE,
		.stub = true };

	if (m->note != NULL) {
		note.size = m->note->size;
		note.reason = m->note->reason;
		note.about = m->note->about;
	}
	return note;
}

/* The message itself stays on the server, in trouble. */
static int
add_stub(
    struct db *d, struct ledger_entry *m, const struct group *g, struct err *e)
{
	struct message message = names_entry(m, g->w->pop3);
	struct ledger_note note = note_of_stub(m);
	struct trouble t;
	struct name name;

	if (names_of(d, &message, &name, e) < 0 ||
	    troubles_find(d, m->box, names_span(&name), &t, e) < 0)
		return -1;
	m->known = t.id != 0 && (t.stub || t.state == LEDGER_DROPPED);
	if (m->known)
		return troubles_hold_stub(d, t.id, e);
	if (troubles_note(d, &name, &note, g->w->now, &t, e) < 0)
		return -1;
	return journal(d, m, BY_STUB, t.id, g->w->row, e);
}

static int
forget_trouble(
    struct db *d, const struct ledger_entry *m, bool pop3, struct err *e)
{
	struct message message = names_entry(m, pop3);
	struct name name;

	if (names_of(d, &message, &name, e) < 0)
		return -1;
	return troubles_forget_name(d, m->box, names_span(&name), e);
}

static int
add(struct db *d, struct ledger_entry *m, struct group *g, struct err *e)
{
	bool pop3 = g->w->pop3;

	m->row = 0;
	if (handled_find(d, pop3, m, e) < 0)
		return -1;
	if (!pop3 && !m->by_content && set_has(&g->handled, m->number))
		m->known = true;
	if (m->stub)
		return m->known ? 0 : add_stub(d, m, g, e);
	if (g->troubles && forget_trouble(d, m, pop3, e) < 0)
		return -1;
	if (m->known)
		return 0;
	if (m->by_content)
		return add_content(d, m, g->w->row, e);
	return pop3 ? add_uidl(d, m, g->w->row, e) : add_uid(d, m, g, e);
}

static int
add_all(struct db *d, struct ledger_entry *entries, size_t n, struct group *g,
    struct err *e)
{
	int64_t box = entries[0].box;
	size_t i;

	if (troubles_any(d, box, &g->troubles, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (add(d, &entries[i], g, e) < 0)
			return -1;
		g->troubles = g->troubles || entries[i].stub;
	}
	if (ranges_add(d, box, RANGES_HANDLED, &g->handled, e) < 0 ||
	    ranges_add(d, box, RANGES_OWED, &g->owed, e) < 0)
		return -1;
	/* it came after all */
	return ranges_remove(d, box, RANGES_SETTLED, &g->handled, e);
}

int
messages_add(struct db *d, const struct messages_work *w,
    struct ledger_entry *entries, size_t n, struct err *e)
{
	struct group g = { .w = w };
	int r;

	set_init(&g.handled);
	set_init(&g.owed);
	r = add_all(d, entries, n, &g, e);
	set_deinit(&g.handled);
	set_deinit(&g.owed);
	return r;
}

/* ---- out ---- */

/* What the journal row says; dir and file are left out. */
struct record {
	struct ledger_entry m;
	int64_t kind, seq;
};

static int
read_record(struct db *d, sqlite3_stmt *q, struct record *r, struct err *e)
{
	struct span print = db_blob(q, 6);
	int64_t number = sqlite3_column_int64(q, 2);
	int64_t offset = sqlite3_column_int64(q, 7);

	*r = (struct record){ .kind = sqlite3_column_int64(q, 3),
		.seq = sqlite3_column_int64(q, 4) };
	r->m.row = sqlite3_column_int64(q, 0);
	r->m.box = sqlite3_column_int64(q, 1);
	r->m.number = (uint32_t)number;
	r->m.by_content = r->kind == BY_CONTENT;
	r->m.owes = sqlite3_column_int64(q, 5) != 0;
	r->m.stub = r->kind == BY_STUB;
	r->m.has_offset = offset >= 0;
	r->m.offset = offset >= 0 ? (uint64_t)offset : 0;
	if (print.n != LEDGER_FINGERPRINT || number < 1 ||
	    number > SET_MAX_NUMBER || offset < -1 || r->kind < BY_UID ||
	    r->kind > BY_STUB)
		return db_damaged(d, "a journal row", e);
	memcpy(r->m.fingerprint, print.p, print.n);
	return 0;
}

#define RECORD "id, box, number, kind, seq, owes, fingerprint, offset"

static int
find_record(struct db *d, int64_t row, struct record *found, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q, "SELECT " RECORD " FROM journal WHERE id = ?1",
		DB_ARGS(db_i(row)), e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: there is no journal row %lld", db_path(d),
		    (long long)row);
	r = read_record(d, q, found, e);
	db_done(q);
	return r;
}

static int
undo_uid(struct db *d, const struct ledger_entry *m, struct err *e)
{
	struct set one;
	int r;

	set_init(&one);
	set_add(&one, m->number, m->number);
	r = ranges_remove(d, m->box, RANGES_HANDLED, &one, e);
	if (r == 0)
		r = ranges_remove(d, m->box, RANGES_OWED, &one, e);
	set_deinit(&one);
	if (r < 0)
		return -1;
	return db_run(d,
	    "DELETE FROM fingerprints WHERE box = ?1 AND number = ?2",
	    DB_ARGS(db_i(m->box), db_i(m->number)), e);
}

static int
undo_content(struct db *d, const struct ledger_entry *m, struct err *e)
{
	if (db_run(d, "DELETE FROM content WHERE box = ?1 AND fingerprint = ?2",
		DB_ARGS(db_i(m->box), print_of(m)), e) < 0)
		return -1;
	return db_run(d,
	    "DELETE FROM temp.named WHERE box = ?1 AND number = ?2",
	    DB_ARGS(db_i(m->box), db_i(m->number)), e);
}

int
messages_undo(struct db *d, int64_t row, struct err *e)
{
	struct record r;
	int done = -1;

	if (find_record(d, row, &r, e) < 0)
		return -1;
	switch ((enum kind)r.kind) {
	case BY_UID:
		done = undo_uid(d, &r.m, e);
		break;
	case BY_UIDL:
		done = uidl_remove(d, r.m.box, r.m.number, r.seq, e);
		break;
	case BY_CONTENT:
		done = undo_content(d, &r.m, e);
		break;
	case BY_STUB: /* seq is the row of the trouble */
		done = troubles_forget(d, r.seq, e);
		break;
	}
	return done < 0 ? -1 : messages_published(d, row, e);
}

int
messages_published(struct db *d, int64_t row, struct err *e)
{
	return db_run(
	    d, "DELETE FROM journal WHERE id = ?1", DB_ARGS(db_i(row)), e);
}

/* ---- the server side ---- */

static int
gone_content(struct db *d, int64_t box, struct set_range r, struct err *e)
{
	const struct db_arg *args =
	    DB_ARGS(db_i(box), db_i(r.first), db_i(r.last));

	if (db_run(d,
		"DELETE FROM content WHERE box = ?1 AND fingerprint IN "
		"(SELECT fingerprint FROM temp.named WHERE box = ?1 AND "
		"number BETWEEN ?2 AND ?3)",
		args, e) < 0)
		return -1;
	return db_run(d,
	    "DELETE FROM temp.named WHERE box = ?1 AND "
	    "number BETWEEN ?2 AND ?3",
	    args, e);
}

int
messages_gone(struct db *d, int64_t box, bool pop3, const struct set *numbers,
    struct err *e)
{
	size_t i;

	for (i = 0; i < numbers->n; i++)
		if (gone_content(d, box, numbers->r[i], e) < 0)
			return -1;
	if (pop3)
		return uidl_gone(d, box, numbers, e);
	return ranges_remove(d, box, RANGES_OWED, numbers, e);
}

/* ---- questions ---- */

static int
read_print(struct db *d, const char *sql, int64_t box, int64_t name,
    uint8_t fingerprint[LEDGER_FINGERPRINT], bool *found, struct err *e)
{
	sqlite3_stmt *q;
	struct span s;
	int r;

	*found = false;
	if (db_query(d, &q, sql, DB_ARGS(db_i(box), db_i(name)), e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	if (r == 0)
		return 0;
	s = db_blob(q, 0);
	*found = s.n == LEDGER_FINGERPRINT;
	if (*found)
		memcpy(fingerprint, s.p, s.n);
	db_done(q);
	return *found ? 0 : db_damaged(d, "a fingerprint", e);
}

int
messages_fingerprint(struct db *d, int64_t box, bool pop3, uint32_t number,
    uint8_t fingerprint[LEDGER_FINGERPRINT], bool *found, struct err *e)
{
	struct uidl_line line;

	if (!pop3)
		return read_print(d,
		    "SELECT fingerprint FROM fingerprints "
		    "WHERE box = ?1 AND number = ?2",
		    box, number, fingerprint, found, e);
	if (uidl_find(d, box, number, &line, e) < 0)
		return -1;
	if (line.seq == 0)
		return read_print(d,
		    "SELECT fingerprint FROM temp.named "
		    "WHERE box = ?1 AND number = ?2",
		    box, number, fingerprint, found, e);
	return read_print(d,
	    "SELECT fingerprint FROM uidl WHERE box = ?1 AND seq = ?2", box,
	    line.seq, fingerprint, found, e);
}

int
messages_next(struct db *d, int64_t row, struct ledger_entry *entry, char **dir,
    char **file, struct err *e)
{
	struct record found;
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q,
		"SELECT " RECORD ", dir, file FROM journal "
		"WHERE id > ?1 ORDER BY id LIMIT 1",
		DB_ARGS(db_i(row)), e) < 0)
		return -1;
	r = db_step(d, q, e);
	if (r <= 0)
		return r;
	if (read_record(d, q, &found, e) < 0) {
		r = -1;
	} else if (found.m.row <= row) { /* it would lead round and round */
		r = db_damaged(d, "the journal", e);
	} else {
		*dir = mem_spandup(db_blob(q, 8));
		*file = mem_spandup(db_blob(q, 9));
		*entry = found.m;
		entry->dir = *dir;
		entry->file = *file;
	}
	db_done(q);
	return r;
}

int
messages_last_row(struct db *d, int64_t *row, struct err *e)
{
	return db_number(d, "SELECT max(id) FROM journal", NULL, 0, row, e);
}
