/* SPDX-License-Identifier: ISC */
#include "sched/keeper_own.h"

#include "unit/sched/stay.h"

/* The sessions beside the first. Whatever happens, no two of them are in one
 * mailbox: tear_down() sees to that. */

#define IN ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1 UIDPLUS IDLE] in\r\n")
#define NO_MORE(why) ALWAYS(" LOGIN ", "%T NO " why "\r\n")

static const struct rig_rule usual[] = { REST };
static const char *const names[] = { "INBOX", "a", "b", "c" };

static int
set_up(void **state)
{
	stay_set_up(state);
	scripted_let_many(stay.host);
	stay_fetch(names, 4);
	stay.conf.max_connections = 3;
	return 0;
}

static int
tear_down(void **state)
{
	assert_int_equal(scripted_shared(stay.host), 0);
	return stay_tear_down(state);
}

static void
keep_watching(const struct rig_rule *script, unsigned int sessions)
{
	stay_keep(script);
	UNTIL(stay_status().watched == sessions);
	assert_int_equal(stay_status().sessions, sessions);
}

static struct keeper_extra *
extra(const char *mailbox)
{
	for (size_t i = 0; i < stay.keeper->n_extras; i++)
		if (strcmp(stay.keeper->extras[i]->mailbox, mailbox) == 0)
			return stay.keeper->extras[i];
	return NULL;
}

/* ---- how many ---- */

static void
opens_as_many_sessions_as_are_allowed(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	assert_int_equal(scripted_clients(stay.host), 3);
	assert_int_equal(stay_status().polled, 1);
	assert_non_null(extra("a"));
	assert_non_null(extra("b"));
	assert_int_equal(rig_said(stay.rig, "SELECT \"INBOX\""), 1);
	assert_int_equal(rig_said(stay.rig, "SELECT \"a\""), 2);
	assert_int_equal(rig_said(stay.rig, "SELECT \"c\""), 1);
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 3);
}

static void
opens_no_more_than_there_are_mailboxes(void **state)
{
	(void)state;
	stay.conf.max_connections = 10;
	keep_watching(usual, 4);
	assert_int_equal(scripted_clients(stay.host), 4);
	assert_int_equal(stay_status().polled, 0);
	keeper_poll(stay.keeper); /* another round opens no more */
	UNTIL(stay.polled == 1);
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 4);
}

static void
opens_none_where_one_is_allowed(void **state)
{
	(void)state;
	stay.conf.max_connections = 1;
	keep_watching(usual, 1);
	assert_int_equal(stay_status().polled, 3);
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 1);
}

static void
opens_none_where_one_is_told_of_all(void **state)
{
	static const struct rig_rule script[] = { ALWAYS(" LOGIN ",
						      "%T OK [CAPABILITY "
						      "IMAP4rev1 IDLE NOTIFY] "
						      "in\r\n"),
		ALWAYS(" NOTIFY ", OK), REST };

	(void)state;
	stay_keep(script);
	UNTIL(stay_status().watched == 4);
	assert_int_equal(stay_status().how, STATUS_NOTIFY);
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 1);
}

static void
opens_none_where_nobody_tells(void **state)
{
	static const struct rig_rule script[] = { LET_ALL_IN_TO_POLL, REST };

	(void)state;
	stay_keep(script);
	UNTIL(stay_is(STATUS_SLEEPING));
	stay_pass(20);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

/* ---- mail ---- */

static void
fetches_what_is_told_to_any_of_them(void **state)
{
	static const struct rig_rule script[] = {
		ONCE(" UID SEARCH ", "* SEARCH 1\r\n" OK), ONE_MAIL, REST
	};

	(void)state;
	keep_watching(script, 3);
	assert_int_equal(scripted_say(stay.host, "b", "* 1 EXISTS\r\n"), 1);
	UNTIL(stay_status().delivered == 1);
	assert_int_equal(rig_delivered(stay.rig), 1);
	assert_true(stay_status().octets > 0);
	assert_int_equal(stay_status().today, 1);
}

static void
a_poll_asks_all_of_them_and_adds_up(void **state)
{
	static const struct rig_rule script[] = { ONCE("SELECT \"b\"",
						      BOX("0", "7", "1")),
		ONCE("SELECT \"b\"", BOX("0", "7", "1")),
		ONCE("SELECT \"b\"", BOX("1", "7", "2")),
		ONCE("SELECT \"INBOX\"", BOX("0", "7", "1")),
		ONCE("SELECT \"INBOX\"", BOX("1", "7", "2")),
		ALWAYS(" UID FETCH ", MAIL("1", "1", "1") OK), REST };

	(void)state;
	keep_watching(script, 3);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_NONE);
	assert_int_equal(stay.answer.progress.messages, 2);
	assert_int_equal(rig_said(stay.rig, "SELECT \"INBOX\""), 2);
	assert_int_equal(rig_said(stay.rig, "SELECT \"a\""), 3);
	assert_int_equal(rig_said(stay.rig, "SELECT \"c\""), 2);
}

