/* SPDX-License-Identifier: ISC */
/* When DONE is said, and IDLE in conversations, which are of proto/imap.h. */
#include "proto/imap_watch.h"

#include <malloc.h>

#include "unit/proto/imap_talk.h"

/* ---- by itself ---- */

static void
says_done_once_behind_the_plus(void **state)
{
	struct imap_watch w = { 0 };
	struct imap_say say;

	(void)state;
	imap_say_init(&say);
	imap_watch_leave(&w, &say);
	assert_false(imap_watch_plus(&w, &say));
	imap_watch_begin(&w);
	assert_true(imap_watch_is_asked(&w));
	assert_true(imap_watch_plus(&w, &say));
	assert_true(imap_watch_is_on(&w));
	assert_false(imap_watch_is_asked(&w));
	assert_false(imap_watch_plus(&w, &say));
	assert_int_equal(say.out.n, 0);
	imap_watch_leave(&w, &say);
	imap_watch_leave(&w, &say);
	assert_false(imap_watch_is_on(&w));
	assert_false(imap_watch_plus(&w, &say));
	assert_true(span_eq(buf_span(&say.out), SPAN("DONE\r\n")));
	imap_say_deinit(&say);
}

static void
keeps_done_back_until_the_plus(void **state)
{
	struct imap_watch w = { 0 };
	struct imap_say say;

	(void)state;
	imap_say_init(&say);
	imap_watch_begin(&w);
	imap_watch_leave(&w, &say);
	assert_int_equal(say.out.n, 0);
	assert_false(imap_watch_plus(&w, &say));
	assert_true(span_eq(buf_span(&say.out), SPAN("DONE\r\n")));
	imap_say_sent(&say, say.out.n);
	imap_watch_begin(&w);
	imap_watch_leave(&w, &say);
	imap_watch_end(&w);
	assert_false(imap_watch_plus(&w, &say));
	assert_int_equal(say.out.n, 0);
	imap_watch_begin(&w);
	assert_true(imap_watch_plus(&w, &say));
	imap_say_deinit(&say);
}

static void
tells_when_done_does_not_fit(void **state)
{
	struct imap_watch w = { 0 };
	struct imap_say say;

	(void)state;
	imap_say_init(&say);
	say.out.max = 3;
	imap_watch_begin(&w);
	assert_true(imap_watch_plus(&w, &say));
	imap_watch_leave(&w, &say);
	assert_true(say.full);
	imap_say_deinit(&say);
}

/* ---- conversations ---- */

static void
select_and_idle(struct imap *m)
{
	imap_select(m, "INBOX");
	imap_idle(m);
}

static void
idle(struct imap *m)
{
	imap_idle(m);
}

static void
leave_idle(struct imap *m, enum imap_event ev)
{
	if (ev == IMAP_CHANGED)
		imap_idle_done(m);
}

#define SENT_SELECT "A2 SELECT \"INBOX\"\r\n"

/* What an IDLE in a mailbox of 5 messages makes of said; it is left when the
 * mailbox changes. */
static void
idles(struct span said, const char *events, const char *sent)
{
	struct talk talk = { .ready = select_and_idle,
		.woken = leave_idle,
		.turns = { SPAN(TALK_HELLO),
		    SPAN("* 5 EXISTS\r\nA2 OK [READ-WRITE]\r\n"), said } };
	char *want = mem_printf("READY\nDONE 2 ok exists=5 uidvalidity=0 "
				"uidnext=0\n%s--\n" TALK_HELLO_SENT SENT_SELECT
				"A3 IDLE\r\n%s",
	    events, sent);

	talk_expect(&talk, want);
	free(want);
}

static void
waits_for_mail(void **state)
{
	(void)state;
	idles(SPAN("+ idling\r\n* OK Still here\r\n* 6 EXISTS\r\n"
		   "* 1 RECENT\r\nA3 OK Idle completed.\r\n"),
	    "IDLING 3\nCHANGED 6\nDONE 3 ok\n", "DONE\r\n");
	/* no text, no blank, a blank and no text */
	idles(SPAN("+\r\nA3 OK\r\n"), "IDLING 3\nDONE 3 ok\n", "");
	idles(SPAN("+ \r\nA3 OK\r\n"), "IDLING 3\nDONE 3 ok\n", "");
	idles(SPAN("+idling\r\n* 4 EXPUNGE\r\nA3 OK\r\n"),
	    "IDLING 3\nVANISHED 4 of 5\nDONE 3 ok\n", "");
}

