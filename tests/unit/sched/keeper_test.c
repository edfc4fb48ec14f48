/* SPDX-License-Identifier: ISC */
#include "sched/keeper.h"

#include "unit/sched/stay.h"

#define ONE ALWAYS(" SELECT ", BOX("1", "7", "2"))

static const struct rig_rule usual[] = { REST };
/* Nothing is told of, and the session ends. */
static const struct rig_rule polled[] = { LET_ALL_IN_TO_POLL, REST };
/* A mail that does not come. */
static const struct rig_rule stuck[] = { GREET_ALL, LET_ALL_IN, ONE, END };
static const struct rig_rule silent[] = { GREET_ALL, END };
static const struct rig_rule wrong[] = { GREET_ALL,
	ALWAYS(" LOGIN ", "%T NO [AUTHENTICATIONFAILED] wrong\r\n"), END };
static const struct rig_rule gone[] = { { NULL, "", true, true, 0 }, END };

static uint64_t
due_s(void)
{
	return (lane_due_ms(stay.keeper->main) + 999) / 1000;
}

static void
keep_watching(const struct rig_rule *script)
{
	stay_keep(script);
	UNTIL(stay_is(STATUS_WATCHING));
}

static void
another_script(const struct rig_rule *script)
{
	scripted_open(stay.host, script, NULL, NULL, NULL);
}

/* ---- the start ---- */

static void
begins_when_the_ledger_has_answered_and_watches(void **state)
{
	static const struct rig_rule script[] = {
		ONCE(" SELECT ", BOX("1", "7", "2")), ONE_MAIL, REST
	};

	(void)state;
	stay_keep(script);
	assert_int_equal(stay.changed, 0); /* from the loop only */
	assert_true(stay_is(STATUS_WAITING));
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_delivered(stay.rig), 1);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

static void
begins_as_much_later_as_it_is_told_to(void **state)
{
	(void)state;
	stay.start_ms = 30000;
	stay_keep(usual);
	UNTIL(due_s() != 0);
	assert_in_range(due_s(), 29, 30);
	assert_true(stay_is(STATUS_WAITING));
}

static void
polls_where_it_is_told_to(void **state)
{
	(void)state;
	stay.conf.watch = CONF_WATCH_POLL;
	stay.conf.poll_s = 100;
	stay_keep(usual);
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_in_range(due_s(), 88, 110);
	assert_int_equal(rig_said(stay.rig, " IDLE"), 0);
}

static void
polls_again_and_again_where_nobody_tells(void **state)
{
	(void)state;
	stay.conf.poll_s = 1;
	stay_keep(polled);
	UNTIL(stay_heard(" LOGOUT", 2));
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 2);
}

/* ---- a login that is refused ---- */

/* The first refusals come one after the other because somebody polls. */
static void
be_refused(unsigned int times)
{
	UNTIL(stay.wanted == 1);
	for (unsigned int i = 2; i <= times; i++) {
		UNTIL(stay.polled == i - 2);
		keeper_poll(stay.keeper);
		UNTIL(stay.wanted == i && stay.polled == i - 1);
	}
	assert_int_equal(rig_said(stay.rig, " LOGIN "), times);
}

static void
waits_longer_after_each_refusal(void **state)
{
	(void)state;
	stay_keep(wrong);
	be_refused(1);
	assert_in_range(due_s(), 28, 60);
	assert_true(stay_is(STATUS_BACKOFF));
	be_refused(1);
	keeper_poll(stay.keeper);
	UNTIL(stay.wanted == 2 && stay.polled == 1);
	assert_in_range(due_s(), 298, 360);
	assert_int_equal(stay.answer.err.kind, ERR_AUTH);
	keeper_poll(stay.keeper);
	UNTIL(stay.wanted == 3 && stay.polled == 2);
	assert_in_range(due_s(), 3598, 4320);
	assert_true(stay_is(STATUS_REFUSED));
	assert_int_equal(stay_status().refused, 3);
}

