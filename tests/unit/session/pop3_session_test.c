/* SPDX-License-Identifier: ISC */
#include "session/pop3_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/session/stage.h"

#include "unit/session/fake_agent.h"

#define PASSWORD "open-sesame"
#define PASSWORD_BASE64 "AHUAb3Blbi1zZXNhbWU=" /* NUL u NUL open-sesame */

static struct stage stage;
static struct pop3_session *session;
static struct pop3_params params;
static struct loop_timer *later;
static struct secret *secret;

/* what was heard */
static enum pop3_event heard[256];
static size_t n_heard;
static struct err failure;
static struct buf body;

/* what is done */
static size_t free_at;           /* event number; 0: never */
static enum pop3_event pause_at; /* POP3_MORE: never */
static bool asks;                /* at POP3_READY */

static void
on_later(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

static void
ask_everything(struct pop3 *m)
{
	pop3_stat(m);
	pop3_uidl(m);
	pop3_list(m);
	pop3_retr(m, 1);
	pop3_retr(m, 2);
	pop3_dele(m, 1);
	pop3_quit(m);
}

static void
on_event(void *arg, enum pop3_event ev, struct pop3_info *info)
{
	assert_ptr_equal(arg, &stage);
	if (n_heard < 256)
		heard[n_heard++] = ev;
	if (ev == POP3_BODY_DATA)
		buf_add(&body, info->data);
	if (ev == POP3_FAILED)
		failure = info->err;
	if (ev == POP3_READY && asks) {
		ask_everything(pop3_session_machine(session));
		pop3_session_flush(session);
	}
	if (ev == pause_at)
		pop3_session_pause(session, true);
	if (n_heard == free_at)
		pop3_session_free(&session);
	if (ev == POP3_CLOSED || ev == POP3_FAILED || ev == pause_at ||
	    n_heard == free_at)
		loop_timer_arm(later, 20); /* does more come? */
}

static void
begin(peer_fn script, bool tls)
{
	stage_begin(&stage, script, tls);
	later = loop_timer_new(stage.loop, on_later, NULL);
	buf_init(&body, 65536);
	secret = secret_new(SPAN(PASSWORD));
	params = (struct pop3_params){ .tls = POP3_TLS_NONE,
		.auth = SASL_AUTO,
		.user = "u",
		.secret = secret,
		.capa = true,
		.pipelining = true };
	failure = (struct err){ 0 };
	n_heard = free_at = 0;
	pause_at = POP3_MORE;
	asks = false;
}

static void
run(void)
{
	if (session == NULL)
		session = pop3_session_open(stage.loop, stage.dns, &stage.conn,
		    &params, "acc", on_event, &stage);
	loop_run(stage.loop);
}

static bool
end(void)
{
	pop3_session_free(&session);
	loop_timer_free(&later);
	secret_free(&secret);
	buf_deinit(&body);
	return stage_end(&stage);
}

static size_t
times(enum pop3_event ev)
{
	size_t n = 0;

	for (size_t i = 0; i < n_heard; i++)
		n += heard[i] == ev;
	return n;
}

/* ---- a session with every kind of event ---- */

/* False when the client is gone. */
static bool
answer(struct peer *p, const char *line, const char *words)
{
	if (!stage_hear_until(p, line))
		return false;
	stage_say(p, words);
	return true;
}

static bool
let_in(struct peer *p)
{
	stage_say(p, "+OK hello\r\n");
	return answer(p, "CAPA\r\n", "+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n") &&
	    answer(p, "USER u\r\n", "+OK\r\n") &&
	    answer(p, "PASS " PASSWORD "\r\n", "+OK in\r\n");
}

static void
answer_everything(struct peer *p)
{
	if (!let_in(p) ||
	    !answer(p, "DELE 1\r\n",
		"+OK 2 9\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n"
		"+OK\r\n1 6\r\n2 3\r\n.\r\n+OK\r\nabcde\r\n.\r\n"
		"+OK\r\nxyz\r\n.\r\n+OK\r\n") ||
	    !answer(p, "QUIT\r\n", "+OK bye\r\n"))
		return;
	peer_hear_end(p);
}

static void
tells_all_events_in_order_and_one_end(void **state)
{
	static const enum pop3_event all[] = { POP3_READY, POP3_STAT, POP3_DONE,
		POP3_UIDL, POP3_LIST, POP3_BODY_BEGIN, POP3_BODY_DATA,
		POP3_BODY_END, POP3_DONE, POP3_CLOSED };

	size_t at = 0;

	(void)state;
	begin(answer_everything, false);
	asks = true;
	run();
	for (size_t i = 0; i < n_heard && at < 10; i++)
		at += heard[i] == all[at];
	assert_int_equal(at, 10);
	assert_int_equal(times(POP3_BODY_END), 2);
	assert_int_equal(times(POP3_CLOSED), 1);
	assert_int_equal(times(POP3_FAILED), 0);
	assert_int_equal(times(POP3_MORE), 0);
	assert_int_equal(heard[n_heard - 1], POP3_CLOSED);
	assert_memory_equal(body.mem + body.off, "abcde\r\nxyz\r\n", 12);
	assert_null(strstr(stage_log, "abcde"));
	assert_non_null(strstr(stage_log, "acc: S: +OK 2 9\n"));
	assert_non_null(strstr(stage_log, "acc: logged in by LOGIN: "));
	assert_true(end());
}

static void
may_be_freed_inside_any_event(void **state)
{
	size_t n = 1000;

	(void)state;
	for (size_t i = 1; i <= n; i++) {
		begin(answer_everything, false);
		asks = true;
		free_at = i;
		run();
		assert_int_equal(n_heard, i);
		if (heard[i - 1] == POP3_CLOSED)
			n = i;
		assert_null(session);
		end();
	}
	assert_true(n > 10 && n < 1000);
}

static void
goes_on_after_a_pause_in_any_event(void **state)
{
	static const enum pop3_event at[] = { POP3_READY, POP3_STAT, POP3_UIDL,
		POP3_LIST, POP3_BODY_BEGIN, POP3_BODY_DATA, POP3_BODY_END,
		POP3_DONE };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		begin(answer_everything, false);
		asks = true;
		pause_at = at[i];
		run();
		while (heard[n_heard - 1] != POP3_CLOSED) {
			size_t before = n_heard;

			assert_int_equal(heard[n_heard - 1], at[i]);
			pop3_session_pause(session, false);
			assert_int_equal(n_heard, before);
			run();
			assert_true(n_heard > before);
		}
		assert_int_equal(times(POP3_BODY_END), 2);
		assert_memory_equal(
		    body.mem + body.off, "abcde\r\nxyz\r\n", 12);
		assert_true(end());
	}
}

