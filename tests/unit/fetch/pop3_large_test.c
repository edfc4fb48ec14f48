/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_large.h"

#include "sys/log.h"
#include "unit/fetch/pop3_scripts.h"

/* Messages that are larger than the user wants, seen from a fetch. */

#define TEN "0123456789"
#define BIG                                                                    \
	"Subject: the whole\r\n\r\n" TEN TEN TEN TEN TEN TEN TEN TEN           \
	"0123456789012345\r\n.\r\n"
#define SIZES ALWAYS("LIST", "+OK\r\n1 120\r\n2 3\r\n.\r\n")
#define LIES ALWAYS("LIST", "+OK\r\n1 3\r\n2 3\r\n.\r\n")
#define RETR_2 ONCE("RETR 2", "+OK\r\n2\r\n.\r\n")
#define TOP_1 ONCE("TOP 1 0", "+OK\r\nFrom: al\r\nSubject: x\r\n\r\n.\r\n")

static const struct rig_rule one_is_large[] = { LOG_IN_TOP, STAT("2"), UIDL_TWO,
	SIZES, TOP_1, RETR_2, QUIT, END };
static const struct rig_rule in_full[] = { LOG_IN_TOP, STAT("2"), UIDL_TWO,
	SIZES, ONCE("RETR 1", "+OK\r\n" BIG), QUIT, END };

static int
set_up_limit(void **state)
{
	(void)set_up(state);
	rig->params.max_size = 100;
	rig->params.total_timeout_s = 5; /* nothing waits for ever */
	rig->params.style.source = true;
	rig->params.style.account = "test";
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static void
assert_held(bool stub)
{
	struct rig_trouble t = rig_trouble(rig);

	assert_int_equal(t.n, 1);
	assert_string_equal(t.uidl, "a");
	assert_int_equal(t.state, LEDGER_HELD);
	assert_int_equal(t.why, LEDGER_WHY_SIZE);
	assert_true(t.stub == stub);
}

static void
leaves_what_is_too_large_and_holds_it(void **state)
{
	(void)state;
	rig_run(rig, one_is_large);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR"), 1);
	assert_int_equal(rig_delivered(rig), 1);
	assert_held(false);
	assert_int_equal(rig_trouble(rig).size, 120);
	assert_non_null(strstr(rig_trouble(rig).about, "al"));
	rig_run(rig, one_is_large);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR"), 0);
	assert_int_equal(rig_said(rig, "TOP"), 0);
	assert_int_equal(rig_trouble(rig).tries, 1);
}

static void
retrieves_it_in_full_when_the_user_wants_it(void **state)
{
	(void)state;
	rig->params.stubs = true;
	rig_run(rig, one_is_large);
	rig_retry(rig, true);
	rig_run(rig, in_full);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 3);
	assert_true(rig_has(rig, "Subject: the whole"));
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
delivers_a_stub_in_its_place(void **state)
{
	(void)state;
	rig->params.stubs = true;
	rig_run(rig, one_is_large);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 2);
	assert_true(rig_has(rig, "X-Mailhaul-Stub: size=120\n"));
	assert_true(rig_has(rig, "mailhaul fetch --full test UIDL\n"));
	assert_true(rig_has(rig, "From: al\n"));
	assert_true(rig_has(rig, "uid=a\n"));
	assert_held(true);
	rig_run(rig, one_is_large);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
never_deletes_what_it_left(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, SIZES, TOP_1, RETR_2, DELE, QUIT, END };

	(void)state;
	rig->params.remove = rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "DELE 1"), 0);
	assert_int_equal(rig_said(rig, "DELE 2"), 1);
	assert_int_equal(rig->result.removed, 1);
}

static void
does_without_a_header_that_is_not_to_be_had(void **state)
{
	static const struct rig_rule no_top[] = { LOG_IN, STAT("2"), UIDL_TWO,
		SIZES, RETR_2, QUIT, END };
	static const struct rig_rule refused[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, SIZES, ONCE("TOP 1 0", "-ERR no\r\n"), QUIT, END };

	(void)state;
	rig_run(rig, no_top);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "TOP"), 0);
	assert_held(false);
	rig_retry(rig, false);
	rig_run(rig, refused);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "TOP"), 1);
	assert_held(false);
}

static void
drops_what_turns_out_to_be_larger(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, LIES, ONCE("RETR 1", "+OK\r\n" BIG), TOP_1, RETR_2,
		QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_held(false);
	assert_int_equal(rig_unfinished(rig), 0);
	assert_true(rig_trouble(rig).size > 100);
}

static void
drops_what_turns_out_to_be_larger_without_names(void **state)
{
	(void)state;
	rig->params.style.source = false;
	drops_what_turns_out_to_be_larger(state);
}

/* The sizes were asked for before: there they told messages apart. */
static void
holds_what_is_too_large_among_repeated_uidls(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("3"),
		ALWAYS("UIDL", "+OK\r\n1 a\r\n2 x\r\n3 x\r\n.\r\n"),
		ALWAYS("LIST", "+OK\r\n1 120\r\n2 3\r\n3 4\r\n.\r\n"), TOP_1,
		RETR_2, ONCE("RETR 3", "+OK\r\n3.\r\n.\r\n"), QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR"), 2);
	assert_int_equal(rig_delivered(rig), 2);
	assert_held(false);
}

static void
retrieves_what_no_size_is_told_of(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_TOP, STAT("2"),
		UIDL_TWO, ALWAYS("LIST", "-ERR no\r\n"), RETR_TWO, QUIT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
}

/* There is nothing to know it by. */
static void
passes_over_what_is_too_large_without_uidl(void **state)
{
	static const struct rig_rule script[] = { LOG_IN_BARE, STAT("2"),
		ALWAYS("UIDL", "-ERR what?\r\n"), SIZES, RETR_2, DELE, QUIT,
		END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "RETR"), 1);
	assert_int_equal(rig_said(rig, "DELE 1"), 0);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

#define LARGE(test)                                                            \
	cmocka_unit_test_setup_teardown(test, set_up_limit, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LARGE(leaves_what_is_too_large_and_holds_it),
		LARGE(retrieves_it_in_full_when_the_user_wants_it),
		LARGE(delivers_a_stub_in_its_place),
		LARGE(never_deletes_what_it_left),
		LARGE(does_without_a_header_that_is_not_to_be_had),
		LARGE(drops_what_turns_out_to_be_larger),
		LARGE(drops_what_turns_out_to_be_larger_without_names),
		LARGE(holds_what_is_too_large_among_repeated_uidls),
		LARGE(retrieves_what_no_size_is_told_of),
		LARGE(passes_over_what_is_too_large_without_uidl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
