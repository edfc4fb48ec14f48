/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripts.h"

/* Only our own mail is removed. */

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

#define ONE_MAIL                                                               \
	ONCE(" SELECT ", BOX("1", "7", "2")),                                  \
	    ONCE(" UID FETCH ", MAIL("1", "1", "1") OK)

static int
say_remove(void)
{
	rig->params.remove = true;
	return 0;
}

static void
removes_by_uid_what_was_delivered(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, ONE_MAIL,
		ONCE(" UID STORE 1 +FLAGS", OK),
		ONCE(" UID EXPUNGE 1", "* 1 EXPUNGE\r\n" OK), LOGOUT, END };

	(void)state;
	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
}

static void
keeps_when_keeping_was_asked_for(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, ONE_MAIL,
		LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "STORE"), 0);
	assert_int_equal(rig_said(rig, "EXPUNGE"), 0);
}

static void
expunges_without_uidplus_when_nobody_else_marked_mail(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_PLAIN,
		ONE_MAIL, ONCE(" UID STORE 1 ", OK),
		ONCE(" DELETED", "* SEARCH 1\r\n" OK),
		ONCE(" EXPUNGE", "* 1 EXPUNGE\r\n" OK), LOGOUT, END };

	(void)state;
	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
	assert_int_equal(rig_said(rig, "UID EXPUNGE"), 0);
}

static void
never_expunges_what_another_client_marked(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_PLAIN,
		ONE_MAIL, ONCE(" UID STORE 1 ", OK),
		ONCE(" DELETED", "* SEARCH 1 40\r\n" OK), LOGOUT, END };

	(void)state;
	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MAILBOX);
	assert_int_equal(rig->result.removed, 0);
	assert_int_equal(rig_said(rig, "EXPUNGE"), 0);
}

static void
expunges_all_when_the_user_allows_it(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_PLAIN,
		ONE_MAIL, ONCE(" UID STORE 1 ", OK),
		ONCE(" DELETED", "* SEARCH 1 40\r\n" OK), ONCE(" EXPUNGE", OK),
		LOGOUT, END };

	(void)state;
	say_remove();
	rig->params.expunge_others = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
}

/* Dovecot was seen to say OK and to expunge nothing. */
static void
asks_again_for_what_an_expunge_left(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, ONE_MAIL,
		ALWAYS(" UID STORE 1 ", OK), ONCE(" UID EXPUNGE 1", OK),
		ONCE(" UID SEARCH UID 1", "* SEARCH 1\r\n" OK),
		ONCE(" UID EXPUNGE 1", "* 1 EXPUNGE\r\n" OK), LOGOUT, END };

	(void)state;
	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
	assert_int_equal(rig_said(rig, "UID EXPUNGE 1"), 2);
}

static void
believes_that_others_removed_it(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, ONE_MAIL,
		ONCE(" UID STORE 1 ", OK), ONCE(" UID EXPUNGE 1", OK),
		ONCE(" UID SEARCH UID 1", "* SEARCH\r\n" OK), LOGOUT, END };

	(void)state;
	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
}

static void
does_not_ask_for_ever(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, ONE_MAIL,
		ALWAYS(" UID STORE 1 ", OK), ALWAYS(" UID EXPUNGE 1", OK),
		ALWAYS(" UID SEARCH UID 1", "* SEARCH 1\r\n" OK), LOGOUT, END };

	(void)state;
	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MAILBOX);
	assert_int_equal(rig->result.removed, 0);
	assert_int_equal(rig_said(rig, "UID EXPUNGE 1"), 4);
}

/* ---- what an earlier run left ---- */

#define HEADER_A "From: a@example.org\r\nDate: d\r\nMessage-ID: <a>\r\n\r\n"
#define HEADER_B "From: b@example.org\r\nDate: d\r\nMessage-ID: <b>\r\n\r\n"

/* Delivered, and then the line broke. */
static void
leave_one_owed(void)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ",
		    "* 1 FETCH (UID 1 BODY[] {49}\r\n" HEADER_A ")\r\n" OK),
		THEN_HANG_UP(" UID STORE", NULL), END };

	say_remove();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
removes_what_was_left_without_fetching_it_again(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH 1 ",
		    "* 1 FETCH (UID 1 RFC822.SIZE 49 "
		    "BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM)] "
		    "{49}\r\n" HEADER_A ")\r\n" OK),
		ONCE(" UID STORE 1 ", OK),
		ONCE(" UID EXPUNGE 1", "* 1 EXPUNGE\r\n" OK), LOGOUT, END };

	(void)state;
	assert_int_equal(sizeof(HEADER_A) - 1, 49);
	leave_one_owed();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
	assert_int_equal(rig_said(rig, "BODY.PEEK[]"), 0);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
never_removes_another_message_under_the_same_uid(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH 1 ",
		    "* 1 FETCH (UID 1 RFC822.SIZE 49 "
		    "BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM)] "
		    "{49}\r\n" HEADER_B ")\r\n" OK),
		LOGOUT, END };

	(void)state;
	leave_one_owed();
	rig_run(rig, script);
	assert_int_equal(rig->result.removed, 0);
	assert_int_equal(rig_said(rig, "STORE"), 0);
	assert_int_equal(rig_said(rig, "EXPUNGE"), 0);
}

static void
forgets_what_is_not_there_any_more(void **state)
{
	static const struct rig_rule gone[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("0", "7", "2")), ONCE(" UID FETCH 1 ", OK),
		LOGOUT, END };
	static const struct rig_rule after[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("0", "7", "2")), LOGOUT, END };

	(void)state;
	leave_one_owed();
	rig_run(rig, gone);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	rig_run(rig, after);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
}

/* Flags that another client sets while headers are asked for. */
static void
does_not_take_flags_for_a_header(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH 1 ",
		    "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"
		    "* 1 FETCH (UID 1 RFC822.SIZE 49 "
		    "BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM)] "
		    "{49}\r\n" HEADER_A ")\r\n" OK),
		ONCE(" UID STORE 1 ", OK),
		ONCE(" UID EXPUNGE 1", "* 1 EXPUNGE\r\n" OK), LOGOUT, END };

	(void)state;
	leave_one_owed();
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    removes_by_uid_what_was_delivered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    keeps_when_keeping_was_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    expunges_without_uidplus_when_nobody_else_marked_mail,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    never_expunges_what_another_client_marked, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    expunges_all_when_the_user_allows_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    removes_what_was_left_without_fetching_it_again, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    never_removes_another_message_under_the_same_uid, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    forgets_what_is_not_there_any_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_take_flags_for_a_header, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    asks_again_for_what_an_expunge_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    believes_that_others_removed_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_ask_for_ever, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
