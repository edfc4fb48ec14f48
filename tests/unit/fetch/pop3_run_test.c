/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripts.h"

/* The POP3 half of a fetch. */

static struct rig *rig;

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(true);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

#define UIDL_TWO ALWAYS("UIDL", "+OK\r\n1 a\r\n2 b\r\n.\r\n")
#define LOG_IN HELLO, CAPA, USER, PASS
#define RETR_TWO                                                               \
	ONCE("RETR 1", "+OK\r\n1\r\n.\r\n"), ONCE("RETR 2", "+OK\r\n2\r\n.\r\n")

static void
fetches_what_is_new_and_only_once(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, RETR_TWO, QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 2);
	assert_int_equal(rig_said(rig, "DELE"), 0);
	assert_true(rig_has(rig, "1\n"));
	assert_true(rig_has(rig, "2\n"));
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
removes_what_was_delivered(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, RETR_TWO, ALWAYS("DELE", "+OK\r\n"), QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig_said(rig, "DELE 1"), 1);
	assert_int_equal(rig_said(rig, "DELE 2"), 1);
}

static void
deletes_again_without_fetching_when_the_answer_to_quit_is_lost(void **state)
{
	static const struct rig_rule lost[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, RETR_TWO, ALWAYS("DELE", "+OK\r\n"),
		THEN_HANG_UP("QUIT", NULL), END };
	static const struct rig_rule again[] = { LOG_IN, STAT("2"), UIDL_TWO,
		ALWAYS("DELE", "+OK\r\n"), QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, lost);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_int_equal(rig->result.removed, 0);
	rig_run(rig, again);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
skips_a_message_that_the_server_refuses(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, ONCE("RETR 1", "-ERR broken\r\n"),
		ONCE("RETR 2", "+OK\r\n2\r\n.\r\n"), QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
will_not_keep_without_uidl(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_CONFIG);
	assert_int_equal(rig_said(rig, "RETR"), 0);
}

static void
knows_messages_by_content_without_uidl(void **state)
{
	static const struct rig_rule lost[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), LIST, RETR_TWO,
		ALWAYS("DELE", "+OK\r\n"), THEN_HANG_UP("QUIT", NULL), END };
	static const struct rig_rule again[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), LIST, RETR_TWO,
		ALWAYS("DELE", "+OK\r\n"), QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, lost);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	rig_run(rig, again);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
delivers_all_of_a_server_that_gives_one_uidl_to_all(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n2 x\r\n.\r\n"), LIST, RETR_TWO,
		QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
	rig_run(rig, script);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
delivers_what_has_no_usable_uidl(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1\r\n2 \r\n.\r\n"), LIST, RETR_TWO, QUIT,
		END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
stops_when_it_is_told_to(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, END };

	(void)state;
	rig_run_and_stop(rig, script, "RETR");
	assert_int_equal(rig->result.err.kind, ERR_CANCEL);
	assert_int_equal(rig_delivered(rig), 0);
	assert_int_equal(rig_unfinished(rig), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    fetches_what_is_new_and_only_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    removes_what_was_delivered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    deletes_again_without_fetching_when_the_answer_to_quit_is_lost,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    skips_a_message_that_the_server_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    will_not_keep_without_uidl, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    knows_messages_by_content_without_uidl, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    delivers_all_of_a_server_that_gives_one_uidl_to_all, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    delivers_what_has_no_usable_uidl, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    stops_when_it_is_told_to, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
