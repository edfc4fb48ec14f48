/* SPDX-License-Identifier: ISC */
#include "fetch/survey.h"

#include "unit/fetch/survey_rig.h"

/* The POP3 half of a survey. */

static void
tells_what_it_finds(void **state)
{
	static const struct rig_rule script[] = { HELLO, CAPA, USER, PASS,
		STAT("7"), QUIT, END };

	(void)state;
	rig->params.pop3.capa = true;
	run_survey(script);
	assert_true(tells("GREETING hello\nLOGIN LOGIN|auth says so\n"
			  "CAN UIDL, PIPELINING\n"));
	assert_true(tells("USE known mail|told from new by UIDL\n"));
	assert_true(tells("MAILDROP |7,100,0\n"));
	assert_int_equal(end_err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	assert_int_equal(rig_said(rig, "DELE"), 0);
	assert_int_equal(rig_said(rig, "QUIT"), 1);
}

static void
tells_what_it_knows_of_a_refused_login(void **state)
{
	static const struct rig_rule script[] = { ONCE(NULL,
						      "+OK Gpop ready\r\n"),
		CAPA, USER, ONCE("PASS ", "-ERR [AUTH] no\r\n"), QUIT, END };

	(void)state;
	rig->params.pop3.capa = true;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_AUTH);
	assert_true(tells("OFFERED UIDL, PIPELINING\n"));
	assert_true(tells("QUIRK Gmail|"));
	assert_false(tells("CAN "));
}

static void
a_stat_that_is_refused(void **state)
{
	static const struct rig_rule script[] = { HELLO, USER, PASS,
		ONCE("STAT", "-ERR [IN-USE] locked\r\n"), QUIT, END };

	(void)state;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_LOCKED);
	assert_non_null(strstr(end_err.text, "STAT: "));
}

static void
leaves_without_an_answer_to_quit(void **state)
{
	static const struct rig_rule script[] = { HELLO, USER, PASS, STAT("1"),
		THEN_HANG_UP("QUIT", NULL), END };

	(void)state;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_POP3(tells_what_it_finds),
		TEST_POP3(tells_what_it_knows_of_a_refused_login),
		TEST_POP3(a_stat_that_is_refused),
		TEST_POP3(leaves_without_an_answer_to_quit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
