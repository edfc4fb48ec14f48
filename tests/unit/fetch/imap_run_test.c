/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <stdio.h>

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

/* ---- folders ---- */

static void
use_folders(void)
{
	rig_free(&rig);
	rig = rig_new_to(false, &(struct target){ .folders = true });
	rig->params.folders = true;
}

static unsigned int
files_in(const char *sub)
{
	char path[256];
	struct dirent *d;
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/md/%s", rig->dir, sub);
	dir = opendir(path);
	while (dir != NULL && (d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return n;
}

#define ONE_EACH                                                               \
	ALWAYS(" SELECT ", BOX("1", "7", "2")),                                \
	    ALWAYS(" UID FETCH 1 ", MAIL("1", "1", "1") OK), LOGOUT, END

/* The delimiter says what of a name are its levels. */
static void
asks_for_the_delimiter_when_mailboxes_have_folders(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(
		    " LIST \"\" \"\"", "* LIST (\\Noselect) \"|\" \"\"\r\n" OK),
		ONE_EACH };
	static const char *const names[] = { "Lists|a.b", "INBOX" };

	(void)state;
	use_folders();
	rig->params.mailboxes = names;
	rig->params.n_mailboxes = 2;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, " LIST "), 1);
	assert_int_equal(files_in("new"), 1);
	assert_int_equal(files_in(".Lists.a&AC4-b/new"), 1);
}

static void
takes_the_delimiter_that_comes_with_a_name(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST \"\" \"*\"",
		    "* LIST () \"/\" Lists/a\r\n* LIST () NIL Lists/b\r\n" OK),
		ONE_EACH };
	static const char *const names[] = { "Lists*" };

	(void)state;
	use_folders();
	rig->params.mailboxes = names;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, " LIST "), 1);
	assert_int_equal(files_in(".Lists.a/new"), 1);
	assert_int_equal(files_in(".Lists.b/new"), 0);
	assert_int_equal(rig->result.progress.messages, 2);
}

static void
does_not_ask_for_a_delimiter_of_which_nothing_is_made(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, ONE_EACH };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "LIST"), 0);
}

static void
ends_when_the_delimiter_is_refused(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" LIST ", "%T NO not now\r\n"), ONE_EACH };

	(void)state;
	use_folders();
	rig_run(rig, script);
	assert_int_not_equal(rig->result.err.kind, ERR_NONE);
	assert_non_null(strstr(rig->result.err.text, "LIST"));
	assert_int_equal(rig_said(rig, "SELECT"), 0);
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
		cmocka_unit_test_setup_teardown(
		    asks_for_the_delimiter_when_mailboxes_have_folders, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    takes_the_delimiter_that_comes_with_a_name, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_ask_for_a_delimiter_of_which_nothing_is_made,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    ends_when_the_delimiter_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
