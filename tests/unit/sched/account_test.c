/* SPDX-License-Identifier: ISC */
#include "sched/account.h"

#include "sys/log.h"
#include "unit/fetch/lmtp_server.h"

#define N 2

static struct rig *rig;
static struct hosts *hosts;
static struct secret *secret;
static struct conf_account conf[N];
static struct account *accounts[N];
static struct fetch_result results[N];
static unsigned int ended, to_end; /* the loop stops when these are the same */
static struct loop_timer *timer;
static char inbox_name[] = "INBOX";
static char *inbox[] = { inbox_name, NULL };
static char names[N][8] = { "test", "other" };

static void
stop_loop(void *arg)
{
	(void)arg;
	loop_stop(rig_env(rig)->loop);
}

static void
on_end(void *arg, const struct fetch_result *result)
{
	size_t i = *(size_t *)arg;

	results[i] = *result;
	account_free(&accounts[i]); /* fine here */
	if (++ended == to_end)
		stop_loop(NULL);
}

static void
open_account(size_t i)
{
	static size_t numbers[N] = { 0, 1 };
	struct account_params params = { .env = rig_env(rig),
		.hosts = hosts,
		.who = { .conf = &conf[i],
		    .secret = secret,
		    .number = (uint32_t)i } };

	accounts[i] = account_new(&params, on_end, &numbers[i]);
	to_end++;
}

static void
fill_conf(struct conf_account *c, char *name)
{
	static char host[] = "127.0.0.1";
	static char user[] = "u";

	*c = (struct conf_account){ .name = name,
		.protocol = CONF_IMAP,
		.host = host,
		.port = rig->params.conn.port,
		.tls = CONF_TLS_NONE,
		.auth = CONF_AUTH_LOGIN,
		.user = user,
		.mailboxes = { inbox, 1 },
		.after = CONF_KEEP,
		.connect_timeout_s = 10,
		.tls_timeout_s = 10,
		.command_timeout_s = 10,
		.retries = 1,
		.delivery_parallel = 1,
		.pipelining = true,
		.capa = true };
}

static int
set_up(void **state)
{
	(void)state;
	rig = rig_new(false);
	hosts = hosts_new(rig_env(rig)->loop, 1);
	secret = secret_new(SPAN("p"));
	for (size_t i = 0; i < N; i++) {
		fill_conf(&conf[i], names[i]);
		results[i] = (struct fetch_result){ 0 };
	}
	ended = to_end = 0;
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

/* Another target than a Maildir, which the rig is to have from the start. */
static void
deliver_to(const struct target *target)
{
	hosts_free(&hosts);
	rig_free(&rig);
	rig = rig_new_to(false, target);
	hosts = hosts_new(rig_env(rig)->loop, 1);
	for (size_t i = 0; i < N; i++)
		fill_conf(&conf[i], names[i]);
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		account_free(&accounts[i]);
	loop_timer_free(&timer);
	hosts_free(&hosts);
	secret_free(&secret);
	rig_free(&rig);
	return 0;
}

/* clang-format off */
#define GREET_ALL ALWAYS(NULL, "* OK [CAPABILITY IMAP4rev1] hello\r\n")
#define LET_ALL_IN ALWAYS(" LOGIN ", "%T OK [CAPABILITY IMAP4rev1] in\r\n")
#define BYE_ALL ALWAYS(" LOGOUT", "* BYE bye\r\n%T OK bye\r\n")
#define TWO ALWAYS(" SELECT", BOX("2", "7", "3"))
#define NO_MORE ALWAYS(" SEARCH", "* SEARCH\r\n" OK)
#define BOTH ONCE(" FETCH ", MAIL("1", "1", "1") MAIL("2", "2", "2") OK)
/* clang-format on */

static const struct rig_rule good[] = { GREET_ALL, LET_ALL_IN, TWO, BOTH,
	NO_MORE, BYE_ALL, END };
/* The connection is lost behind the first of two. */
static const struct rig_rule lossy[] = { GREET_ALL, LET_ALL_IN, TWO,
	THEN_HANG_UP(" FETCH 1:2", MAIL("1", "1", "1")),
	ONCE(" FETCH 2 ", MAIL("2", "2", "2") OK),
	ALWAYS(" SEARCH", "* SEARCH 2\r\n" OK), BYE_ALL, END };

static void
play(const struct rig_rule *script)
{
	rig_play(rig, script, NULL, NULL, NULL);
}

static void
fetches_and_says_so_once(void **state)
{
	(void)state;
	open_account(0);
	play(good);
	assert_int_equal(ended, 1);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_true(results[0].logged_in);
	assert_int_equal(results[0].progress.messages, 2);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
tries_again_after_a_loss_and_adds_up(void **state)
{
	(void)state;
	open_account(0);
	play(lossy);
	assert_int_equal(ended, 1);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, " LOGIN "), 2);
	assert_int_equal(results[0].progress.messages, 2);
	assert_int_equal(results[0].progress.total, 2);
	assert_int_equal(results[0].progress.octets, 6);
	assert_int_equal(rig_delivered(rig), 2);
}

