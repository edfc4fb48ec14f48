/* SPDX-License-Identifier: ISC */
#include "sched/lane.h"

#include "sched/params.h"
#include "unit/sched/stay.h"

static struct lane *lane;
static struct hosts_place *place;
static bool granted;

static struct said {
	unsigned int rounds, ended, left;
	unsigned int answers;     /* of all reports */
	bool answered;            /* the last report did */
	bool lasted;              /* likewise */
	struct fetch_result last; /* likewise */
	uint64_t again_ms;        /* to be said when it ended; 0: nothing */
	bool frees;               /* at the end */
} said;

static void
on_lane(void *arg, struct lane *l, const struct lane_report *report)
{
	(void)arg;
	assert_ptr_equal(l, lane);
	said.rounds += report->says == LANE_ROUND;
	said.ended += report->says == LANE_ENDED;
	said.left += report->says == LANE_LEFT;
	said.answers += report->answers;
	said.answered = report->answers;
	said.lasted = report->lasted;
	said.last = *report->result;
	assert_true((report->says == LANE_ROUND) == (report->round != NULL));
	if (report->says != LANE_ROUND) {
		assert_int_equal(lane_state(l), LANE_ASLEEP);
		assert_null(lane_fetch(l));
	}
	if (report->says == LANE_ENDED && said.again_ms > 0)
		lane_begin(l, said.again_ms);
	if (report->says != LANE_ROUND && said.frees)
		lane_free(&lane);
	stay_happened(NULL);
}

static void
on_place(void *arg)
{
	(void)arg;
	granted = true;
	stay_happened(NULL);
}

/* Somebody else who wants to the same host, which has one place. */
static void
want_place(void)
{
	place = hosts_ask(stay.hosts, "the host", on_place, NULL);
}

static void
open_lane(const struct rig_rule *script)
{
	struct params who = {
		.conf = &stay.conf, .secret = stay.secret, .stays = true
	};
	struct lane_params params = { .env = rig_env(stay.rig),
		.hosts = stay.hosts,
		.host = "the host",
		.place_ms = 600 };

	params_fill(&params.fetch, &who);
	lane = lane_new(&params, on_lane, NULL);
	scripted_open(stay.host, script, NULL, NULL, NULL);
}

static int
set_up(void **state)
{
	said = (struct said){ 0 };
	granted = false;
	return stay_set_up(state);
}

static int
tear_down(void **state)
{
	lane_free(&lane);
	hosts_leave(&place);
	return stay_tear_down(state);
}

static void
watch(const struct rig_rule *script)
{
	open_lane(script);
	lane_begin(lane, 0);
	UNTIL(said.rounds == 1);
	assert_int_equal(lane_state(lane), LANE_WATCHING);
}

#define BEGIN_TO(hear, state)                                                  \
	lane_begin(lane, 0);                                                   \
	UNTIL(stay_heard(hear, 1));                                            \
	assert_int_equal(lane_state(lane), state)

static const struct rig_rule usual[] = { REST };
static const struct rig_rule silent[] = { GREET_ALL, END };
#define ONE ALWAYS(" SELECT ", BOX("1", "7", "2"))

/* A mail that does not come. */
static const struct rig_rule stuck[] = { GREET_ALL, LET_ALL_IN, ONE, END };
static const struct rig_rule one[] = { ONE, ONE_MAIL, REST };
static const struct rig_rule one_polled[] = { LET_ALL_IN_TO_POLL, ONE, ONE_MAIL,
	REST };

/* ---- a session ---- */

static void
sleeps_until_it_is_told_to_begin(void **state)
{
	(void)state;
	open_lane(usual);
	assert_int_equal(lane_state(lane), LANE_ASLEEP);
	assert_int_equal(lane_due_ms(lane), 0);
	lane_begin(lane, 60000);
	assert_in_range(lane_due_ms(lane), 59000, 60000);
	lane_begin(lane, 30000); /* the last word counts */
	assert_in_range(lane_due_ms(lane), 29000, 30000);
	lane_begin(lane, 10);
	lane_hold(lane);
	assert_int_equal(lane_due_ms(lane), 0);
	stay_pass(50);
	assert_string_equal(stay.rig->heard, "");
	assert_int_equal(lane_state(lane), LANE_ASLEEP);
}

