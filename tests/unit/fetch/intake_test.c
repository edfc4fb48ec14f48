/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripts.h"

/* The body path that IMAP and POP3 share, seen from a fetch. */

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

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void
counts_octets_as_they_came(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ",
		    "* 1 FETCH (UID 1 BODY[] {104}\r\n" HUNDRED
		    "\r\n\r\n)\r\n" OK),
		LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.progress.octets, 104);
	assert_true(rig_has(rig, HUNDRED "\n\n"));
}

#define EMPTY_1 "* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n"
#define EMPTY_2 "* 2 FETCH (UID 2 BODY[] \"\")\r\n"

static void
delivers_an_empty_message(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "3")),
		ONCE("RFC822.SIZE",
		    "* 1 FETCH (UID 1 RFC822.SIZE 0)\r\n"
		    "* 2 FETCH (UID 2 RFC822.SIZE 0)\r\n" OK),
		ONCE(" UID FETCH 1:2 ", EMPTY_1 EMPTY_2 OK),
		ONCE(" UID SEARCH ", "* SEARCH 1 2\r\n" OK),
		ONCE(" UID FETCH 1 ", EMPTY_1 OK),
		ONCE(" UID FETCH 2 ", EMPTY_2 OK), LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
}

/* Yahoo was seen to answer "" for messages that are not empty. */
static void
never_takes_a_servers_silence_for_an_empty_message(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ALWAYS(
		    "RFC822.SIZE", "* 1 FETCH (UID 1 RFC822.SIZE 99)\r\n" OK),
		ALWAYS(" UID FETCH 1 ", EMPTY_1 OK),
		ALWAYS(" UID SEARCH ", "* SEARCH 1\r\n" OK), LOGOUT, END };

	(void)state;
	rig->params.remove = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig_delivered(rig), 0);
	assert_int_equal(rig_said(rig, "STORE"), 0);
}

static void
leaves_nothing_of_a_body_that_was_cut(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		THEN_HANG_UP(" UID FETCH ",
		    "* 1 FETCH (UID 1 BODY[] {1000}\r\n" HUNDRED),
		END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_int_equal(rig_delivered(rig), 0);
	assert_int_equal(rig_unfinished(rig), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    counts_octets_as_they_came, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    delivers_an_empty_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    leaves_nothing_of_a_body_that_was_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    never_takes_a_servers_silence_for_an_empty_message, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