static void
counts_octets_to_come_but_once(void **state)
{
	static const struct rig_rule script[] = { ALWAYS(NULL, "+OK hello\r\n"),
		ALWAYS("CAPA", "+OK\r\nUIDL\r\n.\r\n"),
		ALWAYS("USER", "+OK\r\n"), ALWAYS("PASS", "+OK\r\n"), STAT("2"),
		ALWAYS("UIDL", "+OK\r\n1 a\r\n2 b\r\n.\r\n"),
		ALWAYS("LIST", "+OK\r\n1 5\r\n2 5\r\n.\r\n"),
		ONCE("RETR 1", "+OK\r\nabc\r\n.\r\n"),
		THEN_HANG_UP("RETR 2", NULL),
		ONCE("RETR 2", "+OK\r\ndef\r\n.\r\n"), QUIT, END };

	(void)state;
	conf[0].protocol = CONF_POP3;
	open_account(0);
	play(script);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_int_equal(results[0].progress.messages, 2);
	assert_int_equal(results[0].progress.octets, 10);
	assert_int_equal(results[0].progress.total_octets, 10);
}

static void
gives_up_when_the_tries_are_used_up(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN,
		THEN_HANG_UP(" SELECT", NULL), THEN_HANG_UP(" SELECT", NULL),
		THEN_HANG_UP(" SELECT", NULL), END };

	(void)state;
	open_account(0);
	play(script);
	assert_int_equal(ended, 1);
	assert_int_equal(results[0].err.kind, ERR_NET);
	assert_int_equal(rig_said(rig, " LOGIN "), 2);
}

static void
tries_a_loss_again_although_a_mailbox_was_bad_before(void **state)
{
	static char gone[] = "Gone";
	static char *two[] = { gone, inbox_name, NULL };
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN,
		ALWAYS(" SELECT \"Gone\"", "%T NO [NONEXISTENT] none\r\n"),
		THEN_HANG_UP(" SELECT", NULL), TWO, BOTH, BYE_ALL, END };

	(void)state;
	conf[0].mailboxes = (struct conf_list){ two, 2 };
	open_account(0);
	play(script);
	assert_int_equal(rig_said(rig, " LOGIN "), 2);
	assert_int_equal(rig_delivered(rig), 2);
	assert_int_equal(results[0].err.kind, ERR_MAILBOX);
}

static void
does_not_try_a_refused_login_again(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL,
		ALWAYS(" LOGIN ", "%T NO wrong password\r\n"), BYE_ALL, END };

	(void)state;
	open_account(0);
	play(script);
	assert_int_equal(results[0].err.kind, ERR_AUTH);
	assert_false(results[0].logged_in);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
}

