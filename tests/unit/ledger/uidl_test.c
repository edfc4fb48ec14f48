/* SPDX-License-Identifier: ISC */
#include "ledger/uidl.h"

#include "unit/ledger/table.h"

#define PRINT SPAN("0123456789abcdef")

/* Two rows are listed as 3 and 4; lines 1 and 7 are fresh. */
static int
setup_lines(void **state)
{
	setup(state);
	sql("INSERT INTO uidl VALUES (1, 5, x'61', 10, 1, 1, 0, 9, ''), "
	    "(1, 6, x'62', 20, 1, 0, 0, 0, ''), (2, 5, x'61', 0, 1, 0, 0, 0, "
	    "'')");
	sql("INSERT INTO temp.run VALUES (1, 3, 2, 5)");
	sql("INSERT INTO temp.line VALUES (1, 1, x'78', 30, 1, 0, 0), "
	    "(1, 7, x'79', 40, 2, 1, 0)");
	return 0;
}

static struct uidl_line
find(uint32_t n)
{
	struct uidl_line line;

	assert_int_equal(uidl_find(t.d, 1, n, &line, &t.e), 0);
	return line;
}

static int64_t
insert(uint32_t n)
{
	int64_t seq;

	assert_int_equal(
	    uidl_insert(t.d, 1, n, UIDL_OWED, PRINT, &seq, &t.e), 0);
	return seq;
}

static void
tells_listed_numbers_from_others(void **state)
{
	(void)state;
	assert_true(find(1).listed);
	assert_int_equal(find(1).seq, 0);
	assert_false(find(2).listed);
	assert_int_equal(find(3).seq, 5);
	assert_int_equal(find(4).seq, 6);
	assert_false(find(5).listed);
	assert_true(find(7).listed);
	assert_false(find(8).listed);
}

static void
makes_rows_of_lines_and_lines_of_rows(void **state)
{
	struct uidl_row row;

	(void)state;
	assert_int_equal(insert(7), 7);
	assert_int_equal(insert(1), 8);
	assert_int_equal(find(7).seq, 7);
	assert_int_equal(uidl_exact(t.d, 1, SPAN("y"), 40, 2, &row, &t.e), 0);
	assert_int_equal(row.seq, 7);
	assert_true(row.doubt);
	assert_int_equal(row.state, UIDL_OWED);
	assert_int_equal(uidl_remove(t.d, 1, 7, 7, &t.e), 0);
	assert_int_equal(find(7).seq, 0);
	assert_true(find(7).listed);
	assert_int_equal(find(1).seq, 8);
	assert_int_equal(uidl_exact(t.d, 1, SPAN("y"), 40, 2, &row, &t.e), 0);
	assert_int_equal(row.seq, 0);
}

static void
finds_rows_by_name(void **state)
{
	struct uidl_row row;

	(void)state;
	assert_int_equal(uidl_any(t.d, 1, SPAN("a"), &row, &t.e), 0);
	assert_int_equal(row.seq, 5);
	assert_int_equal(row.size, 10);
	assert_int_equal(row.absent, 9);
	assert_int_equal(row.state, UIDL_OWED);
	assert_true(span_eq(span_make(row.uidl, row.n), SPAN("a")));
	assert_int_equal(uidl_any(t.d, 1, SPAN("c"), &row, &t.e), 0);
	assert_int_equal(row.seq, 0);
	assert_int_equal(uidl_exact(t.d, 1, SPAN("a"), 11, 1, &row, &t.e), 0);
	assert_int_equal(row.seq, 0);
}

static void
reads_rows_in_the_order_of_delivery(void **state)
{
	struct uidl_row rows[3];
	size_t n = 3;

	(void)state;
	assert_int_equal(uidl_rows(t.d, 1, 0, rows, &n, &t.e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].seq, 5);
	assert_int_equal(rows[1].seq, 6);
	n = 1;
	assert_int_equal(uidl_rows(t.d, 1, 6, rows, &n, &t.e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].seq, 6);
	n = 1;
	assert_int_equal(uidl_rows(t.d, 1, 7, rows, &n, &t.e), 0);
	assert_int_equal(n, 0);
}

static void
marks_as_gone_what_the_numbers_mean(void **state)
{
	struct set s = set_of("4294967295,4,7");

	(void)state;
	insert(7);
	insert(1);
	assert_int_equal(uidl_gone(t.d, 1, &s, &t.e), 0);
	assert_int_equal(
	    number("SELECT group_concat(box || '.' || seq) = '1.6' "
		   "FROM (SELECT box, seq FROM uidl WHERE state = 2 "
		   "ORDER BY box, seq)"),
	    1);
	/* 7 was in doubt */
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE seq = 7"), 0);
	set_clear(&s);
	set_add(&s, 1, SET_MAX_NUMBER);
	assert_int_equal(uidl_gone(t.d, 1, &s, &t.e), 0);
	assert_int_equal(
	    number("SELECT count(*) FROM uidl WHERE state = 2"), 3);
	set_deinit(&s);
}

