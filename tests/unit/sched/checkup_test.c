/* SPDX-License-Identifier: ISC */
#include "sched/checkup.h"

#include "sys/log.h"
#include "unit/fetch/scripts.h"

#define N 2

static struct rig *rig;
static struct hosts *hosts;
static struct secret *secret;
static struct conf_account conf;
static struct checkup *checkups[N];
static struct err errs[N];
static unsigned int ended, to_end, facts[N];
static char inbox_name[] = "INBOX";
static char *inbox[] = { inbox_name, NULL };
static size_t numbers[N] = { 0, 1 };

static void
on_fact(void *arg, const struct fact *fact)
{
	(void)fact;
	facts[*(size_t *)arg]++;
}

static void
on_end(void *arg, const struct err *e)
{
	size_t i = *(size_t *)arg;

	errs[i] = *e;
	checkup_free(&checkups[i]); /* fine here */
	if (++ended == to_end)
		loop_stop(rig_env(rig)->loop);
}

static int
set_up(void **state)
{
	static char host[] = "127.0.0.1";
	static char user[] = "u";

	(void)state;
	rig = rig_new(false);
	hosts = hosts_new(rig_env(rig)->loop, 1);
	secret = secret_new(SPAN("pass"));
	conf = (struct conf_account){ .name = user,
		.protocol = CONF_IMAP,
		.host = host,
		.port = scripted_port(rig_host(rig)),
		.tls = CONF_TLS_NONE,
		.auth = CONF_AUTH_LOGIN,
		.user = user,
		.mailboxes = { inbox, 1 },
		.connect_timeout_s = 10,
		.interval_s = 600,
		.poll_s = 120 };
	ended = to_end = facts[0] = facts[1] = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		checkup_free(&checkups[i]);
	hosts_free(&hosts);
	secret_free(&secret);
	rig_free(&rig);
	return 0;
}

static void
begin(size_t i)
{
	const struct checkup_params params = { .env = rig_env(rig),
		.hosts = hosts,
		.who = { .conf = &conf, .secret = secret },
		.fact = on_fact,
		.end = on_end,
		.arg = &numbers[i] };

	checkups[i] = checkup_new(&params);
	to_end++;
}

#define ONE_SESSION                                                            \
	GREETING, LOGIN, ONCE(" LIST ", "* LIST () \"/\" INBOX\r\n" OK),       \
	    ONCE(" STATUS ", "* STATUS INBOX (MESSAGES 1)\r\n" OK), LOGOUT

static void
one_after_another_at_a_host(void **state)
{
	static const struct rig_rule script[] = { ONE_SESSION, ONE_SESSION,
		END };

	(void)state;
	scripted_let_many(rig_host(rig));
	begin(0);
	begin(1);
	rig_play(rig, script, NULL, NULL, NULL);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(errs[i].kind, ERR_NONE);
		assert_true(facts[i] > 3);
	}
	assert_int_equal(rig_said(rig, "LIST"), 2);
}

static void
a_refusal_is_not_tried_again(void **state)
{
	static const struct rig_rule script[] = { GREETING,
		ONCE(" LOGIN ", "%T NO no\r\n"), ONE_SESSION, END };

	(void)state;
	conf.retries = 3;
	begin(0);
	rig_play(rig, script, NULL, NULL, NULL);
	assert_int_equal(errs[0].kind, ERR_AUTH);
	assert_int_equal(rig_said(rig, "LOGIN"), 1);
}

static void
stop_both(void *arg)
{
	(void)arg;
	checkup_stop(checkups[1]); /* waits for a place */
	checkup_stop(checkups[0]);
}

static void
stops_with_and_without_a_place(void **state)
{
	static const struct rig_rule script[] = { GREETING, END };

	(void)state;
	begin(0);
	begin(1);
	rig_play(rig, script, " LOGIN ", stop_both, NULL);
	assert_int_equal(ended, 2);
	assert_int_equal(errs[0].kind, ERR_CANCEL);
	assert_int_equal(errs[1].kind, ERR_CANCEL);
	assert_int_equal(facts[1], 0);
}

static void
is_freed_at_any_time(void **state)
{
	(void)state;
	begin(0);
	begin(1);
	checkup_free(&checkups[1]);
	checkup_free(&checkups[0]);
	checkup_free(&checkups[0]);
	assert_int_equal(ended, 0);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_after_another_at_a_host),
		TEST(a_refusal_is_not_tried_again),
		TEST(stops_with_and_without_a_place),
		TEST(is_freed_at_any_time),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