static void
hears_changes_in_any_order(void **state)
{
	(void)state;
	/* Exchange: before the "+" */
	idles(SPAN("* 1 RECENT\r\n* 6 EXISTS\r\n"
		   "+ IDLE accepted, awaiting DONE command.\r\nA3 OK\r\n"),
	    "CHANGED 6\nDONE 3 ok\n", "DONE\r\n");
	/* behind DONE */
	idles(SPAN("+\r\n* 6 EXISTS\r\n* 7 EXISTS\r\n* 1 EXPUNGE\r\nA3 OK\r\n"
		   "* 7 EXISTS\r\n"),
	    "IDLING 3\nCHANGED 6\nCHANGED 7\nVANISHED 1 of 7\nDONE 3 ok\n"
	    "CHANGED 7\n",
	    "DONE\r\n");
	/* instead of the "+": nothing may be said */
	idles(SPAN("* 6 EXISTS\r\n* OK Still here\r\n"), "CHANGED 6\n", "");
	/* the number that is known already, and again */
	idles(SPAN("* 5 EXISTS\r\n+\r\n* 5 EXISTS\r\n* 5 EXISTS\r\n"),
	    "IDLING 3\n", "");
}

static void
hears_an_end_that_it_did_not_ask_for(void **state)
{
	(void)state;
	idles(SPAN("A3 OK done\r\n"), "DONE 3 ok\n", "");
	idles(SPAN("+\r\nA3 OK timeout\r\n+ more\r\n* 6 EXISTS\r\n"),
	    "IDLING 3\nDONE 3 ok\nCHANGED 6\n", "");
	/* wanted to leave, and the server was quicker */
	idles(
	    SPAN("* 6 EXISTS\r\nA3 OK\r\n+\r\n"), "CHANGED 6\nDONE 3 ok\n", "");
	/* our DONE crosses its end, and is no command */
	idles(SPAN("+\r\n* 6 EXISTS\r\nA3 OK\r\nDONE BAD what?\r\n"
		   "* 7 EXISTS\r\n"),
	    "IDLING 3\nCHANGED 6\nDONE 3 ok\nCHANGED 7\n", "DONE\r\n");
}

static void
goes_on_when_idle_is_refused(void **state)
{
	(void)state;
	idles(SPAN("A3 NO not now\r\n* 6 EXISTS\r\n"),
	    "DONE 3 not proto: idle: \"not now\"\nCHANGED 6\n", "");
	idles(SPAN("A3 BAD Unknown command\r\n"),
	    "DONE 3 not proto: idle: \"Unknown command\"\n", "");
	idles(SPAN("+\r\n* 6 EXISTS\r\nA3 BAD Expected DONE\r\n"),
	    "IDLING 3\nCHANGED 6\n"
	    "DONE 3 not proto: idle: \"Expected DONE\"\n",
	    "DONE\r\n");
}

static void
takes_a_second_plus_for_nothing(void **state)
{
	(void)state;
	idles(SPAN("+\r\n+\r\n+ x\r\n* 6 EXISTS\r\n+\r\nA3 OK\r\n+\r\n"),
	    "IDLING 3\nCHANGED 6\nDONE 3 ok\n", "DONE\r\n");
}

static void
ends_with_the_first_bye(void **state)
{
	(void)state;
	idles(SPAN("+\r\n* BYE bye now\r\n* BYE bye now\r\n* BYE\r\n"),
	    "IDLING 3\n"
	    "FAILED net: the server ends the session: \"bye now\"\n",
	    "");
	/* instead of the answer to DONE */
	idles(SPAN("+\r\n* 6 EXISTS\r\n* BYE\r\nA3 OK\r\n"),
	    "IDLING 3\nCHANGED 6\nFAILED net: the server ends the session\n",
	    "DONE\r\n");
}

static void
idle_again(struct imap *m, enum imap_event ev)
{
	if (ev == IMAP_IDLING)
		imap_idle_done(m);
	if (ev == IMAP_DONE)
		imap_idle(m);
}

static void
idles_again_and_again(void **state)
{
	struct talk talk = { .ready = idle,
		.woken = idle_again,
		.turns = { SPAN(TALK_HELLO), SPAN("+\r\nA2 OK\r\n"),
		    SPAN("A3 OK\r\n+\r\n"), SPAN("A4 NO\r\n") } };

	(void)state;
	talk_expect(&talk,
	    "READY\nIDLING 2\nDONE 2 ok\nDONE 3 ok\nIDLING 4\n"
	    "DONE 4 not proto: idle\n--\n" TALK_HELLO_SENT
	    "A2 IDLE\r\nDONE\r\nA3 IDLE\r\nA4 IDLE\r\nDONE\r\nA5 IDLE\r\n");
}

