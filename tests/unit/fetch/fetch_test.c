/* SPDX-License-Identifier: ISC */
#include "unit/fetch/lmtp_server.h"

/* What holds for a fetch of any protocol. */

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
ends_when_the_whole_takes_too_long(void **state)
{
	static const struct rig_rule script[] = { ONCE(NULL, ""), END };

	(void)state;
	rig->params.total_timeout_s = 1;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_non_null(strstr(rig->result.err.text, "longer than 1 s"));
}

/* The server that the mail goes to is a part of the whole. */
static void
ends_although_the_next_server_says_nothing(void **state)
{
	static const struct rig_rule script[] = { GREETING, LOGIN,
		ONCE(" SELECT ", BOX("1", "7", "2")),
		ONCE(" UID FETCH ", MAIL("1", "1", "1") OK), LOGOUT, END };
	static const struct rig_rule silent[] = { LMTP_GREET, LMTP_HELLO, END };
	static const char *const bob[] = { "bob@x" };
	const struct target relayed = { .way = TARGET_RELAY };
	struct lmtp_server server;

	rig_free(&rig);
	rig = rig_new_to(false, &relayed);
	lmtp_server_begin(&server, rig_env(rig)->loop, silent, NULL);
	rig->params.total_timeout_s = 1;
	rig->params.style.crlf = rig->params.style.envelope = true;
	rig->params.relays = true;
	rig->params.relay = (struct relay_params){ .subject = "test",
		.conn = { .host = "127.0.0.1", .port = server.port },
		.lmtp = { .tls = LMTP_TLS_NONE, .helo = "me" },
		.recipients = bob,
		.n_recipients = 1,
		.parallel = 1 };
	rig_run(rig, script);
	assert_int_equal(lmtp_server_heard(&server, "MAIL FROM"), 1);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_int_equal(rig->result.progress.messages, 0);
	lmtp_server_end(&server);
	(void)state;
}

static void
says_where_it_could_not_connect(void **state)
{
	static const struct rig_rule script[] = { END };

	(void)state;
	rig->params.conn.port = 1;
	rig_run(rig, script);
	assert_int_equal(rig->result.err.kind, ERR_NET);
	assert_non_null(strstr(rig->result.err.text, "127.0.0.1:1"));
	assert_false(rig->result.logged_in);
}

static void
ends_in_any_state_when_told_to(void **state)
{
	static const struct rig_rule script[] = { GREETING, END };

	(void)state;
	rig_run_and_stop(rig, script, "LOGIN");
	assert_int_equal(rig->result.err.kind, ERR_CANCEL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    ends_when_the_whole_takes_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    ends_although_the_next_server_says_nothing, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    says_where_it_could_not_connect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    ends_in_any_state_when_told_to, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