static void
does_not_try_again_what_was_lost_before_the_login(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL,
		THEN_HANG_UP(" LOGIN ", NULL), LET_ALL_IN, TWO, BOTH, BYE_ALL,
		END };

	(void)state;
	open_account(0);
	play(script);
	assert_int_equal(results[0].err.kind, ERR_NET);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
}

static void
does_not_try_again_without_retries(void **state)
{
	(void)state;
	conf[0].retries = 0;
	open_account(0);
	play(lossy);
	assert_int_equal(results[0].err.kind, ERR_NET);
	assert_int_equal(results[0].progress.messages, 1);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
}

/* The server knows one connection at a time: a second would end the first. */
static void
lets_accounts_of_one_host_go_one_after_another(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN, TWO,
		BOTH, BOTH, BYE_ALL, END };
	const char *bye;

	(void)state;
	open_account(0);
	open_account(1);
	play(script);
	assert_int_equal(ended, 2);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_int_equal(results[1].err.kind, ERR_NONE);
	assert_int_equal(rig_delivered(rig), 4);
	bye = strstr(rig->heard, "LOGOUT");
	assert_non_null(bye);
	assert_non_null(strstr(bye, "LOGIN"));
}

/* ---- stopping ---- */

static void
stop_first(void *arg)
{
	(void)arg;
	account_stop(accounts[0]);
	account_stop(accounts[0]); /* twice is once */
}

static void
stop_second(void *arg)
{
	(void)arg;
	account_stop(accounts[1]);
	account_stop(accounts[0]);
}

static void
stops_before_it_began(void **state)
{
	(void)state;
	open_account(0);
	account_stop(accounts[0]);
	assert_int_equal(ended, 0); /* from the loop only */
	play(good);
	assert_int_equal(ended, 1);
	assert_int_equal(results[0].err.kind, ERR_CANCEL);
	assert_string_equal(rig->heard, "");
}

static void
stops_while_fetching(void **state)
{
	(void)state;
	open_account(0);
	rig_play(rig, good, " FETCH ", stop_first, NULL);
	assert_int_equal(ended, 1);
	assert_int_equal(results[0].err.kind, ERR_CANCEL);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
	assert_int_equal(rig_unfinished(rig), 0);
}

static void
stops_while_waiting_for_a_place(void **state)
{
	(void)state;
	open_account(0);
	open_account(1);
	rig_play(rig, good, " FETCH ", stop_second, NULL);
	assert_int_equal(ended, 2);
	assert_int_equal(results[0].err.kind, ERR_CANCEL);
	assert_int_equal(results[1].err.kind, ERR_CANCEL);
	assert_false(results[1].logged_in);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
}

static void
stop_when_waiting(void *arg)
{
	struct fetch_progress now;

	(void)arg;
	account_progress(accounts[0], &now);
	if (strcmp(now.doing, "waiting to try again") == 0)
		account_stop(accounts[0]);
	else
		loop_timer_arm(timer, 5);
}

static void
stops_while_waiting_to_try_again(void **state)
{
	(void)state;
	timer = loop_timer_new(rig_env(rig)->loop, stop_when_waiting, NULL);
	loop_timer_arm(timer, 5);
	open_account(0);
	play(lossy);
	assert_int_equal(ended, 1);
	assert_int_equal(results[0].err.kind, ERR_CANCEL);
	assert_int_equal(results[0].progress.messages, 1);
	assert_true(results[0].logged_in);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
}

static void
may_be_freed_while_it_works(void **state)
{
	(void)state;
	open_account(0);
	open_account(1);
	rig_play(rig, good, " FETCH ", stop_loop, NULL);
	account_free(&accounts[1]);
	account_free(&accounts[0]);
	account_free(&accounts[0]);
	assert_int_equal(ended, 0);
}

/* ---- progress ---- */

static struct fetch_progress seen;

static void
look(void *arg)
{
	(void)arg;
	account_progress(accounts[0], &seen);
	account_stop(accounts[0]);
}

