/* SPDX-License-Identifier: ISC */
#include "sched/keeper_own.h"

#include "unit/sched/stay.h"

static const struct rig_rule usual[] = { REST };
static const char *const names[] = { "INBOX", "a", "b" };

static void
keep_watching(const struct rig_rule *script, unsigned int sessions)
{
	if (sessions > 1) {
		scripted_let_many(stay.host);
		stay_fetch(names, sessions);
		stay.conf.max_connections = sessions;
	}
	stay_keep(script);
	UNTIL(stay_status().watched == sessions);
}

static struct keeper_extra *
extra(const char *mailbox)
{
	for (size_t i = 0; i < stay.keeper->n_extras; i++)
		if (strcmp(stay.keeper->extras[i]->mailbox, mailbox) == 0)
			return stay.keeper->extras[i];
	return NULL;
}

/* ---- a server that does not tell ---- */

/* Mail that is told of only when a look ends IDLE. */
#define MISSED(n) ONCE("DONE", "* " n " EXISTS\r\n" OK), ONCE(" SEARCH ", OK)

static void
look_times(unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++) {
		keeper_poll(stay.keeper);
		UNTIL(stay.polled == i);
	}
}

static void
a_server_that_missed_two_is_polled(void **state)
{
	static const struct rig_rule script[] = { MISSED("1"), MISSED("2"),
		REST };

	(void)state;
	stay.conf.poll_s = 1;
	keep_watching(script, 1);
	look_times(1);
	assert_false(stay_logged("does not tell"));
	assert_int_equal(
	    lane_fetch_params(stay.keeper->main)->stay.safety_s, 600);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_true(stay_logged(
	    "the server does not tell of new mail although it has IDLE: it "
	    "is polled every 1 s"));
	assert_int_equal(
	    lane_fetch_params(stay.keeper->main)->stay.safety_s, 1);
	assert_true(stay_is(STATUS_WATCHING));
	UNTIL(stay_heard(" SELECT ", 4)); /* this session, too */
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

static void
one_that_told_of_mail_in_between_is_believed(void **state)
{
	static const struct rig_rule script[] = { MISSED("1"), ONCE("DONE", OK),
		MISSED("3"), REST };

	(void)state;
	stay.conf.poll_s = 30;
	keep_watching(script, 1);
	look_times(1);
	scripted_say(stay.host, NULL, "* 2 EXISTS\r\n");
	UNTIL(stay_heard(" IDLE", 3));
	UNTIL(stay_is(STATUS_WATCHING));
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_false(stay_logged("does not tell"));
}

static void
one_that_is_looked_at_often_anyway_stays_so(void **state)
{
	static const struct rig_rule script[] = { MISSED("1"), MISSED("2"),
		REST };

	(void)state;
	stay.conf.interval_s = 20;
	keep_watching(script, 1);
	look_times(1);
	keeper_poll(stay.keeper);
	UNTIL(stay.polled == 2);
	assert_false(stay_logged("does not tell"));
	assert_int_equal(
	    lane_fetch_params(stay.keeper->main)->stay.safety_s, 20);
}

static void
says_that_it_is_notify_that_does_not_tell(void **state)
{
	static const struct fetch_round missed = { .missed = true,
		.how = FETCH_HOW_NOTIFY };

	(void)state;
	stay.conf.poll_s = 30;
	stay_keep(usual);
	keeper_learn_pushes(stay.keeper, &stay.keeper->pushes, &missed);
	keeper_learn_pushes(stay.keeper, &stay.keeper->pushes, &missed);
	assert_true(stay_logged("although it has NOTIFY"));
}

/* ---- an IDLE that is cut ---- */

static uint64_t
renewed_s(void)
{
	return lane_fetch_params(stay.keeper->main)->stay.renew_s;
}

static void
cut_after(uint64_t s)
{
	unsigned int n = rig_said(stay.rig, " LOGIN ") + 1;

	stay_forward(s);
	scripted_hang_up(stay.host, NULL);
	UNTIL(!stay_is(STATUS_WATCHING));
	lane_begin(stay.keeper->main, 0);
	UNTIL(stay_heard(" LOGIN ", n));
	UNTIL(stay_is(STATUS_WATCHING));
}

static void
learns_when_to_renew_from_an_idle_that_is_cut(void **state)
{
	(void)state;
	keep_watching(usual, 1);
	cut_after(30); /* teaches nothing */
	assert_int_equal(renewed_s(), 600);
	cut_after(700); /* neither: it was due */
	assert_int_equal(renewed_s(), 600);
	cut_after(400);
	assert_in_range(renewed_s(), 300, 302);
	assert_true(stay_logged("an IDLE was cut after 40"));
	cut_after(100);
	assert_in_range(renewed_s(), 75, 76);
}

static void
learns_from_a_bye_too(void **state)
{
	(void)state;
	keep_watching(usual, 1);
	stay_forward(400);
	scripted_say(stay.host, NULL, "* BYE disconnected for inactivity\r\n");
	UNTIL(stay_status().failures[ERR_NET] != 0);
	assert_in_range(renewed_s(), 300, 302);
	/* sessions do end: only one that cannot be had again is a failure */
	assert_int_equal(stay_status().failing_since, 0);
}

/* ---- what one learns holds for all ---- */

static void
all_of_them_look_more_often_where_mail_was_missed(void **state)
{
	static const struct rig_rule script[] = { MISSED("1"), MISSED("2"),
		REST };
	struct fetch_stay *stays;

	(void)state;
	stay.conf.poll_s = 30;
	keep_watching(script, 2);
	stays = &lane_fetch_params(extra("a")->lane)->stay;
	assert_int_equal(stays->safety_s, 600);
	lane_look(extra("a")->lane); /* it is the other that finds out */
	UNTIL(!lane_owes(extra("a")->lane));
	lane_look(extra("a")->lane);
	UNTIL(!lane_owes(extra("a")->lane));
	assert_true(stay_logged("does not tell of new mail"));
	assert_int_equal(stays->safety_s, 30);
	assert_int_equal(
	    lane_fetch_params(stay.keeper->main)->stay.safety_s, 30);
}

static void
all_of_them_renew_sooner_where_one_was_cut(void **state)
{
	(void)state;
	keep_watching(usual, 3);
	stay_forward(400);
	scripted_hang_up(stay.host, "a");
	UNTIL(stay_status().watched == 2);
	assert_in_range(
	    lane_fetch_params(stay.keeper->main)->stay.renew_s, 300, 302);
	assert_in_range(
	    lane_fetch_params(extra("a")->lane)->stay.renew_s, 300, 302);
	assert_in_range(
	    lane_fetch_params(extra("b")->lane)->stay.renew_s, 300, 302);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_that_missed_two_is_polled),
		TEST(one_that_told_of_mail_in_between_is_believed),
		TEST(one_that_is_looked_at_often_anyway_stays_so),
		TEST(says_that_it_is_notify_that_does_not_tell),
		TEST(learns_when_to_renew_from_an_idle_that_is_cut),
		TEST(learns_from_a_bye_too),
		TEST(all_of_them_look_more_often_where_mail_was_missed),
		TEST(all_of_them_renew_sooner_where_one_was_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
