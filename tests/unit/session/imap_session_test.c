/* SPDX-License-Identifier: ISC */
#include "session/imap_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/session/stage.h"

#include "unit/session/fake_agent.h"

#define PASSWORD "open-sesame"
#define LAST_TICKET 6
#define PASSWORD_BASE64 "AHUAb3Blbi1zZXNhbWU=" /* NUL u NUL open-sesame */

static struct stage stage;
static struct imap_session *session;
static struct imap_params params;
static struct loop_timer *later;
static struct secret *secret;

/* what was heard */
static enum imap_event heard[256];
static size_t n_heard;
static struct err failure;
static struct buf body;

/* what is done */
static size_t free_at;              /* event number; 0: never */
static enum imap_event pause_at;    /* IMAP_MORE: never */
static void (*ask)(struct imap *m); /* at IMAP_READY */
static unsigned int idle_ms;        /* from IMAP_IDLING to a pause of ours */

static void
on_later(void *arg)
{
	(void)arg;
	loop_stop(stage.loop);
}

static void
on_event(void *arg, enum imap_event ev, struct imap_info *info)
{
	assert_ptr_equal(arg, &stage);
	if (n_heard < 256)
		heard[n_heard++] = ev;
	if (ev == IMAP_BODY_DATA)
		buf_add(&body, info->data);
	if (ev == IMAP_FAILED)
		failure = info->err;
	if (ev == IMAP_READY && ask != NULL) {
		ask(imap_session_machine(session));
		imap_session_flush(session);
	}
	if (ev == IMAP_DONE && info->ticket == LAST_TICKET)
		imap_logout(imap_session_machine(session));
	if (ev == IMAP_IDLING)
		loop_timer_arm(later, idle_ms);
	if (ev == pause_at)
		imap_session_pause(session, true);
	if (n_heard == free_at)
		imap_session_free(&session);
	if (ev == IMAP_CLOSED || ev == IMAP_FAILED || ev == pause_at ||
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
	params = (struct imap_params){ .tls = IMAP_TLS_NONE,
		.auth = SASL_AUTO,
		.user = "u",
		.secret = secret };
	failure = (struct err){ 0 };
	n_heard = free_at = 0;
	pause_at = IMAP_MORE;
	ask = NULL;
}

static void
run(void)
{
	if (session == NULL)
		session = imap_session_open(stage.loop, stage.dns, &stage.conn,
		    &params, "acc", on_event, &stage);
	loop_run(stage.loop);
}

static bool
end(void)
{
	imap_session_free(&session);
	loop_timer_free(&later);
	secret_free(&secret);
	buf_deinit(&body);
	return stage_end(&stage);
}

static size_t
times(enum imap_event ev)
{
	size_t n = 0;

	for (size_t i = 0; i < n_heard; i++)
		n += heard[i] == ev;
	return n;
}

/* ---- a session with every kind of event ---- */

#define GREETING "* OK [CAPABILITY IMAP4rev1] hello\r\n"
#define IN "A1 OK [CAPABILITY IMAP4rev1] in\r\n"

static void
ask_everything(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 1, 2);
	imap_list(m);                 /* A2 */
	imap_select(m, "INBOX");      /* A3 */
	imap_search_uids(m, NULL, 1); /* A4 */
	imap_fetch(m, &uids, false);  /* A5 */
	imap_fetch_headers(m, &uids); /* A6 */
	set_deinit(&uids);
}

static void
answer_everything(struct peer *p)
{
	stage_say(p, GREETING);
	if (!stage_hear_until(p, "\r\n"))
		return;
	stage_say(p, IN);
	if (!stage_hear_until(p, "FROM)])\r\n"))
		return;
	stage_say(p,
	    "* LIST () \"/\" INBOX\r\nA2 OK l\r\n"
	    "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nA3 OK s\r\n"
	    "* SEARCH 1 2\r\nA4 OK s\r\n"
	    "* 1 FETCH (UID 1 BODY[] {6}\r\nabcde\n)\r\n"
	    "* 2 FETCH (UID 2 BODY[] {3}\r\nxyz)\r\n"
	    "* OK [ALERT] beware\r\n"
	    "* 3 EXPUNGE\r\nA5 OK f\r\n"
	    "* 1 FETCH (UID 1 RFC822.SIZE 6 BODY[HEADER.FIELDS (DATE)] "
	    "{2}\r\n\r\n)\r\nA6 OK h\r\n");
	if (!stage_hear_until(p, "LOGOUT\r\n"))
		return;
	stage_say(p, "* BYE bye\r\nA7 OK bye\r\n");
	peer_hear_end(p);
}