static void
idle_and_leave(struct imap *m)
{
	imap_idle(m);
	imap_logout(m);
	imap_logout(m);
}

static void
log_out(struct imap *m, enum imap_event ev)
{
	if (ev != IMAP_DONE)
		imap_logout(m);
}

static void
logs_out_of_idle(void **state)
{
	struct talk talk = { .ready = idle,
		.woken = log_out,
		.turns = { SPAN(TALK_HELLO), SPAN("+\r\n"),
		    SPAN("* 9 EXISTS\r\nA2 OK\r\n* BYE\r\nA3 OK\r\n") } };

	(void)state;
	talk_expect(&talk,
	    "READY\nIDLING 2\nCLOSED\n--\n" TALK_HELLO_SENT
	    "A2 IDLE\r\nDONE\r\nA3 LOGOUT\r\n");
	/* before the "+", after which it may be said, and without one */
	talk_ready(idle_and_leave, SPAN("* 9 EXISTS\r\n"), "", "A2 IDLE\r\n");
	talk.ready = idle_and_leave;
	talk.turns[1] = SPAN("+\r\n+\r\n");
	talk_expect(&talk,
	    "READY\nCLOSED\n--\n" TALK_HELLO_SENT
	    "A2 IDLE\r\nDONE\r\nA3 LOGOUT\r\n");
	talk.turns[1] = SPAN("* BYE\r\nA2 NO\r\n");
	talk.turns[2] = SPAN("A3 OK\r\n");
	talk_expect(&talk,
	    "READY\nCLOSED\n--\n" TALK_HELLO_SENT "A2 IDLE\r\nA3 LOGOUT\r\n");
}

/* ---- by hand ---- */

static enum imap_event
step(struct imap *m, const char *said)
{
	struct span in = span_of(said);
	struct imap_info info;

	return imap_step(m, &in, &info);
}

static struct imap *
machine(unsigned int timeout_s)
{
	struct secret *secret = secret_new(SPAN("pass"));
	struct imap_params params = { .tls = IMAP_TLS_NONE,
		.user = "bob",
		.secret = secret,
		.timeout_s = timeout_s };
	struct imap *m = imap_new(&params);

	secret_free(&secret);
	assert_int_equal(
	    step(m, "* PREAUTH [CAPABILITY IDLE] hi\r\n"), IMAP_READY);
	return m;
}

/* Of all that was said until now. */
static bool
has_said(struct imap *m, const char *words)
{
	struct span out = imap_output(m);
	bool same = span_eq(out, span_of(words));

	imap_sent(m, out.n);
	return same;
}

static void
says_done_in_its_time(void **state)
{
	struct imap *m = machine(0);

	(void)state;
	imap_idle_done(m);
	assert_true(has_said(m, ""));
	assert_false(imap_idling(m));
	imap_idle(m);
	assert_true(imap_idling(m));
	imap_idle_done(m);
	assert_true(has_said(m, "A1 IDLE\r\n"));
	assert_int_equal(step(m, "+\r\n"), IMAP_MORE);
	assert_true(has_said(m, "DONE\r\n"));
	imap_idle_done(m);
	assert_true(has_said(m, ""));
	assert_true(imap_idling(m));
	assert_int_equal(step(m, "A1 OK\r\n"), IMAP_DONE);
	assert_false(imap_idling(m));
	imap_free(&m);
}

