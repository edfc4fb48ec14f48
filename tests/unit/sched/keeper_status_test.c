/* SPDX-License-Identifier: ISC */
#include "sched/keeper_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/sched/stay.h"

#define NOON 1700049600 /* 2023-11-15 12:00 UTC */
#define MIDNIGHT (NOON + 12 * 3600)

static const struct rig_rule usual[] = { REST };
static const struct rig_rule silent[] = { GREET_ALL, END };
/* A mail each time it is looked for. */
static const struct rig_rule mail[] = { ONCE(" SELECT ", BOX("1", "7", "2")),
	ONE_MAIL, ONCE(" SELECT ", BOX("2", "7", "3")),
	ONCE(" SEARCH ", "* SEARCH 2\r\n" OK),
	ONCE(" UID FETCH ", MAIL("2", "2", "2") OK),
	ALWAYS(" SELECT ", BOX("2", "7", "3")), REST };
/* One that is too large. */
static const struct rig_rule large[] = { ALWAYS(" SELECT ", BOX("1", "7", "2")),
	ONCE("RFC822.SIZE)", "* 1 FETCH (UID 1 RFC822.SIZE 99)\r\n" OK),
	ALWAYS("HEADER",
	    "* 1 FETCH (UID 1 RFC822.SIZE 99 BODY[HEADER] "
	    "{2}\r\n\r\n)\r\n" OK),
	ALWAYS("BODY.PEEK[]", MAIL("1", "1", "1") OK), REST };

static void
keep_watching(const struct rig_rule *script)
{
	stay_keep(script);
	UNTIL(stay_is(STATUS_WATCHING));
}

static void
poll(void)
{
	unsigned int n = stay.polled + 1;

	keeper_poll(stay.keeper);
	UNTIL(stay.polled == n);
}

/* ---- counts ---- */

static void
counts_what_was_delivered(void **state)
{
	(void)state;
	keep_watching(mail);
	assert_int_equal(stay_status().delivered, 1);
	assert_int_equal(stay_status().octets, 3);
	poll();
	assert_int_equal(stay_status().delivered, 2);
	assert_int_equal(stay_status().today, 2);
	assert_int_equal(stay_status().octets, 6);
}

static void
counts_anew_at_midnight(void **state)
{
	(void)state;
	stay_set_wall(MIDNIGHT - 20);
	keep_watching(mail);
	assert_int_equal(stay_status().today, 1);
	stay_set_wall(MIDNIGHT + 1);
	assert_int_equal(stay_status().today, 0);
	assert_int_equal(stay_status().delivered, 1);
	poll();
	assert_int_equal(stay_status().today, 1);
	assert_int_equal(stay_status().delivered, 2);
}

static void
mail_at_midnight_is_of_the_new_day(void **state)
{
	static const struct fetch_result two = { .progress.messages = 2 };

	(void)state;
	stay_set_wall(MIDNIGHT - 20);
	keep_watching(mail);
	assert_int_equal(stay_status().today, 1);
	stay_set_wall(MIDNIGHT + 1);
	keeper_count(stay.keeper, &two); /* nobody has asked since */
	assert_int_equal(stay_status().today, 2);
}

/* Where people live. */
static void
midnight_is_local(void **state)
{
	(void)state;
	setenv("TZ", "EAST-5", 1);
	tzset();
	stay_set_wall(MIDNIGHT - 5 * 3600 - 20);
	keep_watching(mail);
	assert_int_equal(stay_status().today, 1);
	stay_set_wall(MIDNIGHT - 5 * 3600 + 1);
	assert_int_equal(stay_status().today, 0);
	setenv("TZ", "UTC0", 1);
	tzset();
}

static void
the_last_day_of_a_year_is_not_the_first_of_the_next(void **state)
{
	static const int64_t ends[] = { 1703980800, 1735603200 }; /* 2023, 24 */

	(void)state;
	keep_watching(usual);
	for (size_t i = 0; i < 2; i++) {
		stay_set_wall(ends[i] + 86400 - 20);
		assert_int_equal(stay_status().today, 0);
		stay.keeper->status.today = 5;
		assert_int_equal(stay_status().today, 5);
		stay_set_wall(ends[i] + 86400 + 1);
		assert_int_equal(stay_status().today, 0);
	}
}

static void
counts_failures_by_their_kind(void **state)
{
	static const char *const names[] = { "INBOX", "gone" };
	static const struct rig_rule script[] = {
		ALWAYS("SELECT \"gone\"", "%T NO [NONEXISTENT] none\r\n"), REST
	};

	(void)state;
	stay_fetch(names, 2);
	keep_watching(script);
	assert_int_equal(stay_status().failures[ERR_MAILBOX], 1);
	scripted_hang_up(stay.host, NULL);
	UNTIL(stay_status().failures[ERR_NET] == 1);
	assert_int_equal(stay_status().failures[ERR_NONE], 0);
}

