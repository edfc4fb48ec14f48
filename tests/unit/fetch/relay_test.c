/* SPDX-License-Identifier: ISC */
#include "fetch/relay.h"

#include <errno.h>
#include <sqlite3.h>

#include "sys/log.h"
#include "unit/fetch/lmtp_server.h"

#define WATCHDOG_MS 20000
#define LOCK_MS 200

static struct rig *rig;
static struct lmtp_server server;
static struct relay_params params;
static struct relay *relay;
static struct client_box *box;
static struct draft_style style;
static struct loop_timer *watchdog, *soon, *unlock;
static sqlite3 *other; /* a program that holds the ledger for a while */
static char socket_path[64];
static const char *const bob[] = { "bob@x" };
static const char *const three[] = { "a@x", "b@x", "c@x" };

/* Messages 1 to n_mails; text is all of each, or NULL: a short one. */
static uint32_t n_mails, given, answered, stop_at;
static const char *text;
static bool locks;

/* What happened: "end" (the server has a whole body), "kept 1", "known 1",
 * "message 1: why", "deliver 1: why", "cancel 1: why". */
static char story[65536];

static void
tell(const char *what, uint32_t number, const char *why)
{
	size_t at = strlen(story);

	snprintf(story + at, sizeof(story) - at, "%s %u%s%s\n", what, number,
	    *why == '\0' ? "" : ": ", why);
}

static unsigned int
told(const char *what)
{
	unsigned int n = 0;

	for (const char *p = story; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static bool
in_order(const char *first, const char *second)
{
	const char *a = strstr(story, first);
	const char *b = strstr(story, second);

	return a != NULL && b != NULL && a < b;
}

/* ---- the owner of the letters ---- */

static void
on_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	(void)arg;
	if (e == NULL)
		tell(known ? "known" : "kept", number, "");
	else if (e->kind == ERR_MESSAGE)
		tell(
		    e->sys == EALREADY ? "barred" : "message", number, e->text);
	else
		tell(e->kind == ERR_CANCEL ? "cancel" : "deliver", number,
		    e->text);
	if (++answered == n_mails)
		loop_timer_arm(soon, 0);
}

static void
give(void)
{
	struct letter_params letter = { .number = given + 1, .owes = true };
	struct letter *l;
	struct err e;
	char short_one[64];

	while (given < n_mails && given < stop_at) {
		l = letter_open(box, given + 1, NULL);
		if (l == NULL)
			return;
		letter.number = ++given;
		snprintf(short_one, sizeof(short_one),
		    "Subject: %u\r\n\r\ntext\r\n", given);
		assert_int_equal(
		    letter_write(
			l, span_of(text == NULL ? short_one : text), &e),
		    0);
		relay_take(relay, &l, &letter, on_letter);
		assert_null(l);
	}
}

static void
on_box(void *arg, struct client_box_info *info)
{
	(void)arg;
	assert_null(info->e);
	give();
}

static void
on_ready(void *arg)
{
	(void)arg;
	give();
}

static void
on_soon(void *arg)
{
	(void)arg;
	loop_stop(rig_env(rig)->loop);
}

static void
on_watchdog(void *arg)
{
	(void)arg;
	fail_msg("nothing happens: %s", story);
}

static void
open_all(void)
{
	static const struct draft_style none = { .mailbox = "INBOX" };
	struct client_box_params b = { .account = 0,
		.mailbox = "INBOX",
		.uidvalidity = 7,
		.style = &style };

	if (style.mailbox == NULL)
		style = none;
	style.crlf = style.envelope = true;
	given = answered = 0;
	story[0] = '\0';
	relay = relay_new(rig_env(rig), &params);
	box = client_box_open(rig_env(rig)->client, &b, on_box, on_ready, NULL);
	loop_timer_arm(watchdog, WATCHDOG_MS);
}

static void
close_all(void)
{
	relay_free(&relay);
	client_box_close(&box);
	loop_timer_stop(watchdog);
}

/* n messages, until each has its answer. */
static void
run(uint32_t n, const struct rig_rule *script)
{
	lmtp_server_play(&server, script);
	n_mails = n;
	open_all();
	loop_run(rig_env(rig)->loop);
	relay_leave(relay);
	loop_timer_arm(soon, 5);
	loop_run(rig_env(rig)->loop);
	close_all();
}

/* ---- the other program ---- */

static void
on_unlock(void *arg)
{
	(void)arg;
	tell("unlocked", 0, "");
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), 0);
	sqlite3_close(other);
	other = NULL;
}

