/* SPDX-License-Identifier: ISC */
#include "ledger/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/crash.h"
#include "sys/file.h"
#include "util/mem.h"

#define WITH_TROUBLES 2 /* the first schema that has them */

/*
 * box		a mailbox of an account; POP3 has mailbox ''; listed: its
 *		server gave UIDLs
 * ranges	IMAP: UIDs handled (kind 0), owed (1) and settled (2)
 * fingerprints	IMAP: of delivered messages
 * uidl		POP3: delivered messages, see uidl.h
 * content	POP3 without UIDL: delivered and not gone
 * journal	prepared, and not known to be published; offset -1: none
 * trouble	messages that do not get through, see troubles.h; an id is
 *		never given again, since users write it down
 * reached	recipients that have such a message already
 * account	logins refused in a row; none: no row, or zeros
 */
#define TROUBLES                                                               \
	"CREATE TABLE trouble (id INTEGER PRIMARY KEY AUTOINCREMENT, "         \
	"box INTEGER NOT NULL, name BLOB NOT NULL, uid INTEGER NOT NULL, "     \
	"state INTEGER NOT NULL, why INTEGER NOT NULL, "                       \
	"tries INTEGER NOT NULL, since INTEGER NOT NULL, "                     \
	"next INTEGER NOT NULL, seen INTEGER NOT NULL, "                       \
	"size INTEGER NOT NULL, stub INTEGER NOT NULL, "                       \
	"full INTEGER NOT NULL, reason TEXT NOT NULL, about TEXT NOT NULL, "   \
	"UNIQUE (box, name));"                                                 \
	"CREATE INDEX trouble_uid ON trouble (box, uid);"                      \
	"CREATE TABLE reached (trouble INTEGER NOT NULL, "                     \
	"recipient TEXT NOT NULL, PRIMARY KEY (trouble, recipient)) "          \
	"WITHOUT ROWID;"

#define ACCOUNTS                                                               \
	"CREATE TABLE account (name TEXT NOT NULL PRIMARY KEY, "               \
	"refused INTEGER NOT NULL, refused_at INTEGER NOT NULL, "              \
	"mark INTEGER NOT NULL) WITHOUT ROWID;"

static const char schema[] =
    "PRAGMA synchronous = FULL;"
    "BEGIN;"
    "CREATE TABLE meta (token TEXT NOT NULL, "
    "salt BLOB NOT NULL DEFAULT x'');"
    "CREATE TABLE undone (n INTEGER NOT NULL);"
    "INSERT INTO undone VALUES (0);"
    "CREATE TABLE box (id INTEGER PRIMARY KEY, account TEXT NOT NULL, "
    "mailbox TEXT NOT NULL, uidvalidity INTEGER NOT NULL, "
    "listed INTEGER NOT NULL DEFAULT 0, UNIQUE (account, mailbox));"
    "CREATE TABLE ranges (box INTEGER NOT NULL, kind INTEGER NOT NULL, "
    "lo INTEGER NOT NULL, hi INTEGER NOT NULL, "
    "PRIMARY KEY (box, kind, lo)) WITHOUT ROWID;"
    "CREATE TABLE fingerprints (box INTEGER NOT NULL, "
    "number INTEGER NOT NULL, fingerprint BLOB NOT NULL, "
    "PRIMARY KEY (box, number)) WITHOUT ROWID;"
    "CREATE TABLE uidl (box INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "uidl BLOB NOT NULL, size INTEGER NOT NULL, nth INTEGER NOT NULL, "
    "state INTEGER NOT NULL, doubt INTEGER NOT NULL, "
    "absent INTEGER NOT NULL, fingerprint BLOB NOT NULL, "
    "PRIMARY KEY (box, seq)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX uidl_name ON uidl (box, uidl, size, nth);"
    "CREATE TABLE content (box INTEGER NOT NULL, fingerprint BLOB NOT NULL, "
    "PRIMARY KEY (box, fingerprint)) WITHOUT ROWID;"
    "CREATE TABLE journal (id INTEGER PRIMARY KEY, box INTEGER NOT NULL, "
    "number INTEGER NOT NULL, kind INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "owes INTEGER NOT NULL, fingerprint BLOB NOT NULL, "
    "dir TEXT NOT NULL, file TEXT NOT NULL, "
    "offset INTEGER NOT NULL DEFAULT -1);" TROUBLES ACCOUNTS;

static const char from_schema_1[] =
    "ALTER TABLE journal ADD COLUMN offset INTEGER NOT NULL DEFAULT "
    "-1;" TROUBLES "PRAGMA user_version = 2;";

static const char from_schema_2[] =
    "ALTER TABLE meta ADD COLUMN salt BLOB NOT NULL DEFAULT x'';"
    "UPDATE meta SET salt = randomblob(16);" ACCOUNTS
    "PRAGMA user_version = 3;";

/*
 * What the present POP3 listings hold, in a temporary file: lines that are
 * not handled, runs of lines that are, and the names of messages that are
 * known by content. See uidl.h. A small cache: it may be large, and is rare.
 */