static void
a_poll_says_that_one_of_them_was_lost(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	keeper_poll(stay.keeper);
	scripted_hang_up(stay.host, "b");
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_NET);
	assert_int_equal(rig_said(stay.rig, "SELECT \"INBOX\""), 2);
}

/* ---- one of them is lost ---- */

static void
one_that_is_lost_comes_back(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	stay_forward(90);
	assert_int_equal(scripted_hang_up(stay.host, "a"), 1);
	UNTIL(stay_status().watched == 2);
	assert_int_equal(stay_status().failing_since, 0);
	assert_in_range(lane_due_ms(extra("a")->lane), 500, 1100);
	UNTIL(stay_status().watched == 3);
	assert_int_equal(rig_said(stay.rig, "SELECT \"a\""), 3);
}

static void
one_that_a_probe_finds_dead_comes_back_at_once(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	keeper_probe(stay.keeper);
	scripted_hang_up(stay.host, "a");
	UNTIL(stay_status().watched == 2);
	assert_int_equal(lane_due_ms(extra("a")->lane), 0);
	UNTIL(stay_status().watched == 3);
}

/* It loses each session as soon as it watches. */
static void
one_that_is_lost_again_and_again_is_given_back(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	for (unsigned int n = 1; n <= 3; n++) {
		scripted_hang_up(stay.host, "a");
		UNTIL(stay_status().failures[ERR_NET] == n);
		if (n == 3)
			break;
		lane_begin(extra("a")->lane, 0);
		UNTIL(stay_status().watched == 3);
	}
	assert_null(extra("a"));
	assert_non_null(extra("b"));
	assert_true(stay_logged("a has no session of its own any more"));
	UNTIL(stay_heard("SELECT \"a\"", 5)); /* by the first */
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(stay_status().watched, 2);
	assert_int_equal(stay_status().polled, 2);
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 2);
	assert_int_equal(stay_status().failing_since, 0);
}

/* ---- a server that wants fewer ---- */

static void
be_left_with_one(const struct rig_rule *script)
{
	stay_keep(script);
	UNTIL(stay_heard(" LOGIN ", 3));
	UNTIL(stay.keeper->n_extras == 0);
	UNTIL(stay_heard("SELECT \"b\"", 2));
	UNTIL(stay_is(STATUS_WATCHING));
	stay_pass(20);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 3);
	assert_int_equal(scripted_clients(stay.host), 1);
	assert_int_equal(stay_status().watched, 1);
	assert_int_equal(stay_status().polled, 3);
	assert_int_equal(stay_status().failing_since, 0);
	assert_int_equal(stay_status().refused, 0);
	assert_int_equal(stay.wanted, 0);
}

static void
a_refused_login_of_another_one_is_no_refusal_of_the_account(void **state)
{
	static const struct rig_rule script[] = { IN,
		NO_MORE("[AUTHENTICATIONFAILED] no"), REST };

	(void)state;
	be_left_with_one(script);
	assert_int_equal(stay_status().failures[ERR_AUTH], 2);
}

static void
does_not_ask_for_sessions_again_that_were_too_many(void **state)
{
	static const struct rig_rule script[] = { IN,
		NO_MORE("[LIMIT] too many"), REST };

	(void)state;
	be_left_with_one(script);
	/* not after a new start of the first, either */
	scripted_hang_up(stay.host, NULL);
	UNTIL(stay_is(STATUS_BACKOFF));
	scripted_open(stay.host, usual, NULL, NULL, NULL);
	keeper_resume(stay.keeper);
	UNTIL(stay_is(STATUS_WATCHING));
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 1);
}