static void
has_a_time_limit_but_while_it_idles(void **state)
{
	static const struct {
		unsigned int user_s, idle_s;
	} cases[] = { { 0, 60 }, { 20, 20 }, { 600, 60 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap *m = machine(cases[i].user_s);

		imap_idle(m);
		assert_int_equal(imap_timeout(m), cases[i].idle_s);
		assert_string_equal(imap_state_name(m), "idle");
		assert_int_equal(step(m, "* 5 EXISTS\r\n"), IMAP_CHANGED);
		assert_int_equal(imap_timeout(m), cases[i].idle_s);
		assert_int_equal(step(m, "+\r\n"), IMAP_IDLING);
		assert_int_equal(imap_timeout(m), 0);
		imap_idle_done(m);
		assert_int_equal(imap_timeout(m), cases[i].idle_s);
		assert_int_equal(step(m, "A1 OK\r\n"), IMAP_DONE);
		assert_int_equal(imap_timeout(m), 0);
		imap_free(&m);
	}
}

static void
waits_for_an_older_answer_no_longer_because_of_idle(void **state)
{
	struct imap *m = machine(0);

	(void)state;
	imap_noop(m);
	imap_idle(m);
	assert_int_equal(step(m, "+\r\n"), IMAP_IDLING);
	assert_int_equal(imap_timeout(m), 60);
	assert_int_equal(step(m, "A1 OK\r\n"), IMAP_DONE);
	assert_int_equal(imap_timeout(m), 0);
	imap_free(&m);
}

static void
hurries_until_the_next_answer(void **state)
{
	struct imap *m = machine(0);

	(void)state;
	imap_hurry(m, 10);
	assert_int_equal(imap_timeout(m), 0);
	imap_noop(m);
	assert_int_equal(imap_timeout(m), 10);
	assert_int_equal(step(m, "* 5 EXISTS\r\n"), IMAP_CHANGED);
	assert_int_equal(imap_timeout(m), 10);
	assert_int_equal(step(m, "A1 OK\r\n"), IMAP_DONE);
	imap_idle(m);
	assert_int_equal(imap_timeout(m), 60);
	imap_hurry(m, 10);
	assert_int_equal(imap_timeout(m), 10);
	assert_int_equal(step(m, "+\r\n"), IMAP_IDLING);
	assert_int_equal(imap_timeout(m), 0);
	imap_idle_done(m);
	assert_int_equal(imap_timeout(m), 10);
	imap_hurry(m, 0);
	assert_int_equal(imap_timeout(m), 60);
	imap_hurry(m, 100);
	assert_int_equal(imap_timeout(m), 60);
	imap_hurry(m, 10);
	imap_expire(m);
	assert_string_equal(imap_error(m)->text, "no answer for 10 s (idle)");
	assert_int_equal(imap_error(m)->kind, ERR_NET);
	imap_idle_done(m);
	assert_true(imap_idle(m) > 0);
	imap_free(&m);
}

/* Octets of the heap in use; with a sanitizer always the same. */
static size_t
in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void
fetch_long_headers(struct imap *m)
{
	struct set uids = { 0 };
	char *said = mem_printf("* 1 FETCH (UID 1 BODY[HEADER] {50000}\r\n"
				"%050000d)\r\n* OK %050000d\r\n",
	    0, 0);
	struct span in = span_of(said);
	struct imap_info info;

	for (uint32_t uid = 1; uid < 40000; uid += 2)
		set_add(&uids, uid, uid);
	imap_fetch_whole_headers(m, &uids);
	set_deinit(&uids);
	imap_sent(m, imap_output(m).n);
	while (imap_step(m, &in, &info) != IMAP_MORE)
		continue;
	free(said);
}

static void
gives_its_memory_back_while_it_idles(void **state)
{
	struct imap *m = machine(0);
	size_t before = in_use();

	(void)state;
	fetch_long_headers(m);
	assert_true(in_use() == before || in_use() > before + 100000);
	assert_int_equal(step(m, "A1 OK\r\n"), IMAP_DONE);
	imap_idle(m);
	imap_sent(m, imap_output(m).n);
	assert_int_equal(step(m, "+\r\n"), IMAP_IDLING);
	assert_int_equal(step(m, ""), IMAP_MORE);
	assert_true(in_use() < before + 8192);
	imap_free(&m);
}

static void
keeps_a_name_that_it_lent_while_it_sends(void **state)
{
	struct imap *m = machine(0);
	struct span in = SPAN("* STATUS Lists ()\r\n");
	struct imap_info info;

	(void)state;
	assert_int_equal(imap_step(m, &in, &info), IMAP_COUNTED);
	imap_idle(m);
	imap_sent(m, imap_output(m).n);
	assert_true(span_eq(info.name, SPAN("Lists")));
	imap_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_done_once_behind_the_plus),
		cmocka_unit_test(keeps_done_back_until_the_plus),
		cmocka_unit_test(tells_when_done_does_not_fit),
		cmocka_unit_test(waits_for_mail),
		cmocka_unit_test(hears_changes_in_any_order),
		cmocka_unit_test(hears_an_end_that_it_did_not_ask_for),
		cmocka_unit_test(goes_on_when_idle_is_refused),
		cmocka_unit_test(takes_a_second_plus_for_nothing),
		cmocka_unit_test(ends_with_the_first_bye),
		cmocka_unit_test(idles_again_and_again),
		cmocka_unit_test(logs_out_of_idle),
		cmocka_unit_test(says_done_in_its_time),
		cmocka_unit_test(has_a_time_limit_but_while_it_idles),
		cmocka_unit_test(
		    waits_for_an_older_answer_no_longer_because_of_idle),
		cmocka_unit_test(hurries_until_the_next_answer),
		cmocka_unit_test(gives_its_memory_back_while_it_idles),
		cmocka_unit_test(keeps_a_name_that_it_lent_while_it_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