static const char session[] =
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 1000;"
    "PRAGMA journal_size_limit = 8388608;"
    "PRAGMA cache_size = -1024;"
    "PRAGMA temp_store = FILE;"
    "PRAGMA temp.cache_size = -512;"
    "PRAGMA temp.journal_mode = MEMORY;"
    "CREATE TEMP TABLE line (box INTEGER, number INTEGER, uidl BLOB, "
    "size INTEGER, nth INTEGER, doubt INTEGER, seq INTEGER, "
    "PRIMARY KEY (box, number)) WITHOUT ROWID;"
    "CREATE TEMP TABLE run (box INTEGER, number INTEGER, n INTEGER, "
    "seq INTEGER, PRIMARY KEY (box, number)) WITHOUT ROWID;"
    "CREATE INDEX temp.run_seq ON run (box, seq, n);"
    "CREATE TEMP TABLE named (box INTEGER, number INTEGER, "
    "fingerprint BLOB, PRIMARY KEY (box, number)) WITHOUT ROWID;";

static int
failed(struct err *e, const char *path, int why)
{
	return err_set(
	    e, ERR_DELIVER, why, "ledger: %s: %s", path, strerror(why));
}

/* ---- the file ---- */

static int
check_file(const char *path, const struct stat *st, struct err *e)
{
	if (S_ISLNK(st->st_mode))
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: is a symbolic link; name the file itself",
		    path);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: is not a regular file", path);
	if (st->st_uid != geteuid())
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: belongs to uid %u, not to us (uid %u)", path,
		    (unsigned int)st->st_uid, (unsigned int)geteuid());
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: group or others may write it; chmod 600 it "
		    "if you trust what is in it",
		    path);
	if (st->st_size == 0)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: is empty; restore it from a backup, or "
		    "remove it to start anew",
		    path);
	return 0;
}

/* SQLite takes a file it may not write, too; errno is clearer. It locks by
 * process: no other descriptor of the file may be closed once it is open. */
static int
check_writable(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return failed(e, path, errno);
	close(fd);
	return 0;
}

static char *
beside(const char *path, const char *suffix)
{
	return mem_printf("%s%s", path, suffix);
}

/* Its size, or -1 when there is none. */
static off_t
size_beside(const char *path, const char *suffix)
{
	char *name = beside(path, suffix);
	struct stat st;
	off_t n = lstat(name, &st) == 0 ? st.st_size : -1;

	free(name);
	return n;
}

/* ---- a new one ---- */

static void
make_token(char token[STORE_TOKEN + 1])
{
	unsigned char random[STORE_TOKEN / 2];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort(); /* up to 256 octets are always given */
	for (i = 0; i < sizeof(random); i++)
		snprintf(token + 2 * i, 3, "%02x", random[i]);
}

static int
fill(const char *path, struct err *e)
{
	struct db *d = db_open(path, e);
	char token[STORE_TOKEN + 1];
	char *ids = mem_printf("PRAGMA application_id = %d;"
			       "PRAGMA user_version = %d;"
			       "COMMIT;",
	    STORE_APPLICATION, STORE_SCHEMA);
	int r = -1;

	make_token(token);
	if (d != NULL && db_script(d, schema, e) == 0 &&
	    db_run(d, "INSERT INTO meta VALUES (?1, randomblob(16))",
		DB_ARGS(db_t(token)), e) == 0)
		r = db_script(d, ids, e);
	free(ids);
	db_close(&d);
	return r;
}

static int
make_empty(const char *path, struct err *e)
{
	char *journal = beside(path, "-journal");
	int fd;

	unlink(journal);
	unlink(path);
	free(journal);
	/* SQLite's other files get the mode of this one */
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(e, path, errno);
	close(fd);
	return 0;
}

static int
sync_folder_of(const char *path, struct err *e)
{
	char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	int fd, r;

	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	fd = file_open_dir(slash == NULL ? "." : dir, e);
	r = fd < 0 ? -1 : file_sync(fd, dir, e);
	if (fd >= 0)
		close(fd);
	free(dir);
	return r;
}

static int
create(const char *path, struct err *e)
{
	char *new = beside(path, ".new");
	int r = -1;

	if (size_beside(path, "-wal") > 0) {
		err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: missing, but its log (-wal) is there; restore "
		    "it, or remove the log too to start anew",
		    path);
		goto out;
	}
	if (make_empty(new, e) < 0 || fill(new, e) < 0)
		goto out;
	crash_point("ledger:made");
	if (rename(new, path) < 0)
		failed(e, path, errno);
	else
		r = sync_folder_of(path, e);
out:
	if (r < 0)
		unlink(new);
	free(new);
	return r;
}

/* ---- what stands in it ---- */

