/* SPDX-License-Identifier: ISC */
#include "ledger/listing.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/absent.h"
#include "ledger/runs.h"
#include "ledger/uidl.h"
#include "util/mem.h"

/*
 * Servers repeat UIDLs: some by accident, some give all messages the same
 * one. Losing mail is worse than fetching it twice, so a line counts as
 * handled only as long as it is the plausible one:
 *
 * - A UIDL that is listed once, and always was, is the message, whatever
 *   its size is said to be. Not if we removed that: then the line is fresh,
 *   and what comes is compared with the row.
 * - When it is listed a second time, the line with the size on record is the
 *   handled one (the first of them), and all others are fresh. No line of
 *   that size: all are fresh.
 * - From then on all rows of that UIDL are in doubt: a line is handled when
 *   UIDL, size and its place among the equal ones are those of a row; such a
 *   row is never owed, and is forgotten as soon as it is not listed; but
 *   one without a size on record waits for a message of its fingerprint.
 * - An empty UIDL (the server's was unusable) is always in doubt.
 * - Without any size nothing can be told apart: see listing_end().
 *
 * While lines come in, the rows of the box are read along in the order of
 * delivery, a window at a time. A line equal to the next row (UIDL and size,
 * not in doubt) is handled, and costs no more than the comparison. Any other
 * is looked up once; when that fails too, it waits in the temporary table
 * line for the end, when equal UIDLs can be looked at side by side.
 */

#define WINDOW 128

struct listing {
	struct db *d; /* not ours */
	int64_t box;
	struct runs runs; /* what is handled */
	struct uidl_row window[WINDOW];
	size_t at, n;  /* the next row, and how many there are */
	size_t want;   /* how many to read next time */
	int64_t next;  /* where to read on */
	bool more;     /* there may be rows from next on */
	uint32_t last; /* the highest number listed */
	bool sized;    /* sizes are given */

	struct set owed;
	uint32_t repeated;
	bool back; /* a row that was absent is listed */
};

/* ---- life ---- */

struct listing *
listing_new(struct db *d, int64_t box, struct err *e)
{
	struct runs runs;
	struct listing *l;

	if (runs_init(&runs, d, box, e) < 0 ||
	    db_run(d, "DELETE FROM temp.line WHERE box = ?1",
		DB_ARGS(db_i(box)), e) < 0)
		return NULL;
	l = mem_new(sizeof(*l));
	l->d = d;
	l->box = box;
	l->runs = runs;
	l->want = WINDOW;
	l->more = true;
	set_init(&l->owed);
	return l;
}

void
listing_free(struct listing **l)
{
	if (*l == NULL)
		return;
	set_deinit(&(*l)->owed);
	free(*l);
	*l = NULL;
}

/* ---- lines come in ---- */

static int
handled(struct listing *l, uint32_t number, const struct uidl_row *row,
    struct err *e)
{
	if (row->state == UIDL_OWED && row->doubt == 0)
		set_add(&l->owed, number, number);
	l->back = l->back || row->absent != 0;
	return runs_add(&l->runs, number, row->seq, e);
}

/* It may stand for a line, by its UIDL alone. */
static bool
is_sure(const struct uidl_row *row)
{
	return row->doubt == 0 && row->state != UIDL_GONE;
}

static bool
is_line(const struct uidl_row *row, struct span uidl, int64_t size)
{
	return is_sure(row) && (size == 0 || row->size == size) &&
	    row->n == uidl.n && memcmp(row->uidl, uidl.p, uidl.n) == 0;
}

static int
read_window(struct listing *l, struct err *e)
{
	l->at = 0;
	l->n = l->want;
	if (uidl_rows(l->d, l->box, l->next, l->window, &l->n, e) < 0)
		return -1;
	l->more = l->n == l->want;
	/* a damaged index may lead back, and round and round */
	if (l->n > 0 && l->window[l->n - 1].seq < l->next)
		return db_damaged(l->d, "a UIDL", e);
	if (l->n > 0)
		l->next = l->window[l->n - 1].seq + 1;
	return 0;
}

