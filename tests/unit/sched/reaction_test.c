/* SPDX-License-Identifier: ISC */
#include "sched/reaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

static void
has_a_row_for_every_kind(void **state)
{
	(void)state;
	assert_int_equal(reaction_of(ERR_NONE)->exit_status, EX_OK);
	for (int kind = ERR_NONE + 1; kind < ERR_KINDS; kind++)
		assert_int_not_equal(
		    reaction_of((enum err_kind)kind)->exit_status, EX_OK);
}

static void
never_tries_a_refused_login_again(void **state)
{
	(void)state;
	assert_false(reaction_of(ERR_AUTH)->retry);
	assert_false(reaction_of(ERR_TLS)->retry);
	assert_false(reaction_of(ERR_CONFIG)->retry);
	assert_false(reaction_of(ERR_THROTTLE)->retry);
	assert_true(reaction_of(ERR_NET)->retry);
}

static void
tells_the_worst_of_several(void **state)
{
	(void)state;
	assert_int_equal(reaction_worse(EX_OK, EX_OK), EX_OK);
	assert_int_equal(reaction_worse(EX_OK, EX_UNAVAILABLE), EX_UNAVAILABLE);
	assert_int_equal(reaction_worse(EX_NOPERM, EX_TEMPFAIL), EX_NOPERM);
	assert_int_equal(reaction_worse(EX_NOPERM, EX_CONFIG), EX_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_row_for_every_kind),
		cmocka_unit_test(never_tries_a_refused_login_again),
		cmocka_unit_test(tells_the_worst_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