static int
check_kind(struct db *d, int64_t *version, struct err *e)
{
	const char *path = db_path(d);
	int64_t application;

	if (db_number(d, "PRAGMA application_id", NULL, 0, &application, e) <
		0 ||
	    db_number(d, "PRAGMA user_version", NULL, 0, version, e) < 0)
		return -1;
	if (application != STORE_APPLICATION)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: is the database of another program", path);
	if (*version > STORE_SCHEMA)
		return err_set(e, ERR_DELIVER, 0,
		    "ledger: %s: made by a newer mailhaul (schema %lld, we "
		    "know %d); use that one",
		    path, (long long)*version, STORE_SCHEMA);
	if (*version < 1)
		return db_damaged(d, "schema number", e);
	return 0;
}

/* The schema number is changed with the tables, or not at all. */
static int
upgrade(struct db *d, int64_t version, struct err *e)
{
	if (db_begin(d, e) < 0)
		return -1;
	if ((version == 1 && db_script(d, from_schema_1, e) < 0) ||
	    db_script(d, from_schema_2, e) < 0) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

/* All pages in their places: read when the last end was not an orderly one,
 * since only then somebody may have lost something. */
static int
check_pages(struct db *d, struct err *e)
{
	sqlite3_stmt *q;
	char what[80];
	int r;

	if (db_query(d, &q, "PRAGMA quick_check(1)", NULL, e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	what[0] = '\0';
	if (r > 0)
		snprintf(what, sizeof(what), "%s",
		    (const char *)sqlite3_column_text(q, 0));
	db_done(q);
	return strcmp(what, "ok") == 0 ? 0 : db_damaged(d, what, e);
}

static int
use_wal(struct db *d, struct err *e)
{
	sqlite3_stmt *q;
	const char *mode;
	bool wal;
	int r;

	if (db_query(d, &q, "PRAGMA journal_mode = WAL", NULL, e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	mode = r > 0 ? (const char *)sqlite3_column_text(q, 0) : NULL;
	wal = mode != NULL && strcmp(mode, "wal") == 0;
	db_done(q);
	if (wal)
		return 0;
	return err_set(e, ERR_DELIVER, 0,
	    "ledger: %s: a write-ahead log is not possible here", db_path(d));
}

static int
read_token(struct db *d, char token[STORE_TOKEN + 1], struct err *e)
{
	sqlite3_stmt *q;
	struct span s;
	bool good;
	int r;

	if (db_query(d, &q, "SELECT token FROM meta", NULL, e) < 0 ||
	    (r = db_step(d, q, e)) < 0)
		return -1;
	s = r > 0 ? db_blob(q, 0) : SPAN("");
	good = s.n == STORE_TOKEN;
	if (good)
		memcpy(token, s.p, STORE_TOKEN);
	token[STORE_TOKEN] = '\0';
	db_done(q);
	good = good && strspn(token, "0123456789abcdef") == STORE_TOKEN;
	return good ? 0 : db_damaged(d, "token", e);
}

static int
check(struct db *d, bool clean, char token[STORE_TOKEN + 1], struct err *e)
{
	int64_t version;

	if (check_kind(d, &version, e) < 0 || db_script(d, session, e) < 0 ||
	    use_wal(d, e) < 0 || (!clean && check_pages(d, e) < 0) ||
	    (version < STORE_SCHEMA && upgrade(d, version, e) < 0))
		return -1;
	return read_token(d, token, e);
}

struct db *
store_open(const char *path, char token[STORE_TOKEN + 1], struct err *e)
{
	struct stat st;
	struct db *d;
	bool clean;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT) {
			failed(e, path, errno);
			return NULL;
		}
		if (create(path, e) < 0)
			return NULL;
	} else if (check_file(path, &st, e) < 0) {
		return NULL;
	}
	if (check_writable(path, e) < 0)
		return NULL;
	clean = size_beside(path, "-wal") <= 0;
	d = db_open(path, e);
	if (d != NULL && check(d, clean, token, e) < 0)
		db_close(&d);
	return d;
}

static int
check_existing(struct db *d, char token[STORE_TOKEN + 1], struct err *e)
{
	int64_t version;

	if (check_kind(d, &version, e) < 0)
		return -1;
	if (version < WITH_TROUBLES)
		return err_set(e, ERR_DELIVER, ENOENT,
		    "ledger: %s: made by an older mailhaul (schema %lld)",
		    db_path(d), (long long)version);
	if (db_script(d, session, e) < 0 || use_wal(d, e) < 0)
		return -1;
	return read_token(d, token, e);
}

/* The log may be that of a crash: it must be there when the ledger is opened
 * in earnest, and its pages are checked. */
struct db *
store_open_existing(
    const char *path, char token[STORE_TOKEN + 1], struct err *e)
{
	struct stat st;
	struct db *d;

	if (lstat(path, &st) < 0) {
		failed(e, path, errno);
		return NULL;
	}
	if (check_file(path, &st, e) < 0 || check_writable(path, e) < 0)
		return NULL;
	d = db_open(path, e);
	if (d != NULL &&
	    (db_keep_log(d, e) < 0 || check_existing(d, token, e) < 0))
		db_close(&d);
	return d;
}