static void
lock_ledger(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/ledger", rig->dir);
	assert_int_equal(sqlite3_open(path, &other), 0);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);
	loop_timer_arm(unlock, LOCK_MS);
}

static void
on_line(const char *line)
{
	if (strcmp(line, BODY_END) != 0)
		return;
	tell("end", 0, "");
	if (locks)
		lock_ledger();
	locks = false;
}

/* ---- life ---- */

static int
begin(const char *path)
{
	struct target target = { .way = TARGET_RELAY, .socket = socket_path };
	struct loop *loop;

	if (path == NULL)
		target.socket = NULL;
	rig = rig_new_to(false, &target);
	loop = rig_env(rig)->loop;
	lmtp_server_begin(&server, loop, NULL, path);
	server.on_line = on_line;
	watchdog = loop_timer_new(loop, on_watchdog, NULL);
	soon = loop_timer_new(loop, on_soon, NULL);
	unlock = loop_timer_new(loop, on_unlock, NULL);
	style = (struct draft_style){ 0 };
	params = (struct relay_params){ .subject = "test",
		.local = path != NULL,
		.lmtp = { .tls = LMTP_TLS_NONE, .helo = "me" },
		.recipients = bob,
		.n_recipients = 1 };
	params.conn = (struct conn_params){ .host = "127.0.0.1",
		.port = server.port,
		.connect_timeout_ms = 10000 };
	stop_at = UINT32_MAX;
	text = NULL;
	locks = false;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return begin(NULL);
}

static int
set_up_local(void **state)
{
	(void)state;
	snprintf(socket_path, sizeof(socket_path), "/tmp/mailhaul-relay-%d",
	    (int)getpid());
	unlink(socket_path);
	return begin(socket_path);
}

static int
tear_down(void **state)
{
	(void)state;
	lmtp_server_end(&server);
	loop_timer_free(&watchdog);
	loop_timer_free(&soon);
	loop_timer_free(&unlock);
	rig_free(&rig);
	if (socket_path[0] != '\0')
		unlink(socket_path);
	socket_path[0] = '\0';
	return 0;
}

static const struct rig_rule good[] = { LMTP_REST };

/* ---- what goes well ---- */

static void
hands_many_on_over_one_connection(void **state)
{
	(void)state;
	run(40, good);
	assert_int_equal(told("kept"), 40);
	assert_int_equal(server.connections, 1);
	assert_int_equal(lmtp_server_heard(&server, "LHLO me"), 1);
	assert_int_equal(lmtp_server_heard(&server, "RCPT TO:<bob@x>"), 40);
	assert_true(lmtp_server_has(&server, "Subject: 1\r\n\r\ntext\r\n"));
	assert_true(lmtp_server_has(&server, "Subject: 40\r\n"));
	assert_int_equal(rig_trouble(rig).n, 0);
	assert_int_equal(lmtp_server_heard(&server, "QUIT"), 1);
}

static void
hands_nothing_on_twice(void **state)
{
	(void)state;
	run(2, good);
	run(3, good);
	assert_int_equal(told("known 1\n"), 1);
	assert_int_equal(told("known 2\n"), 1);
	assert_int_equal(told("kept 3\n"), 1);
	assert_int_equal(lmtp_server_heard(&server, "MAIL"), 1);
}

/* While another program has the ledger nothing can be recorded. */
static void
lets_the_server_take_none_before_the_last_is_recorded(void **state)
{
	const char *second;

	(void)state;
	locks = true;
	run(2, good);
	assert_true(in_order("unlocked", "kept 1\n"));
	second = strstr(strstr(story, "end") + 1, "end");
	assert_non_null(second);
	assert_true(strstr(story, "kept 1\n") < second);
	assert_int_equal(told("kept"), 2);
}

