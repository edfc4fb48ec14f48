/* SPDX-License-Identifier: ISC */
#include "ledger/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "unit/ledger/folder.h"

/* In place of libc's: hundreds of ledgers are opened here, and no power is
 * lost. */
int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int
fsync(int fd)
{
	(void)fd;
	return 0;
}

static struct folder f;
static struct err e;
static char token[STORE_TOKEN + 1];

static int
setup(void **state)
{
	(void)state;
	folder_make(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_remove(&f);
	return 0;
}

static void
refuses(const char *why)
{
	struct db *d = store_open(f.path, token, &e);

	assert_null(d);
	assert_int_equal(e.kind, ERR_DELIVER);
	if (strstr(e.text, why) == NULL || strstr(e.text, f.path) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

static struct db *
open_it(void)
{
	struct db *d = store_open(f.path, token, &e);

	if (d == NULL)
		fail_msg("%s", e.text);
	return d;
}

/* Does sql to a new ledger. */
static void
make_with(const char *sql)
{
	struct db *d = open_it();

	assert_int_equal(db_script(d, sql, &e), 0);
	db_close(&d);
}

static void
makes_a_ledger_and_finds_it_again(void **state)
{
	char first[STORE_TOKEN + 1];
	struct db *d = open_it();
	int64_t n;

	(void)state;
	assert_int_equal(strspn(token, "0123456789abcdef"), STORE_TOKEN);
	memcpy(first, token, sizeof(first));
	assert_int_equal(
	    db_number(d, "PRAGMA synchronous", NULL, 0, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(db_number(d, "PRAGMA mmap_size", NULL, 0, &n, &e), 0);
	assert_int_equal(n, 0);
	db_close(&d);
	d = open_it();
	assert_string_equal(token, first);
	db_close(&d);
}

static void
gives_each_ledger_its_own_token(void **state)
{
	char first[STORE_TOKEN + 1];
	struct db *d = open_it();

	(void)state;
	memcpy(first, token, sizeof(first));
	db_close(&d);
	folder_empty(&f);
	d = open_it();
	assert_string_not_equal(token, first);
	db_close(&d);
}

static void
refuses_what_others_may_have_written(void **state)
{
	(void)state;
	make_with("SELECT 1");
	assert_int_equal(chmod(f.path, 0620), 0);
	refuses("may write it");
	assert_int_equal(chmod(f.path, 0602), 0);
	refuses("may write it");
	assert_int_equal(chmod(f.path, 0644), 0);
	make_with("SELECT 1");
}

static void
refuses_the_file_of_another_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make_with("SELECT 1");
	assert_int_equal(chown(f.path, 12345, (gid_t)-1), 0);
	refuses("belongs to uid 12345");
}

static void
follows_no_link(void **state)
{
	char name[FOLDER_PATH + 16];

	(void)state;
	folder_beside(name, f.path, ".new");
	make_with("SELECT 1");
	assert_int_equal(rename(f.path, name), 0);
	assert_int_equal(symlink(name, f.path), 0);
	refuses("symbolic link");
	unlink(name);
	refuses("symbolic link");
}

static void
refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir(f.path, 0700), 0);
	refuses("not a regular file");
	assert_int_equal(rmdir(f.path), 0);
	assert_int_equal(mkfifo(f.path, 0600), 0);
	refuses("not a regular file");
}

static void
refuses_what_is_no_ledger(void **state)
{
	char text[5000];

	(void)state;
	folder_write(f.path, "", 0);
	refuses("is empty");
	memset(text, 'x', sizeof(text));
	folder_write(f.path, text, 10);
	refuses("not a database");
	folder_write(f.path, text, sizeof(text));
	refuses("not a database");
	unlink(f.path);
	make_with("PRAGMA application_id = 5");
	refuses("another program");
}

static void
refuses_a_ledger_of_a_newer_program(void **state)
{
	(void)state;
	make_with("PRAGMA user_version = 4");
	refuses("made by a newer mailhaul (schema 4, we know 3)");
}

static void
refuses_a_ledger_without_its_token(void **state)
{
	(void)state;
	make_with("UPDATE meta SET token = '0123456789ABCDEF'");
	refuses("damaged (token)");
	unlink(f.path);
	make_with("DELETE FROM meta");
	refuses("damaged (token)");
}

static void
starts_nothing_anew_beside_an_old_log(void **state)
{
	char name[FOLDER_PATH + 16];

	(void)state;
	folder_beside(name, f.path, "-wal");
	folder_write(name, "frames", 6);
	refuses("-wal");
	assert_int_equal(access(f.path, F_OK), -1);
	unlink(name);
	make_with("SELECT 1");
}

static void
says_when_the_folder_is_missing(void **state)
{
	char *path = mem_printf("%s/nowhere/ledger", f.dir);

	(void)state;
	assert_null(store_open(path, token, &e));
	assert_int_equal(e.sys, ENOENT);
	assert_non_null(strstr(e.text, path));
	free(path);
}

static void
says_when_it_may_not_write(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip();
	make_with("SELECT 1");
	assert_int_equal(chmod(f.path, 0400), 0);
	refuses("Permission denied");
	assert_int_equal(e.sys, EACCES);
}

static void
makes_it_whole_or_not_at_all(void **state)
{
	char name[FOLDER_PATH + 16];

	(void)state;
	folder_beside(name, f.path, ".new");
	folder_write(name, "half", 4); /* left by a crash */
	folder_beside(name, f.path, ".new-journal");
	folder_write(name, "half", 4);
	make_with("SELECT 1");
	assert_int_equal(access(name, F_OK), -1);
	folder_beside(name, f.path, ".new");
	assert_int_equal(access(name, F_OK), -1);
	unlink(f.path);
	assert_int_equal(mkdir(name, 0700), 0);
	refuses(".new");
	assert_int_equal(access(f.path, F_OK), -1);
}

/* ---- of an older program ---- */

static const char schema_1[] =
    "PRAGMA synchronous = FULL;"
    "BEGIN;"
    "CREATE TABLE meta (token TEXT NOT NULL);"
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
    "dir TEXT NOT NULL, file TEXT NOT NULL);"
    "INSERT INTO meta VALUES ('0123456789abcdef');"
    "INSERT INTO box VALUES (1, 'a', 'INBOX', 7, 0);"
    "INSERT INTO ranges VALUES (1, 0, 1, 9);"
    "INSERT INTO journal VALUES (4, 1, 9, 0, 0, 1, "
    "CAST('0123456789abcdef' AS BLOB), '/m', 'f');"
    "PRAGMA application_id = 1835557228;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

static void
make_schema_1(void)
{
	struct db *d;

	folder_empty(&f);
	folder_write(f.path, "", 0);
	d = db_open(f.path, &e);
	assert_non_null(d);
	if (db_script(d, schema_1, &e) < 0)
		fail_msg("%s", e.text);
	db_close(&d);
}

static int64_t
version_of(struct db *d)
{
	int64_t n = -1;

	assert_int_equal(
	    db_number(d, "PRAGMA user_version", NULL, -1, &n, &e), 0);
	return n;
}

static int
see_row(void *arg, const struct ledger_entry *m, struct err *err)
{
	(void)err;
	assert_int_equal(m->row, 4);
	assert_int_equal(m->number, 9);
	assert_false(m->has_offset);
	assert_string_equal(m->file, "f");
	++*(int *)arg;
	return 0;
}

static void
brings_an_old_ledger_up_to_date(void **state)
{
	struct ledger_entry m = { .box = 1,
		.number = 20,
		.has_offset = true,
		.offset = 5,
		.dir = "/m",
		.file = "g" };
	struct ledger_note note = { .box = 1, .number = 21 };
	struct ledger *l;
	struct db *d;
	int64_t n;
	int rows = 0;

	(void)state;
	make_schema_1();
	d = open_it();
	assert_string_equal(token, "0123456789abcdef");
	assert_int_equal(version_of(d), 3);
	assert_int_equal(
	    db_number(d, "SELECT hi FROM ranges", NULL, 0, &n, &e), 0);
	assert_int_equal(n, 9);
	db_close(&d);
	l = ledger_open(f.path, &e);
	assert_non_null(l);
	assert_int_equal(ledger_journal(l, see_row, &rows, &e), 0);
	assert_int_equal(rows, 1);
	assert_int_equal(ledger_prepare(l, &m, 1, &e), 0);
	assert_int_equal(ledger_note(l, &note, 1, &e), 0);
	ledger_close(&l);
}

/* As it was before accounts had records. */
static void
make_schema_2(void)
{
	make_with("DROP TABLE account;"
		  "ALTER TABLE meta DROP COLUMN salt;"
		  "INSERT INTO ranges VALUES (1, 0, 1, 9);"
		  "PRAGMA user_version = 2");
}

static void
gives_a_ledger_of_schema_2_its_salt(void **state)
{
	struct ledger_account a = { .refused = 3 }, out;
	char first[STORE_TOKEN + 1];
	struct ledger *l;
	struct db *d;
	int64_t n;

	(void)state;
	make_schema_2();
	memcpy(first, token, sizeof(first));
	d = open_it();
	assert_string_equal(token, first);
	assert_int_equal(version_of(d), 3);
	assert_int_equal(
	    db_number(d, "SELECT hi FROM ranges", NULL, 0, &n, &e), 0);
	assert_int_equal(n, 9);
	assert_int_equal(
	    db_number(d, "SELECT length(salt) FROM meta", NULL, 0, &n, &e), 0);
	assert_int_equal(n, LEDGER_SALT);
	db_close(&d);
	l = ledger_open(f.path, &e);
	assert_non_null(l);
	assert_int_equal(ledger_account_note(l, "work", &a, &e), 0);
	assert_int_equal(ledger_account(l, "work", &out, &e), 0);
	assert_int_equal(out.refused, 3);
	ledger_close(&l);
}

/* The same tables, whatever way they came. */
static void
makes_of_an_old_ledger_what_a_new_one_is(void **state)
{
	static const char tables[] =
	    "CREATE TABLE shapes AS SELECT m.name AS t, c.name, c.type, "
	    "c.\"notnull\", c.dflt_value, c.pk FROM sqlite_master m, "
	    "pragma_table_info(m.name) c WHERE m.name <> 'shapes'";
	char *attach = mem_printf("ATTACH '%s.new' AS other", f.path);
	char name[FOLDER_PATH + 16];
	struct db *d;
	int64_t n;

	(void)state;
	make_with(tables);
	folder_beside(name, f.path, ".new");
	assert_int_equal(rename(f.path, name), 0);
	folder_write(f.path, "", 0);
	d = db_open(f.path, &e);
	assert_int_equal(db_script(d, schema_1, &e), 0);
	db_close(&d);
	make_with(tables);
	d = open_it();
	assert_int_equal(db_script(d, attach, &e), 0);
	assert_int_equal(db_number(d,
			     "SELECT count(*) FROM (SELECT * FROM shapes "
			     "INTERSECT SELECT * FROM other.shapes)",
			     NULL, 0, &n, &e),
	    0);
	assert_true(n > 50);
	assert_int_equal(db_number(d,
			     "SELECT (SELECT count(*) FROM shapes) + 1000 * "
			     "(SELECT count(*) FROM other.shapes) - 1001 * ?1",
			     DB_ARGS(db_i(n)), -1, &n, &e),
	    0);
	assert_int_equal(n, 0);
	db_close(&d);
	free(attach);
}

#ifdef MAILHAUL_CRASH_POINTS
static void
leaves_an_old_ledger_whole_when_killed(void **state)
{
	static const int64_t left[] = { 1, 3 };
	struct db *d;

	(void)state;
	for (int i = 0; i < 2; i++) { /* before the commit, and behind it */
		char at[2] = { (char)('1' + i), '\0' };
		pid_t child;
		int status;

		make_schema_1();
		child = fork();
		if (child == 0) {
			setenv("MAILHAUL_DIE_AT", at, 1);
			store_open(f.path, token, &e);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		d = db_open(f.path, &e);
		assert_int_equal(version_of(d), left[i]);
		assert_int_equal(
		    db_script(d, "SELECT dir FROM journal", &e), 0);
		assert_int_equal(
		    db_script(d, "SELECT id FROM trouble", &e) == 0,
		    left[i] == 3);
		db_close(&d);
		d = open_it();
		assert_int_equal(version_of(d), 3);
		db_close(&d);
	}
}
#endif

/* ---- beside another process ---- */

static void
refuses_to_look(const char *why, int sys)
{
	struct db *d = store_open_existing(f.path, token, &e);

	assert_null(d);
	assert_int_equal(e.sys, sys);
	if (strstr(e.text, why) == NULL || strstr(e.text, f.path) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

static void
looks_at_what_is_there_alone(void **state)
{
	struct db *d;

	(void)state;
	refuses_to_look("No such file", ENOENT);
	assert_int_equal(access(f.path, F_OK), -1);
	make_schema_1();
	refuses_to_look("older mailhaul", ENOENT);
	d = db_open(f.path, &e);
	assert_int_equal(version_of(d), 1);
	db_close(&d);
	folder_empty(&f);
	make_schema_2(); /* it has what is to be looked at */
	d = store_open_existing(f.path, token, &e);
	assert_non_null(d);
	assert_int_equal(version_of(d), 2);
	db_close(&d);
	folder_empty(&f);
	folder_write(f.path, "", 0);
	refuses_to_look("is empty", 0);
	unlink(f.path);
	make_with("PRAGMA user_version = 4");
	refuses_to_look("made by a newer mailhaul", 0);
}

static void
leaves_the_log_of_a_crash_to_be_checked(void **state)
{
	char name[FOLDER_PATH + 16];
	struct folder left;
	struct db *d = open_it();
	char first[STORE_TOKEN + 1];
	struct stat st;

	(void)state;
	memcpy(first, token, sizeof(first));
	assert_int_equal(
	    db_script(d, "INSERT INTO ranges VALUES (1, 0, 1, 2)", &e), 0);
	folder_crash(&f, &left);
	db_close(&d);
	d = store_open_existing(left.path, token, &e);
	assert_non_null(d);
	assert_string_equal(token, first);
	db_close(&d);
	folder_beside(name, left.path, "-wal");
	assert_int_equal(stat(name, &st), 0);
	assert_true(st.st_size > 0);
	folder_remove(&left);
}

/* ---- damaged on the disk ---- */

/* Ten from number on. */
static void
note_many(struct ledger *l, int64_t box, uint32_t number)
{
	static const char *const reached[] = { "bob@example.org" };
	struct ledger_note notes[10];

	for (uint32_t i = 0; i < 10; i++)
		notes[i] = (struct ledger_note){ .box = box,
			.number = number + i + 1,
			.state = i % 2 == 0 ? LEDGER_LATER : LEDGER_HELD,
			.reason = "refused",
			.reached = reached,
			.n_reached = 1 };
	assert_int_equal(ledger_note(l, notes, 10, &e), 0);
}

static void
fill(struct ledger *l)
{
	struct ledger_entry group[40];
	struct set s = set_of("100:200,300");
	enum ledger_state state;
	uint32_t i, was, barred;
	int64_t box;

	assert_int_equal(
	    ledger_box(l, "a", "INBOX", 1, &box, &state, &was, &e), 0);
	for (i = 0; i < 40; i++)
		group[i] = (struct ledger_entry){ .box = box,
			.number = 2 * i + 1,
			.owes = true,
			.dir = "/home/bob/Maildir",
			.file = "1.M2P3.host,S=4" };
	assert_int_equal(ledger_prepare(l, group, 40, &e), 0);
	ledger_published(l, group, 20);
	assert_int_equal(ledger_settle(l, box, &s, &e), 0);
	note_many(l, box, 400);
	assert_int_equal(ledger_box(l, "b", "", 0, &box, &state, &was, &e), 0);
	assert_int_equal(ledger_list_begin(l, box, &e), 0);
	for (i = 0; i < 40; i++)
		assert_int_equal(ledger_list_add(l, box, i + 1,
				     span_make((const char *)&i, 4), i, &e),
		    0);
	assert_int_equal(
	    ledger_list_end(l, box, &s, &s, &was, &s, &barred, &e), 0);
	for (i = 0; i < 40; i++) {
		group[i].box = box;
		group[i].number = i + 1;
	}
	assert_int_equal(ledger_prepare(l, group, 30, &e), 0);
	note_many(l, box, 30);
	set_deinit(&s);
}

static int
look(void *arg, const struct ledger_entry *m, struct err *err)
{
	(void)err;
	*(size_t *)arg += strlen(m->dir) + strlen(m->file);
	return 0;
}

static int
see_trouble(void *arg, const struct ledger_trouble *t, struct err *err)
{
	(void)err;
	*(size_t *)arg += strlen(t->account) + strlen(t->mailbox) +
	    strlen(t->uidl) + strlen(t->reason) + strlen(t->about);
	return 0;
}

/* The messages in trouble of a box, numbers from 400 or 30 on. */
static void
use_troubles(struct ledger *l, int64_t box, uint32_t number)
{
	struct ledger_note note = { .box = box, .number = number + 2 };
	struct ledger_entry m = { .box = box, .number = number + 1 };
	struct ledger_asked asked;
	struct set s[3];
	size_t n = 0;

	ledger_asked_init(&asked);
	for (int i = 0; i < 3; i++)
		set_init(&s[i]);
	ledger_ask(l, &m, &asked, &e);
	ledger_prepare(l, &m, 1, &e);
	ledger_note(l, &note, 1, &e);
	ledger_troubles(l, NULL, see_trouble, &n, &e);
	ledger_troubles_of(l, box, &s[0], &s[1], &s[2], &e);
	ledger_missing(l, box, &s[1], &e);
	ledger_trouble_retry(l, 3, true, &e);
	for (int i = 0; i < 3; i++)
		set_deinit(&s[i]);
	ledger_asked_deinit(&asked);
}

/* All of it; whatever is found is fine, as long as we live. */
static void
use(struct ledger *l)
{
	uint8_t print[LEDGER_FINGERPRINT];
	enum ledger_state state = LEDGER_NEW;
	struct ledger_entry m = { .number = 77, .dir = "/m", .file = "f" };
	struct set handled, owed, settled;
	uint32_t was, i, barred;
	int64_t box = 0;
	size_t n = 0;
	bool found;

	set_init(&handled);
	set_init(&owed);
	set_init(&settled);
	ledger_journal(l, look, &n, &e);
	if (ledger_box(l, "a", "INBOX", 1, &box, &state, &was, &e) == 0) {
		ledger_sets(l, box, &handled, &owed, &settled, &e);
		ledger_fingerprint(l, box, 3, print, &found, &e);
		m.box = box;
		ledger_prepare(l, &m, 1, &e);
		ledger_gone(l, box, &owed, &e);
		use_troubles(l, box, 400);
	}
	if (ledger_box(l, "b", "", 0, &box, &state, &was, &e) == 0 &&
	    ledger_list_begin(l, box, &e) == 0) {
		for (i = 50; i > 10; i--)
			ledger_list_add(l, box, i + 1,
			    span_make((const char *)&i, 4), i, &e);
		ledger_list_end(
		    l, box, &handled, &owed, &was, &settled, &barred, &e);
		ledger_fingerprint(l, box, 30, print, &found, &e);
		use_troubles(l, box, 30);
	}
	ledger_flush(l, &e);
	set_deinit(&handled);
	set_deinit(&settled);
	set_deinit(&owed);
}

static char *image[2]; /* the ledger and its log */
static size_t image_n[2];

static void
write_images(void)
{
	char name[FOLDER_PATH + 16];
	size_t i;

	folder_empty(&f);
	for (i = 0; i < 2; i++) {
		if (image_n[i] == 0)
			continue;
		folder_beside(name, f.path, folder_names[i]);
		folder_write(name, image[i], image_n[i]);
	}
}

static void
open_and_use(void)
{
	struct ledger *l;

	write_images();
	l = ledger_open(f.path, &e);
	if (l != NULL)
		use(l);
	else
		assert_non_null(strstr(e.text, f.path));
	ledger_close(&l);
}

/* which: 0 the ledger, 1 its log */
static void
harm(int which)
{
	size_t whole = image_n[which];
	size_t step = whole / 150 + 1;
	size_t at;

	for (at = 0; at < whole; at += step) {
		image[which][at] ^= (char)(1 << at % 8);
		open_and_use();
		image[which][at] ^= (char)(1 << at % 8);
		image_n[which] = at;
		open_and_use();
		image_n[which] = whole;
	}
	/* the header, octet by octet */
	for (at = 0; at < 100 && at < whole; at++) {
		image[which][at] ^= (char)0xff;
		open_and_use();
		image[which][at] ^= (char)0xff;
	}
}

static void
read_images(void)
{
	char name[FOLDER_PATH + 16];
	size_t i;

	for (i = 0; i < 2; i++) {
		folder_beside(name, f.path, folder_names[i]);
		image[i] = folder_read(name, &image_n[i]);
	}
}

static void
free_images(void)
{
	free(image[0]);
	free(image[1]);
}

static void
lives_with_a_damaged_file(void **state)
{
	struct ledger *l = ledger_open(f.path, &e);

	(void)state;
	assert_non_null(l);
	fill(l);
	ledger_close(&l);
	read_images();
	assert_true(image_n[0] > 8 * 4096);
	assert_int_equal(image_n[1], 0);
	harm(0);
	free_images();
}

static void
lives_with_a_damaged_log(void **state)
{
	struct ledger *l = ledger_open(f.path, &e);

	(void)state;
	assert_non_null(l);
	fill(l);
	read_images();
	ledger_close(&l);
	assert_true(image_n[1] > 8 * 4096);
	harm(1);
	free_images();
}

static void
finds_lost_pages_after_a_crash(void **state)
{
	struct ledger *l = ledger_open(f.path, &e);
	size_t at;

	(void)state;
	assert_non_null(l);
	fill(l);
	ledger_close(&l);
	l = ledger_open(f.path, &e);
	use(l);
	read_images();
	ledger_close(&l);
	assert_true(image_n[1] > 0);               /* no orderly end */
	for (at = 2 * 4096; at < image_n[0]; at++) /* behind the token */
		image[0][at] = '\0';
	write_images();
	refuses("damaged");
	free_images();
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_ledger_and_finds_it_again),
		TEST(gives_each_ledger_its_own_token),
		TEST(refuses_what_others_may_have_written),
		TEST(refuses_the_file_of_another_user),
		TEST(follows_no_link),
		TEST(refuses_what_is_no_file),
		TEST(refuses_what_is_no_ledger),
		TEST(refuses_a_ledger_of_a_newer_program),
		TEST(refuses_a_ledger_without_its_token),
		TEST(starts_nothing_anew_beside_an_old_log),
		TEST(says_when_the_folder_is_missing),
		TEST(says_when_it_may_not_write),
		TEST(makes_it_whole_or_not_at_all),
		TEST(brings_an_old_ledger_up_to_date),
		TEST(gives_a_ledger_of_schema_2_its_salt),
		TEST(makes_of_an_old_ledger_what_a_new_one_is),
#ifdef MAILHAUL_CRASH_POINTS
		TEST(leaves_an_old_ledger_whole_when_killed),
#endif
		TEST(looks_at_what_is_there_alone),
		TEST(leaves_the_log_of_a_crash_to_be_checked),
		TEST(lives_with_a_damaged_file),
		TEST(lives_with_a_damaged_log),
		TEST(finds_lost_pages_after_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
