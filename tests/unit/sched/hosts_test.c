/* SPDX-License-Identifier: ISC */
#include "sched/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N 8

static struct loop *loop;
static struct hosts *hosts;
static struct hosts_place *places[N];
static int order[N], granted;

static void
on_place(void *arg)
{
	order[granted++] = *(int *)arg;
}

static void
ask(int who, const char *host)
{
	static int ids[N] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	places[who] = hosts_ask(hosts, host, on_place, &ids[who]);
}

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	hosts = hosts_new(loop, 2);
	granted = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		hosts_leave(&places[i]);
	hosts_free(&hosts);
	loop_free(&loop);
	return 0;
}

static void
lets_so_many_in_and_no_more(void **state)
{
	(void)state;
	ask(0, "one.example");
	ask(1, "one.example");
	ask(2, "ONE.example");
	assert_int_equal(granted, 0); /* from the loop only */
	loop_run(loop);
	assert_int_equal(granted, 2);
	hosts_leave(&places[0]);
	loop_run(loop);
	assert_int_equal(granted, 3);
	assert_int_equal(order[2], 2);
}

static void
does_not_hold_one_host_up_for_another(void **state)
{
	(void)state;
	ask(0, "one.example");
	ask(1, "one.example");
	ask(2, "one.example");
	ask(3, "two.example");
	loop_run(loop);
	assert_int_equal(granted, 3);
	assert_int_equal(order[2], 3);
}

static void
keeps_the_order_of_asking(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		ask(i, "one.example");
	loop_run(loop);
	hosts_leave(&places[1]);
	loop_run(loop);
	hosts_leave(&places[0]);
	loop_run(loop);
	for (int i = 0; i < granted; i++)
		assert_int_equal(order[i], i);
	assert_int_equal(granted, 4);
}

static void
forgets_who_stops_asking(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		ask(i, "one.example");
	loop_run(loop);
	hosts_leave(&places[2]);
	hosts_leave(&places[0]);
	loop_run(loop);
	assert_int_equal(granted, 3);
	assert_int_equal(order[2], 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    lets_so_many_in_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_hold_one_host_up_for_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    keeps_the_order_of_asking, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    forgets_who_stops_asking, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
