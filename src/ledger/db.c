/* SPDX-License-Identifier: ISC */
#include "ledger/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/crash.h"
#include "util/mem.h"

#define BUSY_MS 5000

/* A table "undone (n)" of the schema, see undo_for_good(). */
#define SQL_UNDONE "UPDATE undone SET n = n + 1"

struct kept {
	const char *sql; /* not ours */
	sqlite3_stmt *q;
};

struct db {
	sqlite3 *h;
	char *path;
	bool damaged;
	struct kept *kept;
	size_t n;
};

/* ---- errors ---- */

static int
fail(const struct db *d, int sys, const char *what, struct err *e)
{
	if (sys == 0)
		return err_set(
		    e, ERR_DELIVER, 0, "ledger: %s: %s", d->path, what);
	return err_set(e, ERR_DELIVER, sys, "ledger: %s: %s: %s", d->path, what,
	    strerror(sys));
}

int
db_damaged(struct db *d, const char *what, struct err *e)
{
	d->damaged = true;
	return err_set(e, ERR_DELIVER, 0,
	    "ledger: %s: damaged (%s); restore it from a backup, or move it "
	    "away to start anew",
	    d->path, what);
}

/*
 * SQLITE_FULL comes without errno: there is only one. Otherwise SQLite notes
 * errno in some of its functions, and leaves it alone in the others; they
 * must be called with errno 0.
 */
static int
failed(struct db *d, int rc, struct err *e)
{
	int sys = errno != 0 ? errno : sqlite3_system_errno(d->h);
	const char *what = sqlite3_errmsg(d->h);

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		abort(); /* as everywhere: out of memory ends the process */
	case SQLITE_FULL:
		return fail(d, ENOSPC, what, e);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return fail(d, sys, what, e);
	case SQLITE_NOTADB:
		return db_damaged(d, "not a database", e);
	case SQLITE_CORRUPT:
		return db_damaged(d, what, e);
	case SQLITE_BUSY:
		return fail(d, 0, "locked by another program", e);
	case SQLITE_READONLY:
		return fail(d, 0, "cannot be written", e);
	default:
		return fail(d, 0, what, e);
	}
}

/* ---- life ---- */