/* No octet is left for what is still to be told. */
static void
answer_stat_alone(struct peer *p)
{
	if (let_in(p) && answer(p, "STAT\r\n", "+OK 2 9\r\n"))
		peer_hear_end(p);
}

static void
tells_after_a_pause_what_needs_no_more_input(void **state)
{
	(void)state;
	begin(answer_stat_alone, false);
	asks = true;
	params.pipelining = false;
	pause_at = POP3_STAT;
	run();
	assert_int_equal(times(POP3_DONE), 0);
	pop3_session_pause(session, false);
	loop_timer_arm(later, 20);
	while (times(POP3_DONE) == 0) {
		run();
		loop_timer_arm(later, 20);
	}
	assert_int_equal(n_heard, 3);
	assert_true(end());
}

/* ---- ends that are none ---- */

static void
break_off(struct peer *p)
{
	if (let_in(p))
		answer(p, "DELE 1\r\n",
		    "+OK 2 9\r\n+OK\r\n.\r\n+OK\r\n.\r\n+OK\r\nhalf");
}

static void
fails_once_when_the_server_breaks_off(void **state)
{
	(void)state;
	begin(break_off, false);
	asks = true;
	run();
	assert_int_equal(times(POP3_FAILED), 1);
	assert_int_equal(heard[n_heard - 1], POP3_FAILED);
	assert_int_equal(failure.kind, ERR_NET);
	assert_int_equal(times(POP3_BODY_END), 0);
	assert_true(end());
}

