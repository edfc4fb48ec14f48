/* SPDX-License-Identifier: ISC */
#include "util/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
bounds_grow_from_a_millisecond_to_ten_seconds(void **state)
{
	(void)state;
	assert_int_equal(histogram_bound_us(0), 1000);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bound_us(i) > histogram_bound_us(i - 1));
	assert_int_equal(histogram_bound_us(HISTOGRAM_BOUNDS - 1), 10000000);
}

static void
a_bound_belongs_to_the_bucket_below_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		struct histogram h = { 0 };

		histogram_add(&h, histogram_bound_us(i));
		assert_int_equal(h.bucket[i], 1);
		histogram_add(&h, histogram_bound_us(i) + 1);
		assert_int_equal(h.bucket[i], 1);
		assert_int_equal(h.bucket[i + 1], 1);
	}
}

static void
counts_what_is_beyond_all_bounds_too(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	histogram_add(&h, 0);
	histogram_add(&h, 3600 * UINT64_C(1000000));
	assert_int_equal(h.bucket[0], 1);
	assert_int_equal(h.bucket[HISTOGRAM_BOUNDS], 1);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.sum_us, 3600 * UINT64_C(1000000));
}

static void
the_sum_does_not_wrap(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	histogram_add(&h, 5);
	histogram_add(&h, UINT64_MAX - 1);
	assert_int_equal(h.sum_us, UINT64_MAX);
	assert_int_equal(h.count, 2);
}

static void
adds_one_to_another(void **state)
{
	struct histogram a = { 0 }, b = { 0 };

	(void)state;
	histogram_add(&a, 700);
	histogram_add(&b, 700);
	histogram_add(&b, 30000);
	histogram_add(&b, 60000000);
	histogram_merge(&a, &b);
	assert_int_equal(a.bucket[0], 2);
	assert_int_equal(a.bucket[5], 1);
	assert_int_equal(a.bucket[HISTOGRAM_BOUNDS], 1);
	assert_int_equal(a.count, 4);
	assert_int_equal(a.sum_us, 700 + 700 + 30000 + 60000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_grow_from_a_millisecond_to_ten_seconds),
		cmocka_unit_test(a_bound_belongs_to_the_bucket_below_it),
		cmocka_unit_test(counts_what_is_beyond_all_bounds_too),
		cmocka_unit_test(the_sum_does_not_wrap),
		cmocka_unit_test(adds_one_to_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
