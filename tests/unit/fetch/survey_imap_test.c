/* SPDX-License-Identifier: ISC */
#include "fetch/survey.h"

#include "unit/fetch/survey_rig.h"

/* The IMAP half of a survey. */

#define HELLO_ID ONCE(NULL, "* OK [CAPABILITY IMAP4rev1 ID] Gimap hello\r\n")
#define LOGIN_AS(capabilities)                                                 \
	ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1 " capabilities "] in\r\n")
#define ID ONCE(" ID ", "* ID (\"name\" \"x\x1b[0m\")\r\n" OK)
#define LIST_THREE                                                             \
	"* LIST (\\Noselect) \"/\" Lists\r\n* LIST () \"/\" Lists/a\r\n"       \
	"* LIST () \"/\" Inbox\r\n"

static void
tells_what_it_finds_in_order(void **state)
{
	static const struct rig_rule script[] = { HELLO_ID,
		LOGIN_AS("ID IDLE MOVE"), ID, ONCE(" LIST ", LIST_THREE OK),
		ONCE("STATUS \"INBOX\"",
		    "* STATUS INBOX (MESSAGES 3 UIDNEXT 9)\r\n" OK),
		ONCE("STATUS \"Lists/a\"",
		    "* STATUS Lists/a (MESSAGES 0)\r\n" OK),
		LOGOUT, END };
	char reached[64], want[2000];

	(void)state;
	rig->params.imap.id = true;
	rig->params.stay.on = rig->params.stay.idle = true;
	run_survey(script);
	snprintf(reached, sizeof(reached), "GREETING Gimap hello\n");
	snprintf(want, sizeof(want),
	    "%sOFFERED IMAP4rev1 ID\nLOGIN LOGIN|auth says so\n"
	    "CAN IMAP4rev1 ID IDLE MOVE\n"
	    "SERVER name x\\x1B[0m\nQUIRK Gmail|",
	    reached);
	assert_non_null(strstr(buf_span(&told).p, want));
	assert_true(tells("USE new mail|told at once, by IDLE\n"));
	assert_true(tells("USE offered, not used|MOVE\n"
			  "MAILBOX Lists|2,0,0\nMAILBOX Lists/a|4,0,0\n"
			  "MAILBOX INBOX|5,3,9\n"));
	assert_int_equal(end_err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "SELECT"), 0);
	assert_int_equal(rig_said(rig, "EXAMINE"), 0);
	assert_int_equal(rig_said(rig, "LOGOUT"), 1);
	assert_int_equal(rig_said(rig, "STATUS \"Lists\""), 0);
}

static void
says_where_it_arrived(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", OK), ALWAYS(" STATUS ", OK), LOGOUT, END };
	char want[64];

	(void)state;
	run_survey(script);
	snprintf(want, sizeof(want), "REACHED 127.0.0.1:%u\n",
	    scripted_port(rig_host(rig)));
	assert_true(tells(want));
}

static void
needs_no_status_where_list_has_it(void **state)
{
	static const struct rig_rule script[] = { HELLO_ID,
		LOGIN_AS("LIST-STATUS"),
		ONCE(" LIST ",
		    "* LIST () \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 2)\r\n"
		    "* LIST () \"/\" b\r\n" OK),
		LOGOUT, END };

	(void)state;
	rig->params.stay.list_status = true;
	run_survey(script);
	assert_true(tells("MAILBOX INBOX|5,2,0\nMAILBOX b|0,0,0\n"));
	assert_int_equal(rig_said(rig, " STATUS "), 0);
	assert_int_equal(end_err.kind, ERR_NONE);
}