/* ---- messages that are held ---- */

static void
knows_how_many_are_held(void **state)
{
	(void)state;
	stay.conf.max_size = 50;
	keep_watching(large);
	UNTIL(stay_status().held == 1);
	stay_restart();
	UNTIL(!stay.keeper->recalling);
	assert_int_equal(stay_status().held, 1);
}

/* An answer to a question from before the last round is not the last. */
static void
asks_again_what_was_asked_too_early(void **state)
{
	(void)state;
	keep_watching(usual);
	UNTIL(!stay.keeper->recalling);
	keeper_recall(stay.keeper);
	keeper_recall(stay.keeper);
	assert_true(stay.keeper->stale);
	UNTIL(!stay.keeper->stale);
	assert_true(stay.keeper->recalling);
	UNTIL(!stay.keeper->recalling);
	assert_false(stay.keeper->stale);
}

static void
knows_when_they_are_held_no_more(void **state)
{
	(void)state;
	stay.conf.max_size = 50;
	keep_watching(large);
	UNTIL(stay_status().held == 1);
	rig_retry(stay.rig, true);
	poll();
	UNTIL(stay_status().delivered == 1);
	UNTIL(stay_status().held == 0);
}

/* ---- failure and success ---- */

static void
a_message_in_trouble_is_no_failure_of_the_account(void **state)
{
	static const struct rig_rule script[] = { ALWAYS(" SELECT ",
						      BOX("1", "7", "2")),
		ALWAYS(" UID FETCH ", "* 1 FETCH (UID 1 BODY[] NIL)\r\n" OK),
		ALWAYS(" UID SEARCH ", "* SEARCH 1\r\n" OK), REST };

	(void)state;
	keep_watching(script);
	assert_int_equal(stay_status().err.kind, ERR_MESSAGE);
	assert_int_equal(stay_status().failing_since, 0);
	assert_int_equal(stay_status().failures[ERR_MESSAGE], 1);
	assert_true(stay_status().last_success != 0);
}

static void
says_since_when_it_fails_and_when_it_last_did_not(void **state)
{
	static const struct rig_rule gone[] = { { NULL, "", true, true, 0 },
		END };

	(void)state;
	stay_set_wall(NOON);
	keep_watching(usual);
	assert_in_range(stay_status().last_success, NOON, NOON + 3);
	assert_int_equal(stay_status().err.kind, ERR_NONE);
	stay_set_wall(NOON + 100);
	scripted_open(stay.host, gone, NULL, NULL, NULL);
	scripted_hang_up(stay.host, NULL);
	UNTIL(stay_status().failures[ERR_NET] == 1);
	stay_set_wall(NOON + 200);
	lane_begin(stay.keeper->main, 0);
	UNTIL(stay_status().failures[ERR_NET] == 2);
	assert_in_range(stay_status().failing_since, NOON + 100, NOON + 103);
	assert_in_range(stay_status().last_success, NOON, NOON + 3);
	assert_int_equal(stay_status().err.kind, ERR_NET);
	scripted_open(stay.host, usual, NULL, NULL, NULL);
	lane_begin(stay.keeper->main, 0);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(stay_status().failing_since, 0);
	assert_int_equal(stay_status().err.kind, ERR_NONE);
	assert_in_range(stay_status().last_success, NOON + 200, NOON + 203);
}