static void
keeps_those_that_the_server_let_in(void **state)
{
	static const struct rig_rule script[] = { IN, IN,
		NO_MORE("[LIMIT] too many"), REST };

	(void)state;
	stay_keep(script);
	UNTIL(stay_heard(" LOGIN ", 3));
	UNTIL(stay.keeper->n_extras == 1);
	UNTIL(stay_status().watched == 2 && stay_status().polled == 2);
	stay_pass(20);
	assert_int_equal(scripted_clients(stay.host), 2);
}

static void
a_mailbox_that_is_not_there_has_no_session(void **state)
{
	static const struct rig_rule script[] = { ONCE("SELECT \"a\"",
						      BOX("0", "7", "1")),
		ALWAYS("SELECT \"a\"", "%T NO [NONEXISTENT] none\r\n"), REST };

	(void)state;
	stay.conf.max_connections = 2;
	stay_keep(script);
	UNTIL(stay_heard("SELECT \"a\"", 3));
	UNTIL(stay_is(STATUS_WATCHING));
	assert_null(extra("a"));
	assert_int_equal(stay_status().failing_since, 0);
	assert_int_equal(scripted_clients(stay.host), 1);
}

static void
one_that_does_not_keep_idle_is_polled(void **state)
{
	static const struct rig_rule script[] = { ONCE(" IDLE", "+ idling\r\n"),
		ONCE(" IDLE", "%T NO not you\r\n"), REST };

	(void)state;
	stay.conf.max_connections = 2;
	stay_keep(script);
	UNTIL(stay_heard("SELECT \"a\"", 3));
	UNTIL(stay_is(STATUS_WATCHING));
	assert_null(extra("a"));
	assert_true(stay_logged("the server does not keep it"));
	assert_int_equal(stay_status().polled, 3);
}

/* ---- the first is lost ---- */

static void
the_first_comes_back_without_the_mailboxes_of_the_others(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	stay_forward(90);
	assert_int_equal(scripted_hang_up(stay.host, "INBOX"), 1);
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_int_equal(stay_status().sessions, 2);
	lane_begin(stay.keeper->main, 0);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, "SELECT \"INBOX\""), 2);
	assert_int_equal(rig_said(stay.rig, "SELECT \"a\""), 2);
	assert_int_equal(rig_said(stay.rig, "SELECT \"c\""), 2);
	assert_int_equal(stay_status().watched, 3);
	assert_int_equal(stay_status().polled, 1);
	assert_int_equal(scripted_clients(stay.host), 3);
}

static void
takes_a_mailbox_back_while_it_connects(void **state)
{
	static const struct rig_rule script[] = { IN, IN, IN, GREET_ALL, EMPTY,
		IDLES, DONE, ALL_LEAVE, END };

	(void)state;
	keep_watching(script, 3);
	scripted_hang_up(stay.host, "INBOX");
	UNTIL(stay_is(STATUS_BACKOFF));
	keeper_resume(stay.keeper);
	UNTIL(stay_heard(" LOGIN ", 4)); /* not answered yet */
	extra("a")->tries = 2;
	scripted_hang_up(stay.host, "a");
	UNTIL(extra("a") == NULL);
	scripted_say(stay.host, "", "A1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n");
	UNTIL(stay_status().watched == 2);
	assert_int_equal(rig_said(stay.rig, "SELECT \"a\""), 3);
	assert_int_equal(rig_said(stay.rig, "SELECT \"b\""), 2);
}

/* ---- what the owner says ---- */

static void
all_of_them_pause_and_come_back(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	keeper_pause(stay.keeper);
	UNTIL(scripted_clients(stay.host) == 0);
	assert_int_equal(rig_said(stay.rig, " LOGOUT"), 3);
	UNTIL(stay.keeper->n_extras == 0);
	assert_int_equal(stay_status().sessions, 0);
	assert_int_equal(stay_status().watched, 0);
	keeper_resume(stay.keeper);
	UNTIL(stay_status().watched == 3);
	assert_int_equal(scripted_clients(stay.host), 3);
}

static void
all_of_them_come_back_before_they_have_paused(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	keeper_pause(stay.keeper);
	keeper_resume(stay.keeper);
	UNTIL(stay_heard(" LOGOUT", 3));
	UNTIL(scripted_clients(stay.host) == 3 && stay_status().watched == 3);
}

static void
has_left_when_all_of_them_have(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	keeper_leave(stay.keeper);
	UNTIL(stay.left == 1);
	assert_int_equal(rig_said(stay.rig, " LOGOUT"), 3);
	assert_int_equal(stay.keeper->n_extras, 0);
	UNTIL(scripted_clients(stay.host) == 0);
}