static void
asks_about_a_name_that_is_not_listed(void **state)
{
	static const char *const names[] = { "Gone", "Hidden", "!x", "y*" };
	static const struct rig_rule script[] = { HELLO_ID,
		LOGIN_AS("LIST-STATUS"),
		ONCE(" LIST ", "* LIST () \"/\" INBOX\r\n" OK),
		ONCE("\"Gone\"", "%T NO [NONEXISTENT] none\r\n"),
		ONCE("\"Hidden\"", "* STATUS Hidden (MESSAGES 2)\r\n" OK),
		LOGOUT, END };

	(void)state;
	rig->params.stay.list_status = true;
	rig->params.mailboxes = names;
	rig->params.n_mailboxes = 4;
	run_survey(script);
	assert_true(tells("MAILBOX Gone|status: \"[NONEXISTENT] none\"|9,0,0\n"
			  "MAILBOX Hidden|5,2,0\n"));
	assert_int_equal(end_err.kind, ERR_MAILBOX);
	assert_non_null(strstr(end_err.text, "Gone: "));
	assert_int_equal(rig_said(rig, "LOGOUT"), 1);
}

static void
a_mailbox_that_nobody_chose_may_be_shut(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ",
		    "* LIST () \"/\" INBOX\r\n* LIST () \"/\" b\r\n" OK),
		ONCE("\"INBOX\"", "* STATUS INBOX (MESSAGES 2)\r\n" OK),
		ONCE("\"b\"", "%T NO not yours\r\n"), LOGOUT, END };

	(void)state;
	run_survey(script);
	assert_true(tells("MAILBOX b|status: \"not yours\"|0,0,0\n"));
	assert_int_equal(end_err.kind, ERR_NONE);
}

static void
warns_when_nothing_is_chosen(void **state)
{
	static const char *const names[] = { "Lists/*" };
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", "* LIST () \"/\" INBOX\r\n" OK),
		ALWAYS(" STATUS ", OK), LOGOUT, END };

	(void)state;
	rig->params.mailboxes = names;
	run_survey(script);
	assert_true(tells("WARNING no mailbox of the server fits"));
}

static void
passes_alerts_on(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", "* OK [ALERT] \x1b[2J go\r\n" OK),
		ALWAYS(" STATUS ", OK), LOGOUT, END };

	(void)state;
	run_survey(script);
	assert_true(tells("WARNING \\x1B[2J go\n"));
}

static void
tells_what_it_knows_of_a_refused_login(void **state)
{
	static const struct rig_rule script[] = { HELLO_ID,
		ONCE(" LOGIN ", "%T NO [AUTHENTICATIONFAILED] no\r\n"), LOGOUT,
		END };

	(void)state;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_AUTH);
	assert_true(tells("GREETING Gimap hello\nOFFERED IMAP4rev1 ID\n"
			  "LOGIN LOGIN|"));
	assert_true(tells("QUIRK Gmail|"));
	assert_false(tells("CAN "));
}

static void
tells_what_came_before_the_end(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		THEN_HANG_UP(" LIST ", LIST_THREE), END };

	(void)state;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_NET);
	assert_true(tells("MAILBOX INBOX|1,0,0\n"));
}

static void
a_list_that_is_refused(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", "%T NO [UNAVAILABLE] later\r\n"), LOGOUT, END };

	(void)state;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_TEMP);
	assert_non_null(strstr(end_err.text, "LIST: "));
	assert_int_equal(rig_said(rig, "LOGOUT"), 1);
}

static void
leaves_without_an_answer_to_logout(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", OK), ALWAYS(" STATUS ", OK),
		THEN_HANG_UP(" LOGOUT", NULL), END };

	(void)state;
	run_survey(script);
	assert_int_equal(end_err.kind, ERR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IMAP(tells_what_it_finds_in_order),
		TEST_IMAP(says_where_it_arrived),
		TEST_IMAP(needs_no_status_where_list_has_it),
		TEST_IMAP(asks_about_a_name_that_is_not_listed),
		TEST_IMAP(a_mailbox_that_nobody_chose_may_be_shut),
		TEST_IMAP(warns_when_nothing_is_chosen),
		TEST_IMAP(passes_alerts_on),
		TEST_IMAP(tells_what_it_knows_of_a_refused_login),
		TEST_IMAP(tells_what_came_before_the_end),
		TEST_IMAP(a_list_that_is_refused),
		TEST_IMAP(leaves_without_an_answer_to_logout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
