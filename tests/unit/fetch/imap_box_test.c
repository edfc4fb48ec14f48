/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripts.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "util/buf.h"
#include "util/mem.h"

/* One mailbox of an IMAP fetch. */

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

static void
stops_at_a_changed_uidvalidity(void **state)
{
	static const struct rig_rule before[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), LOGOUT, END };
	static const struct rig_rule after[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "8", "2")), LOGOUT, END };

	(void)state;
	rig_run(rig, before);
	rig->params.remove = true;
	rig_run(rig, after);
	assert_int_equal(rig->result.err.kind, ERR_MAILBOX);
	assert_non_null(strstr(rig->result.err.text, "from 7 to 8"));
	assert_int_equal(rig_said(rig, "FETCH"), 0);
	assert_int_equal(rig_said(rig, "STORE"), 0);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
refuses_a_mailbox_without_uidvalidity(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", "* 1 EXISTS\r\n%T OK s\r\n"), LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_MAILBOX);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
}

static void
drops_what_nobody_asked_for(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ",
		    MAIL("2", "99", "9") MAIL("1", "1", "1") MAIL(
			"1", "1", "5") "* 3 FETCH (BODY[] {1}\r\n6)\r\n" OK),
		LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_true(rig_has(rig, "1\n"));
	assert_int_equal(rig_unfinished(rig), 0);
}

static void
takes_the_uid_from_behind_the_body(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ", "* 1 FETCH (BODY[] {1}\r\n1 UID 1)\r\n" OK),
		LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
asks_again_for_a_body_that_did_not_come(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("3", "7", "4")),
		ONCE(" UID FETCH 1:3 ",
		    MAIL("1", "1", "1") "* 2 FETCH (UID 2)\r\n" OK),
		ONCE(" UID SEARCH ", "* SEARCH 2\r\n" OK), /* 3 went */
		ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK), LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
}

#define SILENT                                                                 \
	GREETING, LOGIN, ONCE(" SELECT ", BOX("2", "7", "3")),                 \
	    ALWAYS(" UID SEARCH ", "* SEARCH 1 2\r\n" OK),                     \
	    ALWAYS(" UID FETCH 1 ", "* 1 FETCH (UID 1 BODY[] NIL)\r\n" OK),    \
	    LOGOUT, END

/* An OK without a body is not a delivery: it is asked for again when its time
 * has come, and others are not held up. */
static void
never_takes_a_missing_body_for_delivered(void **state)
{
	static const struct rig_rule silent[] = {
		ONCE(" UID FETCH 1:2 ", MAIL("2", "2", "2") OK), SILENT
	};
	static const struct rig_rule mended[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "3")),
		ONCE(" UID SEARCH ", "* SEARCH 1 2\r\n" OK),
		ONCE(" UID FETCH 1 ", MAIL("1", "1", "1") OK), LOGOUT, END };
	struct rig_trouble t;

	(void)state;
	rig_run(rig, silent);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig->result.troubles, 1);
	assert_int_equal(rig_delivered(rig), 1);
	t = rig_trouble(rig);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.uid, 1);
	assert_int_equal(t.state, LEDGER_LATER);
	assert_int_equal(t.why, LEDGER_WHY_MISSING);
	rig_retry(rig, false);
	rig_run(rig, mended);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
leaves_a_missing_body_alone_before_its_time(void **state)
{
	static const struct rig_rule silent[] = {
		ONCE(" UID FETCH 1:2 ", MAIL("2", "2", "2") OK), SILENT
	};

	(void)state;
	rig_run(rig, silent);
	rig_run(rig, silent);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.troubles, 0);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
	assert_int_equal(rig_trouble(rig).tries, 1);
}

static void
holds_what_never_came_after_three_fetches(void **state)
{
	static const struct rig_rule silent[] = {
		ONCE(" UID FETCH 1:2 ", MAIL("2", "2", "2") OK), SILENT
	};

	(void)state;
	for (unsigned int i = 1; i <= 3; i++) {
		rig_run(rig, silent);
		assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
		assert_int_equal(rig_trouble(rig).tries, i);
		assert_int_equal(
		    rig_trouble(rig).state, i < 3 ? LEDGER_LATER : LEDGER_HELD);
		rig_let_time_pass(rig);
	}
	rig_run(rig, silent);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
}

/* The server has lost it, or another client has moved it. */
static void
forgets_a_trouble_that_is_not_on_the_server_any_more(void **state)
{
	static const struct rig_rule silent[] = {
		ONCE(" UID FETCH 1:2 ", MAIL("2", "2", "2") OK), SILENT
	};
	static const struct rig_rule without[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "3")),
		ONCE(" UID SEARCH ", "* SEARCH 2\r\n" OK), LOGOUT, END };
	static const struct rig_rule empty[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("0", "7", "3")), LOGOUT, END };

	(void)state;
	rig_run(rig, silent);
	rig_run(rig, without);
	assert_int_equal(rig_trouble(rig).n, 1); /* nobody looked */
	rig_let_time_pass(rig);
	rig_run(rig, without);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_trouble(rig).n, 0);
	rig_run(rig, silent);
	rig_let_time_pass(rig);
	rig_run(rig, empty);
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* What a box makes of two bodies without an octet when it asks for the size
 * of the first. */
