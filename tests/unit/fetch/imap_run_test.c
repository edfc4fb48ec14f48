/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripts.h"

/* The IMAP half of a fetch: mailbox after mailbox. */

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

#define TWO BOX("2", "7", "3")

static void
fetches_what_is_new_and_only_once(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", TWO),
		ONCE(" UID FETCH 1:2 ",
		    MAIL("1", "1", "1") MAIL("2", "2", "2") OK),
		LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 2);
	assert_int_equal(rig_delivered(rig), 2);
	assert_true(rig_has(rig, "1\n"));
	assert_true(rig_has(rig, "2\n"));
	assert_int_equal(rig_said(rig, "SEARCH"), 0);

	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 0);
	assert_int_equal(rig_delivered(rig), 2);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
}

static void
goes_on_after_a_mailbox_that_is_missing(void **state)
{
	static const char *const names[] = { "Gone", "INBOX" };
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE("Gone", "%T NO [NONEXISTENT] no such mailbox\r\n"),
		ONCE("INBOX", TWO),
		ONCE(" UID FETCH 1:2 ",
		    MAIL("1", "1", "1") MAIL("2", "2", "2") OK),
		LOGOUT, END };

	(void)state;
	rig->params.mailboxes = names;
	rig->params.n_mailboxes = 2;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MAILBOX);
	assert_non_null(strstr(rig->result.err.text, "Gone"));
	assert_int_equal(rig_delivered(rig), 2);
}

static void
chooses_mailboxes_by_pattern(void **state)
{
	static const char *const names[] = { "INBOX", "Lists/*",
		"!Lists/noise" };
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ",
		    "* LIST (\\Noselect) \"/\" Lists\r\n"
		    "* LIST () \"/\" Lists/a\r\n"
		    "* LIST () \"/\" Lists/noise\r\n"
		    "* LIST () \"/\" {7}\r\nLists/b\r\n"
		    "* LIST () \"/\" Sent\r\n"
		    "* LIST () \"/\" Inbox\r\n" OK),
		ALWAYS(" SELECT ", BOX("0", "7", "1")), LOGOUT, END };

	(void)state;
	rig->params.mailboxes = names;
	rig->params.n_mailboxes = 3;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "SELECT"), 3);
	assert_int_equal(rig_said(rig, "Lists/a"), 1);
	assert_int_equal(rig_said(rig, "Lists/b"), 1);
	assert_int_equal(rig_said(rig, "noise"), 0);
}

static void
reports_a_refused_login(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		ONCE(" LOGIN ", "%T NO [AUTHENTICATIONFAILED] no\r\n"), LOGOUT,
		END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_AUTH);
	assert_false(rig->result.logged_in);
}

static void
keeps_what_came_before_the_connection_broke(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", TWO),
		THEN_HANG_UP(" UID FETCH ",
		    MAIL("1", "1", "1") "* 2 FETCH (UID 2 BODY[] {8}\r\ntw"),
		END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_true(rig->result.logged_in);
	assert_int_equal(rig->result.progress.messages, 1);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_unfinished(rig), 0);
}

static void
leaves_without_an_answer_to_logout(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("0", "7", "1")),
		THEN_HANG_UP(" LOGOUT", NULL), END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    fetches_what_is_new_and_only_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    goes_on_after_a_mailbox_that_is_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    chooses_mailboxes_by_pattern, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    reports_a_refused_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    keeps_what_came_before_the_connection_broke, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    leaves_without_an_answer_to_logout, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
