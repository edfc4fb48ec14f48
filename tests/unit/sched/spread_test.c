/* SPDX-License-Identifier: ISC */
#include "sched/spread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint32_t chances[] = { 0, 1, 4, 5, 6, 599, 600, 123456789,
	UINT32_MAX };

#define N_CHANCES (sizeof(chances) / sizeof(*chances))

static void
the_first_few_start_at_once(void **state)
{
	(void)state;
	assert_int_equal(spread_start_ms(0, 1, 77), 0);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(spread_start_ms(i, 100000, 77), 0);
	assert_int_not_equal(spread_start_ms(10, 11, 0), 0);
}

static void
all_start_in_order_and_within_their_time(void **state)
{
	static const struct {
		size_t n;
		uint64_t most;
	} rows[] = { { 11, 55 }, { 200, 1000 }, { 11999, 59995 },
		{ 12000, 60000 }, { 12001, 60000 }, { 100000, 60000 } };

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		uint64_t before = 0;

		for (size_t i = 0; i < rows[r].n; i++) {
			uint64_t first = spread_start_ms(i, rows[r].n, 0);
			uint64_t ms = spread_start_ms(
			    i, rows[r].n, chances[i % N_CHANCES]);

			assert_true(ms <= rows[r].most);
			assert_true(first >= before && ms >= first);
			before = first;
		}
		assert_true(before + 6 >= rows[r].most);
	}
}

static void
an_interval_is_a_tenth_more_or_less(void **state)
{
	(void)state;
	assert_int_equal(spread_interval_ms(300, 0), 270000);
	assert_int_equal(spread_interval_ms(300, 30000), 300000);
	assert_int_equal(spread_interval_ms(300, 60000), 330000);
	assert_int_equal(spread_interval_ms(300, 60001), 270000);
	assert_int_equal(spread_interval_ms(0, 5), 0);
}

static void
the_first_interval_is_between_half_and_all(void **state)
{
	(void)state;
	assert_int_equal(spread_first_ms(300, 0), 150000);
	assert_int_equal(spread_first_ms(300, 150000), 300000);
	assert_int_equal(spread_first_ms(300, 150001), 150000);
	assert_int_equal(spread_first_ms(0, 5), 0);
}

static void
long_intervals_do_not_wrap(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CHANCES; i++) {
		assert_true(spread_interval_ms(UINT32_MAX, chances[i]) >=
		    UINT64_C(900) * UINT32_MAX);
		assert_true(spread_first_ms(UINT32_MAX, chances[i]) >=
		    UINT64_C(500) * UINT32_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_few_start_at_once),
		cmocka_unit_test(all_start_in_order_and_within_their_time),
		cmocka_unit_test(an_interval_is_a_tenth_more_or_less),
		cmocka_unit_test(the_first_interval_is_between_half_and_all),
		cmocka_unit_test(long_intervals_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