static void
tells_all_events_in_order_and_one_end(void **state)
{
	static const enum imap_event all[] = { IMAP_READY, IMAP_LISTED,
		IMAP_DONE, IMAP_BODY_BEGIN, IMAP_BODY_DATA, IMAP_BODY_END,
		IMAP_CLOSED };

	size_t at = 0;

	(void)state;
	begin(answer_everything, false);
	ask = ask_everything;
	run();
	for (size_t i = 0; i < n_heard && at < 7; i++)
		at += heard[i] == all[at];
	assert_int_equal(at, 7);
	assert_int_equal(times(IMAP_BODY_END), 2);
	assert_int_equal(times(IMAP_CLOSED), 1);
	assert_int_equal(times(IMAP_FAILED), 0);
	assert_int_equal(times(IMAP_MORE), 0);
	assert_int_equal(heard[n_heard - 1], IMAP_CLOSED);
	assert_memory_equal(body.mem + body.off, "abcde\nxyz", 9);
	assert_null(strstr(stage_log, "abcde"));
	assert_non_null(strstr(stage_log, "acc: S: * SEARCH 1 2\n"));
	assert_non_null(strstr(stage_log,
	    "acc: logged in by LOGIN: "
	    "the server offers no SASL mechanism we know\n"));
	assert_true(end());
}

static void
may_be_freed_inside_any_event(void **state)
{
	size_t n = 1000;

	(void)state;
	for (size_t i = 1; i <= n; i++) {
		begin(answer_everything, false);
		ask = ask_everything;
		free_at = i;
		run();
		assert_int_equal(n_heard, i);
		if (heard[i - 1] == IMAP_CLOSED)
			n = i;
		assert_null(session);
		end();
	}
	assert_true(n > 10 && n < 1000);
}

static void
goes_on_after_a_pause_in_any_event(void **state)
{
	static const enum imap_event at[] = { IMAP_READY, IMAP_LISTED,
		IMAP_DONE, IMAP_BODY_BEGIN, IMAP_BODY_DATA, IMAP_BODY_END,
		IMAP_NOTICE };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		size_t before;

		begin(answer_everything, false);
		ask = ask_everything;
		pause_at = at[i];
		run();
		assert_int_equal(heard[n_heard - 1], at[i]);
		before = n_heard;
		while (heard[n_heard - 1] != IMAP_CLOSED) {
			assert_int_equal(heard[n_heard - 1], at[i]);
			imap_session_pause(session, false);
			assert_int_equal(n_heard, before);
			run();
			assert_true(n_heard > before);
			before = n_heard;
		}
		assert_int_equal(times(IMAP_BODY_END), 2);
		assert_memory_equal(body.mem + body.off, "abcde\nxyz", 9);
		assert_true(end());
	}
}

/* ---- ends that are none ---- */

static void
ask_fetch(struct imap *m)
{
	struct set uids = { 0 };

	set_add(&uids, 1, 1);
	imap_fetch(m, &uids, false);
	set_deinit(&uids);
}

static void
break_off(struct peer *p)
{
	stage_say(p, GREETING);
	stage_hear_until(p, "\r\n");
	stage_say(p, IN);
	stage_hear_until(p, "\r\n");
	stage_say(p, "* 1 FETCH (UID 1 BODY[] {100}\r\nhalf");
}

static void
fails_once_when_the_server_breaks_off(void **state)
{
	(void)state;
	begin(break_off, false);
	ask = ask_fetch;
	run();
	assert_int_equal(times(IMAP_FAILED), 1);
	assert_int_equal(heard[n_heard - 1], IMAP_FAILED);
	assert_int_equal(failure.kind, ERR_NET);
	assert_int_equal(times(IMAP_BODY_END), 0);
	assert_true(end());
}

static void
fails_only_after_a_pause_when_the_server_broke_off(void **state)
{
	(void)state;
	begin(break_off, false);
	ask = ask_fetch;
	pause_at = IMAP_BODY_BEGIN;
	run();
	assert_int_equal(times(IMAP_FAILED), 0);
	imap_session_pause(session, false);
	run();
	assert_int_equal(times(IMAP_BODY_DATA), 1);
	assert_int_equal(times(IMAP_FAILED), 1);
	assert_true(end());
}

static void
greet_and_wait(struct peer *p)
{
	stage_say(p, "* OK [CAPABILITY IMAP4rev1] hello\r\n");
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
	assert_non_null(strstr(failure.text, "login"));
	assert_true(end());
}