static void
a_restart_tries_no_login_that_was_refused_three_times(void **state)
{
	(void)state;
	stay_keep(wrong);
	be_refused(3);
	stay_restart();
	UNTIL(stay_is(STATUS_REFUSED));
	assert_in_range(due_s(), 3590, 4320);
	assert_int_equal(stay_status().refused, 3);
	assert_int_equal(stay_status().err.kind, ERR_AUTH);
	assert_true(stay_status().next > clock_wall_s() + 3500);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 3);
	assert_int_equal(stay.answer.err.kind, ERR_AUTH);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 3);
}

static void
a_restart_an_hour_later_tries_once(void **state)
{
	(void)state;
	stay_keep(wrong);
	be_refused(3);
	stay_forward(2 * 3600);
	stay_restart();
	UNTIL(stay.wanted == 4);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 4);
	assert_true(stay_is(STATUS_REFUSED));
	assert_in_range(due_s(), 3590, 4320);
}

static void
resume_forgets_the_refusals_for_good(void **state)
{
	(void)state;
	stay_keep(wrong);
	be_refused(3);
	another_script(silent);
	keeper_resume(stay.keeper);
	UNTIL(stay_heard(" LOGIN ", 1));
	assert_int_equal(stay_status().refused, 0);
	stay_restart();
	UNTIL(scripted_clients(stay.host) == 0);
	UNTIL(stay_heard(" LOGIN ", 2));
	assert_int_equal(stay_status().refused, 0);
}

static void
success_forgets_the_refusals_for_good(void **state)
{
	static const struct rig_rule script[] = { REFUSE, REST };

	(void)state;
	stay_keep(script);
	be_refused(1);
	assert_int_equal(stay_status().refused, 1);
	keeper_poll(stay.keeper);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(stay_status().refused, 0);
	stay_restart();
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(stay_status().refused, 0);
}

static void
a_login_forgets_them_whatever_follows(void **state)
{
	static const struct rig_rule script[] = { REFUSE, REFUSE, GREET_ALL,
		LET_ALL_IN, ONE, THEN_HANG_UP(" UID FETCH ", ""), END };

	(void)state;
	stay_keep(script);
	be_refused(2);
	assert_int_equal(stay_status().refused, 2);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_int_equal(stay.answer.err.kind, ERR_NET);
	assert_int_equal(stay_status().refused, 0);
}

/* It let us in, and then it does not. */
static void
a_mailbox_that_is_refused_so_is_a_refusal_too(void **state)
{
	static const struct rig_rule script[] = {
		ALWAYS(" SELECT ", "%T NO [AUTHORIZATIONFAILED] no\r\n"), REST
	};

	(void)state;
	stay_keep(script);
	be_refused(2);
	assert_int_equal(stay_status().refused, 2);
}

static struct secret *other;

static void
give_other(void)
{
	if (stay.wanted == 1)
		keeper_secret(stay.keeper, other);
	secret_free(&stay.secret); /* may be gone now */
}

static void
another_secret_is_tried_at_once(void **state)
{
	static const struct rig_rule script[] = { REFUSE, REST };

	(void)state;
	other = secret_new(SPAN("q"));
	stay.at_want = give_other;
	stay_keep(script);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(stay.wanted, 1);
	assert_int_equal(rig_said(stay.rig, "\"p\""), 1);
	assert_int_equal(rig_said(stay.rig, "\"q\""), 1);
	assert_int_equal(stay_status().refused, 0);
	keeper_free(&stay.keeper);
	secret_free(&other);
}

static void
the_same_secret_is_not(void **state)
{
	(void)state;
	other = secret_new(SPAN("p"));
	stay.at_want = give_other;
	stay_keep(wrong);
	UNTIL(stay.wanted == 1);
	UNTIL(due_s() != 0);
	assert_in_range(due_s(), 28, 60);
	assert_int_equal(stay_status().refused, 1);
	keeper_free(&stay.keeper);
	secret_free(&other);
}

/* It may just have expired. But each hour brings another, and a server that
 * wants none of them is not asked more often for that. */