struct db *
db_open(const char *path, struct err *e)
{
	struct db *d = mem_new(sizeof(*d));
	int rc;

	d->path = mem_strdup(path);
	errno = 0;
	rc = sqlite3_open_v2(path, &d->h,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(d->h, BUSY_MS);
	if (rc == SQLITE_OK)
		return d;
	failed(d, rc, e);
	db_close(&d);
	return NULL;
}

void
db_close(struct db **d)
{
	size_t i;

	if (*d == NULL)
		return;
	for (i = 0; i < (*d)->n; i++)
		sqlite3_finalize((*d)->kept[i].q);
	sqlite3_close((*d)->h);
	free((*d)->kept);
	free((*d)->path);
	free(*d);
	*d = NULL;
}

int
db_keep_log(struct db *d, struct err *e)
{
	int rc;

	errno = 0;
	rc = sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return rc == SQLITE_OK ? 0 : failed(d, rc, e);
}

const char *
db_path(const struct db *d)
{
	return d->path;
}

/* ---- statements ---- */

struct db_arg
db_i(int64_t i)
{
	return (struct db_arg){ .type = DB_INT, .i = i };
}

struct db_arg
db_b(const void *p, size_t n)
{
	return (struct db_arg){ .type = DB_BLOB, .s = span_make(p, n) };
}

struct db_arg
db_t(const char *s)
{
	return (struct db_arg){ .type = DB_TEXT, .s = span_of(s) };
}

static int
bind(sqlite3_stmt *q, int at, const struct db_arg *a)
{
	switch (a->type) {
	case DB_INT:
		return sqlite3_bind_int64(q, at, a->i);
	case DB_BLOB: /* a NULL pointer would be the value NULL */
		return sqlite3_bind_blob64(
		    q, at, a->s.n == 0 ? "" : a->s.p, a->s.n, SQLITE_STATIC);
	case DB_TEXT:
		return sqlite3_bind_text64(
		    q, at, a->s.p, a->s.n, SQLITE_STATIC, SQLITE_UTF8);
	case DB_END:
		break;
	}
	return SQLITE_MISUSE;
}

static int
keep(struct db *d, sqlite3_stmt **q, const char *sql)
{
	size_t i;
	int rc;

	for (i = 0; i < d->n && d->kept[i].sql != sql; i++)
		continue;
	if (i == d->n) {
		rc = sqlite3_prepare_v3(
		    d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, q, NULL);
		if (rc != SQLITE_OK)
			return rc;
		d->kept = mem_grow(d->kept, d->n + 1, sizeof(*d->kept));
		d->kept[d->n++] = (struct kept){ .sql = sql, .q = *q };
	}
	*q = d->kept[i].q;
	return SQLITE_OK;
}

int
db_query(struct db *d, sqlite3_stmt **q, const char *sql,
    const struct db_arg *args, struct err *e)
{
	int rc, at;

	errno = 0;
	rc = keep(d, q, sql);
	for (at = 0; rc == SQLITE_OK && args != NULL && args->type != DB_END;
	     args++)
		rc = bind(*q, ++at, args);
	return rc == SQLITE_OK ? 0 : failed(d, rc, e);
}

int
db_step(struct db *d, sqlite3_stmt *q, struct err *e)
{
	int rc;

	errno = 0;
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		failed(d, rc, e);
	sqlite3_reset(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

void
db_done(sqlite3_stmt *q)
{
	sqlite3_reset(q);
}

int
db_run(struct db *d, const char *sql, const struct db_arg *args, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	if (db_query(d, &q, sql, args, e) < 0)
		return -1;
	r = db_step(d, q, e);
	if (r > 0)
		db_done(q);
	return r < 0 ? -1 : 0;
}

int
db_script(struct db *d, const char *sql, struct err *e)
{
	int rc;

	errno = 0;
	rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : failed(d, rc, e);
}

int
db_number(struct db *d, const char *sql, const struct db_arg *args,
    int64_t fallback, int64_t *out, struct err *e)
{
	sqlite3_stmt *q;
	int r;

	*out = fallback;
	if (db_query(d, &q, sql, args, e) < 0)
		return -1;
	r = db_step(d, q, e);
	if (r > 0) {
		if (sqlite3_column_type(q, 0) != SQLITE_NULL)
			*out = sqlite3_column_int64(q, 0);
		db_done(q);
	}
	return r < 0 ? -1 : 0;
}

struct span
db_blob(sqlite3_stmt *q, int column)
{
	const char *p = sqlite3_column_blob(q, column);
	int n = sqlite3_column_bytes(q, column);

	return p == NULL || n <= 0 ? SPAN("") : span_make(p, (size_t)n);
}

/* ---- transactions ---- */

int
db_begin(struct db *d, struct err *e)
{
	if (d->damaged)
		return db_damaged(d, "seen before", e);
	return db_run(d, "BEGIN IMMEDIATE", NULL, e);
}

void
db_rollback(struct db *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		sqlite3_reset(d->kept[i].q);
	if (sqlite3_get_autocommit(d->h) == 0)
		sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
}

/* Nothing was committed for sure: the last frame never got its turn. */
static bool
surely_undone(int rc)
{
	return (rc & 0xff) == SQLITE_FULL || (rc & 0xff) == SQLITE_BUSY ||
	    rc == SQLITE_IOERR_WRITE;
}

/*
 * When the sync of the log fails, the frames of the transaction are written,
 * the commit mark too. We say "not recorded", the caller throws his copy
 * away; but whoever recovers that log after a crash would find the record
 * and take the message for delivered. So overwrite those frames at once, by
 * another transaction. Any later one does it too, if this one fails.
 */
static void
undo_for_good(struct db *d)
{
	struct err ignored;

	if (db_run(d, "BEGIN IMMEDIATE", NULL, &ignored) < 0 ||
	    db_run(d, SQL_UNDONE, NULL, &ignored) < 0 ||
	    db_run(d, "COMMIT", NULL, &ignored) < 0)
		db_rollback(d);
}

int
db_commit(struct db *d, struct err *e)
{
	int rc;

	crash_point("ledger:commit");
	if (db_run(d, "COMMIT", NULL, e) == 0) {
		crash_point("ledger:committed");
		return 0;
	}
	rc = sqlite3_extended_errcode(d->h);
	db_rollback(d);
	if (!surely_undone(rc))
		undo_for_good(d);
	return -1;
}

int
db_touch(struct db *d, struct err *e)
{
	return db_run(d, SQL_UNDONE, NULL, e);
}

/* 0, or why there is no room. */
static int
reserve(int fd, off_t octets)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	if ((off_t)st.st_blocks * 512 >= st.st_size + octets ||
	    fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, octets) == 0)
		return 0;
	return errno == ENOSPC || errno == EDQUOT || errno == EIO ? errno : 0;
}

/* SQLite's locks are on its other files: this one may be closed. */
int
db_reserve(struct db *d, long octets, struct err *e)
{
	char *log = mem_printf("%s-wal", d->path);
	int fd = open(log, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int why = 0;

	if (fd >= 0) {
		why = reserve(fd, octets);
		close(fd);
	}
	free(log);
	return why == 0 ? 0 : fail(d, why, "no room for what is to come", e);
}
