/* SPDX-License-Identifier: ISC */
#include "session/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/ipc.h"
#include "util/buf.h"
#include "util/pack.h"

#define WATCHDOG_MS 15000

static struct loop *loop;
static struct loop_timer *watchdog;
static struct agent *agent;
static struct ipc *theirs;

/* the way there */
static struct reach_tunnel way;
static reach_tunnel_fn told;
static void *told_arg;
static unsigned int closed;

/* what was heard by the agent's process, and by who has asked */
static char asked[200];
static unsigned int answers;
static char response[200];
static bool last, free_inside;
static struct err failure;

static void
expired(void *arg)
{
	(void)arg;
	fail_msg("nothing happens");
}

static void *
open_way(struct reach_tunnel *t, reach_tunnel_fn fn, void *arg)
{
	assert_ptr_equal(t, &way);
	told = fn;
	told_arg = arg;
	return &told;
}

static void
close_way(struct reach_tunnel *t, void *ticket)
{
	assert_ptr_equal(t, &way);
	assert_ptr_equal(ticket, &told);
	closed++;
}

static void
on_theirs(void *arg, struct ipc_packet *packet)
{
	(void)arg;
	if (packet == NULL) {
		ipc_free(&theirs);
	} else {
		assert_int_equal(packet->type, AGENT_CHALLENGE);
		snprintf(asked, sizeof(asked), "%.*s", (int)packet->payload.n,
		    packet->payload.p);
	}
	loop_stop(loop);
}

static void
on_answer(void *arg, struct span said, bool is_last, const struct err *e)
{
	assert_ptr_equal(arg, &agent);
	answers++;
	snprintf(response, sizeof(response), "%.*s", (int)said.n, said.p);
	last = is_last;
	failure = e == NULL ? (struct err){ 0 } : *e;
	if (free_inside)
		agent_free(&agent);
	loop_stop(loop);
}

/* Its process is there. */
static void
come(void)
{
	int fds[2];

	assert_int_equal(ipc_pair(fds, NULL), 0);
	theirs = ipc_new(loop, fds[1], on_theirs, NULL);
	told(told_arg, fds[0], NULL);
}

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	watchdog = loop_timer_new(loop, expired, NULL);
	loop_timer_arm(watchdog, WATCHDOG_MS);
	way = (struct reach_tunnel){ open_way, close_way };
	closed = answers = 0;
	free_inside = last = false;
	failure = (struct err){ 0 };
	asked[0] = response[0] = '\0';
	agent = agent_new(loop, &way, on_answer, &agent);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	agent_free(&agent);
	ipc_free(&theirs);
	loop_timer_free(&watchdog);
	loop_free(&loop);
	return 0;
}

static void
expect_failure(enum err_kind kind, const char *text)
{
	assert_int_equal(answers, 1);
	assert_string_equal(response, "");
	assert_int_equal(failure.kind, kind);
	assert_string_equal(failure.text, text);
}

/* ---- */

static void
carries_challenges_and_responses(void **state)
{
	(void)state;
	agent_ask(agent, SPAN(""));
	come();
	loop_run(loop);
	ipc_send(theirs, AGENT_RESPONSE, SPAN("first"));
	loop_run(loop);
	assert_string_equal(response, "first");
	assert_false(last);
	agent_ask(agent, SPAN("challenge"));
	loop_run(loop);
	assert_string_equal(asked, "challenge");
	ipc_send(theirs, AGENT_LAST, SPAN("second"));
	loop_run(loop);
	assert_string_equal(response, "second");
	assert_true(last);
	assert_int_equal(answers, 2);
	agent_free(&agent);
	assert_int_equal(closed, 1);
	loop_run(loop);
	assert_null(theirs);
}

static void
passes_on_why_there_is_no_response(void **state)
{
	struct buf b;

	(void)state;
	come();
	agent_ask(agent, SPAN("x"));
	loop_run(loop);
	buf_init(&b, 100);
	pack_u8(&b, ERR_TEMP);
	pack_str(&b, "no ticket");
	ipc_send(theirs, AGENT_ERROR, buf_span(&b));
	buf_deinit(&b);
	loop_run(loop);
	expect_failure(ERR_TEMP, "no ticket");
}