static void
another_token_is_tried_at_once_but_once(void **state)
{
	static char tool[] = "token";
	static char *argv[] = { tool, NULL };

	(void)state;
	other = secret_new(SPAN("q"));
	stay.at_want = give_other;
	stay.conf.secret.token_command = (struct conf_list){ argv, 1 };
	stay_keep(wrong);
	UNTIL(stay.wanted == 2);
	UNTIL(due_s() != 0);
	assert_in_range(due_s(), 298, 360);
	assert_int_equal(stay_status().refused, 2);
	keeper_secret(stay.keeper, other);
	assert_in_range(due_s(), 298, 360);
	assert_int_equal(stay_status().refused, 2);
	stay.conf.secret.token_command = (struct conf_list){ NULL, 0 };
	keeper_free(&stay.keeper);
	secret_free(&other);
}

static void
a_restart_with_another_secret_tries_it(void **state)
{
	(void)state;
	stay_keep(wrong);
	be_refused(3);
	keeper_free(&stay.keeper);
	secret_free(&stay.secret);
	stay.secret = secret_new(SPAN("q"));
	another_script(usual);
	stay_restart();
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, "\"q\""), 1);
}

/* Before the ledger's answer it only replaces the one that is tried. */
static void
a_secret_may_come_before_the_start(void **state)
{
	(void)state;
	other = secret_new(SPAN("q"));
	stay_keep(usual);
	keeper_secret(stay.keeper, other);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, "\"q\""), 1);
	assert_int_equal(rig_said(stay.rig, "\"p\""), 0);
	keeper_free(&stay.keeper);
	secret_free(&other);
}

/* ---- other errors ---- */

static void
waits_as_each_error_asks_for(void **state)
{
	static const struct {
		const char *login;
		enum err_kind kind;
		enum status_state state;
		uint64_t least, most;
	} all[] = {
		{ "%T NO [UNAVAILABLE] not now\r\n", ERR_TEMP, STATUS_BACKOFF,
		    14, 31 },
		{ "%T NO [LIMIT] too many\r\n", ERR_THROTTLE, STATUS_THROTTLED,
		    149, 301 },
		{ "%T NO [LIMIT] try again in 20 minutes\r\n", ERR_THROTTLE,
		    STATUS_THROTTLED, 1199, 1321 },
		{ "* BYE [UNAVAILABLE] down\r\n", ERR_TEMP, STATUS_BACKOFF, 14,
		    31 },
		{ "%T NO [INUSE] busy\r\n", ERR_LOCKED, STATUS_BACKOFF, 29,
		    61 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct rig_rule script[] = { GREET_ALL,
			ALWAYS(" LOGIN ", all[i].login), END };

		stay_keep(script);
		UNTIL(stay_status().failing_since != 0);
		assert_int_equal(stay_status().err.kind, all[i].kind);
		assert_int_equal(stay_status().failures[all[i].kind], 1);
		assert_true(stay_is(all[i].state));
		assert_in_range(due_s(), all[i].least, all[i].most);
		assert_int_equal(stay.wanted, 0);
		keeper_free(&stay.keeper);
	}
}

static void
waits_longer_for_a_server_that_is_gone(void **state)
{
	(void)state;
	stay_keep(gone);
	UNTIL(stay_status().failures[ERR_NET] == 1);
	assert_in_range(due_s(), 1, 2);
	for (unsigned int n = 2; n <= 8; n++) {
		lane_begin(stay.keeper->main, 0);
		UNTIL(stay_status().failures[ERR_NET] == n);
	}
	assert_int_equal(stay.keeper->tries, 8);
	keeper_resume(stay.keeper);
	assert_int_equal(stay.keeper->tries, 0);
}

static const struct rig_rule no_uidl[] = { ALWAYS(NULL, "+OK hello\r\n"),
	ALWAYS("CAPA", "-ERR\r\n"), ALWAYS("USER ", "+OK\r\n"),
	ALWAYS("PASS ", "+OK\r\n"), ALWAYS("STAT", "+OK 1 3\r\n"),
	ALWAYS("UIDL", "-ERR what\r\n"), ALWAYS("LIST", "-ERR what\r\n"), END };

static void
a_fault_of_the_configuration_stops_it(void **state)
{
	(void)state;
	stay_keep(no_uidl);
	UNTIL(stay_is(STATUS_STOPPED));
	assert_int_equal(due_s(), 0);
	assert_int_equal(stay_status().next, 0);
	assert_int_equal(stay_status().err.kind, ERR_CONFIG);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_CONFIG);
	keeper_probe(stay.keeper);
	assert_int_equal(due_s(), 0);
	assert_int_equal(rig_said(stay.rig, "PASS "), 1);
	keeper_resume(stay.keeper);
	UNTIL(stay_heard("PASS ", 2));
}