static bool
is_same(uint32_t n, struct span print)
{
	bool same;

	assert_int_equal(
	    uidl_compare(t.d, 1, n, UIDL_OWED, print, &same, &t.e), 0);
	return same;
}

static void
drops_the_row_of_another_message(void **state)
{
	(void)state;
	sql("UPDATE uidl SET fingerprint = x'00' WHERE seq = 6");
	assert_false(is_same(4, PRINT));
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE seq = 6"), 0);
	assert_true(find(4).listed);
	assert_int_equal(find(4).seq, 0);
	assert_int_equal(insert(4), 7); /* 6 may still be in the run */
	assert_int_equal(number("SELECT uidl = x'62' AND size = 20 AND nth = 1 "
				"FROM uidl WHERE seq = 7"),
	    1);
	assert_int_equal(find(3).seq, 5);
	assert_int_equal(find(4).seq, 7);
	assert_true(is_same(4, PRINT));
	assert_int_equal(uidl_remove(t.d, 1, 4, 7, &t.e), 0);
	assert_int_equal(find(4).seq, 0);
	assert_int_equal(insert(4), 7);
}

static void
keeps_the_row_of_the_same_message(void **state)
{
	(void)state;
	sql("UPDATE uidl SET fingerprint = CAST('0123456789abcdef' AS BLOB), "
	    "state = 2 WHERE seq = 6");
	assert_true(is_same(4, PRINT));
	assert_int_equal(number("SELECT state FROM uidl WHERE seq = 6"), 1);
	/* fresh, because it was removed: both a line and a row */
	sql("INSERT INTO temp.line VALUES (1, 4, x'62', 21, 1, 0, 0)");
	assert_int_equal(find(4).seq, 0);
	assert_int_equal(find(4).old, 6);
	assert_true(is_same(4, PRINT));
	assert_int_equal(find(4).seq, 6);
	assert_int_equal(
	    number("SELECT size FROM uidl WHERE box = 1 AND seq = 6"), 21);
}

static void
takes_a_row_that_is_not_listed_for_the_message(void **state)
{
	(void)state;
	sql("INSERT INTO uidl VALUES (1, 8, x'79', 0, 1, 0, 1, 5, "
	    "CAST('0123456789abcdef' AS BLOB))");
	assert_false(is_same(7, SPAN("0123456789abcdeX")));
	assert_false(is_same(1, PRINT)); /* another UIDL */
	assert_true(is_same(7, PRINT));
	assert_int_equal(find(7).seq, 8);
	assert_int_equal(number("SELECT size = 40 AND nth = 2 AND doubt = 1 "
				"AND absent = 0 FROM uidl WHERE seq = 8"),
	    1);
}

static void
gives_the_name_of_a_number(void **state)
{
	struct uidl_name name;

	(void)state;
	assert_int_equal(uidl_name(t.d, 1, 7, &name, &t.e), 0);
	assert_true(span_eq(span_make(name.uidl, name.n), SPAN("y")));
	assert_int_equal(name.size, 40);
	assert_int_equal(name.nth, 2);
	assert_true(name.doubt);
	assert_int_equal(uidl_name(t.d, 1, 4, &name, &t.e), 0);
	assert_true(span_eq(span_make(name.uidl, name.n), SPAN("b")));
	assert_false(name.doubt);
	/* both a line and a row */
	sql("INSERT INTO temp.line VALUES (1, 4, x'7a', 21, 1, 0, 0)");
	assert_int_equal(uidl_name(t.d, 1, 4, &name, &t.e), 0);
	assert_true(span_eq(span_make(name.uidl, name.n), SPAN("z")));
	assert_int_equal(uidl_name(t.d, 1, 2, &name, &t.e), -1);
	assert_non_null(strstr(t.e.text, "not in the listing"));
	sql("UPDATE temp.line SET uidl = zeroblob(256)");
	assert_int_equal(uidl_name(t.d, 1, 4, &name, &t.e), -1);
	assert_non_null(strstr(t.e.text, "damaged"));
}

static void
refuses_damaged_rows(void **state)
{
	static const char *const harm[] = { "uidl = zeroblob(300)", "state = 3",
		"state = -1" };
	struct uidl_row row;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		char *update = mem_printf("UPDATE uidl SET uidl = 'a', "
					  "state = 0 WHERE box = 1 AND "
					  "seq = 5; UPDATE uidl SET %s "
					  "WHERE box = 1 AND seq = 5",
		    harm[i]);
		size_t n = 1;

		sql(update);
		free(update);
		assert_int_equal(uidl_rows(t.d, 1, 0, &row, &n, &t.e), -1);
		assert_non_null(strstr(t.e.text, "damaged"));
	}
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_lines, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_listed_numbers_from_others),
		TEST(makes_rows_of_lines_and_lines_of_rows),
		TEST(finds_rows_by_name),
		TEST(reads_rows_in_the_order_of_delivery),
		TEST(marks_as_gone_what_the_numbers_mean),
		TEST(drops_the_row_of_another_message),
		TEST(keeps_the_row_of_the_same_message),
		TEST(takes_a_row_that_is_not_listed_for_the_message),
		TEST(gives_the_name_of_a_number),
		TEST(refuses_damaged_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
