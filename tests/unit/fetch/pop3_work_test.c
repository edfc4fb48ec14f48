/* SPDX-License-Identifier: ISC */
#include "unit/fetch/pop3_scripts.h"

#include <stdlib.h>

#include "util/buf.h"
#include "util/mem.h"

/* What is done with a maildrop that is listed. */

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
		LIST_22, RETR("1", "1"), RETR("2", "2"), DELE, QUIT_LOST, END };
	static const struct rig_rule again[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, LIST_22, TOP("1", "1"), TOP("2", "2"), DELE, QUIT,
		END };

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

/* The answer to QUIT was lost, the first message went, and the server, which
 * counts, has given its UIDL to a new one. */
static void
fetches_what_has_the_uidl_of_another(void **state)
{
	static const struct rig_rule lost[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST_22, RETR("1", "1"), RETR("2", "2"), DELE, QUIT_LOST, END };
	static const struct rig_rule again[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, LIST_22, TOP("1", "9"), TOP("2", "2"), RETR("1", "9"),
		DELE, QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, lost);
	rig_run(rig, again);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 1);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig_said(rig, "RETR 2"), 0);
	assert_int_equal(rig_delivered(rig), 3);
	assert_true(rig_has(rig, "<9>"));
}

static void
compares_by_the_whole_message_without_top(void **state)
{
	static const struct rig_rule lost[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST_22, RETR("1", "1"), RETR("2", "2"), DELE, QUIT_LOST, END };
	static const struct rig_rule refused[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, LIST_22, ALWAYS("TOP", "-ERR what?\r\n"),
		RETR("1", "9"), RETR("2", "2"), DELE, QUIT_LOST, END };
	static const struct rig_rule missing[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST_22, RETR("1", "9"), RETR("2", "8"), DELE, QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, lost);
	assert_int_equal(rig_delivered(rig), 2);
	rig_run(rig, refused);
	assert_int_equal(rig->result.progress.messages, 1);
	assert_int_equal(rig_said(rig, "DELE"), 2);
	assert_int_equal(rig_delivered(rig), 3);
	rig_run(rig, missing);
	assert_int_equal(rig_said(rig, "TOP"), 0);
	assert_int_equal(rig->result.progress.messages, 1);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig_delivered(rig), 4);
}

static void
compares_by_the_whole_message_when_sizes_differ(void **state)
{
	static const struct rig_rule lost[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST_22, RETR("1", "1"), RETR("2", "2"), DELE, QUIT_LOST, END };
	static const struct rig_rule again[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, ALWAYS("LIST", "+OK\r\n1 20\r\n.\r\n"), TOP("1", "1"),
		TOP("2", "2"), RETR("1", "1"), RETR("2", "2"), DELE, QUIT,
		END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, lost);
	rig_run(rig, again);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 0);
	assert_int_equal(rig->result.removed, 2);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
