/* SPDX-License-Identifier: ISC */
#include "fetch/imap_large.h"

#include "sys/log.h"
#include "unit/fetch/scripts.h"
#include "util/buf.h"

/* Messages that are larger than the user wants, seen from a fetch. */

#define MANY 45

static struct rig *rig;

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(false);
	rig->params.max_size = 100;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

/* clang-format off */
#define TWO ONCE(" SELECT ", BOX("2", "7", "3"))
#define SIZES(text) ONCE(" (RFC822.SIZE)", text OK)
#define SIZE(number, uid, size) \
	"* " number " FETCH (UID " uid " RFC822.SIZE " size ")\r\n"
#define HEADERS(text) ONCE(" BODY.PEEK[HEADER])", text OK)
#define HEADER_OF(number, uid, size) \
	"* " number " FETCH (UID " uid " RFC822.SIZE " size \
	" BODY[HEADER] {26}\r\nFrom: al\r\nSubject: x\r\n\r\n\r\n)\r\n"
/* What is announced counts: 5000 octets are not sent here. */
#define LARGE_MAIL(number, uid) "* " number " FETCH (UID " uid \
	" BODY[] {120}\r\nSubject: the whole\r\n\r\n" TEN TEN TEN TEN TEN TEN \
	TEN TEN "0123456789012345\r\n)\r\n"
#define TEN "0123456789"
/* clang-format on */

#define ONE_IS_LARGE                                                           \
	GREETING, LOGIN, TWO,                                                  \
	    SIZES(SIZE("1", "1", "120") SIZE("2", "2", "3")),                  \
	    HEADERS(HEADER_OF("1", "1", "120")),                               \
	    ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK), LOGOUT, END

static const struct rig_rule one_is_large[] = { ONE_IS_LARGE };
/* It is due, in whole. */
static const struct rig_rule in_full[] = { GREETING, LOGIN, TWO,
	ONCE(" SEARCH ", "* SEARCH 1 2\r\n" OK),
	ONCE(" UID FETCH 1 (UID BODY", LARGE_MAIL("1", "1") OK), LOGOUT, END };

static void
leaves_what_is_too_large_and_holds_it(void **state)
{
	struct rig_trouble t;

	(void)state;
	rig_run(rig, one_is_large);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "BODY.PEEK[]"), 1);
	assert_int_equal(rig_delivered(rig), 1);
	assert_true(rig_has(rig, "2\n"));
	t = rig_trouble(rig);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.uid, 1);
	assert_int_equal(t.state, LEDGER_HELD);
	assert_int_equal(t.why, LEDGER_WHY_SIZE);
	assert_int_equal(t.size, 120);
	assert_false(t.stub);
	assert_non_null(strstr(t.reason, "max-size (100 B)"));
	assert_non_null(strstr(t.about, "al"));
}

static void
asks_for_nothing_of_what_is_held(void **state)
{
	(void)state;
	rig_run(rig, one_is_large);
	rig_run(rig, one_is_large);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
	assert_int_equal(rig_trouble(rig).tries, 1);
}

static void
fetches_it_in_full_when_the_user_wants_it(void **state)
{
	(void)state;
	rig_run(rig, one_is_large);
	rig_retry(rig, true);
	rig_run(rig, in_full);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "(RFC822.SIZE)"), 0);
	assert_int_equal(rig_delivered(rig), 2);
	assert_true(rig_has(rig, "Subject: the whole"));
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* Due, but not in full. */
static void
holds_it_again_when_it_is_tried_as_it_is(void **state)
{
	static const struct rig_rule again[] = { GREETING, LOGIN, TWO,
		ONCE(" SEARCH ", "* SEARCH 1 2\r\n" OK),
		SIZES(SIZE("1", "1", "120")),
		HEADERS(HEADER_OF("1", "1", "120")), LOGOUT, END };

	(void)state;
	rig_run(rig, one_is_large);
	rig_retry(rig, false);
	rig_run(rig, again);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_HELD);
}

static void
delivers_a_stub_in_its_place(void **state)
{
	struct rig_trouble t;

	(void)state;
	rig->params.stubs = true;
	rig_run(rig, one_is_large);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.progress.messages, 2);
	assert_int_equal(rig_delivered(rig), 2);
	assert_true(rig_has(rig, "X-Mailhaul-Stub: size=120\n"));
	assert_true(rig_has(rig, "mailhaul fetch --full test INBOX/1\n"));
	assert_true(rig_has(rig, "From: al\n"));
	t = rig_trouble(rig);
	assert_int_equal(t.state, LEDGER_HELD);
	assert_int_equal(t.size, 120);
	assert_true(t.stub);
	rig_run(rig, one_is_large);
	assert_int_equal(rig_said(rig, "FETCH"), 0);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
delivers_the_whole_behind_its_stub(void **state)
{
	(void)state;
	rig->params.stubs = true;
	rig_run(rig, one_is_large);
	rig_retry(rig, true);
	rig_run(rig, in_full);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 3);
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* The message is still there, and nowhere else. */
static void
never_removes_what_it_left(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		SIZES(SIZE("1", "1", "120") SIZE("2", "2", "3")),
		HEADERS(HEADER_OF("1", "1", "120")),
		ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK),
		ONCE(" UID STORE 2 ", OK),
		ONCE(" UID EXPUNGE 2", "* 2 EXPUNGE\r\n" OK), LOGOUT, END };

	(void)state;
	rig->params.remove = rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig->result.removed, 1);
	assert_int_equal(rig_said(rig, "STORE"), 1);
	assert_int_equal(rig_said(rig, "UID EXPUNGE 2"), 1);
}

