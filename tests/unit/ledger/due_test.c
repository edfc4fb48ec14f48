/* SPDX-License-Identifier: ISC */
#include "ledger/due.h"

#include <time.h>

#include "unit/ledger/table.h"

#define NOW 1000000
#define KEEP 1000000

/* A row for UID or, when that is 0, the UIDL of one octet. */
static void
put(uint32_t uid, char uidl, int state, int64_t next, int full)
{
	char *script = mem_printf(
	    "INSERT INTO trouble (box, name, uid, state, why, tries, since, "
	    "next, seen, size, stub, full, reason, about) VALUES (1, "
	    "CAST(trim('%c%.0u%c') AS BLOB), %u, %d, 0, 1, 5, %lld, %d, 0, 0, "
	    "%d, "
	    "'', '')",
	    uid == 0 ? 'l' : 'u', uid, uidl, uid, state, (long long)next, NOW,
	    full);

	sql(script);
	free(script);
}

static void
assert_uids(const char *barred, const char *due, const char *full)
{
	struct set b = set_of("9"), d = set_of("9"), f = set_of("9");

	if (due_uids(t.d, 1, NOW, &b, &d, &f, &t.e) < 0)
		fail_msg("%s", t.e.text);
	assert_set(&b, barred);
	assert_set(&d, due);
	assert_set(&f, full);
	set_deinit(&b);
	set_deinit(&d);
	set_deinit(&f);
}

static void
sorts_uids_by_state_and_time(void **state)
{
	(void)state;
	assert_uids("", "", "");
	put(7, ' ', LEDGER_HELD, 0, 0);
	put(3, ' ', LEDGER_LATER, NOW, 0);
	put(4294967295, ' ', LEDGER_DROPPED, 0, 0);
	put(5, ' ', LEDGER_LATER, NOW + 1, 0);
	put(6, ' ', LEDGER_LATER, 0, 1);
	put(8, ' ', LEDGER_LATER, NOW + 1, 1); /* asked for, and failed */
	put(0, 'a', LEDGER_HELD, 0, 0);
	assert_uids("5,7:8,4294967295", "3,6", "6");
	sql("UPDATE trouble SET box = 2 WHERE uid <> 7");
	assert_uids("7", "", "");
}

static void
waits_no_longer_than_the_longest_delay(void **state)
{
	(void)state;
	put(1, ' ', LEDGER_LATER, NOW + 4 * 3600, 0);
	put(2, ' ', LEDGER_LATER, NOW + 4 * 3600 + 1, 0); /* a wrong clock */
	assert_uids("1", "2", "");
}

static void
refuses_damaged_rows(void **state)
{
	struct set s = set_of("");

	(void)state;
	put(1, ' ', 3, 0, 0);
	assert_int_equal(due_uids(t.d, 1, NOW, &s, &s, &s, &t.e), -1);
	sql("UPDATE trouble SET state = 0, uid = 4294967296");
	assert_int_equal(due_uids(t.d, 1, NOW, &s, &s, &s, &t.e), -1);
	assert_non_null(strstr(t.e.text, "damaged"));
	set_deinit(&s);
}