/* ---- pause and resume ---- */

static void
pause_until_it_sleeps(void)
{
	keeper_pause(stay.keeper);
	keeper_pause(stay.keeper); /* twice is once */
	assert_true(stay_is(STATUS_PAUSED));
	UNTIL(scripted_clients(stay.host) == 0);
	stay_pass(20);
	assert_true(stay_is(STATUS_PAUSED));
	assert_int_equal(stay_status().next, 0);
	assert_int_equal(stay_status().sessions, 0);
}

static void
pauses_in_every_state_and_resumes(void **state)
{
	static const struct {
		const struct rig_rule *script;
		const char *heard;
	} all[] = { { usual, NULL }, { silent, " LOGIN " },
		{ stuck, " UID FETCH " }, { usual, " IDLE" },
		{ polled, " LOGOUT" }, { wrong, " LOGIN " } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		stay_keep(all[i].script);
		if (all[i].heard != NULL)
			UNTIL(stay_heard(all[i].heard, 1));
		pause_until_it_sleeps();
		another_script(usual);
		keeper_resume(stay.keeper);
		keeper_resume(stay.keeper);
		UNTIL(stay_is(STATUS_WATCHING));
		keeper_free(&stay.keeper);
	}
}

static void
says_goodbye_to_pause(void **state)
{
	(void)state;
	keep_watching(usual);
	pause_until_it_sleeps();
	assert_int_equal(rig_said(stay.rig, " LOGOUT"), 1);
}

static void
resumes_before_it_has_paused(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_pause(stay.keeper);
	keeper_resume(stay.keeper);
	UNTIL(stay_heard(" LOGIN ", 2));
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, " LOGOUT"), 1);
}

static void
a_poll_before_it_has_paused_is_answered_by_a_look(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_pause(stay.keeper);
	keeper_resume(stay.keeper);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_NONE);
	assert_int_equal(rig_said(stay.rig, " SELECT "), 2);
}

static void
resume_leaves_alone_what_works(void **state)
{
	(void)state;
	stay_keep(polled);
	UNTIL(stay_is(STATUS_SLEEPING));
	keeper_resume(stay.keeper);
	assert_in_range(due_s(), 500, 660);
}

static void
resume_tries_at_once_what_fails(void **state)
{
	static const struct rig_rule script[] = {
		ONCE(" LOGIN ", "%T NO [LIMIT] too many\r\n"), REST
	};

	(void)state;
	stay_keep(script);
	UNTIL(stay_is(STATUS_THROTTLED));
	keeper_resume(stay.keeper);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(stay_status().failing_since, 0);
}

/* ---- polls ---- */

static void
a_poll_is_answered_once_when_it_watches(void **state)
{
	static const struct rig_rule script[] = {
		ONCE(" SELECT ", BOX("0", "7", "1")), ONE, ONE_MAIL, REST
	};

	(void)state;
	keep_watching(script);
	keeper_poll(stay.keeper);
	keeper_poll(stay.keeper);
	assert_int_equal(stay.polled, 0); /* from the loop only */
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_NONE);
	assert_int_equal(stay.answer.progress.messages, 1);
	assert_int_equal(stay.answer.progress.total, 1);
	assert_true(stay.answer.progress.octets > 0);
	assert_string_equal(stay.answer.progress.doing, "done");
	stay_pass(20);
	assert_int_equal(stay.polled, 1);
}