/* Compares with the next row. */
static int
read_along(struct listing *l, struct span uidl, int64_t size,
    const struct uidl_row **found, struct err *e)
{
	const struct uidl_row *row;
	int64_t number;

	*found = NULL;
	if (l->at == l->n && l->more) {
		if (l->n > 0) /* it goes well */
			l->want = l->want * 2 > WINDOW ? WINDOW : l->want * 2;
		if (read_window(l, e) < 0)
			return -1;
	}
	if (l->at == l->n)
		return 0;
	row = &l->window[l->at];
	if (!is_line(row, uidl, size))
		return 0;
	if (runs_number(&l->runs, row->seq, &number, e) < 0)
		return -1;
	if (number != 0) /* listed before, and again */
		return 0;
	*found = row;
	l->at++;
	return 0;
}

/* The server's order is another one, or messages left: go on behind seq. In
 * a wild order large windows would be read for nothing. */
static void
go_behind(struct listing *l, int64_t seq)
{
	while (l->at < l->n && l->window[l->at].seq <= seq)
		l->at++;
	if (l->at < l->n && l->window[0].seq <= seq)
		return;
	l->want = l->want > 1 ? l->want / 2 : 1;
	l->next = seq + 1;
	l->more = true;
	l->at = l->n = 0;
}

static int
look_up(struct listing *l, struct span uidl, int64_t size, struct uidl_row *row,
    struct err *e)
{
	int64_t number;

	if ((size == 0 ? uidl_any(l->d, l->box, uidl, row, e)
		       : uidl_exact(l->d, l->box, uidl, size, 1, row, e)) < 0)
		return -1;
	if (row->seq == 0)
		return 0;
	if (runs_number(&l->runs, row->seq, &number, e) < 0)
		return -1;
	if (!is_sure(row) || number != 0)
		row->seq = 0; /* not now */
	else
		go_behind(l, row->seq);
	return 0;
}

static int
wait_for_end(struct listing *l, uint32_t number, struct span uidl, int64_t size,
    struct err *e)
{
	return db_run(l->d,
	    "INSERT INTO temp.line VALUES (?1, ?2, ?3, ?4, 1, 0, 0)",
	    DB_ARGS(
		db_i(l->box), db_i(number), db_b(uidl.p, uidl.n), db_i(size)),
	    e);
}

static int
is_listed(struct listing *l, uint32_t number, bool *listed, struct err *e)
{
	struct uidl_line line;

	*listed = runs_growing(&l->runs, number);
	if (*listed)
		return 0;
	if (uidl_find(l->d, l->box, number, &line, e) < 0)
		return -1;
	*listed = line.listed;
	return 0;
}

int
listing_add(struct listing *l, uint32_t number, struct span uidl,
    uint64_t octets, struct err *e)
{
	int64_t size = octets > INT64_MAX ? INT64_MAX : (int64_t)octets;
	const struct uidl_row *row;
	struct uidl_row other;
	bool listed = false;

	if (number <= l->last && is_listed(l, number, &listed, e) < 0)
		return -1;
	if (number == 0 || listed)
		return 0;
	l->last = number > l->last ? number : l->last;
	l->sized = l->sized || size != 0;
	if (uidl.n > UIDL_MAX_OCTETS)
		uidl = SPAN("");
	if (read_along(l, uidl, size, &row, e) < 0)
		return -1;
	if (row != NULL)
		return handled(l, number, row, e);
	if (look_up(l, uidl, size, &other, e) < 0)
		return -1;
	if (other.seq != 0)
		return handled(l, number, &other, e);
	return wait_for_end(l, number, uidl, size, e);
}

/* ---- the end: lines that waited, equal UIDLs side by side ---- */

struct line {
	uint32_t number;
	int64_t size;
	size_t n;
	char uidl[UIDL_MAX_OCTETS];
};

