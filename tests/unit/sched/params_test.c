/* SPDX-License-Identifier: ISC */
#include "sched/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char name[] = "work";
static char host[] = "mail.example.org";
static char tls_name[] = "mx.example.org";
static char user[] = "bob";
static char bob[] = "bob@x", carol[] = "carol@x";
static char *recipients[] = { bob, carol, NULL };
static char inbox[] = "INBOX", other[] = "other";
static char *mailboxes[] = { inbox, other, NULL };
static char header[] = "To-Whom", prefix[] = "p-";
static char relay_host[] = "lmtp.example.org", relay_name[] = "l.example.org";
static char helo[] = "here.example.org";

/* Pointers that are handed on and never followed. */
static char tls[1], delivery_tls[1];

static struct conf_account conf;
static struct secret *secret;
static struct fetch_params f;

static int
set_up(void **state)
{
	(void)state;
	secret = secret_new(SPAN("p"));
	conf = (struct conf_account){ .name = name,
		.host = host,
		.port = 993,
		.user = user,
		.mailboxes = { mailboxes, 2 },
		.recipients = { recipients, 2 } };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(&secret);
	return 0;
}

static void
fill(bool stays)
{
	struct params p = { .conf = &conf,
		.tls = (struct tls_ctx *)(void *)tls,
		.delivery_tls = (struct tls_ctx *)(void *)delivery_tls,
		.secret = secret,
		.number = 7,
		.stays = stays };

	memset(&f, 0xa5, sizeof(f)); /* what was there does not stay */
	params_fill(&f, &p);
}

/* ---- the server ---- */

static void
says_where_the_server_is(void **state)
{
	(void)state;
	conf.tls_name = tls_name;
	conf.connect_timeout_s = 2;
	conf.tls_timeout_s = 3;
	fill(false);
	assert_string_equal(f.subject, "work");
	assert_int_equal(f.account, 7);
	assert_string_equal(f.conn.host, host);
	assert_int_equal(f.conn.port, 993);
	assert_string_equal(f.conn.tls_name, tls_name);
	assert_ptr_equal(f.conn.ctx, tls);
	assert_int_equal(f.conn.connect_timeout_ms, 2000);
	assert_int_equal(f.conn.tls_timeout_ms, 3000);
	assert_int_equal(f.conn.socket, 0);
}

static void
says_how_to_get_there(void **state)
{
	static char address[] = "192.0.2.7", proxy[] = "proxy.example.org";
	struct secret *password = secret_new(SPAN("open"));

	(void)state;
	fill(false);
	assert_null(f.conn.bind_address);
	assert_int_equal(f.conn.family, DNS_ANY);
	assert_int_equal(f.conn.proxy.kind, PROXY_NONE);
	assert_null(f.conn.tunnel);
	assert_false(f.imap.tunnelled);
	conf.bind_address = address;
	conf.address_family = CONF_IPV4;
	conf.proxy =
	    (struct conf_proxy){ CONF_SOCKS5, proxy, 1080, user, password };
	fill(false);
	assert_string_equal(f.conn.bind_address, address);
	assert_int_equal(f.conn.family, DNS_IPV4);
	assert_int_equal(f.conn.proxy.kind, PROXY_SOCKS5);
	assert_string_equal(f.conn.proxy.host, proxy);
	assert_int_equal(f.conn.proxy.port, 1080);
	assert_string_equal(f.conn.proxy.user, user);
	assert_ptr_equal(f.conn.proxy.password, password);
	conf.address_family = CONF_IPV6;
	conf.proxy.kind = CONF_HTTP_PROXY;
	fill(false);
	assert_int_equal(f.conn.family, DNS_IPV6);
	assert_int_equal(f.conn.proxy.kind, PROXY_HTTP);
	secret_free(&password);
}