static void
fetch_hollow(const char *size)
{
	const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH 1 (UID BODY",
		    "* 1 FETCH (UID 1 BODY[] \"\")\r\n" OK),
		ALWAYS(" UID FETCH 1 (UID RFC822.SIZE ", size),
		ALWAYS(" UID SEARCH ", "* SEARCH 1\r\n" OK),
		ALWAYS(" UID FETCH 1 (UID BODY",
		    "* 1 FETCH (UID 1 BODY[] \"\")\r\n" OK),
		LOGOUT, END };

	rig_run(rig, script);
}

static void
takes_an_empty_message_for_one_when_its_size_says_so(void **state)
{
	(void)state;
	fetch_hollow("* 1 FETCH (UID 1 RFC822.SIZE 0)\r\n" OK);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
takes_no_size_that_is_not_given_for_none(void **state)
{
	(void)state;
	fetch_hollow("* 1 FETCH (UID 1 RFC822.SIZE 9e+06 "
		     "BODY[HEADER.FIELDS (DATE)] NIL)\r\n" OK);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig_delivered(rig), 0);
}

static void
searches_when_numbers_have_gaps(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "50")),
		ONCE(" UID SEARCH ", "* SEARCH 49 10\r\n" OK),
		ONCE(" UID FETCH 10,49 ",
		    MAIL("1", "10", "1") MAIL("2", "49", "2") OK),
		LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
stops_when_it_is_told_to(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "3")), END };

	(void)state;
	rig_run_and_stop(rig, script, "UID FETCH");
	assert_int_equal(rig->result.err.kind, ERR_CANCEL);
	assert_int_equal(rig_delivered(rig), 0);
	assert_int_equal(rig_unfinished(rig), 0);
}

/* A UIDNEXT that lies must not hide what comes later. */
static void
looks_again_when_the_mailbox_holds_more_than_was_delivered(void **state)
{
	static const struct rig_rule lie[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "4294967295")),
		ONCE(" UID SEARCH ", "* SEARCH 7\r\n" OK),
		ONCE(" UID FETCH 7 ", MAIL("1", "7", "7") OK), LOGOUT, END };
	static const struct rig_rule later[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "9")),
		ONCE(" UID SEARCH ", "* SEARCH 7 8\r\n" OK),
		ONCE(" UID FETCH 8 ", MAIL("2", "8", "8") OK), LOGOUT, END };

	(void)state;
	rig_run(rig, lie);
	assert_int_equal(rig_delivered(rig), 1);
	rig_run(rig, later);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
}

/* So must not a SEARCH that leaves messages out, at first. */
static void
finds_what_an_earlier_search_left_out(void **state)
{
	static const struct rig_rule lie[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("3", "7", "901")),
		ONCE(" UID SEARCH ", "* SEARCH 900\r\n" OK),
		ONCE(" UID FETCH 900 ", MAIL("3", "900", "9") OK), LOGOUT,
		END };
	static const struct rig_rule later[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("3", "7", "901")),
		ONCE(" UID SEARCH ", "* SEARCH 7 8 900\r\n" OK),
		ONCE(" UID FETCH 7:8 ",
		    MAIL("1", "7", "7") MAIL("2", "8", "8") OK),
		LOGOUT, END };

	(void)state;
	rig_run(rig, lie);
	assert_int_equal(rig_delivered(rig), 1);
	rig_run(rig, later);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 3);
}

/* With gaps that were settled an unchanged mailbox costs a SELECT. */
static void
does_not_search_a_mailbox_that_did_not_change(void **state)
{
	static const struct rig_rule first[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "1001")),
		ONCE(" UID SEARCH ", "* SEARCH 1 1000\r\n" OK),
		ONCE(" UID FETCH 1,1000 ",
		    MAIL("1", "1", "1") MAIL("2", "1000", "2") OK),
		LOGOUT, END };
	static const struct rig_rule again[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "1001")),
		ONCE(" UID SEARCH ", "* SEARCH\r\n" OK), LOGOUT, END };

	(void)state;
	rig_run(rig, first);
	assert_int_equal(rig_delivered(rig), 2);
	rig_run(rig, again);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	/* but for the numbers near the end, which may still come */
	assert_int_equal(rig_said(rig, "UID SEARCH UID 745:999,1001:*"), 1);
}

/* The message at which a connection broke is asked for when all others are
 * here. */
