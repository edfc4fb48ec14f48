/* SPDX-License-Identifier: ISC */
#include "fetch/survey.h"

#include "unit/fetch/survey_rig.h"

/* When a survey ends. */

static void
ends_by_the_clock_with_what_it_knows(void **state)
{
	/* STATUS is not answered */
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", "* LIST () \"/\" INBOX\r\n" OK), END };

	(void)state;
	rig->params.total_timeout_s = 1;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_NET);
	assert_string_equal(end_err.text, "the check took longer than 1 s");
	assert_true(tells("MAILBOX INBOX|1,0,0\n"));
}

static void
stop_it(void *arg)
{
	struct err e;

	(void)arg;
	err_set(&e, ERR_CANCEL, 0, "interrupted");
	survey_stop(survey, &e);
	survey_stop(survey, &e); /* does nothing */
}

static void
stops_with_what_it_knows(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, END };

	(void)state;
	run_until(script, " LIST ", stop_it);
	assert_int_equal(end_err.kind, ERR_CANCEL);
	assert_true(tells("GREETING hello\n"));
}

static void
stops_before_it_is_connected(void **state)
{
	(void)state;
	begin_survey();
	stop_it(NULL);
	loop_run(rig_env(rig)->loop);
	assert_int_equal(ends, 1);
	assert_int_equal(end_err.kind, ERR_CANCEL);
	assert_int_equal(told.n, 0);
}

static void
is_freed_in_the_middle(void **state)
{
	(void)state;
	begin_survey();
	survey_free(&survey);
	assert_null(survey);
	survey_free(&survey);
	assert_int_equal(ends, 0);
}

static void
a_host_that_refuses(void **state)
{
	(void)state;
	rig->params.conn.port = 1;
	begin_survey();
	loop_run(rig_env(rig)->loop);
	assert_int_equal(end_err.kind, ERR_NET);
	assert_int_equal(told.n, 0); /* not even reached */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IMAP(ends_by_the_clock_with_what_it_knows),
		TEST_POP3(is_freed_in_the_middle),
		TEST_IMAP(is_freed_in_the_middle),
		TEST_IMAP(stops_with_what_it_knows),
		TEST_IMAP(stops_before_it_is_connected),
		TEST_POP3(stops_before_it_is_connected),
		TEST_IMAP(a_host_that_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