/* ---- servers that do not tell, or not the truth ---- */

static void
fetches_what_no_size_is_told_of(void **state)
{
	static const struct rig_rule silent[] = { GREETING, LOGIN, TWO,
		SIZES(SIZE("2", "2", "3") SIZE("9", "9", "1")),
		ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK),
		ONCE(" UID FETCH 1 ", MAIL("1", "1", "1") OK), LOGOUT, END };
	static const struct rig_rule refusing[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("2", "8", "3")),
		ONCE(" (RFC822.SIZE)", "%T NO what?\r\n"),
		ONCE(" UID FETCH 1:2 ",
		    MAIL("1", "1", "1") MAIL("2", "2", "2") OK),
		LOGOUT, END };
	static const char *const other[] = { "Other" };

	(void)state;
	rig_run(rig, silent);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
	rig->params.mailboxes = other;
	rig_run(rig, refusing);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 4);
}

static void
believes_the_body_rather_than_the_size(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		SIZES(SIZE("1", "1", "3") SIZE("2", "2", "3")),
		ONCE(" UID FETCH 1 (UID BODY", LARGE_MAIL("1", "1") OK),
		ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK),
		HEADERS(HEADER_OF("1", "1", "120")), LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_unfinished(rig), 0);
	assert_int_equal(rig_trouble(rig).uid, 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_HELD);
}

static void
tries_again_what_no_header_comes_of(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		SIZES(SIZE("1", "1", "120") SIZE("2", "2", "3")),
		HEADERS("* 2 FETCH (UID 2 FLAGS ())\r\n"),
		ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK), LOGOUT, END };

	(void)state;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_trouble(rig).n, 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_LATER);
	rig_retry(rig, false);
	rig_run(rig,
	    (const struct rig_rule[]){ GREETING, LOGIN, TWO,
		ONCE(" SEARCH ", "* SEARCH 1 2\r\n" OK),
		SIZES(SIZE("1", "1", "120")),
		HEADERS(HEADER_OF("1", "1", "120")), LOGOUT, END });
	assert_int_equal(rig_trouble(rig).n, 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_HELD);
	assert_int_equal(rig_trouble(rig).why, LEDGER_WHY_SIZE);
}

/* Each header is noted once, and only if it was asked for. */
static void
hears_no_header_that_was_not_asked_for(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		SIZES(SIZE("1", "1", "120") SIZE("2", "2", "3")),
		HEADERS(HEADER_OF("2", "2", "3") HEADER_OF("1", "1", "120")
			HEADER_OF("1", "1", "120")),
		ONCE(" UID FETCH 2 ", MAIL("2", "2", "2") OK), LOGOUT, END };

	(void)state;
	rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 2);
	assert_true(rig_has(rig, "2\n"));
	assert_int_equal(rig_trouble(rig).n, 1);
}

static void
ends_when_the_connection_is_lost_at_a_header(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, TWO,
		SIZES(SIZE("1", "1", "120") SIZE("2", "2", "120")),
		THEN_HANG_UP(" BODY.PEEK[HEADER])",
		    "* 1 FETCH (UID 1 RFC822.SIZE 120 BODY[HEADER] {26}\r\nFr"),
		END };

	(void)state;
	rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_int_equal(rig_delivered(rig), 0);
	assert_int_equal(rig_unfinished(rig), 0);
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* ---- many ---- */

/* Their headers are asked for some at a time. */
static void
goes_through_many_that_are_too_large(void **state)
{
	struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("45", "7", "46")), SIZES(""),
		ALWAYS(" BODY.PEEK[HEADER])", NULL), LOGOUT, END };
	struct buf sizes, headers;

	(void)state;
	buf_init(&sizes, 1 << 20);
	buf_init(&headers, 1 << 20);
	for (int i = 1; i <= MANY; i++) {
		(void)buf_printf(
		    &sizes, "* %d FETCH (UID %d RFC822.SIZE 120)\r\n", i, i);
		(void)buf_printf(&headers,
		    "* %d FETCH (UID %d RFC822.SIZE 120 BODY[HEADER] {4}\r\n"
		    "\r\n\r\n)\r\n",
		    i, i);
	}
	(void)buf_printf(&sizes, "%%T OK done\r\n%c", '\0');
	(void)buf_printf(&headers, "%%T OK done\r\n%c", '\0');
	script[3].say = buf_span(&sizes).p;
	script[4].say = buf_span(&headers).p;
	rig->params.stubs = true;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "BODY.PEEK[HEADER]"), 3);
	assert_int_equal(rig_delivered(rig), MANY);
	assert_int_equal(rig_trouble(rig).n, MANY);
	buf_deinit(&sizes);
	buf_deinit(&headers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaves_what_is_too_large_and_holds_it),
		TEST(asks_for_nothing_of_what_is_held),
		TEST(fetches_it_in_full_when_the_user_wants_it),
		TEST(holds_it_again_when_it_is_tried_as_it_is),
		TEST(delivers_a_stub_in_its_place),
		TEST(delivers_the_whole_behind_its_stub),
		TEST(never_removes_what_it_left),
		TEST(fetches_what_no_size_is_told_of),
		TEST(believes_the_body_rather_than_the_size),
		TEST(tries_again_what_no_header_comes_of),
		TEST(hears_no_header_that_was_not_asked_for),
		TEST(ends_when_the_connection_is_lost_at_a_header),
		TEST(goes_through_many_that_are_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
