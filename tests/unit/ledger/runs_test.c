/* SPDX-License-Identifier: ISC */
#include "ledger/runs.h"

#include "unit/ledger/table.h"

static struct runs r;

static int
setup_runs(void **state)
{
	setup(state);
	assert_int_equal(runs_init(&r, t.d, 1, &t.e), 0);
	return 0;
}

static void
add(uint32_t n, int64_t seq)
{
	assert_int_equal(runs_add(&r, n, seq, &t.e), 0);
}

static int64_t
number_of(int64_t seq)
{
	int64_t n;

	assert_int_equal(runs_number(&r, seq, &n, &t.e), 0);
	return n;
}

static int64_t
seq_of(uint32_t n)
{
	int64_t seq;

	assert_int_equal(runs_seq(t.d, 1, n, &seq, &t.e), 0);
	return seq;
}

static void
keeps_numbers_that_ascend_with_the_rows_as_one_run(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 1; i <= 1000; i++)
		add(i, i + 50);
	assert_int_equal(number("SELECT count(*) FROM temp.run"), 0);
	assert_true(runs_growing(&r, 1000));
	assert_false(runs_growing(&r, 1001));
	assert_int_equal(runs_store(&r, &t.e), 0);
	assert_int_equal(runs_store(&r, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM temp.run"), 1);
	assert_false(runs_growing(&r, 1000));
	assert_int_equal(seq_of(1), 51);
	assert_int_equal(seq_of(1000), 1050);
	assert_int_equal(seq_of(1001), 0);
	assert_int_equal(number_of(50), 0);
	assert_int_equal(number_of(51), 1);
	assert_int_equal(number_of(1050), 1000);
	assert_int_equal(number_of(1051), 0);
}

static void
finds_numbers_in_any_order(void **state)
{
	(void)state;
	add(1, 9);
	add(2, 10);
	add(3, 4);
	add(5, 5);
	add(6, 7);
	assert_int_equal(number_of(10), 2);
	assert_int_equal(number_of(9), 1);
	assert_int_equal(number_of(4), 3);
	assert_int_equal(number_of(5), 5);
	assert_int_equal(number_of(6), 0);
	assert_int_equal(number_of(7), 6);
	assert_int_equal(number_of(8), 0);
	assert_int_equal(runs_store(&r, &t.e), 0);
	assert_int_equal(number_of(7), 6);
	assert_int_equal(seq_of(3), 4);
	assert_int_equal(seq_of(4), 0);
	assert_int_equal(seq_of(6), 7);
}

static void
forgets_the_runs_of_its_box_alone(void **state)
{
	struct runs other;

	(void)state;
	add(1, 1);
	assert_int_equal(runs_store(&r, &t.e), 0);
	assert_int_equal(runs_init(&other, t.d, 2, &t.e), 0);
	assert_int_equal(seq_of(1), 1);
	assert_int_equal(runs_init(&other, t.d, 1, &t.e), 0);
	assert_int_equal(seq_of(1), 0);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_runs, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_numbers_that_ascend_with_the_rows_as_one_run),
		TEST(finds_numbers_in_any_order),
		TEST(forgets_the_runs_of_its_box_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