static void
fetches_and_then_watches(void **state)
{
	(void)state;
	open_lane(one);
	BEGIN_TO(" LOGIN ", LANE_CONNECTING);
	UNTIL(stay_heard(" FETCH ", 1));
	assert_int_equal(lane_state(lane), LANE_FETCHING);
	assert_int_equal(lane_due_ms(lane), 0);
	UNTIL(said.rounds == 1);
	assert_int_equal(lane_state(lane), LANE_WATCHING);
	assert_int_equal(said.last.progress.messages, 1);
	assert_int_equal(said.answers, 0);
	assert_non_null(lane_fetch(lane));
}

static void
says_how_it_ended_and_sleeps(void **state)
{
	(void)state;
	watch(usual);
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.ended == 1);
	assert_int_equal(said.last.err.kind, ERR_NET);
	assert_true(said.last.logged_in);
	assert_int_equal(said.answers, 0);
	assert_int_equal(lane_due_ms(lane), 0);
}

static void
begins_again_when_it_is_told_to_at_the_end(void **state)
{
	(void)state;
	said.again_ms = 5;
	watch(usual);
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.rounds == 2);
	assert_int_equal(said.ended, 1);
}

/* What was half received comes last in the next session. */
static void
remembers_the_message_that_was_half_received(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		THEN_HANG_UP(" UID FETCH ", "* 1 FETCH (UID 1 BODY[] {9}\r\nx"),
		REST };

	(void)state;
	open_lane(script);
	lane_begin(lane, 0);
	UNTIL(said.ended == 1);
	assert_int_equal(lane_fetch_params(lane)->suspect.number, 1);
	assert_string_equal(lane_fetch_params(lane)->suspect.mailbox, "INBOX");
}

/* ---- the place at the host ---- */

static void
waits_for_a_place(void **state)
{
	(void)state;
	want_place();
	UNTIL(granted);
	open_lane(usual);
	lane_begin(lane, 0);
	stay_pass(20);
	assert_int_equal(lane_state(lane), LANE_QUEUED);
	assert_int_equal(lane_due_ms(lane), 0);
	lane_begin(lane, 60000); /* too late for that */
	assert_int_equal(lane_state(lane), LANE_QUEUED);
	hosts_leave(&place);
	UNTIL(said.rounds == 1);
}

static void
gives_its_place_up_when_it_watches(void **state)
{
	(void)state;
	open_lane(usual);
	BEGIN_TO(" LOGIN ", LANE_CONNECTING);
	want_place();
	UNTIL(said.rounds == 1);
	assert_false(granted);
	UNTIL(granted);
}

static void
gives_its_place_up_at_the_end(void **state)
{
	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	want_place();
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.ended == 1);
	UNTIL(granted);
}

static void
gives_its_place_up_after_a_time_and_fetches_on(void **state)
{
	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	want_place();
	UNTIL(granted);
	assert_int_equal(lane_state(lane), LANE_FETCHING);
	assert_int_equal(said.ended, 0);
}

/* ---- looks ---- */

static void
looks_at_once_when_it_sleeps(void **state)
{
	(void)state;
	open_lane(usual);
	lane_begin(lane, 60000);
	assert_false(lane_owes(lane));
	lane_look(lane);
	assert_true(lane_owes(lane));
	UNTIL(said.rounds == 1);
	assert_true(said.answered);
	assert_false(lane_owes(lane));
}

static void
a_look_before_the_fetch_is_answered_by_it(void **state)
{
	(void)state;
	want_place();
	UNTIL(granted);
	open_lane(usual);
	lane_begin(lane, 0);
	stay_pass(10);
	lane_look(lane); /* queued */
	hosts_leave(&place);
	UNTIL(stay_heard(" LOGIN ", 1));
	lane_look(lane); /* connecting */
	UNTIL(said.rounds == 1);
	assert_true(said.answered);
	assert_int_equal(said.answers, 1);
}

