/* SPDX-License-Identifier: ISC */
#include "sys/log.h"
#include "unit/fetch/pop3_scripts.h"

/* The POP3 half of a fetch. */

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
will_not_keep_without_uidl(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_BARE, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_CONFIG);
	assert_int_equal(rig_said(rig, "RETR"), 0);
}

static void
knows_messages_by_content_without_uidl(void **state)
{
	static const struct rig_rule lost[] = { LOG_IN_BARE, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), LIST, RETR_TWO,
		ALWAYS("DELE", "+OK\r\n"), THEN_HANG_UP("QUIT", NULL), END };
	static const struct rig_rule again[] = { LOG_IN_BARE, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), LIST, RETR_TWO,
		ALWAYS("DELE", "+OK\r\n"), QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, lost);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	rig_run(rig, again);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig->result.progress.messages, 0);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
waits_for_uidls_that_are_refused_just_now(void **state)
{
	static const struct rig_rule good[] = { LOG_IN_BARE, STAT("2"),
		UIDL_TWO, LIST_22, RETR("1", "1"), RETR("2", "2"), DELE,
		QUIT_LOST, END };
	static const struct rig_rule bad[] = { LOG_IN_BARE, STAT("2"),
		ALWAYS("UIDL", "-ERR cannot read the index just now\r\n"), QUIT,
		END };
	static const struct rig_rule capa[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "-ERR cannot read the index just now\r\n"), QUIT,
		END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, capa);
	assert_int_equal(rig->result.err.kind, ERR_TEMP);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	rig_run(rig, good);
	rig_run(rig, bad);
	assert_int_equal(rig->result.err.kind, ERR_TEMP);
	assert_non_null(strstr(rig->result.err.text, "cannot read the index"));
	assert_int_equal(rig_said(rig, "RETR"), 0);
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

/* One leaves and one comes: only the sizes tell. */
static void
tells_messages_of_one_uidl_apart_by_size(void **state)
{
	static const struct rig_rule one[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n2 x\r\n.\r\n"), LIST_22,
		RETR("1", "1"), RETR("2", "2"), QUIT, END };
	static const struct rig_rule two[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n2 x\r\n.\r\n"),
		ALWAYS("LIST", "+OK\r\n1 22\r\n2 23\r\n.\r\n"),
		ONCE("RETR 2", "+OK\r\n" HEADER("3") "xx\r\n.\r\n"), QUIT,
		END };

	(void)state;
	rig_run(rig, one);
	assert_int_equal(rig_said(rig, "UIDL"), 2);
	assert_int_equal(rig_said(rig, "LIST"), 1);
	rig_run(rig, two);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR 1"), 0);
	assert_int_equal(rig_delivered(rig), 3);
	assert_true(rig_has(rig, "<3>"));
}

static void
delivers_nothing_twice_when_a_uidl_is_repeated_later(void **state)
{
	static const struct rig_rule one[] = { LOG_IN, STAT("9"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n.\r\n"), LIST_22, RETR("1", "1"),
		QUIT, END };
	static const struct rig_rule two[] = { LOG_IN, STAT("9"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n2 x\r\n.\r\n"), LIST_22,
		RETR("1", "1"), RETR("2", "2"), QUIT, END };

	(void)state;
	rig_run(rig, one);
	rig_run(rig, two);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 1);
	assert_int_equal(rig_delivered(rig), 2);
	rig_run(rig, two);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
says_when_nothing_tells_messages_apart(void **state)
{
	static const struct rig_rule refused[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n2 x\r\n.\r\n"),
		ALWAYS("LIST", "-ERR no\r\n"), QUIT, END };
	static const struct rig_rule empty[] = { LOG_IN, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 x\r\n2 x\r\n.\r\n"),
		ALWAYS("LIST", "+OK\r\n.\r\n"), QUIT, END };

	(void)state;
	rig_run(rig, refused);
	assert_int_equal(rig->result.err.kind, ERR_MAILBOX);
	rig_run(rig, empty);
	assert_int_equal(rig->result.err.kind, ERR_PROTO);
	assert_int_equal(rig_said(rig, "RETR"), 0);
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

static bool expiry_told;

static void
look_for_expiry(enum log_level level, const char *line)
{
	(void)level;
	expiry_told |= strstr(line, "removes by itself what was") != NULL;
}

static void
says_that_the_server_removes_what_was_fetched(void **state)
{
	static const struct rig_rule script[] = { HELLO,
		ALWAYS("CAPA", "+OK\r\nUIDL\r\nEXPIRE 0\r\n.\r\n"), USER, PASS,
		STAT("0"), ALWAYS("UIDL", "+OK\r\n.\r\n"), QUIT, END };

	(void)state;
	expiry_told = false;
	log_set_sink(look_for_expiry);
	rig->params.remove = true; /* then it is as we want it */
	rig_run(rig, script);
	assert_false(expiry_told);
	rig->params.remove = false;
	rig_run(rig, script);
	log_set_sink(NULL);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_true(expiry_told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fetches_what_is_new_and_only_once),
		TEST(will_not_keep_without_uidl),
		TEST(knows_messages_by_content_without_uidl),
		TEST(waits_for_uidls_that_are_refused_just_now),
		TEST(delivers_all_of_a_server_that_gives_one_uidl_to_all),
		TEST(tells_messages_of_one_uidl_apart_by_size),
		TEST(delivers_nothing_twice_when_a_uidl_is_repeated_later),
		TEST(says_when_nothing_tells_messages_apart),
		TEST(delivers_what_has_no_usable_uidl),
		TEST(stops_when_it_is_told_to),
		TEST(says_that_the_server_removes_what_was_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
