/* SPDX-License-Identifier: ISC */
#include "ledger/absent.h"

#include "unit/ledger/table.h"

#define NOW 1000000
#define KEEP 100

/* Rows 1 to 9 of box 1, of which 3, 4 and 6 are listed. */
static int
setup_rows(void **state)
{
	int i;

	setup(state);
	for (i = 1; i <= 9; i++) {
		char *row = mem_printf("INSERT INTO uidl VALUES "
				       "(1, %d, 'u%d', 0, 1, 0, 0, 0, '')",
		    i, i);

		sql(row);
		free(row);
	}
	sql("INSERT INTO uidl VALUES (2, 5, 'u5', 0, 1, 2, 0, 0, '')");
	sql("INSERT INTO temp.run VALUES (1, 1, 2, 3), (1, 3, 1, 6)");
	return 0;
}

static void
mark(int64_t now, bool back)
{
	struct absent a = {
		.box = 1, .now = now, .keep_s = KEEP, .back = back
	};

	assert_int_equal(absent_mark(t.d, &a, &t.e), 0);
}

static void
notes_since_when_a_row_is_not_listed(void **state)
{
	(void)state;
	mark(NOW, false);
	mark(NOW + 50, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1 AND "
				"absent = 1000000"),
	    6);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1 AND "
				"absent = 0 AND seq IN (3, 4, 6)"),
	    3);
	assert_int_equal(number("SELECT absent FROM uidl WHERE box = 2"), 0);
}

static void
forgets_rows_that_stay_away(void **state)
{
	(void)state;
	mark(NOW, false);
	mark(NOW + KEEP - 1, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1"), 9);
	mark(NOW + KEEP, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1"), 3);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 2"), 1);
}

static void
forgets_at_once_what_was_removed_or_is_in_doubt(void **state)
{
	(void)state;
	sql("UPDATE uidl SET state = 2 WHERE seq IN (4, 5)");
	sql("UPDATE uidl SET doubt = 1, size = 9 WHERE seq IN (6, 7)");
	sql("UPDATE uidl SET state = 1 WHERE seq = 9");
	mark(NOW, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1"), 7);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1 AND "
				"seq IN (5, 7)"),
	    0);
}

static void
keeps_a_doubtful_row_without_a_size(void **state)
{
	(void)state;
	sql("UPDATE uidl SET doubt = 1 WHERE seq = 7");
	mark(NOW, false);
	assert_int_equal(
	    number("SELECT absent FROM uidl WHERE box = 1 AND seq = 7"), NOW);
	mark(NOW + KEEP, false);
	assert_int_equal(
	    number("SELECT count(*) FROM uidl WHERE box = 1 AND seq = 7"), 0);
}

static void
welcomes_rows_that_are_listed_again(void **state)
{
	(void)state;
	mark(NOW, false);
	sql("INSERT INTO temp.run VALUES (1, 4, 3, 7)");
	mark(NOW + 50, true);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1 AND "
				"absent = 0"),
	    6);
	mark(NOW + KEEP, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1"), 6);
}

static void
bears_a_clock_that_was_wrong(void **state)
{
	(void)state;
	mark(NOW * (int64_t)1000, false);
	mark(NOW, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1 AND "
				"absent = 1000000"),
	    6);
	mark(NOW + KEEP, false);
	assert_int_equal(number("SELECT count(*) FROM uidl WHERE box = 1"), 3);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_rows, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(notes_since_when_a_row_is_not_listed),
		TEST(forgets_rows_that_stay_away),
		TEST(forgets_at_once_what_was_removed_or_is_in_doubt),
		TEST(keeps_a_doubtful_row_without_a_size),
		TEST(welcomes_rows_that_are_listed_again),
		TEST(bears_a_clock_that_was_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