static void
tells_the_progress_of_all_tries_together(void **state)
{
	(void)state;
	open_account(0);
	account_progress(accounts[0], &seen);
	assert_string_equal(seen.doing, "waiting");
	assert_int_equal(seen.total, 0);
	rig_play(rig, lossy, " FETCH 2 ", look, NULL);
	assert_string_equal(seen.doing, "fetching");
	assert_int_equal(seen.messages, 1);
	assert_int_equal(seen.total, 2);
	assert_int_equal(seen.octets, 3);
}

/* ---- how a message is written, and where it goes ---- */

static char bob[] = "bob@x";
static char carol[] = "carol@x";
static char *both[] = { bob, carol, NULL };

#define WITH_HEADER                                                            \
	GREET_ALL, LET_ALL_IN, ALWAYS(" SELECT", BOX("1", "7", "2")),          \
	    ALWAYS(" FETCH ",                                                  \
		"* 1 FETCH (UID 1 BODY[] {50}\r\nTo-Whom: p-dora@x\r\n"        \
		"Return-Path: <al@y>\r\n\r\nFrom x\r\n)\r\n" OK),              \
	    NO_MORE, BYE_ALL, END

static const struct rig_rule with_header[] = { WITH_HEADER };

static void
writes_what_the_configuration_says_in_front(void **state)
{
	(void)state;
	conf[0].trace_received = conf[0].trace_source = true;
	conf[0].trace_delivered_to = true;
	conf[0].recipients = (struct conf_list){ both, 1 };
	open_account(0);
	play(with_header);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_true(rig_has(rig, "Received: from 127.0.0.1"));
	assert_true(rig_has(rig, "IMAP"));
	assert_false(rig_has(rig, "IMAPS"));
	assert_true(rig_has(rig, "Delivered-To: bob@x\n"));
	assert_true(
	    rig_has(rig, "X-Mailhaul: account=test mailbox=INBOX uid=1\n"));
	assert_true(rig_has(rig, "\n\nFrom x\n")); /* not quoted */
}

static void
writes_nothing_in_front_that_is_switched_off(void **state)
{
	(void)state;
	conf[0].recipients = (struct conf_list){ both, 1 };
	open_account(0);
	play(with_header);
	assert_false(rig_has(rig, "Received:"));
	assert_false(rig_has(rig, "Delivered-To:"));
	assert_false(rig_has(rig, "X-Mailhaul:"));
	assert_false(rig_has(rig, "From al@y "));
}

static void
finds_the_recipient_in_the_field_that_is_named(void **state)
{
	static char field[] = "To-Whom";
	static char prefix[] = "p-";

	(void)state;
	conf[0].trace_delivered_to = true;
	conf[0].recipients = (struct conf_list){ both, 1 };
	conf[0].recipient_header = field;
	conf[0].recipient_prefix = prefix;
	open_account(0);
	play(with_header);
	assert_true(rig_has(rig, "Delivered-To: dora@x\n"));
}

static void
writes_a_from_line_for_an_mda_that_wants_one(void **state)
{
	(void)state;
	conf[0].way = CONF_MDA;
	open_account(0);
	play(with_header);
	assert_false(rig_has(rig, "From al@y "));
	conf[1].way = CONF_MDA;
	conf[1].mda_from_line = true;
	open_account(1);
	play(with_header);
	assert_true(rig_has(rig, "From al@y "));
	assert_int_equal(rig_delivered(rig), 2);
}

static void
quotes_what_goes_to_an_mbox(void **state)
{
	(void)state;
	conf[0].way = CONF_MBOX;
	open_account(0);
	play(with_header);
	assert_true(rig_has(rig, "From al@y "));
	assert_true(rig_has(rig, "\n\n>From x\n\n"));
}