fetches_what_comes_under_a_uidl_that_was_removed(void **state)
{
	static const struct rig_rule one[] = { LOG_IN_TOP, STAT("1"),
		ALWAYS("UIDL", "+OK\r\n1 1\r\n.\r\n"), LIST_22, RETR("1", "1"),
		DELE, QUIT, END };
	static const struct rig_rule two[] = { LOG_IN_TOP, STAT("1"),
		ALWAYS("UIDL", "+OK\r\n1 1\r\n.\r\n"), LIST_22, RETR("1", "2"),
		DELE, QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, one);
	rig_run(rig, two);
	assert_int_equal(rig_delivered(rig), 2);
	rig_run(rig, two); /* it said +OK, and did not remove it */
	assert_int_equal(rig_delivered(rig), 2);
	assert_int_equal(rig->result.progress.messages, 0);
	assert_int_equal(rig->result.removed, 1);
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

#define REFUSES_1                                                              \
	LOG_IN, STAT("2"), UIDL_TWO, LIST, ONCE("RETR 1", "-ERR broken\r\n"),  \
	    ONCE("RETR 2", "+OK\r\n2\r\n.\r\n"), QUIT, END

static void
leaves_a_refused_message_alone_before_its_time(void **state)
{
	static const struct rig_rule script[] = { REFUSES_1 };
	struct rig_trouble t;

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig->result.troubles, 1);
	t = rig_trouble(rig);
	assert_string_equal(t.uidl, "a");
	assert_int_equal(t.state, LEDGER_LATER);
	assert_int_equal(t.why, LEDGER_WHY_MISSING);
	assert_non_null(strstr(t.reason, "broken"));
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.troubles, 0);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
holds_what_is_refused_in_three_fetches(void **state)
{
	static const struct rig_rule script[] = { REFUSES_1 };
	static const struct rig_rule mended[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, RETR_TWO, QUIT, END };

	(void)state;
	for (unsigned int i = 1; i <= 3; i++) {
		rig_run(rig, script);
		assert_int_equal(rig_trouble(rig).tries, i);
		assert_int_equal(
		    rig_trouble(rig).state, i < 3 ? LEDGER_LATER : LEDGER_HELD);
		rig_let_time_pass(rig);
	}
	rig_run(rig, script);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	rig_retry(rig, false);
	rig_run(rig, mended);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
notes_a_suspect_that_breaks_the_connection_again(void **state)
{
	static const struct rig_rule cut[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, THEN_HANG_UP("RETR 1", "+OK\r\n1"), END };
	static const struct rig_rule again[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, ONCE("RETR 2", "+OK\r\n2\r\n.\r\n"),
		THEN_HANG_UP("RETR 1", "+OK\r\n1"), END };

	(void)state;
	rig_run(rig, cut);
	assert_int_equal(rig_trouble(rig).n, 0);
	rig->params.suspect = rig->result.suspect;
	rig_run(rig, again);
	assert_int_equal(rig_delivered(rig), 1);
	assert_string_equal(rig_trouble(rig).uidl, "a");
	assert_non_null(strstr(rig_trouble(rig).reason, "connection"));
}

/* Nothing is known of it the next time. */
static void
notes_nothing_without_uidl(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_BARE, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), LIST,
		ONCE("RETR 1", "-ERR broken\r\n"),
		ONCE("RETR 2", "+OK\r\n2\r\n.\r\n"), DELE, QUIT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig->result.troubles, 1);
	assert_int_equal(rig_said(rig, "DELE 1"), 0);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
names_each_message_in_its_trace(void **state)
{
	static const struct rig_rule script[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, RETR_TWO, QUIT, END };

	(void)state;
	rig->params.style.source = true;
	rig->params.style.account = "test";
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_true(rig_has(rig, "X-Mailhaul: account=test uid=a\n1\n"));
	assert_true(rig_has(rig, "X-Mailhaul: account=test uid=b\n2\n"));
}

static void
fetches_the_suspect_last(void **state)
{
	static const struct rig_rule cut[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, THEN_HANG_UP("RETR 1", "+OK\r\n1"), END };
	static const struct rig_rule script[] = { LOG_IN, STAT("2"), UIDL_TWO,
		LIST, RETR_TWO, QUIT, END };

	(void)state;
	rig_run(rig, cut);
	assert_int_equal(rig->result.suspect.number, 1);
	rig->params.suspect = rig->result.suspect;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_true(
	    strstr(rig->heard, "RETR 2") < strstr(rig->heard, "RETR 1"));
	assert_int_equal(rig->result.suspect.number, 0);
	assert_int_equal(rig_delivered(rig), 2);
}

/* ---- sizes, and names for the trace ---- */

static const char long_body[] = "+OK\r\n" HEADER(
    "1") "a line of many octets, more than there may be of them\r\n.\r\n";

static void
holds_what_turns_out_too_large(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, LIST_22, ONCE("RETR 1", long_body), RETR("2", "2"),
		TOP("1", "1"), QUIT, END };

	(void)state;
	rig->params.style.source = true;
	rig->params.max_size = 30;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_trouble(rig).n, 1);
	assert_int_equal(rig_trouble(rig).why, LEDGER_WHY_SIZE);
}