/* More than is kept in memory at a time. */
static char large[(1 << 22) + 1];

static void
send_large(void)
{
	for (size_t i = 0; i < sizeof(large) - 1; i++)
		large[i] = "0123456789abcd\r\n"[i % 16];
	text = large;
}

static void
hands_a_large_body_on_whole(void **state)
{
	(void)state;
	send_large();
	run(1, good);
	assert_int_equal(told("kept"), 1);
	assert_int_equal(server.body.n, sizeof(large) - 1);
	assert_memory_equal(buf_span(&server.body).p, large, sizeof(large) - 1);
}

static void
goes_by_a_socket_that_the_deliverer_connects(void **state)
{
	(void)state;
	params.conn.host = "unix";
	params.conn.port = 0;
	run(2, good);
	assert_int_equal(told("kept"), 2);
	assert_int_equal(server.connections, 1);
}

static void
goes_to_the_recipient_that_the_message_names(void **state)
{
	(void)state;
	style = (struct draft_style){ .mailbox = "INBOX",
		.recipient_header = "Delivered-To" };
	text = "Delivered-To: carol@x\r\nReturn-Path: <al@y>\r\n\r\n";
	run(1, good);
	assert_int_equal(told("kept"), 1);
	assert_int_equal(lmtp_server_heard(&server, "RCPT"), 1);
	assert_int_equal(lmtp_server_heard(&server, "RCPT TO:<carol@x>"), 1);
	assert_int_equal(lmtp_server_heard(&server, "MAIL FROM:<al@y>"), 1);
}

/* ---- refusals ---- */

static void
stops_when_nothing_has_a_recipient(void **state)
{
	(void)state;
	params.n_recipients = 0;
	run(25, good);
	assert_int_equal(told("message "), 20);
	assert_int_equal(told("deliver "), 5);
	assert_non_null(strstr(story, "all named no recipient"));
	assert_int_equal(rig_trouble(rig).n, 20);
}

static void
holds_what_has_no_recipient(void **state)
{
	struct rig_trouble t;

	(void)state;
	params.n_recipients = 0;
	run(2, good);
	assert_int_equal(told("message"), 2);
	assert_int_equal(server.connections, 0);
	t = rig_trouble(rig);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.state, LEDGER_HELD);
	assert_non_null(strstr(t.reason, "no recipient"));
	assert_string_equal(t.about, "subject \"2\"");
}

static void
holds_what_is_refused_for_good_and_goes_on(void **state)
{
	static const struct rig_rule script[] = {
		ONCE(BODY_END, "554 5.6.0 we like it not\r\n"), LMTP_REST
	};
	struct rig_trouble t;

	(void)state;
	run(2, script);
	assert_int_equal(told("message 1: "), 1);
	assert_int_equal(told("kept 2\n"), 1);
	assert_int_equal(server.connections, 1);
	t = rig_trouble(rig);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.uid, 1);
	assert_int_equal(t.state, LEDGER_HELD);
	assert_int_equal(t.why, LEDGER_WHY_REFUSED);
	assert_non_null(strstr(t.reason, "we like it not"));
}