static void
forgets_what_the_server_does_not_have(void **state)
{
	struct set s = set_of("2:4294967295");

	(void)state;
	put(1, ' ', LEDGER_HELD, 0, 0);
	put(2, ' ', LEDGER_HELD, 0, 0);
	put(3, ' ', LEDGER_LATER, NOW + 9, 0);
	put(4294967295, ' ', LEDGER_LATER, 0, 0);
	put(9, ' ', LEDGER_DROPPED, 0, 0);
	put(0, 'a', LEDGER_HELD, 0, 0);
	sql("INSERT INTO reached SELECT id, 'bob' FROM trouble");
	assert_int_equal(due_missing(t.d, 1, &s, &t.e), 0);
	assert_uids("1,9", "", "");
	assert_int_equal(number("SELECT count(*) FROM trouble"), 3);
	assert_int_equal(number("SELECT count(*) FROM reached"), 3);
	assert_int_equal(due_missing(t.d, 2, &s, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 3);
	set_deinit(&s);
}

/* ---- POP3 ---- */

static void
assert_lines(const char *listed, int64_t now, const char *fresh,
    const char *full, uint32_t barred)
{
	struct set s = set_of(listed), f = set_of("9");
	uint32_t n = 77;

	if (due_lines(t.d, 1, now, KEEP, &s, &f, &n, &t.e) < 0)
		fail_msg("%s", t.e.text);
	assert_set(&s, fresh);
	assert_set(&f, full);
	assert_int_equal(n, barred);
	set_deinit(&s);
	set_deinit(&f);
}

static void
takes_barred_lines_out_of_fresh(void **state)
{
	(void)state;
	sql("INSERT INTO temp.line VALUES (1, 1, x'61', 9, 1, 0, 0), "
	    "(1, 2, x'62', 9, 1, 0, 0), (1, 3, x'63', 9, 1, 0, 0), "
	    "(1, 4, x'64', 9, 1, 0, 0), (1, 5, x'65', 9, 1, 0, 0), "
	    "(1, 6, x'66', 9, 1, 1, 0), (2, 7, x'61', 9, 1, 0, 0)");
	assert_lines("1:6", NOW, "1:6", "", 0);
	put(0, 'a', LEDGER_HELD, 0, 0);
	put(0, 'b', LEDGER_LATER, NOW + 1, 0);
	put(0, 'c', LEDGER_LATER, NOW, 0);
	put(0, 'd', LEDGER_DROPPED, 0, 0);
	put(0, 'e', LEDGER_LATER, 0, 1);
	put(0, 'f', LEDGER_HELD, 0, 0); /* now in doubt: another name */
	assert_lines("1:6", NOW, "3,5:6", "5", 3);
	sql("UPDATE trouble SET name = CAST('d9/1/f' AS BLOB) "
	    "WHERE name = CAST('lf' AS BLOB)");
	assert_lines("1:6", NOW, "3,5", "5", 4);
}

static void
forgets_what_is_not_listed_for_long(void **state)
{
	(void)state;
	put(0, 'a', LEDGER_HELD, 0, 0);
	put(0, 'b', LEDGER_DROPPED, 0, 0);
	put(0, 'c', LEDGER_HELD, 0, 0);
	sql("UPDATE trouble SET seen = 9e15 WHERE name = "
	    "CAST('lc' AS BLOB)");
	sql("INSERT INTO reached SELECT id, 'bob' FROM trouble");
	sql("INSERT INTO temp.line VALUES (1, 1, x'61', 9, 1, 0, 0)");
	assert_lines("1", NOW + KEEP - 1, "", "", 1);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 3);
	assert_lines("1", NOW + KEEP, "", "", 1);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 2);
	assert_int_equal(number("SELECT count(*) FROM reached"), 2);
	/* the clock was wrong, and the time began when that was seen */
	sql("DELETE FROM temp.line");
	assert_lines("", NOW + KEEP + KEEP - 2, "", "", 0);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 2);
	assert_lines("", NOW + KEEP + KEEP - 1, "", "", 0);
	assert_int_equal(number("SELECT count(*) FROM trouble"), 0);
}

static void
writes_nothing_when_nothing_is_new(void **state)
{
	int64_t before;

	(void)state;
	put(0, 'a', LEDGER_HELD, 0, 0);
	sql("INSERT INTO temp.line VALUES (1, 1, x'61', 9, 1, 0, 0)");
	before = number("SELECT total_changes()");
	assert_lines("1", NOW + 86399, "", "", 1);
	assert_int_equal(number("SELECT total_changes()"), before);
	assert_lines("1", NOW + 86400, "", "", 1);
	assert_int_equal(number("SELECT total_changes()"), before + 1);
}

#define MANY 50000

static void
bears_many_in_trouble(void **state)
{
	clock_t start = clock();
	struct set s = set_of(""), f = set_of("");
	uint32_t n;

	(void)state;
	sql("BEGIN; WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL "
	    "SELECT x + 1 FROM i WHERE x < 50000) INSERT INTO temp.line "
	    "SELECT 1, x, CAST(printf('%d', x) AS BLOB), 9, 1, 0, 0 FROM i; "
	    "INSERT INTO trouble (box, name, uid, state, why, tries, since, "
	    "next, seen, size, stub, full, reason, about) "
	    "SELECT 1, CAST('l' || CAST(uidl AS TEXT) AS BLOB), 0, 1, 0, 1, 5, "
	    "0, 1000000, 0, 0, 0, '', '' FROM temp.line WHERE number % 2; "
	    "COMMIT");
	set_add(&s, 1, MANY);
	assert_int_equal(due_lines(t.d, 1, NOW, KEEP, &s, &f, &n, &t.e), 0);
	assert_int_equal(n, MANY / 2);
	print_message("%d lines, half of them held: %.3f s of CPU\n", MANY,
	    (double)(clock() - start) / CLOCKS_PER_SEC);
	assert_int_equal(set_count(&s), MANY / 2);
	set_deinit(&s);
	set_deinit(&f);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sorts_uids_by_state_and_time),
		TEST(waits_no_longer_than_the_longest_delay),
		TEST(refuses_damaged_rows),
		TEST(forgets_what_the_server_does_not_have),
		TEST(takes_barred_lines_out_of_fresh),
		TEST(forgets_what_is_not_listed_for_long),
		TEST(writes_nothing_when_nothing_is_new),
		TEST(bears_many_in_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
