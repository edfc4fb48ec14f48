/* SPDX-License-Identifier: ISC */
#include "sched/pushes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
one_miss_may_be_chance(void **state)
{
	struct pushes p = { 0 };

	(void)state;
	assert_false(pushes_missed(&p));
	assert_false(p.demoted);
}

static void
the_second_in_a_row_demotes(void **state)
{
	struct pushes p = { 0 };

	(void)state;
	pushes_missed(&p);
	assert_true(pushes_missed(&p));
	assert_true(p.demoted);
}

static void
what_it_told_in_between_counts(void **state)
{
	struct pushes p = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_false(pushes_missed(&p));
		pushes_heard(&p);
	}
	assert_false(p.demoted);
}

static void
demotes_once_and_for_good(void **state)
{
	struct pushes p = { 0 };

	(void)state;
	pushes_missed(&p);
	pushes_missed(&p);
	assert_false(pushes_missed(&p));
	pushes_heard(&p);
	assert_true(p.demoted);
	assert_false(pushes_missed(&p));
	assert_false(pushes_missed(&p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_miss_may_be_chance),
		cmocka_unit_test(the_second_in_a_row_demotes),
		cmocka_unit_test(what_it_told_in_between_counts),
		cmocka_unit_test(demotes_once_and_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
