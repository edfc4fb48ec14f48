/* SPDX-License-Identifier: ISC */
#include "ledger/db.h"

#include <errno.h>
#include <sys/file.h>

#include "unit/ledger/table.h"

static void
reads_back_what_it_bound(void **state)
{
	const struct db_arg *args = DB_ARGS(
	    db_i(INT64_MIN), db_b("a\0b", 3), db_t("text"), db_b(NULL, 0));
	sqlite3_stmt *q;

	(void)state;
	assert_int_equal(
	    db_query(t.d, &q, "SELECT ?1, ?2, ?3, ?4, typeof(?4)", args, &t.e),
	    0);
	assert_int_equal(db_step(t.d, q, &t.e), 1);
	assert_true(sqlite3_column_int64(q, 0) == INT64_MIN);
	assert_true(span_eq(db_blob(q, 1), SPAN("a\0b")));
	assert_true(span_eq(db_blob(q, 2), SPAN("text")));
	assert_int_equal(db_blob(q, 3).n, 0);
	assert_true(span_eq(db_blob(q, 4), SPAN("blob")));
	assert_int_equal(db_step(t.d, q, &t.e), 0);
}

static void
gives_the_fallback_when_there_is_no_number(void **state)
{
	int64_t n;

	(void)state;
	assert_int_equal(
	    db_number(t.d, "SELECT hi FROM ranges", NULL, 5, &n, &t.e), 0);
	assert_int_equal(n, 5);
	assert_int_equal(
	    db_number(t.d, "SELECT max(hi) FROM ranges", NULL, 6, &n, &t.e), 0);
	assert_int_equal(n, 6);
	assert_int_equal(
	    db_number(t.d, "SELECT ?1 + 1", DB_ARGS(db_i(1)), 5, &n, &t.e), 0);
	assert_int_equal(n, 2);
}

static void
names_the_file_in_an_error(void **state)
{
	(void)state;
	assert_int_equal(db_run(t.d, "SELECT nothing", NULL, &t.e), -1);
	assert_int_equal(t.e.kind, ERR_DELIVER);
	assert_non_null(strstr(t.e.text, t.f.path));
	assert_non_null(strstr(t.e.text, "nothing"));
	assert_string_equal(db_path(t.d), t.f.path);
}

static void
leaves_nothing_of_what_was_rolled_back(void **state)
{
	sqlite3_stmt *q;

	(void)state;
	assert_int_equal(db_begin(t.d, &t.e), 0);
	sql("INSERT INTO ranges VALUES (1, 0, 1, 2), (1, 0, 5, 6)");
	sql("INSERT INTO temp.run VALUES (1, 1, 1, 1)");
	assert_int_equal(
	    db_query(t.d, &q, "SELECT lo FROM ranges", NULL, &t.e), 0);
	assert_int_equal(db_step(t.d, q, &t.e), 1); /* and stays open */
	db_rollback(t.d);
	db_rollback(t.d);
	assert_int_equal(number("SELECT count(*) FROM ranges"), 0);
	assert_int_equal(number("SELECT count(*) FROM temp.run"), 0);
	assert_int_equal(db_begin(t.d, &t.e), 0);
	sql("INSERT INTO ranges VALUES (1, 0, 1, 2)");
	assert_int_equal(db_commit(t.d, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM ranges"), 1);
}

static void
rolls_back_when_closed(void **state)
{
	char token[STORE_TOKEN + 1];

	(void)state;
	assert_int_equal(db_begin(t.d, &t.e), 0);
	sql("INSERT INTO ranges VALUES (1, 0, 1, 2)");
	db_close(&t.d);
	db_close(&t.d);
	t.d = store_open(t.f.path, token, &t.e);
	assert_non_null(t.d);
	assert_int_equal(number("SELECT count(*) FROM ranges"), 0);
}

static void
writes_no_more_once_damage_was_seen(void **state)
{
	(void)state;
	assert_int_equal(db_damaged(t.d, "a test", &t.e), -1);
	assert_non_null(strstr(t.e.text, "damaged (a test)"));
	assert_int_equal(db_begin(t.d, &t.e), -1);
	assert_non_null(strstr(t.e.text, "damaged"));
	assert_int_equal(t.e.kind, ERR_DELIVER);
}

static void
says_that_another_program_holds_it(void **state)
{
	struct db *other = db_open(t.f.path, &t.e);

	(void)state;
	assert_non_null(other);
	assert_int_equal(db_begin(t.d, &t.e), 0);
	assert_int_equal(db_script(other, "PRAGMA busy_timeout = 0", &t.e), 0);
	assert_int_equal(db_begin(other, &t.e), -1);
	assert_non_null(strstr(t.e.text, "locked by another program"));
	db_rollback(t.d);
	assert_int_equal(db_begin(other, &t.e), 0);
	db_close(&other);
}

static void
keeps_the_log_when_told(void **state)
{
	char name[FOLDER_PATH + 16];

	(void)state;
	folder_beside(name, t.f.path, "-wal");
	sql("INSERT INTO ranges VALUES (1, 0, 1, 2)");
	assert_int_equal(db_keep_log(t.d, &t.e), 0);
	db_close(&t.d);
	assert_int_equal(access(name, F_OK), 0);
}

static void
says_that_the_disk_is_full(void **state)
{
	(void)state;
	sql("PRAGMA max_page_count = 1"); /* as many as there are */
	assert_int_equal(db_begin(t.d, &t.e), 0);
	assert_int_equal(
	    db_run(
		t.d, "CREATE TABLE big AS SELECT zeroblob(100000)", NULL, &t.e),
	    -1);
	assert_int_equal(t.e.sys, ENOSPC);
	assert_non_null(strstr(t.e.text, strerror(ENOSPC)));
	db_rollback(t.d);
	sql("PRAGMA max_page_count = 1000000");
	assert_int_equal(db_begin(t.d, &t.e), 0);
	sql("INSERT INTO ranges VALUES (1, 0, 1, 2)");
	assert_int_equal(db_commit(t.d, &t.e), 0);
}

static void
says_why_a_file_cannot_be_opened(void **state)
{
	(void)state;
	assert_null(db_open("/nowhere/ledger", &t.e));
	assert_int_equal(t.e.sys, ENOENT);
	assert_non_null(strstr(t.e.text, "/nowhere/ledger"));
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_back_what_it_bound),
		TEST(gives_the_fallback_when_there_is_no_number),
		TEST(names_the_file_in_an_error),
		TEST(leaves_nothing_of_what_was_rolled_back),
		TEST(rolls_back_when_closed),
		TEST(writes_no_more_once_damage_was_seen),
		TEST(says_that_another_program_holds_it),
		TEST(keeps_the_log_when_told),
		TEST(says_that_the_disk_is_full),
		TEST(says_why_a_file_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
