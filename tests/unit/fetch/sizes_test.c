/* SPDX-License-Identifier: ISC */
#include "fetch/sizes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
keeps_sizes_by_number(void **state)
{
	struct sizes s = { 0 };

	(void)state;
	assert_int_equal(sizes_of(&s, 1), 0);
	sizes_put(&s, 300, 7);
	sizes_put(&s, 1, UINT64_MAX);
	assert_int_equal(sizes_of(&s, 300), 7);
	assert_true(sizes_of(&s, 1) == UINT64_MAX);
	assert_int_equal(sizes_of(&s, 2), 0);
	assert_int_equal(sizes_of(&s, 0), 0);
	assert_int_equal(sizes_of(&s, UINT32_MAX), 0);
	sizes_put(&s, 5000, 8);
	assert_int_equal(sizes_of(&s, 300), 7);
	assert_int_equal(sizes_of(&s, 5000), 8);
	sizes_deinit(&s);
	assert_int_equal(sizes_of(&s, 300), 0);
	sizes_deinit(&s);
}

static void
knows_that_a_message_is_empty(void **state)
{
	struct sizes s = { 0 };

	(void)state;
	sizes_put(&s, 1, 0);
	assert_int_equal(sizes_of(&s, 1), 1);
	sizes_deinit(&s);
}

static void
keeps_no_more_than_a_million(void **state)
{
	struct sizes s = { 0 };

	(void)state;
	sizes_put(&s, SIZES_MAX, 5);
	sizes_put(&s, SIZES_MAX + 1, 5);
	sizes_put(&s, UINT32_MAX, 5);
	sizes_put(&s, 0, 5);
	assert_int_equal(sizes_of(&s, SIZES_MAX), 5);
	assert_int_equal(sizes_of(&s, SIZES_MAX + 1), 0);
	assert_true(s.n < 2 * SIZES_MAX);
	sizes_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_sizes_by_number),
		cmocka_unit_test(knows_that_a_message_is_empty),
		cmocka_unit_test(keeps_no_more_than_a_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