static void
knows_what_is_too_large(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN,
		ALWAYS(" SELECT", BOX("1", "7", "2")),
		ONCE("RFC822.SIZE)", "* 1 FETCH (UID 1 RFC822.SIZE 99)\r\n" OK),
		ONCE("HEADER])",
		    "* 1 FETCH (UID 1 RFC822.SIZE 99 BODY[HEADER] "
		    "{2}\r\n\r\n)\r\n" OK),
		NO_MORE, BYE_ALL, END };

	(void)state;
	conf[0].max_size = 50;
	conf[0].oversize = CONF_STUB;
	open_account(0);
	play(script);
	assert_true(rig_has(rig, "X-Mailhaul-Stub: size=99\n"));
	assert_int_equal(rig_trouble(rig).state, LEDGER_HELD);
}

static void
asks_for_flags_and_folders_when_they_are_wanted(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN,
		ONCE(" LIST ", "* LIST (\\Noselect) \"/\" \"\"\r\n" OK), TWO,
		BOTH, NO_MORE, BYE_ALL, END };

	(void)state;
	deliver_to(&(struct target){ .folders = true });
	conf[0].keep_flags = conf[0].maildir_folders = true;
	open_account(0);
	play(script);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_int_equal(rig_said(rig, "LIST \"\" \"\""), 1);
	assert_int_equal(rig_said(rig, "INTERNALDATE"), 1);
}

/* To both, over a server in the same loop. */
static void
relay_to_both(struct lmtp_server *server, const struct rig_rule *script)
{
	static char helo[] = "here.example.org";

	conf[0].recipients = (struct conf_list){ both, 2 };
	conf[0].helo_name = helo;
	conf[0].delivery_tls = CONF_TLS_NONE;
	conf[0].delivery_timeout_s = 10;
	conf[0].trace_received = true;
	lmtp_server_play(server, script);
	open_account(0);
	play(with_header);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_int_equal(results[0].progress.messages, 1);
	assert_int_equal(lmtp_server_heard(server, "MAIL FROM:<al@y>"), 1);
	assert_int_equal(lmtp_server_heard(server, "RCPT TO:<bob@x>"), 1);
	assert_int_equal(lmtp_server_heard(server, "RCPT TO:<carol@x>"), 1);
	assert_int_equal(lmtp_server_heard(server, "QUIT"), 1);
	assert_true(lmtp_server_has(server, "\r\n\r\nFrom x\r\n"));
	assert_true(lmtp_server_has(server, "Received: from 127.0.0.1"));
	assert_false(lmtp_server_has(server, "Delivered-To:"));
}

static void
hands_mail_to_an_lmtp_server(void **state)
{
	static char host[] = "127.0.0.1";
	static const struct rig_rule script[] = {
		ONCE(BODY_END, "250 bob\r\n250 carol\r\n"), LMTP_REST
	};
	struct lmtp_server server;

	(void)state;
	deliver_to(&(struct target){ .way = TARGET_RELAY });
	lmtp_server_begin(&server, rig_env(rig)->loop, NULL, NULL);
	conf[0].way = CONF_LMTP;
	conf[0].trace_delivered_to = true;
	conf[0].relay = (struct conf_server){ NULL, host, server.port };
	relay_to_both(&server, script);
	assert_int_equal(
	    lmtp_server_heard(&server, "LHLO here.example.org"), 1);
	lmtp_server_end(&server);
}

/* It puts Delivered-To there itself. */
static void
hands_mail_to_the_recipient_that_a_field_names(void **state)
{
	static char host[] = "127.0.0.1";
	static char field[] = "To-Whom";
	static const struct rig_rule script[] = { LMTP_REST };
	struct lmtp_server server;

	(void)state;
	deliver_to(&(struct target){ .way = TARGET_RELAY });
	lmtp_server_begin(&server, rig_env(rig)->loop, script, NULL);
	conf[0].way = CONF_LMTP;
	conf[0].delivery_tls = CONF_TLS_NONE;
	conf[0].trace_delivered_to = true;
	conf[0].recipient_header = field;
	conf[0].relay = (struct conf_server){ NULL, host, server.port };
	conf[0].helo_name = host;
	open_account(0);
	play(with_header);
	assert_int_equal(results[0].err.kind, ERR_NONE);
	assert_int_equal(lmtp_server_heard(&server, "RCPT TO:<p-dora@x>"), 1);
	assert_false(lmtp_server_has(&server, "Delivered-To:"));
	lmtp_server_end(&server);
}