static void
a_poll_while_it_fetches_waits_for_the_next_look(void **state)
{
	static const struct rig_rule script[] = { ONE, ONE_MAIL, REST };

	(void)state;
	stay_keep(script);
	UNTIL(stay_heard(" UID FETCH ", 1));
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(rig_said(stay.rig, " SELECT "), 2);
	assert_int_equal(stay.answer.progress.messages, 1);
}

static void
a_poll_wakes_who_sleeps(void **state)
{
	(void)state;
	stay_keep(polled);
	UNTIL(stay_is(STATUS_SLEEPING));
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 2);
	assert_in_range(due_s(), 500, 660);
}

static void
a_poll_before_the_start_is_answered_by_it(void **state)
{
	(void)state;
	stay.start_ms = 30000; /* somebody waits */
	stay_keep(usual);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_true(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, " SELECT "), 1);
}

static void
a_poll_does_not_wait_for_a_late_start(void **state)
{
	(void)state;
	stay.start_ms = 30000;
	stay_keep(usual);
	UNTIL(due_s() > 0);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_true(stay_is(STATUS_WATCHING));
}

static void
a_poll_says_why_it_failed(void **state)
{
	(void)state;
	stay_keep(gone);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_NET);
}

static void
who_is_paused_is_not_polled(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_poll(stay.keeper);
	keeper_pause(stay.keeper);
	UNTIL(stay.polled == 1); /* it was asked before */
	assert_int_equal(stay.answer.err.kind, ERR_CANCEL);
	pause_until_it_sleeps();
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_int_equal(stay.answer.err.kind, ERR_CANCEL);
	assert_non_null(strstr(stay.answer.err.text, "paused"));
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

static void
poll_again(void)
{
	if (stay.polled == 1)
		keeper_poll(stay.keeper);
}

static void
a_poll_may_follow_a_poll(void **state)
{
	(void)state;
	stay.at_polled = poll_again;
	keep_watching(usual);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_int_equal(rig_said(stay.rig, " SELECT "), 3);
}

/* Its look is over, but it was not told yet. */
static void
a_poll_between_look_and_answer_has_its_own_look(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_poll(stay.keeper);
	UNTIL(stay.keeper->answered);
	assert_int_equal(stay.polled, 0);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_int_equal(rig_said(stay.rig, " SELECT "), 3);
}

/* ---- leaving ---- */

static void
free_keeper(void)
{
	keeper_free(&stay.keeper);
}

static void
leaves_in_every_state(void **state)
{
	static const struct {
		const struct rig_rule *script;
		const char *heard;
	} all[] = { { usual, NULL }, { silent, " LOGIN " },
		{ stuck, " UID FETCH " }, { usual, " IDLE" },
		{ polled, " LOGOUT" }, { wrong, " LOGIN " } };

	unsigned int left = 0;

	(void)state;
	stay.at_left = free_keeper; /* fine there */
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		stay_keep(all[i].script);
		if (all[i].heard != NULL)
			UNTIL(stay_heard(all[i].heard, 1));
		keeper_leave(stay.keeper);
		keeper_leave(stay.keeper);
		assert_true(stay_is(STATUS_LEAVING));
		assert_int_equal(stay.left, left);
		UNTIL(stay.left == left + 1);
		left++;
		assert_null(stay.keeper);
	}
}

static void
leaves_when_it_sleeps_is_paused_or_stopped(void **state)
{
	(void)state;
	stay.at_left = free_keeper;
	stay_keep(polled);
	UNTIL(stay_is(STATUS_SLEEPING));
	keeper_leave(stay.keeper);
	UNTIL(stay.left == 1);
	keep_watching(usual);
	pause_until_it_sleeps();
	keeper_leave(stay.keeper);
	UNTIL(stay.left == 2);
	keep_watching(usual);
	keeper_pause(stay.keeper); /* not even paused yet */
	keeper_leave(stay.keeper);
	UNTIL(stay.left == 3);
}