static void
fails_only_after_a_pause_when_the_server_broke_off(void **state)
{
	(void)state;
	begin(break_off, false);
	asks = true;
	pause_at = POP3_BODY_BEGIN;
	run();
	assert_int_equal(times(POP3_FAILED), 0);
	pop3_session_pause(session, false);
	run();
	assert_int_equal(times(POP3_BODY_DATA), 1);
	assert_int_equal(times(POP3_FAILED), 1);
	assert_true(end());
}

static void
greet_and_wait(struct peer *p)
{
	stage_say(p, "+OK hello\r\n");
	peer_hear_end(p);
}

static void
fails_when_the_server_is_silent(void **state)
{
	(void)state;
	begin(greet_and_wait, false);
	params.timeout_s = 1;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "not answered in time"));
	assert_true(end());
}

static void
let_in_and_wait(struct peer *p)
{
	if (let_in(p))
		peer_hear_end(p);
}

static void
does_not_fail_while_paused(void **state)
{
	(void)state;
	begin(let_in_and_wait, false);
	asks = true;
	params.timeout_s = 1;
	pause_at = POP3_READY;
	run();
	loop_timer_arm(later, 1300);
	run();
	assert_int_equal(n_heard, 1);
	pop3_session_pause(session, false);
	run();
	assert_int_equal(n_heard, 2);
	assert_int_equal(heard[1], POP3_FAILED);
	assert_true(end());
}

static void
nothing_at_all(struct peer *p)
{
	(void)p;
}

static void
fails_with_words_when_nobody_listens(void **state)
{
	unsigned int port;
	int fd = peer_listen(&port);

	(void)state;
	begin(nothing_at_all, false);
	run(); /* the script's */
	pop3_session_free(&session);
	n_heard = 0;
	close(fd);
	stage.conn.port = port;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0], POP3_FAILED);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "refused"));
	end();
}

static void
may_be_freed_when_it_fails(void **state)
{
	(void)state;
	begin(nothing_at_all, false);
	free_at = 1;
	run();
	assert_int_equal(heard[0], POP3_FAILED);
	assert_null(session);
	end();
}

static void
frees_nothing_without_a_fuss(void **state)
{
	(void)state;
	pop3_session_free(&session);
	assert_null(session);
}

/* ---- STLS ---- */

static void
upgrade(struct peer *p)
{
	peer_say(p, "+OK hello\r\n");
	peer_hear(p, "STLS\r\n");
	peer_say(p, "+OK go\r\n");
	if (!peer_tls(p))
		peer_fail(p, "no TLS");
	peer_hear(p, "CAPA\r\n");
	peer_say(p, "+OK\r\nUIDL\r\n.\r\n");
	peer_hear(p, "USER u\r\n");
	peer_say(p, "+OK\r\n");
	peer_hear(p, "PASS " PASSWORD "\r\n");
	peer_say(p, "-ERR wrong\r\n");
	peer_hear_end(p);
}

static void
logs_in_only_inside_tls(void **state)
{
	(void)state;
	begin(upgrade, true);
	params.tls = POP3_TLS_UPGRADE;
	run();
	assert_int_equal(failure.kind, ERR_AUTH);
	assert_null(strstr(stage_log, PASSWORD));
	assert_true(end());
}

static void
intrude(struct peer *p)
{
	stage_say(p, "+OK hello\r\n");
	stage_hear_until(p, "STLS\r\n");
	stage_say(p, "+OK go\r\n+OK\r\nevil\r\n.\r\n");
	peer_hear_end(p);
}

