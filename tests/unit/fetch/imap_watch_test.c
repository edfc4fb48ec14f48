/* SPDX-License-Identifier: ISC */
#include "fetch/imap_watch.h"

#include <stdio.h>

#include "unit/fetch/scripts.h"

/* A session that stays, against a scripted server. */

#define LOGIN_IDLE                                                             \
	ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1 UIDPLUS IDLE] in\r\n")
#define LOGIN_WITH(words)                                                      \
	ONCE(" LOGIN ",                                                        \
	    "%T OK [CAPABILITY IMAP4rev1 UIDPLUS IDLE " words "] in\r\n")
#define IDLE(say) ONCE(" IDLE", "+ idling\r\n" say)
#define IDLES ALWAYS(" IDLE", "+ idling\r\n")
#define DONE ALWAYS("DONE", OK)
#define NEW_MAIL(uid)                                                          \
	ONCE(" UID SEARCH ", "* SEARCH " uid "\r\n" OK),                       \
	    ONCE(" UID FETCH ", MAIL(uid, uid, uid) OK)

static struct rig *rig;

static struct watcher {
	struct fetch *fetch;
	unsigned int rounds;     /* so far */
	unsigned int last;       /* round in which it leaves */
	unsigned int messages;   /* in all rounds */
	struct fetch_round seen; /* the last */
	bool heard, missed;      /* in any */
	char home[64];
	struct fetch_result end;
	void (*at_round)(void); /* NULL: nothing */
} me;

static void
on_round(void *arg, const struct fetch_round *round)
{
	(void)arg;
	me.rounds++;
	me.seen = *round;
	me.heard |= round->heard;
	me.missed |= round->missed;
	me.messages += (unsigned int)round->result->progress.messages;
	if (round->home != NULL)
		snprintf(me.home, sizeof(me.home), "%s", round->home);
	if (me.at_round != NULL)
		me.at_round();
	if (me.rounds == me.last)
		fetch_leave(me.fetch);
}

static void
on_end(void *arg, const struct fetch_result *result)
{
	(void)arg;
	me.end = *result;
	me.messages += (unsigned int)result->progress.messages;
	fetch_free(&me.fetch);
	loop_stop(rig_env(rig)->loop);
}

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(false);
	me = (struct watcher){ .last = 1 };
	rig->params.stay = (struct fetch_stay){ .on = true,
		.idle = true,
		.notify = true,
		.list_status = true,
		.renew_s = 600,
		.safety_s = 600,
		.poll_s = 600,
		.round = on_round };
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
play(const struct rig_rule *script, unsigned int last)
{
	me.last = last;
	me.fetch = fetch_new(rig_env(rig), &rig->params, on_end, NULL);
	rig_play(rig, script, NULL, NULL, NULL);
	assert_null(me.fetch);
}

static const char *const two[] = { "INBOX", "other" };

static void
stay_in(const char *const *names, size_t n)
{
	rig->params.mailboxes = names;
	rig->params.n_mailboxes = n;
}

#define EMPTY ALWAYS(" SELECT ", BOX("0", "7", "1"))

/* ---- IDLE ---- */

static void
fetches_what_is_told_while_it_idles_without_another_select(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLE("* 1 EXISTS\r\n"), DONE, NEW_MAIL("1"), IDLES, LOGOUT,
		END };

	(void)state;
	play(script, 2);
	assert_int_equal(me.end.err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(me.messages, 1);
	assert_int_equal(rig_said(rig, " SELECT "), 1);
	assert_int_equal(me.seen.how, FETCH_HOW_IDLE);
	assert_string_equal(me.home, "INBOX");
	assert_true(me.heard);
	assert_false(me.missed);
}

static void
hears_of_mail_before_the_server_says_that_it_idles(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		ONCE(" IDLE", "* 1 EXISTS\r\n+ idling\r\n"), DONE,
		NEW_MAIL("1"), IDLES, LOGOUT, END };

	(void)state;
	play(script, 1);
	assert_int_equal(rig_delivered(rig), 1);
}