static void
leaves_when_some_sleep_or_wait(void **state)
{
	static const struct rig_rule script[] = { IN, REST };

	(void)state;
	keep_watching(script, 3);
	scripted_hang_up(stay.host, "a");
	UNTIL(stay_status().watched == 2);
	assert_true(lane_due_ms(extra("a")->lane) > 0);
	keeper_leave(stay.keeper);
	UNTIL(stay.left == 1);
	assert_int_equal(rig_said(stay.rig, " LOGOUT"), 2);
}

static void
all_of_them_have_the_new_secret(void **state)
{
	struct secret *q = secret_new(SPAN("q"));

	(void)state;
	keep_watching(usual, 3);
	keeper_secret(stay.keeper, q);
	secret_free(&stay.secret);
	scripted_hang_up(stay.host, "a");
	UNTIL(stay_status().watched == 2);
	lane_begin(extra("a")->lane, 0);
	UNTIL(stay_status().watched == 3);
	assert_int_equal(rig_said(stay.rig, "\"q\""), 1);
	keeper_free(&stay.keeper);
	secret_free(&q);
}

/* ---- what one learns holds for all ---- */

#define MISSED(n) ONCE("DONE", "* " n " EXISTS\r\n" OK), ONCE(" SEARCH ", OK)

/* ---- without a deliverer ---- */

static void
sessions_that_wait_outlive_the_deliverer_and_others_come_back(void **state)
{
	struct fetch_env *env =
	    (struct fetch_env *)(uintptr_t)rig_env(stay.rig);
	struct client *kept = env->client;

	(void)state;
	keep_watching(usual, 3);
	lane_look(extra("a")->lane);
	UNTIL(stay_heard("SELECT \"a\"", 3)); /* by its own session */
	keeper_detach(stay.keeper);
	env->client = NULL;
	assert_int_equal(stay_status().sessions, 2);
	assert_int_equal(stay_status().watched, 2);
	stay_pass(10);
	env->client = kept;
	keeper_attach(stay.keeper, 0);
	UNTIL(stay_status().watched == 3);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 4);
	assert_int_equal(rig_said(stay.rig, "SELECT \"INBOX\""), 1);
}

/* ---- life ---- */

static void
may_be_freed_at_any_time(void **state)
{
	static const char *const marks[] = { "SELECT \"c\"", " LOGIN ", " IDLE",
		"SELECT \"b\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		stay_keep(usual);
		UNTIL(stay_heard(marks[i], 2) ||
		    (i == 0 && stay_heard(marks[i], 1)));
		keeper_free(&stay.keeper);
		UNTIL(scripted_clients(stay.host) == 0);
	}
	keep_watching(usual, 3);
	keeper_leave(stay.keeper);
	keeper_free(&stay.keeper);
	UNTIL(scripted_clients(stay.host) == 0);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_as_many_sessions_as_are_allowed),
		TEST(opens_no_more_than_there_are_mailboxes),
		TEST(opens_none_where_one_is_allowed),
		TEST(opens_none_where_one_is_told_of_all),
		TEST(opens_none_where_nobody_tells),
		TEST(fetches_what_is_told_to_any_of_them),
		TEST(a_poll_asks_all_of_them_and_adds_up),
		TEST(a_poll_says_that_one_of_them_was_lost),
		TEST(one_that_is_lost_comes_back),
		TEST(one_that_a_probe_finds_dead_comes_back_at_once),
		TEST(one_that_is_lost_again_and_again_is_given_back),
		TEST(
		    a_refused_login_of_another_one_is_no_refusal_of_the_account),
		TEST(does_not_ask_for_sessions_again_that_were_too_many),
		TEST(keeps_those_that_the_server_let_in),
		TEST(a_mailbox_that_is_not_there_has_no_session),
		TEST(one_that_does_not_keep_idle_is_polled),
		TEST(the_first_comes_back_without_the_mailboxes_of_the_others),
		TEST(takes_a_mailbox_back_while_it_connects),
		TEST(all_of_them_pause_and_come_back),
		TEST(all_of_them_come_back_before_they_have_paused),
		TEST(has_left_when_all_of_them_have),
		TEST(leaves_when_some_sleep_or_wait),
		TEST(all_of_them_have_the_new_secret),
		TEST(
		    sessions_that_wait_outlive_the_deliverer_and_others_come_back),
		TEST(may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