static void
has_kerberos_asked_for_gssapi_alone(void **state)
{
	static struct reach_tunnel kerberos;
	struct params p = { .conf = &conf, .kerberos = &kerberos };

	(void)state;
	params_fill(&f, &p);
	assert_null(f.imap.kerberos);
	assert_null(f.pop3.kerberos);
	conf.auth = CONF_AUTH_GSSAPI;
	params_fill(&f, &p);
	assert_ptr_equal(f.imap.kerberos, &kerberos);
	assert_ptr_equal(f.pop3.kerberos, &kerberos);
}

static void
goes_by_the_tunnel_if_there_is_one(void **state)
{
	static char *argv[] = { name, NULL };
	static struct reach_tunnel tunnel;
	struct params p = { .conf = &conf, .tunnel = &tunnel };

	(void)state;
	params_fill(&f, &p);
	assert_null(f.conn.tunnel);
	conf.tunnel = (struct conf_list){ argv, 1 };
	params_fill(&f, &p);
	assert_ptr_equal(f.conn.tunnel, &tunnel);
	assert_true(f.imap.tunnelled);
}

static void
says_when_tls_begins(void **state)
{
	static const struct {
		enum conf_tls conf;
		bool at_once;
		enum imap_tls imap;
		enum pop3_tls pop3;
		const char *imap_word, *pop3_word;
	} all[] = {
		{ CONF_TLS_IMPLICIT, true, IMAP_TLS_DONE, POP3_TLS_DONE,
		    "IMAPS", "POP3S" },
		{ CONF_TLS_STARTTLS, false, IMAP_TLS_UPGRADE, POP3_TLS_UPGRADE,
		    "IMAPS", "POP3S" },
		{ CONF_TLS_NONE, false, IMAP_TLS_NONE, POP3_TLS_NONE, "IMAP",
		    "POP3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		conf.tls = all[i].conf;
		conf.protocol = CONF_IMAP;
		fill(false);
		assert_int_equal(f.conn.tls, all[i].at_once);
		assert_int_equal(f.imap.tls, all[i].imap);
		assert_int_equal(f.pop3.tls, all[i].pop3);
		assert_string_equal(f.style.protocol, all[i].imap_word);
		conf.protocol = CONF_POP3;
		fill(false);
		assert_string_equal(f.style.protocol, all[i].pop3_word);
	}
}

static void
says_how_to_log_in(void **state)
{
	static const struct {
		enum conf_auth conf;
		enum sasl_auth auth;
	} all[] = {
		{ CONF_AUTH_AUTO, SASL_AUTO },
		{ CONF_AUTH_PLAIN, SASL_PLAIN },
		{ CONF_AUTH_LOGIN, SASL_LOGIN },
		{ CONF_AUTH_CRAM_MD5, SASL_CRAM_MD5 },
		{ CONF_AUTH_SCRAM_SHA_1, SASL_SCRAM_SHA_1 },
		{ CONF_AUTH_SCRAM_SHA_1_PLUS, SASL_SCRAM_SHA_1_PLUS },
		{ CONF_AUTH_SCRAM_SHA_256, SASL_SCRAM_SHA_256 },
		{ CONF_AUTH_SCRAM_SHA_256_PLUS, SASL_SCRAM_SHA_256_PLUS },
		{ CONF_AUTH_EXTERNAL, SASL_EXTERNAL },
		{ CONF_AUTH_XOAUTH2, SASL_XOAUTH2 },
		{ CONF_AUTH_OAUTHBEARER, SASL_OAUTHBEARER },
		{ CONF_AUTH_GSSAPI, SASL_GSSAPI },
		{ CONF_AUTH_APOP, SASL_APOP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		conf.auth = all[i].conf;
		fill(false);
		assert_int_equal(f.imap.auth, all[i].auth);
		assert_int_equal(f.pop3.auth, all[i].auth);
	}
	assert_int_equal(sizeof(all) / sizeof(all[0]), CONF_AUTHS);
	assert_string_equal(f.imap.user, "bob");
	assert_string_equal(f.pop3.user, "bob");
	assert_ptr_equal(f.imap.secret, secret);
	assert_ptr_equal(f.pop3.secret, secret);
}

static void
expect_secrets(bool token, bool certificate)
{
	fill(false);
	assert_int_equal(f.imap.secret_is_token, token);
	assert_int_equal(f.pop3.secret_is_token, token);
	assert_int_equal(f.imap.has_certificate, certificate);
	assert_int_equal(f.pop3.has_certificate, certificate);
	assert_string_equal(f.imap.host, f.conn.host);
	assert_string_equal(f.pop3.host, f.conn.host);
	assert_int_equal(f.imap.port, f.conn.port);
	assert_int_equal(f.pop3.port, f.conn.port);
}

static void
says_what_the_secret_is(void **state)
{
	struct conf_oauth2 oauth2 = { 0 };
	char cert[] = "/cert.pem";

	(void)state;
	expect_secrets(false, false);
	conf.secret.oauth2 = &oauth2;
	expect_secrets(true, false);
	conf.secret.oauth2 = NULL;
	conf.secret.token_command.n = 1;
	conf.tls_cert = cert;
	expect_secrets(true, true);
	conf.secret.token_command.n = 0;
	expect_secrets(false, true);
	conf.tls_cert = NULL;
}

static void
says_another_secret(void **state)
{
	struct secret *next = secret_new(SPAN("q"));

	(void)state;
	fill(true);
	params_secret(&f, next);
	assert_ptr_equal(f.imap.secret, next);
	assert_ptr_equal(f.pop3.secret, next);
	assert_string_equal(f.imap.user, "bob");
	secret_free(&next);
}

static void
says_how_long_to_wait_for_an_answer(void **state)
{
	(void)state;
	conf.command_timeout_s = 4;
	conf.total_timeout_s = UINT64_C(5000000000);
	fill(false);
	assert_int_equal(f.imap.timeout_s, 4);
	assert_int_equal(f.pop3.timeout_s, 4);
	assert_true(f.total_timeout_s == UINT64_C(5000000000));
}

/* ---- yes or no ---- */

static void
speaks_pop3_or_imap(void **state)
{
	(void)state;
	fill(false);
	assert_false(f.is_pop3);
	assert_string_equal(f.conn.alpn, "imap");
	conf.protocol = CONF_POP3;
	fill(false);
	assert_true(f.is_pop3);
	assert_string_equal(f.conn.alpn, "pop3");
}

/* Each switch moves its own field and no other. */
static void
turns_each_switch_by_itself(void **state)
{
	static bool *const all[][2] = {
		{ &conf.id, &f.imap.id },
		{ &conf.capa, &f.pop3.capa },
		{ &conf.pipelining, &f.pop3.pipelining },
		{ &conf.expunge_others, &f.expunge_others },
		{ &conf.maildir_folders, &f.folders },
		{ &conf.keep_flags, &f.keep_flags },
		{ &conf.trace_received, &f.style.received },
		{ &conf.trace_delivered_to, &f.style.delivered_to },
		{ &conf.trace_source, &f.style.source },
		{ &conf.notify, &f.stay.notify },
		{ &conf.list_status, &f.stay.list_status },
	};
	size_t n = sizeof(all) / sizeof(all[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		*all[i][0] = true;
		fill(true);
		for (size_t j = 0; j < n; j++)
			assert_int_equal(*all[j][1], i == j);
		*all[i][0] = false;
	}
}

static void
removes_only_if_told_to(void **state)
{
	(void)state;
	conf.after = CONF_KEEP;
	fill(false);
	assert_false(f.remove);
	conf.after = CONF_DELETE;
	fill(false);
	assert_true(f.remove);
}

/* ---- what, and what not ---- */

static void
says_which_mailboxes_and_messages(void **state)
{
	(void)state;
	conf.max_size = UINT64_C(1) << 40;
	conf.oversize = CONF_SKIP;
	fill(false);
	assert_int_equal(f.n_mailboxes, 2);
	assert_string_equal(f.mailboxes[1], "other");
	assert_true(f.max_size == UINT64_C(1) << 40);
	assert_false(f.stubs);
	assert_int_equal(f.suspect.number, 0);
	conf.oversize = CONF_STUB;
	fill(false);
	assert_true(f.stubs);
}

/* ---- how it is written ---- */

static void
writes_for_each_way_in_its_style(void **state)
{
	static const struct {
		enum conf_way way;
		bool mda_from_line;
		bool relays, crlf, mbox, from_line, envelope, recipient;
	} all[] = {
		{ CONF_MAILDIR, true, false, false, false, false, false, true },
		{ CONF_MBOX, false, false, false, true, true, false, true },
		{ CONF_MDA, false, false, false, false, false, true, true },
		{ CONF_MDA, true, false, false, false, true, true, true },
		{ CONF_LMTP, true, true, true, false, false, true, false },
		{ CONF_SMTP, true, true, true, false, false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		conf.way = all[i].way;
		conf.mda_from_line = all[i].mda_from_line;
		fill(false);
		assert_int_equal(f.relays, all[i].relays);
		assert_int_equal(f.style.crlf, all[i].crlf);
		assert_int_equal(f.style.mbox, all[i].mbox);
		assert_int_equal(f.style.from_line, all[i].from_line);
		assert_int_equal(f.style.envelope, all[i].envelope);
		if (all[i].recipient)
			assert_string_equal(f.style.recipient, "bob@x");
		else
			assert_null(f.style.recipient);
	}
}

static void
names_in_front_where_the_message_comes_from(void **state)
{
	(void)state;
	conf.recipient_header = header;
	conf.recipient_prefix = prefix;
	fill(false);
	assert_string_equal(f.style.host, host);
	assert_string_equal(f.style.account, "work");
	assert_string_equal(f.style.user, "bob");
	assert_string_equal(f.style.recipient_header, header);
	assert_string_equal(f.style.recipient_prefix, prefix);
	assert_null(f.style.mailbox);
}

static void
needs_no_recipient(void **state)
{
	(void)state;
	conf.recipients = (struct conf_list){ 0 };
	fill(false);
	assert_null(f.style.recipient);
}

/* A server writes Delivered-To itself. */
static void
leaves_delivered_to_to_a_server(void **state)
{
	(void)state;
	conf.way = CONF_LMTP;
	conf.trace_delivered_to = true;
	fill(false);
	assert_false(f.style.delivered_to);
}

/* ---- a server that takes the mail ---- */

static void
says_where_the_mail_goes_on(void **state)
{
	(void)state;
	conf.way = CONF_LMTP;
	conf.relay = (struct conf_server){ NULL, relay_host, 2424 };
	conf.delivery_tls_name = relay_name;
	conf.helo_name = helo;
	conf.delivery_timeout_s = 5;
	conf.delivery_parallel = 3;
	conf.connect_timeout_s = 2;
	conf.tls_timeout_s = 4;
	fill(false);
	assert_string_equal(f.relay.subject, "work");
	assert_int_equal(f.relay.account, 7);
	assert_false(f.relay.local);
	assert_int_equal(f.relay.n_recipients, 2);
	assert_string_equal(f.relay.recipients[1], "carol@x");
	assert_int_equal(f.relay.parallel, 3);
	assert_string_equal(f.relay.lmtp.helo, helo);
	assert_int_equal(f.relay.lmtp.timeout_s, 5);
	assert_false(f.relay.lmtp.smtp);
	assert_string_equal(f.relay.conn.host, relay_host);
	assert_int_equal(f.relay.conn.port, 2424);
	assert_string_equal(f.relay.conn.tls_name, relay_name);
	assert_ptr_equal(f.relay.conn.ctx, delivery_tls);
	assert_null(f.relay.conn.alpn);
	assert_int_equal(f.relay.conn.connect_timeout_ms, 2000);
	assert_int_equal(f.relay.conn.tls_timeout_ms, 4000);
	conf.way = CONF_SMTP;
	fill(false);
	assert_true(f.relay.lmtp.smtp);
}

static void
says_when_tls_with_that_server_begins(void **state)
{
	static const struct {
		enum conf_tls conf;
		bool at_once;
		enum lmtp_tls lmtp;
	} all[] = {
		{ CONF_TLS_IMPLICIT, true, LMTP_TLS_DONE },
		{ CONF_TLS_STARTTLS, false, LMTP_TLS_UPGRADE },
		{ CONF_TLS_NONE, false, LMTP_TLS_NONE },
	};

	(void)state;
	conf.way = CONF_SMTP;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		conf.delivery_tls = all[i].conf;
		fill(false);
		assert_int_equal(f.relay.conn.tls, all[i].at_once);
		assert_int_equal(f.relay.lmtp.tls, all[i].lmtp);
	}
}

/* The engine knows that there is a socket, and not where. */
static void
does_not_say_where_a_local_socket_is(void **state)
{
	static char path[] = "/run/lmtp";

	(void)state;
	conf.way = CONF_LMTP;
	conf.relay = (struct conf_server){ .socket = path };
	fill(false);
	assert_true(f.relay.local);
	assert_string_equal(f.relay.conn.host, "unix");
}

static void
has_no_server_where_none_is_needed(void **state)
{
	(void)state;
	conf.relay = (struct conf_server){ NULL, relay_host, 2424 };
	fill(false);
	assert_null(f.relay.conn.host);
	assert_int_equal(f.relay.n_recipients, 0);
}

/* ---- in the daemon ---- */

static void
stays_in_the_daemon_alone(void **state)
{
	(void)state;
	conf.watch = CONF_WATCH_IDLE;
	conf.interval_s = 5;
	conf.poll_s = 6;
	conf.idle_renew_s = 7;
	fill(false);
	assert_false(f.stay.on);
	assert_int_equal(f.stay.renew_s, 0);
	fill(true);
	assert_true(f.stay.on);
	assert_true(f.stay.idle);
	assert_int_equal(f.stay.safety_s, 5);
	assert_int_equal(f.stay.poll_s, 6);
	assert_int_equal(f.stay.renew_s, 7);
	assert_int_equal(f.stay.n_without, 0);
	assert_null(f.stay.round);
}

static void
does_not_stay_where_it_is_to_poll(void **state)
{
	(void)state;
	conf.watch = CONF_WATCH_POLL;
	fill(true);
	assert_false(f.stay.on);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_where_the_server_is),
		TEST(says_how_to_get_there),
		TEST(has_kerberos_asked_for_gssapi_alone),
		TEST(goes_by_the_tunnel_if_there_is_one),
		TEST(says_when_tls_begins),
		TEST(says_how_to_log_in),
		TEST(says_what_the_secret_is),
		TEST(says_another_secret),
		TEST(says_how_long_to_wait_for_an_answer),
		TEST(speaks_pop3_or_imap),
		TEST(turns_each_switch_by_itself),
		TEST(removes_only_if_told_to),
		TEST(says_which_mailboxes_and_messages),
		TEST(writes_for_each_way_in_its_style),
		TEST(names_in_front_where_the_message_comes_from),
		TEST(needs_no_recipient),
		TEST(leaves_delivered_to_to_a_server),
		TEST(says_where_the_mail_goes_on),
		TEST(says_when_tls_with_that_server_begins),
		TEST(does_not_say_where_a_local_socket_is),
		TEST(has_no_server_where_none_is_needed),
		TEST(stays_in_the_daemon_alone),
		TEST(does_not_stay_where_it_is_to_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