static void
leaves_when_the_configuration_stopped_it(void **state)
{
	(void)state;
	stay_keep(no_uidl);
	UNTIL(stay_is(STATUS_STOPPED));
	keeper_leave(stay.keeper);
	UNTIL(stay.left == 1);
}

static void
who_leaves_is_not_told_to_do_anything_else(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_leave(stay.keeper);
	keeper_pause(stay.keeper);
	keeper_resume(stay.keeper);
	keeper_secret(stay.keeper, stay.secret);
	keeper_probe(stay.keeper);
	assert_true(stay_is(STATUS_LEAVING));
	UNTIL(stay.left == 1);
	stay_pass(20);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
	assert_int_equal(stay.left, 1);
}

static void
a_poll_of_one_that_leaves_is_answered_first(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_poll(stay.keeper);
	keeper_leave(stay.keeper);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.answer.err.kind, ERR_CANCEL);
	assert_int_equal(stay.left, 0);
	UNTIL(stay.left == 1);
}

static void
it_is_answered_before_the_end_in_any_case(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_poll(stay.keeper);
	keeper_leave(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(stay.left, 0);
	UNTIL(stay.left == 1);
}

/* ---- sessions that do not last ---- */

/* A server that ends each IDLE at once is not asked every second. */
static void
waits_longer_when_sessions_are_lost_as_soon_as_they_watch(void **state)
{
	static const struct rig_rule script[] = {
		{ " IDLE", "+ idling\r\n", true, true, 0 }, REST
	};

	(void)state;
	stay_keep(script);
	for (unsigned int n = 1; n <= 5; n++) {
		UNTIL(stay_status().failures[ERR_NET] == n);
		assert_int_equal(stay.keeper->tries, n);
		lane_begin(stay.keeper->main, 0);
	}
}

static void
a_session_that_lasted_was_no_failure(void **state)
{
	(void)state;
	stay_keep(gone);
	for (unsigned int n = 1; n <= 3; n++) {
		UNTIL(stay_status().failures[ERR_NET] == n);
		lane_begin(stay.keeper->main, 0);
	}
	another_script(usual);
	UNTIL(stay_is(STATUS_WATCHING));
	stay_forward(90);
	scripted_hang_up(stay.host, NULL);
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_int_equal(stay_status().failing_since, 0);
	assert_int_equal(stay.keeper->tries, 1);
	assert_in_range(due_s(), 1, 2);
}

/* ---- the network ---- */

static void
a_probe_tries_at_once_what_had_no_network(void **state)
{
	(void)state;
	stay_keep(gone);
	for (unsigned int n = 1; n <= 5; n++) {
		UNTIL(stay_status().failures[ERR_NET] == n);
		lane_begin(stay.keeper->main, n == 5 ? 60000 : 0);
	}
	another_script(usual);
	keeper_probe(stay.keeper);
	UNTIL(stay_is(STATUS_WATCHING));
}

static void
a_probe_does_not_hurry_a_server_that_asks_for_time(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL,
		ONCE(" LOGIN ", "%T NO [LIMIT] too many\r\n"), END };

	(void)state;
	stay_keep(script);
	UNTIL(stay_is(STATUS_THROTTLED));
	keeper_probe(stay.keeper);
	assert_in_range(due_s(), 149, 301);
}

static void
a_session_that_a_probe_finds_dead_is_followed_at_once(void **state)
{
	(void)state;
	keep_watching(usual);
	stay_forward(90);
	keeper_probe(stay.keeper);
	scripted_hang_up(stay.host, NULL);
	UNTIL(stay_status().failures[ERR_NET] == 1);
	assert_int_equal(due_s(), 0);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 2);
}

/* ---- POP3 ---- */

static const struct rig_rule pop3[] = { POP3_REST };

static void
pop3_sleeps_from_one_fetch_to_the_next(void **state)
{
	(void)state;
	stay.conf.interval_s = 100;
	stay.conf.poll_s = 1;
	stay_keep(pop3);
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_int_equal(rig_delivered(stay.rig), 1);
	assert_in_range(due_s(), 88, 111);
	assert_int_equal(stay_status().how, STATUS_POLL);
}