static void
fetches_a_suspect_last(void **state)
{
	static const struct rig_rule first[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("3", "7", "4")),
		THEN_HANG_UP(" UID FETCH 1:3 ",
		    MAIL("1", "1", "1") "* 2 FETCH (UID 2 BODY[] {99}\r\nhalf"),
		END };
	static const struct rig_rule second[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("3", "7", "4")),
		ONCE(" UID SEARCH ", "* SEARCH 2 3\r\n" OK),
		ONCE(" UID FETCH 3 ", MAIL("3", "3", "3") OK),
		THEN_HANG_UP(" UID FETCH 2 ", NULL), END };

	(void)state;
	rig_run(rig, first);
	assert_int_equal(rig->result.suspect.number, 2);
	assert_string_equal(rig->result.suspect.mailbox, "INBOX");
	rig->params.suspect = rig->result.suspect;
	rig_run(rig, second);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_int_equal(rig_delivered(rig), 2);
	assert_true(rig_has(rig, "3\n"));
}

/* Once may be an accident; the second time it waits, and is not fetched. */
static void
notes_a_suspect_that_breaks_the_connection_again(void **state)
{
	static const struct rig_rule breaks[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		THEN_HANG_UP(
		    " UID FETCH 1 ", "* 1 FETCH (UID 1 BODY[] {99}\r\nhalf"),
		END };
	static const struct rig_rule after[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")), LOGOUT, END };

	(void)state;
	rig_run(rig, breaks);
	assert_int_equal(rig_trouble(rig).n, 0);
	rig->params.suspect = rig->result.suspect;
	rig_run(rig, breaks);
	assert_int_equal(rig_trouble(rig).n, 1);
	assert_int_equal(rig_trouble(rig).why, LEDGER_WHY_MISSING);
	assert_non_null(strstr(rig_trouble(rig).reason, "connection"));
	rig_run(rig, after);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
}

/* A body that ends in 1, 2, ... octets behind what a file may have. */
static char *
mail_of(size_t octets)
{
	struct buf b;
	char *text;

	buf_init(&b, 1 << 20);
	buf_printf(&b, "* 1 FETCH (UID 1 BODY[] {%zu}\r\n", octets);
	while (octets-- > 0)
		buf_addc(&b, 'x');
	buf_add(&b, SPAN(")\r\n" MAIL("2", "2", "2") OK));
	text = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	return text;
}

#define FILE_MAX_OCTETS 196608

/* More than a file may have, the last of it behind: with what is written at
 * once, or at the end alone. */
static void
assert_notes_what_no_file_can_hold(size_t octets)
{
	char *mail = mail_of(octets);
	const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "7", "3")), ONCE(" UID FETCH ", mail),
		LOGOUT, END };
	struct rlimit before, little;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = FILE_MAX_OCTETS;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	rig_run(rig, script);
	assert_int_equal(rig_trouble(rig).n, 1);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(rig_trouble(rig).uid, 1);
	assert_int_equal(rig->result.err.kind, ERR_MESSAGE);
	assert_int_equal(rig->result.troubles, 1);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_unfinished(rig), 0);
	free(mail);
}

static void
notes_what_no_file_can_hold(void **state)
{
	(void)state;
	assert_notes_what_no_file_can_hold(FILE_MAX_OCTETS + 70000);
}

static void
notes_what_no_file_can_hold_by_a_little(void **state)
{
	(void)state;
	assert_notes_what_no_file_can_hold(FILE_MAX_OCTETS + 1);
}

static void
fetches_in_full_what_is_named_behind_its_body(void **state)
{
	static const struct rig_rule before[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE("(RFC822.SIZE)", "* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n" OK),
		ONCE("BODY.PEEK[HEADER]",
		    "* 1 FETCH (UID 1 RFC822.SIZE 5 BODY[HEADER] "
		    "{0}\r\n)\r\n" OK),
		LOGOUT, END };
	static const struct rig_rule after[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ALWAYS(" UID SEARCH ", "* SEARCH 1\r\n" OK),
		ALWAYS("BODY.PEEK[]",
		    "* 1 FETCH (BODY[] {5}\r\n12345 UID 1)\r\n" OK),
		LOGOUT, END };

	(void)state;
	rig->params.max_size = 4;
	rig_run(rig, before);
	assert_int_equal(rig_trouble(rig).n, 1);
	rig_retry(rig, true);
	rig_run(rig, after);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    stops_at_a_changed_uidvalidity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    refuses_a_mailbox_without_uidvalidity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    drops_what_nobody_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    takes_the_uid_from_behind_the_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    asks_again_for_a_body_that_did_not_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    never_takes_a_missing_body_for_delivered, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    leaves_a_missing_body_alone_before_its_time, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    holds_what_never_came_after_three_fetches, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    forgets_a_trouble_that_is_not_on_the_server_any_more,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    notes_a_suspect_that_breaks_the_connection_again, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    takes_an_empty_message_for_one_when_its_size_says_so,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    takes_no_size_that_is_not_given_for_none, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    searches_when_numbers_have_gaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    stops_when_it_is_told_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    looks_again_when_the_mailbox_holds_more_than_was_delivered,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    finds_what_an_earlier_search_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_search_a_mailbox_that_did_not_change, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    fetches_a_suspect_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    fetches_in_full_what_is_named_behind_its_body, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    notes_what_no_file_can_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    notes_what_no_file_can_hold_by_a_little, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