/* Those of one UIDL. */
struct group {
	bool twice; /* in doubt */
	bool known; /* there are rows of it */
	int64_t size, nth;
};

static bool
same_uidl(const struct line *a, const struct line *b)
{
	return a->number != 0 && b->number != 0 && a->n == b->n &&
	    memcmp(a->uidl, b->uidl, a->n) == 0;
}

static int
not_fresh(struct listing *l, uint32_t number, const struct uidl_row *row,
    struct err *e)
{
	if (handled(l, number, row, e) < 0)
		return -1;
	return db_run(l->d,
	    "DELETE FROM temp.line WHERE box = ?1 AND number = ?2",
	    DB_ARGS(db_i(l->box), db_i(number)), e);
}

/* Listed once, but with another size than on record. */
static int
take_size(struct listing *l, const struct line *line,
    const struct uidl_row *row, struct err *e)
{
	if (not_fresh(l, line->number, row, e) < 0)
		return -1;
	if (line->size == 0)
		return 0;
	return db_run(l->d,
	    "UPDATE uidl SET size = ?3 WHERE box = ?1 AND seq = ?2",
	    DB_ARGS(db_i(l->box), db_i(row->seq), db_i(line->size)), e);
}

/* The only row of a UIDL that is now listed again; number is its line, if
 * it has one. */
static int
put_in_doubt(struct listing *l, const struct uidl_row *row, int64_t number,
    struct err *e)
{
	if (number != 0) {
		set_remove(&l->owed, (uint32_t)number, (uint32_t)number);
		l->repeated++;
	}
	return db_run(l->d,
	    "UPDATE uidl SET doubt = 1 WHERE box = ?1 AND seq = ?2",
	    DB_ARGS(db_i(l->box), db_i(row->seq)), e);
}

/* We removed the only row of this UIDL. A lone line is fresh, but has the row,
 * too: the message may turn out to be that again. */
static int
replace_gone(struct listing *l, struct group *g, const struct line *line,
    const struct uidl_row *row, struct err *e)
{
	g->known = false;
	if (!g->twice)
		return runs_add(&l->runs, line->number, row->seq, e);
	return db_run(l->d, "DELETE FROM uidl WHERE box = ?1 AND seq = ?2",
	    DB_ARGS(db_i(l->box), db_i(row->seq)), e);
}

/* The first line of a UIDL; *done when it needs nothing more. */
static int
open_group(struct listing *l, struct group *g, const struct line *line,
    bool more, bool *done, struct err *e)
{
	struct uidl_row row;
	int64_t number;

	*done = false;
	if (uidl_any(l->d, l->box, span_make(line->uidl, line->n), &row, e) < 0)
		return -1;
	*g = (struct group){ .known = row.seq != 0, .size = -1 };
	g->twice = more || line->n == 0;
	if (!g->known)
		return 0;
	if (row.doubt != 0) {
		g->twice = true;
		return 0;
	}
	if (row.state == UIDL_GONE)
		return replace_gone(l, g, line, &row, e);
	if (runs_number(&l->runs, row.seq, &number, e) < 0)
		return -1;
	if (!g->twice && number == 0) {
		*done = true;
		return take_size(l, line, &row, e);
	}
	g->twice = true;
	return put_in_doubt(l, &row, number, e);
}

/* The first line of a size: its row may be that of a line that did not
 * wait; then this is the second. */
static int
open_size(
    struct listing *l, struct group *g, const struct line *line, struct err *e)
{
	struct uidl_row row;
	int64_t number = 0;

	g->size = line->size;
	g->nth = 0;
	if (!g->known)
		return 0;
	if (uidl_exact(l->d, l->box, span_make(line->uidl, line->n), line->size,
		1, &row, e) < 0 ||
	    (row.seq != 0 && runs_number(&l->runs, row.seq, &number, e) < 0))
		return -1;
	g->nth = number != 0 ? 1 : 0;
	return 0;
}