static void
an_idle_without_an_answer_ends_no_round(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		ALWAYS(" IDLE", "* 0 RECENT\r\n"), END };

	(void)state;
	rig->params.imap.timeout_s = 1;
	play(script, 9);
	assert_int_equal(me.end.err.kind, ERR_NET);
	assert_int_equal(me.rounds, 0);
}

static void
mail_told_of_only_at_the_end_of_idle_was_missed(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLES, ONCE("DONE", "* 1 EXISTS\r\n" OK), DONE, NEW_MAIL("1"),
		LOGOUT, END };

	(void)state;
	rig->params.stay.renew_s = 1;
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_true(me.missed);
	assert_false(me.heard);
}

static void
renews_idle(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLES, DONE, LOGOUT, END };

	(void)state;
	rig->params.stay.renew_s = 1;
	play(script, 2);
	assert_int_equal(rig_said(rig, " IDLE"), 2);
	assert_int_equal(rig_said(rig, "SEARCH"), 0);
}

static void
does_not_stay_where_idle_is_refused(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		ALWAYS(" IDLE", "%T NO not today\r\n"), LOGOUT, END };

	(void)state;
	play(script, 9);
	assert_int_equal(me.end.err.kind, ERR_NONE);
	assert_true(me.end.no_idle);
	assert_int_equal(rig_said(rig, " LOGOUT"), 1);
}

static void
does_not_stay_where_idle_ends_at_once_again_and_again(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		ALWAYS(" IDLE", OK), LOGOUT, END };

	(void)state;
	play(script, 9);
	assert_int_equal(me.end.err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, " IDLE"), 3);
}

static void
leaves_where_nobody_tells_of_mail(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN, EMPTY,
		LOGOUT, END };

	(void)state;
	play(script, 9);
	assert_int_equal(me.end.err.kind, ERR_NONE);
	assert_int_equal(me.rounds, 0);
}

static void
an_idle_that_the_server_ends_with_bye_is_a_lost_session(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		THEN_HANG_UP(
		    " IDLE", "+ idling\r\n* BYE idle for too long\r\n"),
		END };

	(void)state;
	play(script, 9);
	assert_int_not_equal(me.end.err.kind, ERR_NONE);
	assert_true(me.end.logged_in);
}

/* ---- looks that nobody told of ---- */

static void
looks_now_and_then_and_finds_what_it_was_not_told_of(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE,
		ONCE(" SELECT ", BOX("0", "7", "1")),
		ALWAYS(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), IDLES, DONE,
		LOGOUT, END };

	(void)state;
	rig->params.stay.safety_s = 1;
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_true(me.missed);
}

static void
look_at_all(void)
{
	if (me.rounds == 1)
		assert_true(fetch_look(me.fetch));
}

static void
looks_when_it_is_told_to(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE,
		ONCE(" SELECT ", BOX("0", "7", "1")),
		ALWAYS(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), IDLES, DONE,
		LOGOUT, END };

	(void)state;
	me.at_round = look_at_all;
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_false(me.missed);
}

/* ---- mailboxes nobody tells of ---- */

static void
asks_about_the_others_and_looks_where_there_is_news(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE,
		ONCE("SELECT \"other\"", BOX("0", "7", "1")),
		ONCE("SELECT \"other\"", BOX("1", "7", "2")), EMPTY,
		ALWAYS(" STATUS \"other\"",
		    "* STATUS other (MESSAGES 1 UIDNEXT 2 UIDVALIDITY "
		    "7)\r\n" OK),
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), IDLES, DONE,
		LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	rig->params.stay.poll_s = 1;
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_said(rig, "SELECT \"other\""), 2);
	assert_int_equal(rig_said(rig, "STATUS \"INBOX\""), 0);
	assert_string_equal(me.home, "INBOX");
	assert_int_equal(me.seen.watched, 1);
	assert_int_equal(me.seen.polled, 1);
}

