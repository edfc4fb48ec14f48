/* SPDX-License-Identifier: ISC */
#include "io/lull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/clock.h"

#define QUIET_MS 60
#define MOST_MS 200
#define OFTEN_MS 10

static struct loop *loop;
static struct lull *lull;
static struct loop_timer *stirrer;
static uint64_t began, last, called_at;
static unsigned int stirs, calls, end_after;

static void
on_lull(void *arg)
{
	assert_ptr_equal(arg, &calls);
	called_at = clock_ms();
	if (++calls == end_after)
		loop_stop(loop);
}

static void
stir(void)
{
	last = clock_ms();
	lull_stir(lull);
}

static void
on_stirrer(void *arg)
{
	(void)arg;
	stir();
	if (--stirs > 0)
		loop_timer_arm(stirrer, OFTEN_MS);
}

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	lull = lull_new(loop, QUIET_MS, MOST_MS, on_lull, &calls);
	stirrer = loop_timer_new(loop, on_stirrer, NULL);
	stirs = calls = end_after = 0;
	began = clock_ms();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_timer_free(&stirrer);
	lull_free(&lull);
	assert_null(lull);
	lull_free(&lull);
	loop_free(&loop);
	return 0;
}

static void
does_nothing_unless_it_is_stirred(void **state)
{
	(void)state;
	lull_stir(NULL);
	loop_run(loop); /* ends, since nothing is waited for */
	assert_int_equal(calls, 0);
}

static void
calls_once_when_it_is_quiet(void **state)
{
	(void)state;
	stirs = 5;
	loop_timer_arm(stirrer, 0);
	loop_run(loop);
	assert_int_equal(calls, 1);
	assert_true(called_at >= last + QUIET_MS);
}

static void
never_calls_from_inside_a_stir(void **state)
{
	(void)state;
	stir();
	assert_int_equal(calls, 0);
	loop_run(loop);
	assert_int_equal(calls, 1);
}

static void
calls_now_and_then_when_it_is_never_quiet(void **state)
{
	(void)state;
	stirs = 1000; /* 10 s at least */
	end_after = 2;
	loop_timer_arm(stirrer, 0);
	loop_run(loop);
	assert_true(stirs > 0);
	assert_true(called_at >= began + MOST_MS);
}

static void
does_not_forget_what_came_just_before_the_call(void **state)
{
	(void)state;
	stirs = MOST_MS / OFTEN_MS + 2;
	loop_timer_arm(stirrer, 0);
	loop_run(loop);
	assert_true(calls >= 1);
	assert_true(called_at >= last + QUIET_MS);
}

static void
works_again_and_again(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 3; i++) {
		stir();
		loop_run(loop);
		assert_int_equal(calls, i);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(does_nothing_unless_it_is_stirred),
		T(calls_once_when_it_is_quiet),
		T(never_calls_from_inside_a_stir),
		T(calls_now_and_then_when_it_is_never_quiet),
		T(does_not_forget_what_came_just_before_the_call),
		T(works_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
