/* SPDX-License-Identifier: ISC */
#include "deliver/ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint32_t next_token;

/* Asks for what is wanted, and gets it. */
static unsigned int
refill(struct ahead *a)
{
	unsigned int n = ahead_want(a), i;

	ahead_ask(a, n);
	for (i = 0; i < n; i++) {
		assert_true(ahead_put(a, next_token, (int)next_token));
		next_token++;
	}
	return n;
}

/* A second one is wanted at once. */
static void
flow(struct ahead *a)
{
	uint32_t token;
	int fd;

	refill(a);
	assert_true(ahead_take(a, &token, &fd));
	assert_false(ahead_take(a, &token, &fd));
}

static void
asks_for_no_more_than_one_when_that_will_do(void **state)
{
	struct ahead a;
	uint32_t token;
	int fd;

	(void)state;
	ahead_init(&a);
	for (int i = 0; i < 3; i++) {
		assert_false(ahead_take(&a, &token, &fd));
		assert_int_equal(refill(&a), 1);
		assert_int_equal(ahead_want(&a), 0);
		assert_true(ahead_take(&a, &token, &fd));
		assert_int_equal(ahead_want(&a), 0);
		assert_true(ahead_awake(&a));
		assert_false(ahead_rest(&a));
		assert_true(ahead_rest(&a)); /* much later */
		assert_false(ahead_awake(&a));
	}
	flow(&a);
	assert_int_equal(ahead_want(&a), AHEAD_MIN);
	ahead_calm(&a);
	assert_int_equal(ahead_want(&a), 1);
}

static void
hands_out_in_the_order_of_arrival(void **state)
{
	struct ahead a;
	uint32_t token, expected = 0;
	int fd, round;

	(void)state;
	next_token = 0;
	ahead_init(&a);
	for (round = 0; round < 1000; round++) {
		refill(&a);
		while (ahead_take(&a, &token, &fd)) {
			assert_int_equal(token, expected);
			assert_int_equal(fd, expected);
			expected++;
		}
	}
	assert_true(expected >= 1000);
}

static void
asks_again_only_when_half_is_used(void **state)
{
	struct ahead a;
	uint32_t token;
	int fd;

	(void)state;
	ahead_init(&a);
	flow(&a);
	assert_int_equal(refill(&a), AHEAD_MIN);
	assert_int_equal(ahead_want(&a), 0);
	assert_true(ahead_take(&a, &token, &fd));
	assert_int_equal(ahead_want(&a), 0);
	assert_true(ahead_take(&a, &token, &fd));
	assert_int_equal(ahead_want(&a), AHEAD_MIN / 2);
}

static void
wants_more_each_time_it_runs_dry(void **state)
{
	struct ahead a;
	uint32_t token;
	unsigned int n, i;
	int fd;

	(void)state;
	ahead_init(&a);
	flow(&a);
	for (n = AHEAD_MIN; n < AHEAD_MAX; n *= 2) {
		assert_int_equal(ahead_want(&a), n);
		ahead_ask(&a, n);
		assert_false(ahead_take(&a, &token, &fd));
		for (i = 0; i < n; i++)
			assert_true(ahead_put(&a, i, 0));
		while (ahead_take(&a, &token, &fd))
			;
	}
	assert_int_equal(ahead_want(&a), AHEAD_MAX);
	ahead_ask(&a, AHEAD_MAX);
	assert_false(ahead_take(&a, &token, &fd));
	assert_int_equal(a.target, AHEAD_MAX);
}

static void
refuses_what_was_not_asked_for(void **state)
{
	struct ahead a;

	(void)state;
	ahead_init(&a);
	assert_false(ahead_put(&a, 1, 1));
	ahead_ask(&a, 1);
	assert_true(ahead_put(&a, 1, 1));
	assert_false(ahead_put(&a, 2, 2));
}

static void
rests_when_nothing_was_taken(void **state)
{
	struct ahead a;
	uint32_t token;
	int fd;

	(void)state;
	ahead_init(&a);
	refill(&a);
	assert_true(ahead_take(&a, &token, &fd));
	assert_false(ahead_rest(&a));
	assert_true(ahead_rest(&a));
	assert_true(ahead_rest(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_no_more_than_one_when_that_will_do),
		cmocka_unit_test(hands_out_in_the_order_of_arrival),
		cmocka_unit_test(asks_again_only_when_half_is_used),
		cmocka_unit_test(wants_more_each_time_it_runs_dry),
		cmocka_unit_test(refuses_what_was_not_asked_for),
		cmocka_unit_test(rests_when_nothing_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
