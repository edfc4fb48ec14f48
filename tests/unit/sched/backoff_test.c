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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_the_ceiling),
		cmocka_unit_test(stays_between_half_and_all),
		cmocka_unit_test(spreads_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