static void
idle_and_wait(struct peer *p)
{
	stage_say(p, "* PREAUTH [CAPABILITY IDLE] hello\r\n");
	if (stage_hear_until(p, "IDLE\r\n"))
		stage_say(p, "+ idling\r\n");
	stage_hear_until(p, "DONE\r\n");
	stage_say(p, "* OK Still here\r\n");
	peer_hear_end(p);
}

static void
ask_idle(struct imap *m)
{
	imap_idle(m);
}

static void
waits_for_ever_while_the_server_idles(void **state)
{
	(void)state;
	begin(idle_and_wait, false);
	params.timeout_s = 1;
	ask = ask_idle;
	idle_ms = 1500;
	run();
	assert_int_equal(n_heard, 2);
	assert_int_equal(heard[1], IMAP_IDLING);
	imap_idle_done(imap_session_machine(session));
	imap_session_flush(session);
	run();
	assert_int_equal(n_heard, 3);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "no answer for 1 s (idle)"));
	assert_true(end());
}

static void
hurries_an_answer_that_is_due_already(void **state)
{
	(void)state;
	begin(idle_and_wait, false);
	ask = ask_idle;
	idle_ms = 0;
	run();
	assert_int_equal(heard[n_heard - 1], IMAP_IDLING);
	imap_idle_done(imap_session_machine(session));
	imap_session_flush(session);
	imap_session_hurry(session, 1);
	run();
	assert_int_equal(n_heard, 3);
	assert_non_null(strstr(failure.text, "no answer for 1 s (idle)"));
	assert_true(end());
}

static void
reset_at_once(struct peer *p)
{
	stage_say(p, GREETING);
	stage_hear_until(p, "\r\n");
	peer_reset(p);
}

static void
fails_once_when_the_connection_is_reset(void **state)
{
	(void)state;
	begin(reset_at_once, false);
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0], IMAP_FAILED);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "127.0.0.1:"));
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
	imap_session_free(&session);
	n_heard = 0;
	close(fd);
	stage.conn.port = port;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0], IMAP_FAILED);
	assert_int_equal(failure.kind, ERR_NET);
	assert_non_null(strstr(failure.text, "refused"));
	end();
}

static void
may_be_freed_when_it_fails(void **state)
{
	(void)state;
	begin(reset_at_once, false);
	free_at = 1;
	run();
	assert_int_equal(heard[0], IMAP_FAILED);
	assert_null(session);
	end();
}

static void
frees_nothing_without_a_fuss(void **state)
{
	(void)state;
	imap_session_free(&session);
	assert_null(session);
}

/* ---- STARTTLS ---- */

static void
upgrade(struct peer *p)
{
	peer_say(p, GREETING);
	peer_hear(p, "A1 STARTTLS\r\n");
	peer_say(p, "A1 OK go\r\n");
	if (!peer_tls(p))
		peer_fail(p, "no TLS");
	peer_hear(p, "A2 CAPABILITY\r\n");
	peer_say(p, "* CAPABILITY IMAP4rev1\r\nA2 OK c\r\n");
	peer_hear(p, "A3 LOGIN \"u\" \"" PASSWORD "\"\r\n");
	peer_say(p, "A3 NO wrong\r\n");
	peer_hear_end(p);
}

static void
logs_in_only_inside_tls(void **state)
{
	(void)state;
	begin(upgrade, true);
	params.tls = IMAP_TLS_UPGRADE;
	run();
	assert_int_equal(failure.kind, ERR_AUTH);
	assert_null(strstr(stage_log, PASSWORD));
	assert_true(end());
}

static void
intrude(struct peer *p)
{
	stage_say(p, GREETING);
	stage_hear_until(p, "STARTTLS\r\n");
	stage_say(p, "A1 OK go\r\nA2 OK [CAPABILITY IMAP4rev1] evil\r\n");
	peer_hear_end(p);
}

static void
refuses_octets_behind_starttls(void **state)
{
	(void)state;
	begin(intrude, true);
	params.tls = IMAP_TLS_UPGRADE;
	run();
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0], IMAP_FAILED);
	assert_int_equal(failure.kind, ERR_TLS);
	assert_null(strstr(stage_log, "evil"));
	assert_true(end());
}

/* ---- credentials ---- */

static void
want_login_quoted(struct peer *p)
{
	peer_say(p, GREETING);
	peer_hear(p, "A1 LOGIN \"u\" \"" PASSWORD "\"\r\n");
	peer_say(p, "A1 NO no\r\n");
	peer_hear_end(p);
}