static void
pop3_sleeps_no_less_than_the_server_wants(void **state)
{
	static const struct rig_rule script[] = {
		ALWAYS("CAPA", "+OK\r\nUIDL\r\nLOGIN-DELAY 900\r\n.\r\n"),
		POP3_REST
	};

	(void)state;
	stay.conf.interval_s = 100;
	stay_keep(script);
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_in_range(due_s(), 899, 1000);
}

static void
pop3_fetches_on_where_the_server_shows_a_part_only(void **state)
{
	static const struct rig_rule script[] = {
		ALWAYS(NULL, "+OK Gpop ready\r\n"), POP3_REST
	};

	(void)state;
	stay_keep(script);
	UNTIL(stay_heard("QUIT", 2)); /* the second has nothing new */
	UNTIL(stay_is(STATUS_SLEEPING));
	assert_in_range(due_s(), 500, 660);
	assert_int_equal(rig_delivered(stay.rig), 1);
}

static void
a_poll_while_pop3_fetches_is_answered_by_another_session(void **state)
{
	(void)state;
	stay_keep(pop3);
	UNTIL(stay_heard("RETR", 1));
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_int_equal(rig_said(stay.rig, "PASS "), 2);
	assert_int_equal(stay.answer.progress.messages, 1);
}

/* ---- life ---- */

static void
may_be_freed_at_any_time(void **state)
{
	static const char *const marks[] = { "", " LOGIN ", " SELECT ",
		" IDLE" };

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		stay_keep(usual);
		keeper_poll(stay.keeper);
		UNTIL(i == 0 || stay_heard(marks[i], 1));
		keeper_free(&stay.keeper);
		keeper_free(&stay.keeper);
		UNTIL(scripted_clients(stay.host) == 0);
	}
	keep_watching(usual);
	keeper_leave(stay.keeper);
	keeper_free(&stay.keeper);
	stay_pass(10);
	assert_int_equal(stay.left, 0);
}

/* ---- the deliverer ---- */

static struct client *kept;

static struct fetch_env *
env(void)
{
	return (struct fetch_env *)(uintptr_t)rig_env(stay.rig);
}

static void
without_deliverer(unsigned int ms)
{
	keeper_detach(stay.keeper);
	kept = env()->client;
	env()->client = NULL;
	stay_pass(ms);
	env()->client = kept;
	keeper_attach(stay.keeper, 0);
}

static void
a_session_that_waits_outlives_the_deliverer(void **state)
{
	(void)state;
	keep_watching(usual);
	without_deliverer(50);
	assert_true(stay_is(STATUS_WATCHING));
	scripted_say(stay.host, NULL, "* 1 EXISTS\r\n");
	UNTIL(stay_heard("DONE", 1));
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

/* What it was about to fetch it could not deliver. */
static void
a_session_that_fetches_is_begun_anew(void **state)
{
	(void)state;
	stay_keep(usual);
	UNTIL(stay_heard(" SELECT ", 1));
	without_deliverer(50);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 2);
}

static void
nothing_is_begun_without_a_deliverer(void **state)
{
	(void)state;
	keep_watching(usual);
	keeper_pause(stay.keeper);
	UNTIL(stay_is(STATUS_PAUSED) && scripted_clients(stay.host) == 0);
	keeper_detach(stay.keeper);
	kept = env()->client;
	env()->client = NULL;
	keeper_resume(stay.keeper);
	keeper_poll(stay.keeper);
	stay_pass(50);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
	env()->client = kept;
	keeper_attach(stay.keeper, 0);
	UNTIL(stay_is(STATUS_WATCHING));
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 2);
}

