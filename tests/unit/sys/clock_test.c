/* SPDX-License-Identifier: ISC */
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

static void
runs_forward_in_milliseconds(void **state)
{
	struct timespec t;
	uint64_t before = clock_ms(), now, after;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	after = clock_ms();
	assert_true(before <= now && now <= after);
	assert_in_range(clock_us() / 1000, after, clock_ms() + 1);
	assert_true(clock_boot_ms() >= before);
}

/* Read in the other order, the clocks make it less than nothing now and then,
 * which is very long. */
static void
a_machine_that_is_awake_does_not_sleep(void **state)
{
	const uint64_t asleep = clock_asleep_ms();
	const uint64_t end = clock_ms() + 100;

	(void)state;
	while (clock_ms() < end)
		assert_in_range(clock_asleep_ms(), asleep > 1 ? asleep - 1 : 0,
		    asleep + 10000);
}

static void
knows_the_date(void **state)
{
	int64_t before = time(NULL), s;
	uint32_t us = UINT32_MAX;

	(void)state;
	clock_wall(&s, &us);
	assert_true(s >= before && s <= before + 60);
	assert_true(us < 1000000);
	assert_true(clock_wall_s() >= before);
}

static void
scatters_below_the_limit(void **state)
{
	unsigned int seen[7] = { 0 }, i;

	(void)state;
	for (i = 0; i < 7000; i++) {
		uint32_t v = clock_jitter(7);

		assert_true(v < 7);
		seen[v]++;
	}
	for (i = 0; i < 7; i++) /* 1000 each; 29 is one sigma */
		assert_in_range(seen[i], 700, 1300);
	assert_int_equal(clock_jitter(1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_forward_in_milliseconds),
		cmocka_unit_test(a_machine_that_is_awake_does_not_sleep),
		cmocka_unit_test(knows_the_date),
		cmocka_unit_test(scatters_below_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