static void
asks_about_many_with_one_list(void **state)
{
	static const char *const many[] = { "INBOX", "a", "b", "c", "d" };
	static const struct rig_rule script[] = { GREETING,
		LOGIN_WITH("LIST-STATUS"), EMPTY,
		ALWAYS(" LIST ",
		    "* LIST () \"/\" c\r\n"
		    "* STATUS c (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7)\r\n" OK),
		IDLES, DONE, LOGOUT, END };

	(void)state;
	stay_in(many, 5);
	rig->params.stay.poll_s = 1;
	play(script, 2);
	assert_int_equal(rig_said(rig, " LIST "), 1);
	assert_int_equal(rig_said(rig, " STATUS \""), 0);
	assert_int_equal(rig_said(rig, " SELECT "), 5);
}

static void
give_other_away(void)
{
	if (me.rounds == 1)
		fetch_give_away(me.fetch, "other");
	else
		fetch_take_back(me.fetch, "other");
}

static void
leaves_a_mailbox_to_another_session_and_takes_it_back(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLES, DONE, LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	rig->params.stay.renew_s = 1;
	me.at_round = give_other_away;
	play(script, 3);
	assert_int_equal(rig_said(rig, "SELECT \"other\""), 2);
}

static void
does_not_look_at_what_another_session_sees_to(void **state)
{
	static const char *const other[] = { "other" };
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLES, DONE, LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	rig->params.stay.without = other;
	rig->params.stay.n_without = 1;
	play(script, 1);
	assert_int_equal(rig_said(rig, "other"), 0);
}

/* ---- NOTIFY ---- */

static void
is_notified_of_all_mailboxes(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		LOGIN_WITH("NOTIFY"),
		ONCE("SELECT \"other\"", BOX("0", "7", "1")),
		ONCE("SELECT \"other\"", BOX("1", "7", "2")), EMPTY,
		ONCE(" NOTIFY SET ", OK),
		ONCE(" STATUS \"other\"",
		    "* STATUS other (MESSAGES 0 UIDNEXT 1 UIDVALIDITY "
		    "7)\r\n" OK),
		IDLE("* STATUS other (MESSAGES 1 UIDNEXT 2)\r\n"), IDLES, DONE,
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(me.seen.how, FETCH_HOW_NOTIFY);
	assert_int_equal(me.seen.watched, 2);
	assert_int_equal(me.seen.polled, 0);
}

static void
mail_that_notify_did_not_tell_of_was_missed(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		LOGIN_WITH("NOTIFY"),
		ONCE("SELECT \"other\"", BOX("0", "7", "1")),
		ONCE("SELECT \"other\"", BOX("1", "7", "2")), EMPTY,
		ONCE(" NOTIFY SET ", OK), ALWAYS(" STATUS ", OK), IDLES, DONE,
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	rig->params.stay.safety_s = 1;
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_true(me.missed);
}

static void
is_notified_without_idle(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		ONCE(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1 NOTIFY] in\r\n"),
		ONCE("SELECT \"other\"", BOX("0", "7", "1")),
		ONCE("SELECT \"other\"", BOX("1", "7", "2")), EMPTY,
		ONCE(" NOTIFY SET ", OK),
		ONCE(" STATUS ",
		    "* STATUS other (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 7)\r\n" OK
		    "* STATUS other (MESSAGES 1 UIDNEXT 2)\r\n"),
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	play(script, 2);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(me.seen.how, FETCH_HOW_NOTIFY);
}

static void
idles_where_notify_is_refused(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		LOGIN_WITH("NOTIFY"), EMPTY,
		ALWAYS(" NOTIFY SET ", "%T NO too much\r\n"), IDLES, DONE,
		LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	play(script, 1);
	assert_int_equal(me.seen.how, FETCH_HOW_IDLE);
	assert_int_equal(rig_said(rig, "NOTIFY"), 1);
}