static void
want_login_literal(struct peer *p)
{
	peer_say(p, GREETING);
	peer_hear(p, "A1 LOGIN \"u\" {13}\r\n");
	peer_say(p, "+ go\r\n");
	peer_hear(p, PASSWORD "\xc3\xa4\r\n");
	peer_say(p, "A1 NO no\r\n");
	peer_hear_end(p);
}

static void
want_login_literal_plus(struct peer *p)
{
	peer_say(p, "* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n");
	peer_hear(p, "A1 LOGIN \"u\" {13+}\r\n" PASSWORD "\xc3\xa4\r\n");
	peer_say(p, "A1 NO no\r\n");
	peer_hear_end(p);
}

static void
want_plain(struct peer *p)
{
	peer_say(p, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n");
	peer_hear(p, "A1 AUTHENTICATE PLAIN\r\n");
	peer_say(p, "+ \r\n");
	peer_hear(p, PASSWORD_BASE64 "\r\n");
	peer_say(p, "A1 NO no\r\n");
	peer_hear_end(p);
}

static void
want_plain_at_once(struct peer *p)
{
	peer_say(p, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n");
	peer_hear(p, "A1 AUTHENTICATE PLAIN " PASSWORD_BASE64 "\r\n");
	peer_say(p, "A1 NO no\r\n");
	peer_hear_end(p);
}

static void
never_shows_a_credential(void **state)
{
	static const struct {
		peer_fn script;
		bool umlaut;
	} ways[] = { { want_login_quoted, false }, { want_login_literal, true },
		{ want_login_literal_plus, true }, { want_plain, false },
		{ want_plain_at_once, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		begin(ways[i].script, false);
		if (ways[i].umlaut) {
			secret_free(&secret);
			secret = secret_new(SPAN(PASSWORD "\xc3\xa4"));
			params.secret = secret;
		}
		run();
		assert_int_equal(failure.kind, ERR_AUTH);
		assert_true(end());
		assert_non_null(strstr(stage_log, "C: (credentials)"));
		assert_null(strstr(stage_log, PASSWORD));
		assert_null(strstr(stage_log, PASSWORD_BASE64));
	}
}

/* ---- a login by somebody else ---- */

static struct fake_agent fake;

static void
challenge_twice(struct peer *p)
{
	stage_say(p, "* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hello\r\n");
	if (!stage_hear_until(p, "GSSAPI\r\n"))
		return;
	stage_say(p, "+ \r\n");
	if (!stage_hear_until(p, "Zmlyc3Q=\r\n"))
		return;
	stage_say(p, "+ d3JhcA==\r\n");
	if (!stage_hear_until(p, "bGFzdA==\r\n"))
		return;
	stage_say(p, IN);
	peer_hear_end(p);
}

static void
challenge_in_vain(struct peer *p)
{
	peer_say(p, "* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hello\r\n");
	peer_hear(p, "A1 AUTHENTICATE GSSAPI\r\n");
	peer_say(p, "+ \r\n");
	peer_hear(p, "*\r\n");
	peer_say(p, "A1 BAD cancelled\r\n");
	peer_hear_end(p);
}

static void
challenge_and_wait(struct peer *p)
{
	stage_say(p, "* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hello\r\n");
	if (stage_hear_until(p, "GSSAPI\r\n"))
		stage_say(p, "+ \r\n");
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
	imap_session_free(&session);
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
	assert_int_equal(heard[0], IMAP_READY);
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
	pause_at = IMAP_READY;
	run();
	assert_int_equal(heard[0], IMAP_READY);
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
	session = imap_session_open(stage.loop, stage.dns, &stage.conn, &params,
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
		cmocka_unit_test(fails_once_when_the_server_breaks_off),
		cmocka_unit_test(
		    fails_only_after_a_pause_when_the_server_broke_off),
		cmocka_unit_test(fails_when_the_server_is_silent),
		cmocka_unit_test(waits_for_ever_while_the_server_idles),
		cmocka_unit_test(hurries_an_answer_that_is_due_already),
		cmocka_unit_test(fails_once_when_the_connection_is_reset),
		cmocka_unit_test(fails_with_words_when_nobody_listens),
		cmocka_unit_test(may_be_freed_when_it_fails),
		cmocka_unit_test(frees_nothing_without_a_fuss),
		cmocka_unit_test(logs_in_only_inside_tls),
		cmocka_unit_test(refuses_octets_behind_starttls),
		cmocka_unit_test(never_shows_a_credential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
