/* SPDX-License-Identifier: ISC */
#include "sched/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
doubles_up_to_the_ceiling(void **state)
{
	(void)state;
	assert_int_equal(backoff_ceiling_ms(1), BACKOFF_BASE_MS);
	assert_int_equal(backoff_ceiling_ms(2), 2 * BACKOFF_BASE_MS);
	assert_int_equal(backoff_ceiling_ms(5), 16 * BACKOFF_BASE_MS);
	assert_int_equal(backoff_ceiling_ms(40), BACKOFF_CEILING_MS);
	assert_int_equal(backoff_ceiling_ms(UINT32_MAX), BACKOFF_CEILING_MS);
}

static void
stays_between_half_and_all(void **state)
{
	static const uint32_t chances[] = { 0, 1, 499, 500, 501, 1000000,
		UINT32_MAX };

	(void)state;
	for (unsigned int n = 1; n < 30; n++)
		for (size_t i = 0; i < sizeof(chances) / sizeof(*chances);
		     i++) {
			uint32_t ms = backoff_ms(n, chances[i]);

			assert_true(ms >= backoff_ceiling_ms(n) / 2);
			assert_true(ms <= backoff_ceiling_ms(n));
		}
}

static void
spreads_by_chance(void **state)
{
	(void)state;
	assert_int_not_equal(backoff_ms(4, 1), backoff_ms(4, 3000));
}

static void
waits_from_half_the_base_to_the_doubled_one(void **state)
{
	static const struct {
		unsigned int n;
		uint64_t most;
	} rows[] = { { 0, 2000 }, { 1, 2000 }, { 2, 4000 }, { 5, 32000 },
		{ 9, 512000 }, { 10, 600000 }, { UINT32_MAX, 600000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t width = rows[i].most - 1000;

		assert_int_equal(backoff_wait_ms(2, 600, rows[i].n, 0), 1000);
		assert_int_equal(
		    backoff_wait_ms(2, 600, rows[i].n, (uint32_t)width),
		    rows[i].most);
		assert_int_equal(
		    backoff_wait_ms(2, 600, rows[i].n, (uint32_t)width + 1),
		    1000);
	}
}

static void
waits_for_nothing_without_a_base(void **state)
{
	(void)state;
	assert_int_equal(backoff_wait_ms(0, 0, 1, 5), 0);
	assert_int_equal(backoff_wait_ms(0, 10, UINT32_MAX, UINT32_MAX), 0);
}

static void
a_ceiling_below_the_base_counts(void **state)
{
	(void)state;
	assert_int_equal(backoff_wait_ms(10, 2, 3, 12345), 2000);
}

static void
bears_long_waits(void **state)
{
	uint32_t weeks = 7 * 7 * 86400;

	(void)state;
	assert_int_equal(backoff_wait_ms(weeks, weeks, 3, 0), weeks * 500ULL);
	assert_true(
	    backoff_wait_ms(weeks, weeks, 3, UINT32_MAX) >= weeks * 500ULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_the_ceiling),
		cmocka_unit_test(stays_between_half_and_all),
		cmocka_unit_test(spreads_by_chance),
		cmocka_unit_test(waits_from_half_the_base_to_the_doubled_one),
		cmocka_unit_test(waits_for_nothing_without_a_base),
		cmocka_unit_test(a_ceiling_below_the_base_counts),
		cmocka_unit_test(bears_long_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