static void
hands_mail_to_an_smtp_server(void **state)
{
	static char host[] = "127.0.0.1";
	static const struct rig_rule script[] = { ONCE("EHLO", "250 here\r\n"),
		LMTP_REST };
	struct lmtp_server server;

	(void)state;
	deliver_to(&(struct target){ .way = TARGET_RELAY });
	lmtp_server_begin(&server, rig_env(rig)->loop, NULL, NULL);
	conf[0].way = CONF_SMTP;
	conf[0].relay = (struct conf_server){ NULL, host, server.port };
	relay_to_both(&server, script);
	assert_int_equal(
	    lmtp_server_heard(&server, "EHLO here.example.org"), 1);
	lmtp_server_end(&server);
}

/* The engine knows that it is one, and not where. */
static void
hands_mail_to_a_local_server(void **state)
{
	static char none[] = "";
	static const struct rig_rule script[] = {
		ONCE(BODY_END, "250 bob\r\n250 carol\r\n"), LMTP_REST
	};
	struct lmtp_server server;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/mailhaul-account-%d", (int)getpid());
	unlink(path);
	deliver_to(&(struct target){ .way = TARGET_RELAY, .socket = path });
	lmtp_server_begin(&server, rig_env(rig)->loop, NULL, path);
	conf[0].way = CONF_LMTP;
	conf[0].relay = (struct conf_server){ .socket = none };
	relay_to_both(&server, script);
	lmtp_server_end(&server);
	unlink(path);
}

/* A message that is refused does not make the account try again. */
static void
counts_troubles_and_does_not_try_again_for_them(void **state)
{
	static const struct rig_rule script[] = { GREET_ALL, LET_ALL_IN, TWO,
		ONCE(" FETCH 1:2", MAIL("2", "2", "2") OK),
		ALWAYS(" FETCH 1 ", "* 1 FETCH (UID 1 BODY[] NIL)\r\n" OK),
		ALWAYS(" SEARCH", "* SEARCH 1\r\n" OK), BYE_ALL, END };

	(void)state;
	open_account(0);
	play(script);
	assert_int_equal(results[0].err.kind, ERR_MESSAGE);
	assert_int_equal(results[0].troubles, 1);
	assert_int_equal(rig_said(rig, " LOGIN "), 1);
	assert_int_equal(rig_trouble(rig).n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    fetches_and_says_so_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    tries_again_after_a_loss_and_adds_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    counts_octets_to_come_but_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    gives_up_when_the_tries_are_used_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    tries_a_loss_again_although_a_mailbox_was_bad_before,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_try_a_refused_login_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_try_again_what_was_lost_before_the_login, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    does_not_try_again_without_retries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    lets_accounts_of_one_host_go_one_after_another, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    stops_before_it_began, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    stops_while_fetching, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    stops_while_waiting_for_a_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    stops_while_waiting_to_try_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    may_be_freed_while_it_works, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    tells_the_progress_of_all_tries_together, set_up,
		    tear_down),
		TEST(writes_what_the_configuration_says_in_front),
		TEST(writes_nothing_in_front_that_is_switched_off),
		TEST(finds_the_recipient_in_the_field_that_is_named),
		TEST(writes_a_from_line_for_an_mda_that_wants_one),
		TEST(quotes_what_goes_to_an_mbox),
		TEST(knows_what_is_too_large),
		TEST(asks_for_flags_and_folders_when_they_are_wanted),
		TEST(hands_mail_to_an_lmtp_server),
		TEST(hands_mail_to_the_recipient_that_a_field_names),
		TEST(hands_mail_to_an_smtp_server),
		TEST(hands_mail_to_a_local_server),
		TEST(counts_troubles_and_does_not_try_again_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