static void
looks_at_all_and_idles_when_the_server_gives_notify_up(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		LOGIN_WITH("NOTIFY"), EMPTY, ONCE(" NOTIFY SET ", OK),
		ONCE(" STATUS ",
		    "%T OK done\r\n"
		    "* OK [NOTIFICATIONOVERFLOW] too much\r\n"),
		IDLES, DONE, LOGOUT, END };

	(void)state;
	stay_in(two, 2);
	play(script, 1);
	assert_int_equal(me.seen.how, FETCH_HOW_IDLE);
	assert_int_equal(rig_said(rig, "SELECT \"other\""), 2);
}

/* ---- without a deliverer ---- */

static struct client *kept;
static struct loop_timer *back;

static struct fetch_env *
env(void)
{
	return (struct fetch_env *)(uintptr_t)rig_env(rig);
}

static void
bring_back(void *arg)
{
	(void)arg;
	assert_int_equal(rig_said(rig, "DONE"), 0);
	env()->client = kept;
	fetch_attach(me.fetch);
}

static void
take_away(void)
{
	if (me.rounds > 1)
		return;
	assert_true(fetch_detach(me.fetch));
	kept = env()->client;
	env()->client = NULL;
	loop_timer_arm(back, 300);
}

static void
mail_waits_for_a_deliverer(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLE("* 1 EXISTS\r\n"), DONE, NEW_MAIL("1"), IDLES, LOGOUT,
		END };

	(void)state;
	back = loop_timer_new(env()->loop, bring_back, NULL);
	me.at_round = take_away;
	play(script, 2);
	loop_timer_free(&back);
	assert_int_equal(rig_delivered(rig), 1);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
}

/* ---- is it still there? ---- */

static void
probe(void)
{
	if (me.rounds == 1)
		fetch_probe(me.fetch);
}

static void
a_server_that_answers_a_probe_lives(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLES, DONE, LOGOUT, END };

	(void)state;
	me.at_round = probe;
	play(script, 2);
	assert_int_equal(me.end.err.kind, ERR_NONE);
}

static void
one_that_does_not_is_given_up_within_seconds(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN_IDLE, EMPTY,
		IDLES, END };

	(void)state;
	me.at_round = probe;
	play(script, 9);
	assert_int_equal(me.end.err.kind, ERR_NET);
	assert_int_equal(me.rounds, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    fetches_what_is_told_while_it_idles_without_another_select),
		TEST(hears_of_mail_before_the_server_says_that_it_idles),
		TEST(an_idle_without_an_answer_ends_no_round),
		TEST(mail_told_of_only_at_the_end_of_idle_was_missed),
		TEST(renews_idle),
		TEST(does_not_stay_where_idle_is_refused),
		TEST(does_not_stay_where_idle_ends_at_once_again_and_again),
		TEST(leaves_where_nobody_tells_of_mail),
		TEST(an_idle_that_the_server_ends_with_bye_is_a_lost_session),
		TEST(looks_now_and_then_and_finds_what_it_was_not_told_of),
		TEST(looks_when_it_is_told_to),
		TEST(asks_about_the_others_and_looks_where_there_is_news),
		TEST(asks_about_many_with_one_list),
		TEST(leaves_a_mailbox_to_another_session_and_takes_it_back),
		TEST(does_not_look_at_what_another_session_sees_to),
		TEST(is_notified_of_all_mailboxes),
		TEST(mail_that_notify_did_not_tell_of_was_missed),
		TEST(is_notified_without_idle),
		TEST(idles_where_notify_is_refused),
		TEST(looks_at_all_and_idles_when_the_server_gives_notify_up),
		TEST(mail_waits_for_a_deliverer),
		TEST(a_server_that_answers_a_probe_lives),
		TEST(one_that_does_not_is_given_up_within_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