static void
refuses_octets_behind_stls(void **state)
{
	(void)state;
	begin(intrude, true);
	params.tls = POP3_TLS_UPGRADE;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0], POP3_FAILED);
	assert_int_equal(failure.kind, ERR_TLS);
	assert_null(strstr(stage_log, "evil"));
	assert_true(end());
}

/* ---- credentials ---- */

static void
want_user(struct peer *p)
{
	peer_say(p, "+OK hello\r\n");
	peer_hear(p, "CAPA\r\n");
	peer_say(p, "-ERR what?\r\n");
	peer_hear(p, "USER u\r\n");
	peer_say(p, "+OK\r\n");
	peer_hear(p, "PASS " PASSWORD "\r\n");
	peer_say(p, "-ERR no\r\n");
	peer_hear_end(p);
}

static void
want_plain_at_once(struct peer *p)
{
	peer_say(p, "+OK hello\r\n");
	peer_hear(p, "CAPA\r\n");
	peer_say(p, "+OK\r\nSASL PLAIN\r\n.\r\n");
	peer_hear(p, "AUTH PLAIN " PASSWORD_BASE64 "\r\n");
	peer_say(p, "-ERR no\r\n");
	peer_hear_end(p);
}

/* The line would be too long: RFC 5034 4. */
static void
want_plain(struct peer *p)
{
	peer_say(p, "+OK hello\r\n");
	peer_hear(p, "CAPA\r\n");
	peer_say(p, "+OK\r\nSASL PLAIN\r\n.\r\n");
	peer_hear(p, "AUTH PLAIN\r\n");
	peer_say(p, "+ \r\n");
	if (!stage_hear_until(p, "\r\n"))
		peer_fail(p, "no response");
	peer_say(p, "-ERR no\r\n");
	peer_hear_end(p);
}

#define LONG_PASSWORD_OCTETS 600

/* All of one letter, whose base64 repeats itself. */
static void
make_long(void)
{
	char octets[LONG_PASSWORD_OCTETS];

	memset(octets, 'k', sizeof(octets));
	secret_free(&secret);
	secret = secret_new(span_make(octets, sizeof(octets)));
	params.secret = secret;
}