static void
a_look_while_it_fetches_is_answered_by_the_next_round(void **state)
{
	(void)state;
	open_lane(one);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	lane_look(lane);
	UNTIL(said.rounds == 1);
	assert_false(said.answered);
	assert_true(lane_owes(lane));
	UNTIL(said.rounds == 2);
	assert_true(said.answered);
	assert_false(lane_owes(lane));
	assert_int_equal(rig_said(stay.rig, " SELECT "), 2);
}

static void
a_look_while_it_watches_is_answered_by_a_round_of_its_own(void **state)
{
	(void)state;
	watch(usual);
	lane_look(lane);
	assert_true(lane_owes(lane));
	UNTIL(said.rounds == 2);
	assert_true(said.answered);
	assert_int_equal(rig_said(stay.rig, " SELECT "), 2);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

static void
a_session_that_is_lost_answers_the_look(void **state)
{
	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	lane_look(lane);
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.ended == 1);
	assert_true(said.answered);
	assert_false(lane_owes(lane));
}

/* It may have looked before the mail came that the look is for. */
static void
a_session_that_was_under_way_and_ends_well_does_not_answer_it(void **state)
{
	(void)state;
	said.again_ms = 60000;
	open_lane(one_polled);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	lane_look(lane);
	UNTIL(said.ended == 1);
	assert_int_equal(said.last.err.kind, ERR_NONE);
	assert_false(said.answered);
	assert_true(lane_owes(lane));
	UNTIL(said.ended == 2); /* begun at once */
	assert_true(said.answered);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 2);
	assert_in_range(lane_due_ms(lane), 59000, 60000);
}

/* ---- leaving ---- */

static void
leaves_when_it_sleeps(void **state)
{
	(void)state;
	open_lane(usual);
	lane_begin(lane, 10);
	lane_leave(lane);
	lane_leave(lane); /* twice is once */
	assert_int_equal(said.left, 0);
	assert_int_equal(lane_due_ms(lane), 0);
	lane_hold(lane); /* changes nothing */
	UNTIL(said.left == 1);
	stay_pass(30);
	assert_int_equal(said.left, 1);
	assert_string_equal(stay.rig->heard, "");
}

static void
leaves_when_it_waits_for_a_place(void **state)
{
	(void)state;
	want_place();
	UNTIL(granted);
	open_lane(usual);
	lane_begin(lane, 0);
	stay_pass(10);
	lane_look(lane);
	lane_leave(lane);
	UNTIL(said.left == 1);
	assert_true(said.answered);
	hosts_leave(&place);
	stay_pass(10);
	assert_string_equal(stay.rig->heard, "");
}

static void
leaves_when_it_connects(void **state)
{
	(void)state;
	open_lane(silent);
	BEGIN_TO(" LOGIN ", LANE_CONNECTING);
	lane_look(lane);
	lane_leave(lane);
	UNTIL(said.left == 1);
	assert_true(said.answered);
	assert_int_equal(said.last.err.kind, ERR_CANCEL);
	assert_int_equal(said.ended, 0);
}

static void
leaves_when_it_fetches(void **state)
{
	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	lane_leave(lane);
	UNTIL(said.left == 1);
	assert_int_equal(said.last.err.kind, ERR_CANCEL);
}

static void
says_goodbye_when_it_watches(void **state)
{
	(void)state;
	watch(usual);
	lane_leave(lane);
	lane_leave(lane);
	UNTIL(said.left == 1);
	assert_int_equal(rig_said(stay.rig, " LOGOUT"), 1);
	assert_int_equal(said.last.err.kind, ERR_NONE);
	assert_int_equal(said.ended, 0);
}

static void
begins_anew_after_it_left_and_leaves_anew(void **state)
{
	(void)state;
	watch(usual);
	lane_leave(lane);
	UNTIL(said.left == 1);
	lane_leave(lane); /* where it left already */
	UNTIL(said.left == 2);
	lane_begin(lane, 0);
	UNTIL(said.rounds == 2);
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.ended == 1);
}

