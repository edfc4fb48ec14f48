/* SPDX-License-Identifier: ISC */
#include "session/lmtp_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "unit/session/stage.h"

#define MUCH ((size_t)8 * 1024 * 1024)
#define ENOUGH ((size_t)64 * 1024) /* unsent at a time */
#define LINE "a secret word or two.\r\n"

static struct stage stage;
static struct lmtp_session *session;
static struct lmtp_params params;
static struct loop_timer *later;

/* what was heard */
static enum lmtp_event heard[4096];
static size_t n_heard;
static struct err failure;
static size_t most_unsent;

/* what is done */
static size_t size, given; /* octets of each message */
static size_t n_mails;
static size_t free_at; /* event number; 0: never */
static bool holds;     /* the body is given later, by the test */
static bool waits;     /* so is the mail */
static const char *to;

static void
on_later(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

static void
begin_mail(void)
{
	struct lmtp *m = lmtp_session_machine(session);
	struct span recipient = span_of(to);
	struct lmtp_mail mail = { .sender = SPAN("al@x"),
		.recipients = &recipient,
		.n = 1,
		.size = size };

	given = 0;
	if (n_mails == 0) {
		lmtp_quit(m);
	} else {
		n_mails--;
		lmtp_mail(m, &mail);
	}
	lmtp_session_flush(session);
}

/* The message is LINE again and again. */
static void
give_body(void)
{
	static const size_t n = sizeof(LINE) - 1;
	struct lmtp *m = lmtp_session_machine(session);

	while (given < size && lmtp_session_unsent(session) < ENOUGH) {
		struct span line = SPAN(LINE);

		lmtp_body(m, span_take(&line, size - given));
		given += given + n < size ? n : size - given;
	}
	if (lmtp_session_unsent(session) > most_unsent)
		most_unsent = lmtp_session_unsent(session);
	if (given == size)
		lmtp_end(m);
	lmtp_session_flush(session);
}

static void
on_event(void *arg, enum lmtp_event ev, struct lmtp_info *info)
{
	assert_ptr_equal(arg, &stage);
	if (n_heard < 4096)
		heard[n_heard++] = ev;
	if (ev == LMTP_FAILED)
		failure = info->err;
	if ((ev == LMTP_READY || ev == LMTP_SENT) && !waits)
		begin_mail();
	if (ev == LMTP_BODY && !holds)
		give_body();
	if (n_heard == free_at)
		lmtp_session_free(&session);
	if (ev == LMTP_CLOSED || ev == LMTP_FAILED || n_heard == free_at ||
	    (ev == LMTP_BODY && holds) || waits)
		loop_timer_arm(later, 20); /* does more come? */
}

static void
begin(peer_fn script, bool tls)
{
	stage_begin(&stage, script, tls);
	later = loop_timer_new(stage.loop, on_later, NULL);
	params = (struct lmtp_params){ .tls = LMTP_TLS_NONE, .helo = "me" };
	failure = (struct err){ 0 };
	n_heard = free_at = most_unsent = 0;
	size = sizeof(LINE) - 1;
	n_mails = 1;
	holds = waits = false;
	to = "bob@y";
}

static void
run(void)
{
	if (session == NULL)
		session = lmtp_session_open(stage.loop, stage.dns, &stage.conn,
		    &params, "acc", on_event, &stage);
	loop_run(stage.loop);
}

static bool
end(void)
{
	lmtp_session_free(&session);
	loop_timer_free(&later);
	return stage_end(&stage);
}

static size_t
times(enum lmtp_event ev)
{
	size_t n = 0;

	for (size_t i = 0; i < n_heard; i++)
		n += heard[i] == ev;
	return n;
}

/* ---- scripts ---- */

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
greet(struct peer *p)
{
	stage_say(p, "220 hi\r\n");
	return answer(p, "LHLO me\r\n", "250-you\r\n250 PIPELINING\r\n");
}

static bool
take_envelope(struct peer *p)
{
	return answer(p, "DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n");
}

static void
take_mail(struct peer *p)
{
	if (greet(p) && take_envelope(p) &&
	    answer(p, LINE ".\r\n", "250 saved\r\n") && take_envelope(p) &&
	    answer(p, LINE ".\r\n", "450 full\r\n") &&
	    answer(p, "QUIT\r\n", "221 bye\r\n"))
		peer_hear_end(p);
}

static void
take_much(struct peer *p)
{
	static char octets[65536];
	size_t n = 0;

	if (!greet(p) || !take_envelope(p))
		return;
	while (n < MUCH + 5) { /* CRLF, as LINE is cut, and dot CRLF */
		ssize_t r = peer_read(p, octets, sizeof(octets));

		if (r <= 0) {
			peer_fail(p, "the message was cut");
			return;
		}
		n += (size_t)r;
	}
	stage_say(p, "250 saved\r\n");
	if (answer(p, "QUIT\r\n", "221 bye\r\n"))
		peer_hear_end(p);
}

static void
break_off(struct peer *p)
{
	if (greet(p))
		take_envelope(p);
}

static void
greet_and_wait(struct peer *p)
{
	if (greet(p))
		peer_hear_end(p);
}

/* Longer in all than the deadline, and never silent for so long. */
static void
take_time(struct peer *p)
{
	if (!greet(p) || !stage_hear_until(p, "DATA\r\n"))
		return;
	usleep(700000);
	stage_say(p, "250 ok\r\n");
	usleep(700000);
	stage_say(p, "250 ok\r\n");
	usleep(700000);
	stage_say(p, "354 go\r\n");
	if (answer(p, "\r\n.\r\n", "250 saved\r\n") &&
	    answer(p, "QUIT\r\n", "221 bye\r\n"))
		peer_hear_end(p);
}

static void
upgrade(struct peer *p)
{
	peer_say(p, "220 hi\r\n");
	peer_hear(p, "LHLO me\r\n");
	peer_say(p, "250 you\r\n");
	peer_hear(p, "STARTTLS\r\n");
	peer_say(p, "220 go\r\n");
	if (!peer_tls(p))
		peer_fail(p, "no TLS");
	peer_hear(p, "LHLO me\r\n");
	peer_say(p, "250 you\r\n");
	peer_hear(p, "MAIL FROM:<al@x>\r\n");
	peer_say(p, "421 no\r\n");
	peer_hear_end(p);
}

static void
intrude(struct peer *p)
{
	stage_say(p, "220 hi\r\n");
	answer(p, "LHLO me\r\n", "250 you\r\n");
	answer(p, "STARTTLS\r\n", "220 go\r\n250 evil\r\n");
	peer_hear_end(p);
}

/* ---- tests ---- */

static void
delivers_mail_and_quits(void **state)
{
	static const enum lmtp_event all[] = { LMTP_READY, LMTP_BODY,
		LMTP_ANSWER, LMTP_SENT, LMTP_BODY, LMTP_ANSWER, LMTP_SENT,
		LMTP_CLOSED };

	(void)state;
	begin(take_mail, false);
	n_mails = 2;
	run();
	assert_int_equal(n_heard, 8);
	assert_memory_equal(heard, all, sizeof(all));
	assert_true(end());
}

static void
traces_the_dialogue_without_the_message(void **state)
{
	(void)state;
	begin(take_mail, false);
	n_mails = 2;
	run();
	assert_null(strstr(stage_log, "secret word"));
	assert_non_null(strstr(stage_log, "acc: S: 250-you\n"));
	assert_non_null(strstr(stage_log, "acc: C: RCPT TO:<bob@y>\n"));
	assert_non_null(strstr(stage_log, "acc: C: (octets of the message)\n"));
	assert_non_null(strstr(stage_log, "acc: S: 450 full\n"));
	assert_non_null(strstr(stage_log, "acc: C: QUIT\n"));
	assert_true(end());
}

static void
asks_for_more_whenever_all_was_sent(void **state)
{
	(void)state;
	begin(take_much, false);
	size = MUCH;
	run();
	assert_int_equal(heard[n_heard - 1], LMTP_CLOSED);
	assert_true(times(LMTP_BODY) > MUCH / ENOUGH / 2);
	assert_true(most_unsent < ENOUGH + sizeof(LINE) + 8);
	assert_int_equal(times(LMTP_ANSWER), 1);
	assert_true(end());
}

static void
may_be_given_the_body_from_outside(void **state)
{
	(void)state;
	begin(take_much, false);
	size = MUCH;
	holds = true;
	run();
	assert_int_equal(times(LMTP_BODY), 1);
	holds = false;
	give_body();
	assert_true(lmtp_session_unsent(session) >= ENOUGH);
	run();
	assert_int_equal(heard[n_heard - 1], LMTP_CLOSED);
	assert_true(end());
}

static void
may_be_freed_inside_any_event(void **state)
{
	size_t n = 1000;

	(void)state;
	for (size_t i = 1; i <= n; i++) {
		begin(take_mail, false);
		n_mails = 2;
		free_at = i;
		run();
		assert_int_equal(n_heard, i);
		if (heard[i - 1] == LMTP_CLOSED)
			n = i;
		assert_null(session);
		end();
	}
	assert_int_equal(n, 8);
}

static void
may_be_freed_when_it_asks_for_more(void **state)
{
	(void)state;
	begin(take_much, false);
	size = MUCH;
	free_at = 3; /* READY, BODY and BODY again */
	run();
	assert_int_equal(heard[2], LMTP_BODY);
	assert_int_equal(n_heard, 3);
	assert_null(session);
	end();
}

/* The owner comes from elsewhere; what needs no server is told by the loop. */
static void
answers_from_the_loop_what_needs_no_server(void **state)
{
	(void)state;
	begin(greet_and_wait, false);
	to = "b\xc3\xb6@y";
	waits = true;
	run();
	assert_int_equal(n_heard, 1);
	begin_mail();
	assert_int_equal(n_heard, 1);
	run();
	assert_int_equal(n_heard, 3);
	assert_int_equal(heard[1], LMTP_ANSWER);
	assert_int_equal(heard[2], LMTP_SENT);
	assert_true(end());
}

static void
fails_once_when_the_server_breaks_off(void **state)
{
	(void)state;
	begin(break_off, false);
	holds = true;
	run();
	if (times(LMTP_FAILED) == 0)
		run();
	assert_int_equal(times(LMTP_FAILED), 1);
	assert_int_equal(heard[n_heard - 1], LMTP_FAILED);
	assert_int_equal(failure.kind, ERR_NET);
	assert_int_equal(times(LMTP_ANSWER), 0);
	end();
}

static void
fails_when_the_server_is_silent(void **state)
{
	(void)state;
	begin(greet_and_wait, false);
	params.timeout_s = 1;
	run();
	assert_int_equal(n_heard, 2);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "not answered in time"));
	assert_true(end());
}