static void
never_shows_a_credential(void **state)
{
	static const struct {
		peer_fn script;
		bool is_long;
	} ways[] = { { want_user, false }, { want_plain_at_once, false },
		{ want_plain, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		begin(ways[i].script, false);
		if (ways[i].is_long)
			make_long();
		run();
		assert_int_equal(failure.kind, ERR_AUTH);
		assert_true(end());
		assert_non_null(strstr(stage_log, "C: (credentials)"));
		assert_null(strstr(stage_log, PASSWORD));
		assert_null(strstr(stage_log, PASSWORD_BASE64));
		/* of the base64 of many "k" */
		assert_null(strstr(stage_log, "a2tr"));
		assert_null(strstr(stage_log, "tra2"));
	}
}

/* ---- a login by somebody else ---- */

static struct fake_agent fake;

static void
challenge_twice(struct peer *p)
{
	stage_say(p, "+OK hello\r\n");
	if (answer(p, "CAPA\r\n", "+OK\r\nSASL GSSAPI\r\nUIDL\r\n.\r\n") &&
	    answer(p, "GSSAPI\r\n", "+ \r\n") &&
	    answer(p, "Zmlyc3Q=\r\n", "+ d3JhcA==\r\n"))
		(void)answer(p, "bGFzdA==\r\n", "+OK\r\n");
	peer_hear_end(p);
}

static void
challenge_in_vain(struct peer *p)
{
	peer_say(p, "+OK hello\r\n");
	peer_hear(p, "CAPA\r\n");
	peer_say(p, "+OK\r\nSASL GSSAPI\r\nUIDL\r\n.\r\n");
	peer_hear(p, "AUTH GSSAPI\r\n");
	peer_say(p, "+ \r\n");
	peer_hear(p, "*\r\n");
	peer_say(p, "-ERR cancelled\r\n");
	peer_hear_end(p);
}

static void
challenge_and_wait(struct peer *p)
{
	stage_say(p, "+OK hello\r\n");
	if (answer(p, "CAPA\r\n", "+OK\r\nSASL GSSAPI\r\nUIDL\r\n.\r\n"))
		(void)answer(p, "GSSAPI\r\n", "+ \r\n");
	peer_hear_end(p);
}

static void
begin_gssapi(peer_fn script)
{
	begin(script, false);
	fake_agent_begin(&fake, stage.loop);
	params.auth = SASL_GSSAPI;
	params.kerberos = &fake.way;
}

static void
end_gssapi(void)
{
	pop3_session_free(&session);
	fake_agent_end(&fake);
	assert_true(end());
}

static void
has_an_agent_answer_for_gssapi(void **state)
{
	(void)state;
	begin_gssapi(challenge_twice);
	free_at = 1;
	run();
	assert_int_equal(heard[0], POP3_READY);
	assert_int_equal(fake.opened, 1);
	assert_int_equal(fake.asked, 2);
	assert_null(strstr(stage_log, "Zmlyc3Q="));
	end_gssapi();
}

/* Once it is in, none is needed any more. */
static void
lets_the_agent_go_when_it_is_in(void **state)
{
	(void)state;
	begin_gssapi(challenge_twice);
	pause_at = POP3_READY;
	run();
	assert_int_equal(heard[0], POP3_READY);
	assert_int_equal(fake.closed, 1);
	end_gssapi();
}

static void
says_why_the_agent_does_not_answer(void **state)
{
	(void)state;
	begin_gssapi(challenge_in_vain);
	fake.refuses = true;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(failure.kind, ERR_TEMP);
	assert_string_equal(failure.text, "no ticket");
	end_gssapi();
}

static void
cannot_speak_gssapi_without_an_agent(void **state)
{
	(void)state;
	begin_gssapi(challenge_in_vain);
	params.kerberos = NULL;
	run();
	assert_int_equal(failure.kind, ERR_CONFIG);
	end_gssapi();
}

/* It is still on its way. */
static void
may_be_freed_while_the_agent_is_asked(void **state)
{
	(void)state;
	begin_gssapi(challenge_and_wait);
	session = pop3_session_open(stage.loop, stage.dns, &stage.conn, &params,
	    "acc", on_event, &stage);
	loop_timer_arm(later, 100);
	loop_run(stage.loop);
	end_gssapi();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_an_agent_answer_for_gssapi),
		cmocka_unit_test(lets_the_agent_go_when_it_is_in),
		cmocka_unit_test(says_why_the_agent_does_not_answer),
		cmocka_unit_test(cannot_speak_gssapi_without_an_agent),
		cmocka_unit_test(may_be_freed_while_the_agent_is_asked),
		cmocka_unit_test(tells_all_events_in_order_and_one_end),
		cmocka_unit_test(may_be_freed_inside_any_event),
		cmocka_unit_test(goes_on_after_a_pause_in_any_event),
		cmocka_unit_test(tells_after_a_pause_what_needs_no_more_input),
		cmocka_unit_test(fails_once_when_the_server_breaks_off),
		cmocka_unit_test(
		    fails_only_after_a_pause_when_the_server_broke_off),
		cmocka_unit_test(fails_when_the_server_is_silent),
		cmocka_unit_test(does_not_fail_while_paused),
		cmocka_unit_test(fails_with_words_when_nobody_listens),
		cmocka_unit_test(may_be_freed_when_it_fails),
		cmocka_unit_test(frees_nothing_without_a_fuss),
		cmocka_unit_test(logs_in_only_inside_tls),
		cmocka_unit_test(refuses_octets_behind_stls),
		cmocka_unit_test(never_shows_a_credential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