static void
who_is_told_to_begin_before_it_left_does_not_leave(void **state)
{
	(void)state;
	open_lane(usual);
	lane_leave(lane);
	lane_begin(lane, 0);
	UNTIL(said.rounds == 1);
	assert_int_equal(said.left, 0);
}

/* ---- did it last? ---- */

static void
lose(unsigned int times)
{
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.ended == times);
}

static void
says_whether_a_session_lasted(void **state)
{
	(void)state;
	said.again_ms = 1;
	watch(usual);
	stay_forward(50);
	lose(1);
	assert_false(said.lasted);
	UNTIL(said.rounds == 2);
	stay_forward(61);
	lose(2);
	assert_true(said.lasted);
	UNTIL(stay_heard(" LOGIN ", 3)); /* it gets no further */
	lose(3);
	assert_false(said.lasted);
}

/* ---- is the server still there? ---- */

static void
remembers_that_it_was_probed_lately(void **state)
{
	(void)state;
	open_lane(usual);
	lane_probe(lane); /* nothing to be probed */
	assert_false(lane_was_probed(lane));
	lane_begin(lane, 0);
	UNTIL(said.rounds == 1);
	lane_probe(lane);
	assert_true(lane_was_probed(lane));
	UNTIL(stay_heard(" IDLE", 2)); /* it lives */
	stay_forward(29);
	assert_true(lane_was_probed(lane));
	stay_forward(2);
	assert_false(lane_was_probed(lane));
	assert_int_equal(said.ended, 0);
}

/* ---- without a deliverer ---- */

static struct fetch_env *
env(void)
{
	return (struct fetch_env *)(uintptr_t)rig_env(stay.rig);
}

/* So long there is none; then the account has this number. */
static void
lose_deliverer(unsigned int ms, uint32_t number)
{
	struct client *kept = env()->client;

	lane_detach(lane);
	env()->client = NULL;
	stay_pass(ms);
	env()->client = kept;
	lane_attach(lane, number);
	assert_int_equal(lane_fetch_params(lane)->account, number);
	assert_int_equal(lane_fetch_params(lane)->relay.account, number);
}

static void
watches_on_without_a_deliverer(void **state)
{
	(void)state;
	watch(usual);
	lane_look(lane);
	lose_deliverer(10, 1);
	assert_false(lane_owes(lane)); /* it will not be told */
	assert_int_equal(lane_state(lane), LANE_WATCHING);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
	assert_int_equal(said.ended, 0);
}

static void
begins_anew_with_the_next_deliverer_what_it_fetched(void **state)
{
	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	scripted_open(stay.host, one, NULL, NULL, NULL);
	lose_deliverer(10, 1);
	assert_int_equal(scripted_clients(stay.host), 0);
	UNTIL(said.rounds == 1);
	assert_int_equal(said.ended, 0);
	assert_int_equal(said.last.progress.messages, 1);
}

static void
queues_anew_with_the_next_deliverer(void **state)
{
	(void)state;
	want_place();
	UNTIL(granted);
	open_lane(usual);
	lane_begin(lane, 0);
	stay_pass(10);
	lose_deliverer(10, 0);
	hosts_leave(&place);
	UNTIL(said.rounds == 1);
}

static void
sleeps_on_without_a_deliverer(void **state)
{
	(void)state;
	open_lane(usual);
	lane_begin(lane, 60000);
	lose_deliverer(10, 0);
	assert_in_range(lane_due_ms(lane), 59000, 60000);
	stay_pass(10);
	assert_int_equal(lane_state(lane), LANE_ASLEEP);
}

static void
waits_for_a_deliverer_when_it_is_to_begin(void **state)
{
	(void)state;
	open_lane(usual);
	lane_begin(lane, 5);
	lose_deliverer(30, 0);
	assert_int_equal(lane_state(lane), LANE_ASLEEP);
	UNTIL(said.rounds == 1);
}

