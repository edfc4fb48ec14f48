/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripts.h"

/* What holds for a fetch of any protocol. */

static struct rig *rig;

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

static void
ends_when_the_whole_takes_too_long(void **state)
{
	static const struct rig_rule script[] = { ONCE(NULL, ""), END };

	(void)state;
	rig->params.total_timeout_s = 1;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_non_null(strstr(rig->result.err.text, "longer than 1 s"));
}

static void
says_where_it_could_not_connect(void **state)
{
	static const struct rig_rule script[] = { END };

	(void)state;
	rig->params.conn.port = 1;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_non_null(strstr(rig->result.err.text, "127.0.0.1:1"));
	assert_false(rig->result.logged_in);
}

static void
ends_in_any_state_when_told_to(void **state)
{
	static const struct rig_rule script[] = { GREETING, END };

	(void)state;
	rig_run_and_stop(rig, script, "LOGIN");
	assert_int_equal(rig->result.err.kind, ERR_CANCEL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    ends_when_the_whole_takes_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    says_where_it_could_not_connect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    ends_in_any_state_when_told_to, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