/* Then sizes are asked for before anything else. */
static void
holds_what_is_too_large_when_uidls_are_repeated(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 a\r\n2 a\r\n.\r\n"),
		ALWAYS("LIST", "+OK\r\n1 22\r\n2 99\r\n.\r\n"), RETR("1", "1"),
		TOP("2", "2"), QUIT, END };

	(void)state;
	rig->params.style.source = true;
	rig->params.max_size = 30;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_trouble(rig).n, 1);
}

#define MANY 700

/* "+OK", one line for each, and its end. */
static char *
list_of_many(void)
{
	struct buf b;
	char *text;

	buf_init(&b, 1 << 16);
	buf_add(&b, SPAN("+OK\r\n"));
	for (unsigned int i = 1; i <= MANY; i++)
		buf_printf(&b, "%u u%u\r\n", i, i);
	buf_add(&b, SPAN(".\r\n"));
	text = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	return text;
}

static void
goes_on_behind_any_number_that_the_server_refuses(void **state)
{
	char *list = list_of_many();
	struct rig_rule script[] = { LOG_IN, STAT("700"), ALWAYS("UIDL", list),
		LIST, ONCE("RETR 700", "+OK\r\n2\r\n.\r\n"),
		ALWAYS("RETR", "-ERR broken\r\n"), QUIT, END };

	(void)state;
	rig->params.style.source = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig_said(rig, "RETR"), MANY);
	assert_int_equal(rig_delivered(rig), 1);
	free(list);
}

/* The first one has to wait for a file. */
static void
names_the_uidl_in_a_stub(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, ALWAYS("LIST", "+OK\r\n1 99\r\n2 99\r\n.\r\n"),
		TOP("1", "1"), TOP("2", "2"), QUIT, END };

	(void)state;
	rig->params.style.source = true;
	rig->params.style.account = "test";
	rig->params.max_size = 30;
	rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
	assert_true(rig_has(rig, " uid=a\n"));
	assert_true(rig_has(rig, " uid=b\n"));
}

/* Stubs are made without asking the server: but not while another message
 * comes in. */
static void
mixes_no_stub_into_a_message_that_comes_slowly(void **state)
{
	static const struct rig_rule script[] = { HELLO, CAPA_BARE, USER, PASS,
		STAT("3"),
		ALWAYS("UIDL", "+OK\r\n1 a\r\n2 b\r\n3 c\r\n4 d\r\n.\r\n"),
		ALWAYS("LIST", "+OK\r\n1 22\r\n2 99\r\n3 99\r\n4 22\r\n.\r\n"),
		ONCE("RETR 1", "+OK\r\n" HEADER("1")),
		{ .hear = "RETR 4",
		    .say = "x\r\n.\r\n+OK\r\n" HEADER("4") "x\r\n.\r\n",
		    .ms = 300 },
		QUIT, END };

	(void)state;
	rig->params.max_size = 30;
	rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 4);
	assert_true(rig_has(rig, "<1>"));
	assert_true(rig_has(rig, "<4>"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removes_what_was_delivered),
		TEST(
		    deletes_again_without_fetching_when_the_answer_to_quit_is_lost),
		TEST(fetches_what_has_the_uidl_of_another),
		TEST(compares_by_the_whole_message_without_top),
		TEST(compares_by_the_whole_message_when_sizes_differ),
		TEST(fetches_what_comes_under_a_uidl_that_was_removed),
		TEST(skips_a_message_that_the_server_refuses),
		TEST(leaves_a_refused_message_alone_before_its_time),
		TEST(holds_what_is_refused_in_three_fetches),
		TEST(notes_a_suspect_that_breaks_the_connection_again),
		TEST(notes_nothing_without_uidl),
		TEST(names_each_message_in_its_trace),
		TEST(fetches_the_suspect_last),
		TEST(holds_what_turns_out_too_large),
		TEST(holds_what_is_too_large_when_uidls_are_repeated),
		TEST(goes_on_behind_any_number_that_the_server_refuses),
		TEST(names_the_uidl_in_a_stub),
		TEST(mixes_no_stub_into_a_message_that_comes_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