static int
resolve(
    struct listing *l, struct group *g, const struct line *line, struct err *e)
{
	struct uidl_row row = { .seq = 0 };

	if (line->size != g->size && open_size(l, g, line, e) < 0)
		return -1;
	g->nth++;
	l->repeated += g->twice ? 1 : 0;
	if (g->known &&
	    uidl_exact(l->d, l->box, span_make(line->uidl, line->n), line->size,
		g->nth, &row, e) < 0)
		return -1;
	if (row.seq != 0)
		return not_fresh(l, line->number, &row, e);
	if (!g->twice)
		return 0;
	return db_run(l->d,
	    "UPDATE temp.line SET nth = ?3, doubt = 1 "
	    "WHERE box = ?1 AND number = ?2",
	    DB_ARGS(db_i(l->box), db_i(line->number), db_i(g->nth)), e);
}

/* line->number is 0 behind the last. */
static int
next_line(struct listing *l, sqlite3_stmt *q, struct line *line, struct err *e)
{
	struct span uidl;
	int r = db_step(l->d, q, e);

	line->number = 0;
	if (r <= 0)
		return r;
	uidl = db_blob(q, 2);
	line->number = (uint32_t)sqlite3_column_int64(q, 0);
	line->size = sqlite3_column_int64(q, 1);
	line->n = uidl.n <= sizeof(line->uidl) ? uidl.n : 0;
	memcpy(line->uidl, uidl.p, line->n);
	return 0;
}

/* The statement sorts: the table may change below it. */
static int
resolve_all(struct listing *l, sqlite3_stmt *q, struct err *e)
{
	struct line lines[3] = { { .number = 0 } }; /* before, this, next */
	struct group g = { .twice = false };
	int at;

	if (next_line(l, q, &lines[1], e) < 0)
		return -1;
	for (at = 1; lines[at].number != 0; at = (at + 1) % 3) {
		struct line *next = &lines[(at + 1) % 3];
		const struct line *before = &lines[(at + 2) % 3];
		bool done = false;

		if (next_line(l, q, next, e) < 0)
			return -1;
		if (!same_uidl(before, &lines[at]) &&
		    open_group(l, &g, &lines[at], same_uidl(&lines[at], next),
			&done, e) < 0)
			return -1;
		if (!done && resolve(l, &g, &lines[at], e) < 0)
			return -1;
	}
	return 0;
}

static int
resolve_lines(struct listing *l, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(l->d, &q,
		"SELECT number, size, uidl FROM temp.line WHERE box = ?1 "
		"ORDER BY uidl, size, number",
		DB_ARGS(db_i(l->box)), e) < 0)
		return -1;
	r = resolve_all(l, q, e);
	db_done(q);
	return r < 0 ? -1 : runs_store(&l->runs, e);
}

static int
read_fresh(struct listing *l, struct set *fresh, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	set_clear(fresh);
	if (db_query(l->d, &q,
		"SELECT number FROM temp.line WHERE box = ?1 ORDER BY number",
		DB_ARGS(db_i(l->box)), e) < 0)
		return -1;
	while ((r = db_step(l->d, q, e)) > 0) {
		uint32_t number = (uint32_t)sqlite3_column_int64(q, 0);

		set_add(fresh, number, number);
	}
	return r;
}

int
listing_end(struct listing *l, int64_t now, int64_t keep_s, struct set *fresh,
    struct set *owed, uint32_t *repeated, bool *useless, struct err *e)
{
	struct absent a = { .box = l->box, .now = now, .keep_s = keep_s };

	if (resolve_lines(l, e) < 0 || read_fresh(l, fresh, e) < 0)
		return -1;
	*useless = l->repeated > 0 && !l->sized;
	if (*useless) {
		set_clear(fresh);
		set_clear(owed);
		*repeated = l->repeated;
		return 0;
	}
	a.back = l->back;
	if (absent_mark(l->d, &a, e) < 0)
		return -1;
	*repeated = l->repeated;
	set_move(owed, &l->owed);
	return 0;
}