static void
takes_no_nonsense(void **state)
{
	static const struct {
		uint8_t type;
		const char *payload;
	} all[] = { { AGENT_ERROR, "" }, { AGENT_ERROR, "\x01" },
		{ AGENT_ERROR, "\xff\xff\xff" }, { 99, "x" }, { 0, "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		tear_down(NULL);
		set_up(NULL);
		come();
		agent_ask(agent, SPAN("x"));
		ipc_send(theirs, all[i].type, span_of(all[i].payload));
		while (answers == 0)
			loop_run(loop);
		expect_failure(ERR_TEMP, "Kerberos: its process says nonsense");
	}
}

static void
says_why_nobody_comes(void **state)
{
	struct err e;

	(void)state;
	agent_ask(agent, SPAN("x"));
	err_set(&e, ERR_CONFIG, 0, "there is none");
	told(told_arg, -1, &e);
	expect_failure(ERR_CONFIG, "there is none");
	agent_free(&agent);
	assert_int_equal(closed, 0); /* nobody knows the ticket any more */
}

static void
waits_for_who_knows_why_it_has_ended(void **state)
{
	struct err e;

	(void)state;
	come();
	agent_ask(agent, SPAN("x"));
	loop_run(loop);
	err_set(&e, ERR_TEMP, 0, "was killed by SIGKILL");
	told(told_arg, -1, &e);
	assert_int_equal(answers, 0);
	ipc_free(&theirs);
	loop_run(loop);
	expect_failure(ERR_TEMP, "was killed by SIGKILL");
}

static void
believes_its_own_words_first(void **state)
{
	struct buf b;
	struct err e;

	(void)state;
	come();
	agent_ask(agent, SPAN("x"));
	loop_run(loop);
	buf_init(&b, 100);
	pack_u8(&b, ERR_CONFIG);
	pack_str(&b, "built without GSSAPI");
	ipc_send(theirs, AGENT_ERROR, buf_span(&b));
	buf_deinit(&b);
	ipc_free(&theirs);
	err_set(&e, ERR_TEMP, 0, "exited with status 0");
	told(told_arg, -1, &e);
	loop_run(loop);
	expect_failure(ERR_CONFIG, "built without GSSAPI");
}

static void
does_not_wait_for_ever_for_that(void **state)
{
	(void)state;
	come();
	agent_ask(agent, SPAN("x"));
	loop_run(loop);
	ipc_free(&theirs);
	loop_run(loop);
	expect_failure(ERR_TEMP, "Kerberos: its process has ended");
}

static void
says_so_when_it_had_ended_before(void **state)
{
	struct err e;

	(void)state;
	come();
	ipc_free(&theirs);
	err_set(&e, ERR_TEMP, 0, "gone");
	told(told_arg, -1, &e);
	assert_int_equal(answers, 0);
	agent_ask(agent, SPAN("x"));
	loop_run(loop);
	expect_failure(ERR_TEMP, "gone");
}

static void
may_be_freed_inside_the_answer(void **state)
{
	struct err e;

	(void)state;
	free_inside = true;
	for (int way_out = 0; way_out < 3; way_out++) {
		if (way_out > 0)
			set_up(NULL);
		free_inside = true;
		agent_ask(agent, SPAN("x"));
		err_set(&e, ERR_TEMP, 0, "no");
		if (way_out == 0) {
			told(told_arg, -1, &e);
		} else {
			come();
			ipc_send(theirs,
			    way_out == 1 ? AGENT_RESPONSE : AGENT_ERROR,
			    SPAN("x"));
			while (answers == 0)
				loop_run(loop);
		}
		assert_int_equal(answers, 1);
		assert_null(agent);
		if (way_out < 2)
			tear_down(NULL);
	}
}

static void
refuses_a_challenge_that_is_too_long(void **state)
{
	static char large[IPC_PAYLOAD_MAX + 1];

	(void)state;
	come();
	memset(large, 'x', sizeof(large));
	agent_ask(agent, span_make(large, sizeof(large)));
	loop_run(loop);
	expect_failure(ERR_PROTO, "the server's challenge is too long");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_challenges_and_responses),
		TEST(passes_on_why_there_is_no_response),
		TEST(takes_no_nonsense),
		TEST(says_why_nobody_comes),
		TEST(waits_for_who_knows_why_it_has_ended),
		TEST(believes_its_own_words_first),
		TEST(does_not_wait_for_ever_for_that),
		TEST(says_so_when_it_had_ended_before),
		TEST(may_be_freed_inside_the_answer),
		TEST(refuses_a_challenge_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