static unsigned int
lines_with(const char *text)
{
	unsigned int n = 0;

	for (const char *p = stay.logged; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

static void
logs_the_beginning_every_hour_and_the_end(void **state)
{
	static const struct fetch_result good = { .logged_in = true };
	struct err e;

	(void)state;
	keep_watching(usual);
	err_set(&e, ERR_NET, 0, "no route");
	keeper_failed(stay.keeper, &e);
	keeper_failed(stay.keeper, &e);
	assert_int_equal(lines_with("test: error: no route"), 1);
	stay_forward(3000);
	keeper_failed(stay.keeper, &e);
	assert_int_equal(lines_with("no route"), 1);
	stay_forward(900);
	keeper_failed(stay.keeper, &e);
	assert_int_equal(
	    lines_with("test: error: still fails, for 65 min: no route"), 1);
	stay_forward(600);
	keeper_succeeded(stay.keeper, &good);
	assert_int_equal(lines_with("works again, after 75 min"), 1);
	keeper_succeeded(stay.keeper, &good);
	assert_int_equal(lines_with("works again"), 1);
}

/* ---- the state ---- */

static void
ignore(void *arg)
{
	stay_happened(arg);
}

static void
counts_sessions_that_are_logged_in(void **state)
{
	static const struct rig_rule stuck[] = { GREET_ALL, LET_ALL_IN,
		ALWAYS(" SELECT ", BOX("1", "7", "2")), END };
	char host[64];
	struct hosts_place *place;

	(void)state;
	snprintf(host, sizeof(host), "127.0.0.1:%u", stay.conf.port);
	place = hosts_ask(stay.hosts, host, ignore, NULL);
	stay_step();
	stay_keep(usual);
	UNTIL(stay.keeper->begun);
	stay_pass(10);
	assert_int_equal(lane_state(stay.keeper->main), LANE_QUEUED);
	assert_true(stay_is(STATUS_WAITING));
	assert_int_equal(stay_status().sessions, 0);
	scripted_open(stay.host, silent, NULL, NULL, NULL);
	hosts_leave(&place);
	UNTIL(stay_heard(" LOGIN ", 1));
	assert_true(stay_is(STATUS_CONNECTING));
	assert_int_equal(stay_status().sessions, 0);
	keeper_free(&stay.keeper);
	stay_keep(stuck);
	UNTIL(stay_heard(" UID FETCH ", 1));
	assert_true(stay_is(STATUS_FETCHING));
	assert_int_equal(stay_status().sessions, 1);
	assert_int_equal(stay_status().next, 0);
	keeper_free(&stay.keeper);
	keep_watching(usual);
	assert_int_equal(stay_status().sessions, 1);
	assert_int_equal(stay_status().watched, 1);
	assert_int_equal(stay_status().polled, 0);
	assert_int_equal(stay_status().how, STATUS_IDLE);
}

static void
says_when_something_is_due(void **state)
{
	(void)state;
	stay_set_wall(NOON);
	stay.start_ms = 40000;
	stay_keep(usual);
	UNTIL(stay_status().next != 0);
	assert_in_range(stay_status().next, NOON + 39, NOON + 43);
	assert_true(stay_is(STATUS_WAITING));
	keeper_pause(stay.keeper);
	assert_int_equal(stay_status().next, 0);
}

static void
what_sleeps_was_successful(void **state)
{
	static const struct rig_rule script[] = { LET_ALL_IN_TO_POLL, REST };

	(void)state;
	stay_keep(script);
	assert_true(stay_is(STATUS_WAITING));
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_int_equal(stay_status().how, STATUS_POLL);
	assert_int_equal(stay_status().sessions, 0);
	assert_int_equal(stay_status().watched, 0);
}

static void
says_that_it_polls_when_nobody_tells_any_more(void **state)
{
	static const struct rig_rule script[] = {
		ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"),
		LET_ALL_IN_TO_POLL, REST
	};

	(void)state;
	keep_watching(script);
	assert_int_equal(stay_status().how, STATUS_IDLE);
	scripted_hang_up(stay.host, NULL);
	UNTIL(stay_is(STATUS_BACKOFF));
	lane_begin(stay.keeper->main, 0);
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_int_equal(stay_status().how, STATUS_POLL);
}

/* A refusal counts for more than what its last probe met. */
static void
who_was_refused_stays_so_when_the_network_fails(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, REFUSE, REFUSE,
		REFUSE, THEN_HANG_UP(" LOGIN ", ""), END };

	(void)state;
	stay_keep(script);
	for (unsigned int n = 1; n <= 3; n++) {
		UNTIL(stay_status().refused == n);
		lane_begin(stay.keeper->main, 0);
	}
	UNTIL(stay_status().failures[ERR_NET] == 1);
	assert_true(stay_is(STATUS_REFUSED));
	assert_int_equal(stay_status().err.kind, ERR_NET);
	assert_int_equal(stay_status().refused, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_what_was_delivered),
		TEST(counts_anew_at_midnight),
		TEST(mail_at_midnight_is_of_the_new_day),
		TEST(midnight_is_local),
		TEST(the_last_day_of_a_year_is_not_the_first_of_the_next),
		TEST(counts_failures_by_their_kind),
		TEST(knows_how_many_are_held),
		TEST(asks_again_what_was_asked_too_early),
		TEST(knows_when_they_are_held_no_more),
		TEST(a_message_in_trouble_is_no_failure_of_the_account),
		TEST(says_since_when_it_fails_and_when_it_last_did_not),
		TEST(logs_the_beginning_every_hour_and_the_end),
		TEST(counts_sessions_that_are_logged_in),
		TEST(says_when_something_is_due),
		TEST(what_sleeps_was_successful),
		TEST(says_that_it_polls_when_nobody_tells_any_more),
		TEST(who_was_refused_stays_so_when_the_network_fails),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