static void
leaves_without_a_deliverer(void **state)
{
	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	lane_leave(lane); /* and its fetch goes with the deliverer */
	lose_deliverer(10, 0);
	UNTIL(said.left == 1);
	stay_pass(10);
	assert_int_equal(said.left, 1);
	assert_int_equal(lane_state(lane), LANE_ASLEEP);
}

static void
one_that_leaves_meanwhile_does_not_begin_anew(void **state)
{
	struct client *kept = env()->client;

	(void)state;
	open_lane(stuck);
	BEGIN_TO(" UID FETCH ", LANE_FETCHING);
	lane_detach(lane);
	env()->client = NULL;
	lane_leave(lane);
	UNTIL(said.left == 1);
	env()->client = kept;
	lane_attach(lane, 0);
	stay_pass(20);
	assert_int_equal(lane_state(lane), LANE_ASLEEP);
	assert_int_equal(rig_said(stay.rig, " LOGIN "), 1);
}

/* ---- life ---- */

static void
may_be_freed_when_it_says_that_it_ended(void **state)
{
	(void)state;
	said.frees = true;
	watch(usual);
	scripted_hang_up(stay.host, NULL);
	UNTIL(said.ended == 1);
	assert_null(lane);
	open_lane(usual);
	lane_leave(lane);
	UNTIL(said.left == 1);
	assert_null(lane);
	stay_pass(10);
}

static void
may_be_freed_at_any_time(void **state)
{
	static const char *const marks[] = { " LOGIN ", " SELECT ", " IDLE" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		open_lane(usual);
		lane_begin(lane, 0);
		UNTIL(stay_heard(marks[i], 1));
		lane_free(&lane);
		lane_free(&lane);
		UNTIL(scripted_clients(stay.host) == 0);
	}
	open_lane(usual);
	lane_begin(lane, 0);
	lane_free(&lane);
	want_place();
	UNTIL(granted);
	open_lane(usual);
	lane_begin(lane, 0);
	stay_pass(10);
	assert_int_equal(lane_state(lane), LANE_QUEUED);
	lane_free(&lane);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sleeps_until_it_is_told_to_begin),
		TEST(fetches_and_then_watches),
		TEST(says_how_it_ended_and_sleeps),
		TEST(begins_again_when_it_is_told_to_at_the_end),
		TEST(remembers_the_message_that_was_half_received),
		TEST(waits_for_a_place),
		TEST(gives_its_place_up_when_it_watches),
		TEST(gives_its_place_up_at_the_end),
		TEST(gives_its_place_up_after_a_time_and_fetches_on),
		TEST(looks_at_once_when_it_sleeps),
		TEST(a_look_before_the_fetch_is_answered_by_it),
		TEST(a_look_while_it_fetches_is_answered_by_the_next_round),
		TEST(a_look_while_it_watches_is_answered_by_a_round_of_its_own),
		TEST(a_session_that_is_lost_answers_the_look),
		TEST(
		    a_session_that_was_under_way_and_ends_well_does_not_answer_it),
		TEST(leaves_when_it_sleeps),
		TEST(leaves_when_it_waits_for_a_place),
		TEST(leaves_when_it_connects),
		TEST(leaves_when_it_fetches),
		TEST(says_goodbye_when_it_watches),
		TEST(begins_anew_after_it_left_and_leaves_anew),
		TEST(who_is_told_to_begin_before_it_left_does_not_leave),
		TEST(says_whether_a_session_lasted),
		TEST(remembers_that_it_was_probed_lately),
		TEST(watches_on_without_a_deliverer),
		TEST(begins_anew_with_the_next_deliverer_what_it_fetched),
		TEST(queues_anew_with_the_next_deliverer),
		TEST(sleeps_on_without_a_deliverer),
		TEST(waits_for_a_deliverer_when_it_is_to_begin),
		TEST(leaves_without_a_deliverer),
		TEST(one_that_leaves_meanwhile_does_not_begin_anew),
		TEST(may_be_freed_when_it_says_that_it_ended),
		TEST(may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