static void
tries_later_what_is_refused_for_now(void **state)
{
	static const struct rig_rule script[] = {
		ONCE("RCPT", "450 4.2.1 not now\r\n"), LMTP_REST
	};

	(void)state;
	run(1, script);
	assert_int_equal(told("message 1: "), 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_LATER);
	run(1, good);
	assert_int_equal(told("barred 1"), 1);
	assert_int_equal(server.connections, 0);
	rig_retry(rig, false);
	run(1, good);
	assert_int_equal(told("kept 1\n"), 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
repeats_for_those_alone_who_have_it_not(void **state)
{
	static const struct rig_rule some[] = { ONCE("RCPT TO:<a@x>",
						    "250 ok\r\n"),
		ONCE("RCPT TO:<b@x>", "550 none\r\n"),
		ONCE(BODY_END, "250 a\r\n451 c\r\n"), LMTP_REST };
	static const struct rig_rule never[] = {
		ALWAYS("RCPT TO:<b@x>", "550 none\r\n"), LMTP_REST
	};
	struct rig_trouble t;

	(void)state;
	params.recipients = three;
	params.n_recipients = 3;
	run(1, some);
	assert_int_equal(told("message 1: "), 1);
	t = rig_trouble(rig);
	assert_int_equal(t.state, LEDGER_LATER); /* c may take it */
	assert_int_equal(t.n_reached, 1);
	rig_retry(rig, false);
	run(1, never);
	assert_int_equal(lmtp_server_heard(&server, "<a@x>"), 0);
	assert_int_equal(lmtp_server_heard(&server, "<c@x>"), 1);
	t = rig_trouble(rig);
	assert_int_equal(t.state, LEDGER_HELD); /* b never will */
	assert_int_equal(t.n_reached, 2);
	rig_retry(rig, false);
	run(1, good);
	assert_int_equal(lmtp_server_heard(&server, "RCPT"), 1);
	assert_int_equal(told("kept 1\n"), 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* The recipients of the account changed: all that are left have it. */
static void
records_what_all_have_without_asking(void **state)
{
	static const struct rig_rule some[] = {
		ONCE("RCPT TO:<b@x>", "451 not now\r\n"), LMTP_REST
	};

	(void)state;
	params.recipients = three;
	params.n_recipients = 2;
	run(1, some);
	assert_int_equal(rig_trouble(rig).n_reached, 1);
	rig_retry(rig, false);
	params.n_recipients = 1;
	run(1, good);
	assert_int_equal(told("kept 1\n"), 1);
	assert_int_equal(server.connections, 0);
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* ---- a server of no use ---- */

static void
gives_up_when_nobody_listens(void **state)
{
	(void)state;
	params.conn.port = 1;
	run(3, good);
	assert_int_equal(told("deliver"), 3);
	assert_non_null(strstr(story, "lmtp 127.0.0.1"));
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
gives_up_when_there_is_no_socket(void **state)
{
	(void)state;
	unlink(socket_path);
	run(2, good);
	assert_int_equal(told("deliver"), 2);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
gives_up_when_it_is_not_welcome(void **state)
{
	static const struct rig_rule script[] = { ONCE(NULL, "554 go away\r\n"),
		LMTP_REST };

	(void)state;
	run(3, script);
	assert_int_equal(told("deliver"), 3);
	assert_non_null(strstr(story, "go away"));
	assert_int_equal(server.connections, 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
gives_up_when_it_is_lost_before_it_is_greeted(void **state)
{
	static const struct rig_rule script[] = { THEN_HANG_UP(NULL, ""),
		LMTP_REST };

	(void)state;
	run(3, script);
	assert_int_equal(told("deliver "), 3);
	assert_int_equal(server.connections, 1);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
sends_again_what_was_lost_before_the_server_could_have_it(void **state)
{
	static const struct rig_rule script[] = { THEN_HANG_UP("MAIL", NULL),
		THEN_HANG_UP(BODY, NULL), LMTP_REST };

	(void)state;
	send_large();
	run(1, script);
	assert_int_equal(told("kept"), 1);
	assert_int_equal(server.connections, 3);
	assert_int_equal(rig_trouble(rig).n, 0);
}

/* It may be another than the first that refuses the next time. */
static void
waits_with_what_was_lost_when_somebody_has_answered(void **state)
{
	static const struct rig_rule script[] = { ONCE("RCPT TO:<a@x>",
						      "550 none\r\n"),
		THEN_HANG_UP(BODY, NULL), LMTP_REST };

	(void)state;
	params.recipients = three;
	params.n_recipients = 2;
	send_large();
	run(1, script);
	assert_int_equal(told("message 1: "), 1);
	assert_int_equal(lmtp_server_heard(&server, "MAIL"), 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_LATER);
}

/* A server may say so early, and then reads no further. */
static void
holds_what_is_refused_in_the_middle_of_its_body(void **state)
{
	static const struct rig_rule script[] = {
		THEN_HANG_UP(BODY, "552 too much\r\n"), LMTP_REST
	};

	(void)state;
	send_large();
	run(1, script);
	assert_int_equal(told("message 1: "), 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_HELD);
	assert_non_null(strstr(rig_trouble(rig).reason, "552 too much"));
}

static void
takes_421_for_a_loss(void **state)
{
	static const struct rig_rule script[] = {
		THEN_HANG_UP("MAIL", "421 too many\r\n"), LMTP_REST
	};

	(void)state;
	run(2, script);
	assert_int_equal(told("kept"), 2);
	assert_int_equal(server.connections, 2);
}

/* Whether the server has it, nobody knows: not at once, at least. */
static void
waits_with_what_was_lost_behind_its_end(void **state)
{
	static const struct rig_rule script[] = { THEN_HANG_UP(BODY_END, NULL),
		LMTP_REST };
	struct rig_trouble t;

	(void)state;
	run(2, script);
	assert_int_equal(told("message 1: "), 1);
	assert_int_equal(told("kept 2\n"), 1);
	assert_int_equal(lmtp_server_heard(&server, "MAIL"), 2);
	t = rig_trouble(rig);
	assert_int_equal(t.uid, 1);
	assert_int_equal(t.state, LEDGER_LATER);
	assert_int_equal(t.n_reached, 0);
}

static void
keeps_the_answers_that_came_before_a_loss(void **state)
{
	static const struct rig_rule script[] = {
		THEN_HANG_UP(BODY_END, "250 a\r\n"), LMTP_REST
	};

	(void)state;
	params.recipients = three;
	params.n_recipients = 2;
	run(1, script);
	assert_int_equal(told("message 1: "), 1);
	assert_int_equal(rig_trouble(rig).n_reached, 1);
	rig_retry(rig, false);
	run(1, good);
	assert_int_equal(lmtp_server_heard(&server, "RCPT TO:<a@x>"), 0);
	assert_int_equal(told("kept 1\n"), 1);
}

static void
gives_up_after_three_losses_in_a_row(void **state)
{
	static const struct rig_rule script[] = { ALWAYS("MAIL", NULL),
		LMTP_REST };

	(void)state;
	run(4, script);
	assert_int_equal(server.connections, 3);
	assert_int_equal(told("message 1: "), 1); /* it may be its fault */
	assert_int_equal(told("deliver"), 3);
	assert_int_equal(rig_trouble(rig).n, 1);
	assert_int_equal(rig_trouble(rig).state, LEDGER_LATER);
}

static void
forgives_losses_between_which_mail_got_through(void **state)
{
	static const struct rig_rule script[] = { THEN_HANG_UP(
						      BODY_END, "250 ok\r\n"),
		THEN_HANG_UP(BODY_END, "250 ok\r\n"),
		THEN_HANG_UP(BODY_END, "250 ok\r\n"),
		THEN_HANG_UP(BODY_END, "250 ok\r\n"), LMTP_REST };

	(void)state;
	run(6, script);
	assert_int_equal(told("kept"), 6);
	assert_int_equal(server.connections, 5);
}

static void
gives_up_when_twenty_are_refused_alike(void **state)
{
	static const struct rig_rule script[] = {
		ALWAYS("RCPT", "550 5.7.1 you are not welcome\r\n"), LMTP_REST
	};

	(void)state;
	run(30, script);
	assert_int_equal(told("message "), 20);
	assert_int_equal(told("deliver "), 10);
	assert_int_equal(lmtp_server_heard(&server, "RCPT"), 20);
	assert_int_equal(rig_trouble(rig).n, 20);
}

/* Two times nineteen, and one between them that gets through. */
static void
goes_on_when_refusals_are_interrupted(void **state)
{
	static const struct rig_rule rest[] = { LMTP_REST };
	struct rig_rule script[LMTP_RULES_MAX];
	struct rig_rule refused = ONCE(BODY_END, "554 no\r\n");
	struct rig_rule kept = ONCE(BODY_END, "250 yes\r\n");

	(void)state;
	for (size_t i = 0; i < 39; i++)
		script[i] = i == 19 ? kept : refused;
	memcpy(script + 39, rest, sizeof(rest));
	run(39, script);
	assert_int_equal(told("message "), 38);
	assert_int_equal(told("kept 20\n"), 1);
}

/* ---- stopping ---- */

static const char *stop_mark;

static void
stop_at_mark(const char *line)
{
	struct err why = { .kind = ERR_CANCEL, .text = "interrupted" };

	on_line(line);
	if (stop_mark == NULL || strstr(line, stop_mark) == NULL)
		return;
	stop_mark = NULL;
	relay_stop(relay, &why);
	relay_stop(relay, &why); /* twice is once */
}

static void
stops_before_the_server_may_have_it(void **state)
{
	static const struct rig_rule script[] = { LMTP_REST };

	(void)state;
	stop_mark = "DATA";
	server.on_line = stop_at_mark;
	run(3, script);
	assert_int_equal(told("cancel"), 3);
	assert_int_equal(told("end"), 0);
	assert_int_equal(rig_trouble(rig).n, 0);
}

static void
waits_for_the_last_word_of_the_server(void **state)
{
	(void)state;
	stop_mark = BODY_END;
	server.on_line = stop_at_mark;
	run(3, good);
	assert_int_equal(told("kept 1\n"), 1);
	assert_int_equal(told("cancel"), 2);
}

static void
stop_loop_at_data(const char *line)
{
	if (strcmp(line, "DATA") == 0)
		on_soon(NULL);
}

static void
may_be_freed_while_it_works(void **state)
{
	(void)state;
	lmtp_server_play(&server, good);
	server.on_line = stop_loop_at_data;
	n_mails = 5;
	open_all();
	loop_run(rig_env(rig)->loop);
	assert_int_equal(lmtp_server_heard(&server, "DATA"), 1);
	close_all();
	relay_free(&relay);
	assert_int_equal(rig_trouble(rig).n, 0); /* the loop runs here */
	assert_int_equal(answered, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LOCAL(name)                                                            \
	cmocka_unit_test_setup_teardown(name, set_up_local, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hands_many_on_over_one_connection),
		TEST(hands_nothing_on_twice),
		TEST(lets_the_server_take_none_before_the_last_is_recorded),
		TEST(hands_a_large_body_on_whole),
		LOCAL(goes_by_a_socket_that_the_deliverer_connects),
		TEST(goes_to_the_recipient_that_the_message_names),
		TEST(stops_when_nothing_has_a_recipient),
		TEST(holds_what_has_no_recipient),
		TEST(holds_what_is_refused_for_good_and_goes_on),
		TEST(tries_later_what_is_refused_for_now),
		TEST(repeats_for_those_alone_who_have_it_not),
		TEST(records_what_all_have_without_asking),
		TEST(gives_up_when_nobody_listens),
		LOCAL(gives_up_when_there_is_no_socket),
		TEST(gives_up_when_it_is_not_welcome),
		TEST(sends_again_what_was_lost_before_the_server_could_have_it),
		TEST(gives_up_when_it_is_lost_before_it_is_greeted),
		TEST(waits_with_what_was_lost_when_somebody_has_answered),
		TEST(holds_what_is_refused_in_the_middle_of_its_body),
		TEST(takes_421_for_a_loss),
		TEST(waits_with_what_was_lost_behind_its_end),
		TEST(keeps_the_answers_that_came_before_a_loss),
		TEST(gives_up_after_three_losses_in_a_row),
		TEST(forgives_losses_between_which_mail_got_through),
		TEST(gives_up_when_twenty_are_refused_alike),
		TEST(goes_on_when_refusals_are_interrupted),
		TEST(stops_before_the_server_may_have_it),
		TEST(waits_for_the_last_word_of_the_server),
		TEST(may_be_freed_while_it_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