/* Nobody could write it down. */
static void
what_changed_without_a_deliverer_is_remembered_by_the_next(void **state)
{
	(void)state;
	stay_keep(wrong);
	be_refused(3);
	keeper_detach(stay.keeper);
	kept = env()->client;
	env()->client = NULL;
	keeper_resume(stay.keeper); /* forgets the refusals */
	keeper_pause(stay.keeper);
	env()->client = kept;
	keeper_attach(stay.keeper, 0);
	another_script(usual);
	stay_restart();
	UNTIL(stay_is(STATUS_WATCHING));
}

static void
may_be_freed_when_it_answers_a_poll(void **state)
{
	(void)state;
	stay.at_polled = free_keeper;
	stay_keep(usual);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 1);
	assert_null(stay.keeper);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_when_the_ledger_has_answered_and_watches),
		TEST(begins_as_much_later_as_it_is_told_to),
		TEST(polls_where_it_is_told_to),
		TEST(polls_again_and_again_where_nobody_tells),
		TEST(waits_longer_after_each_refusal),
		TEST(a_restart_tries_no_login_that_was_refused_three_times),
		TEST(a_restart_an_hour_later_tries_once),
		TEST(resume_forgets_the_refusals_for_good),
		TEST(success_forgets_the_refusals_for_good),
		TEST(a_login_forgets_them_whatever_follows),
		TEST(a_mailbox_that_is_refused_so_is_a_refusal_too),
		TEST(another_secret_is_tried_at_once),
		TEST(the_same_secret_is_not),
		TEST(another_token_is_tried_at_once_but_once),
		TEST(a_restart_with_another_secret_tries_it),
		TEST(a_secret_may_come_before_the_start),
		TEST(waits_as_each_error_asks_for),
		TEST(waits_longer_for_a_server_that_is_gone),
		TEST_POP3(a_fault_of_the_configuration_stops_it),
		TEST(pauses_in_every_state_and_resumes),
		TEST(says_goodbye_to_pause),
		TEST(resumes_before_it_has_paused),
		TEST(a_poll_before_it_has_paused_is_answered_by_a_look),
		TEST(resume_leaves_alone_what_works),
		TEST(resume_tries_at_once_what_fails),
		TEST(a_poll_is_answered_once_when_it_watches),
		TEST(a_poll_while_it_fetches_waits_for_the_next_look),
		TEST(a_poll_wakes_who_sleeps),
		TEST(a_poll_before_the_start_is_answered_by_it),
		TEST(a_poll_does_not_wait_for_a_late_start),
		TEST(a_poll_says_why_it_failed),
		TEST(who_is_paused_is_not_polled),
		TEST(a_poll_may_follow_a_poll),
		TEST(a_poll_between_look_and_answer_has_its_own_look),
		TEST(leaves_in_every_state),
		TEST(leaves_when_it_sleeps_is_paused_or_stopped),
		TEST_POP3(leaves_when_the_configuration_stopped_it),
		TEST(who_leaves_is_not_told_to_do_anything_else),
		TEST(a_poll_of_one_that_leaves_is_answered_first),
		TEST(it_is_answered_before_the_end_in_any_case),
		TEST(waits_longer_when_sessions_are_lost_as_soon_as_they_watch),
		TEST(a_session_that_lasted_was_no_failure),
		TEST(a_probe_tries_at_once_what_had_no_network),
		TEST(a_probe_does_not_hurry_a_server_that_asks_for_time),
		TEST(a_session_that_a_probe_finds_dead_is_followed_at_once),
		TEST_POP3(pop3_sleeps_from_one_fetch_to_the_next),
		TEST_POP3(pop3_sleeps_no_less_than_the_server_wants),
		TEST_POP3(pop3_fetches_on_where_the_server_shows_a_part_only),
		TEST_POP3(
		    a_poll_while_pop3_fetches_is_answered_by_another_session),
		TEST(may_be_freed_at_any_time),
		TEST(may_be_freed_when_it_answers_a_poll),
		TEST(a_session_that_waits_outlives_the_deliverer),
		TEST(a_session_that_fetches_is_begun_anew),
		TEST(nothing_is_begun_without_a_deliverer),
		TEST(
		    what_changed_without_a_deliverer_is_remembered_by_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