static void
gives_each_reply_its_time(void **state)
{
	(void)state;
	begin(take_time, false);
	params.timeout_s = 1;
	run();
	assert_int_equal(heard[n_heard - 1], LMTP_CLOSED);
	assert_true(end());
}

static void
says_mail_only_inside_tls(void **state)
{
	(void)state;
	begin(upgrade, true);
	params.tls = LMTP_TLS_UPGRADE;
	run();
	assert_int_equal(failure.kind, ERR_TEMP);
	assert_true(end());
}

static void
refuses_bytes_behind_starttls(void **state)
{
	(void)state;
	begin(intrude, true);
	params.tls = LMTP_TLS_UPGRADE;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(failure.kind, ERR_TLS);
	assert_true(end());
}

static void
fails_in_words_when_nobody_is_there(void **state)
{
	int pair[2];

	(void)state;
	begin(greet_and_wait, false);
	free_at = 1; /* the script's */
	run();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	n_heard = free_at = 0;
	stage.conn.socket = pair[0];
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "greeting"));
	end();
}

static void
frees_nothing_without_a_fuss(void **state)
{
	(void)state;
	lmtp_session_free(&session);
	assert_null(session);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivers_mail_and_quits),
		cmocka_unit_test(traces_the_dialogue_without_the_message),
		cmocka_unit_test(asks_for_more_whenever_all_was_sent),
		cmocka_unit_test(may_be_given_the_body_from_outside),
		cmocka_unit_test(may_be_freed_inside_any_event),
		cmocka_unit_test(may_be_freed_when_it_asks_for_more),
		cmocka_unit_test(answers_from_the_loop_what_needs_no_server),
		cmocka_unit_test(fails_once_when_the_server_breaks_off),
		cmocka_unit_test(fails_when_the_server_is_silent),
		cmocka_unit_test(gives_each_reply_its_time),
		cmocka_unit_test(says_mail_only_inside_tls),
		cmocka_unit_test(refuses_bytes_behind_starttls),
		cmocka_unit_test(fails_in_words_when_nobody_is_there),
		cmocka_unit_test(frees_nothing_without_a_fuss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
