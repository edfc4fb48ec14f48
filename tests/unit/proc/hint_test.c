/* SPDX-License-Identifier: ISC */
#include "proc/hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

static char name[] = "work";
static char user[] = "alice";
static char host_name[64];
static struct conf_oauth2 oauth2;
static struct conf_account account;

static int
set_up(void **state)
{
	(void)state;
	snprintf(host_name, sizeof(host_name), "mail.example.org");
	account = (struct conf_account){
		.name = name, .host = host_name, .port = 993, .user = user
	};
	return 0;
}

static const char *
hint(enum err_kind kind, int sys, const char *text, bool of_server)
{
	static char dst[HINT_MAX];
	struct err e;

	err_set(&e, kind, sys, "%s", text);
	return hint_for(&account, &e, of_server, dst, sizeof(dst));
}

static void
expect(enum err_kind kind, int sys, const char *text, const char *want)
{
	const char *got = hint(kind, sys, text, true);

	if (strstr(got, want) == NULL || (want[0] == '\0' && got[0] != '\0'))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, got, want);
	assert_true(strlen(got) < HINT_MAX - 20);
	assert_null(strchr(got, '{'));
}

static void
says_what_to_do_about_each(void **state)
{
	static const struct {
		enum err_kind kind;
		int sys;
		const char *text, *want;
	} rows[] = {
		{ ERR_NET, ECONNREFUSED,
		    "the proxy 127.0.0.1:1080: Connection refused",
		    "option proxy" },
		{ ERR_NET, 0, "tunnel ssh exited with status 255: no",
		    "by hand" },
		{ ERR_NET, 0, "no such host: mail.example.org",
		    "\"mail.example.org\" spelt right" },
		{ ERR_NET, 0, "no address for x: there is none, or", "spelt" },
		{ ERR_NET, 0, "no usable address for x", "name of the mail" },
		{ ERR_NET, ETIMEDOUT, "x: the name was not resolved within 5 s",
		    "resolv.conf" },
		{ ERR_NET, 0, "temporary failure in name resolution of x",
		    "name server" },
		{ ERR_NET, ECONNREFUSED, "x: 192.0.2.1:993: Connection refused",
		    "port 993 of mail.example.org" },
		{ ERR_NET, ENETUNREACH, "x", "proxy" },
		{ ERR_NET, EHOSTUNREACH, "x", "network up" },
		{ ERR_NET, ETIMEDOUT, "192.0.2.1:993: no answer", "firewall" },
		{ ERR_NET, 0, "no answer for 60 s (greeting)",
		    "tls = implicit goes with" },
		{ ERR_NET, 0, "the server closed the connection", "" },
		{ ERR_TLS, 0,
		    "the server does not speak TLS here, it said \"* OK\"",
		    "tls = starttls" },
		{ ERR_TLS, 0, "certificate is refused: it does not name x",
		    "tls-name" },
		{ ERR_TLS, 0, "certificate is refused: it expired on 2020",
		    "clock" },
		{ ERR_TLS, 0, "refused: it is not valid before 2030", "clock" },
		{ ERR_TLS, 0, "refused: it is self-signed (to trust it, set",
		    "tls-pin" },
		{ ERR_TLS, 0, "refused: its issuer is not trusted (for a",
		    "tls-ca-file" },
		{ ERR_TLS, 0,
		    "x; the server's key is sha256:AAAA=", "replace tls-pin" },
		{ ERR_TLS, 0, "the server refuses STARTTLS: \"no\"",
		    "tls = implicit" },
		{ ERR_TLS, 0, "the server refuses STLS", "tls = implicit" },
		{ ERR_TLS, 0, "the server does not offer TLS 1.2 or newer",
		    "too old" },
		{ ERR_PROTO, 0,
		    "this is no IMAP server, but looks like one for POP3",
		    "protocol = pop3" },
		{ ERR_PROTO, 0, "this is no IMAP server", "port of IMAP" },
		{ ERR_PROTO, 0, "neither +OK nor -ERR: * OK hi",
		    "protocol = imap" },
		{ ERR_PROTO, 0, "neither +OK nor -ERR: 220 hi",
		    "port of POP3" },
		{ ERR_AUTH, 0, "the server does not allow LOGIN here",
		    "OAuth2" },
		{ ERR_AUTH, 0,
		    "the server does not offer PLAIN; it offers X: set auth = "
		    "auto",
		    "auth = auto" },
		{ ERR_AUTH, 0, "the server takes no password here; it offers X",
		    "set oauth2, then mailhaul login work" },
		{ ERR_AUTH, 0, "the server takes no access token",
		    "wants a password" },
		{ ERR_AUTH, 0, "the server takes passwords in clear only, and",
		    "use TLS" },
		{ ERR_AUTH, 0, "password: it may be another server",
		    "right host" },
		{ ERR_TLS, 0, "it was revoked, says tls-crl-file", "new list" },
		{ ERR_TLS, 0,
		    "the CRL of its issuer expired on 2020 (tls-crl-file)",
		    "new list" },
		{ ERR_TLS, 0, "it was revoked, says its OCSP response",
		    "not to be trusted" },
		{ ERR_TLS, 0, "it comes without an OCSP response (tls-ocsp",
		    "tls-ocsp = stapled" },
		{ ERR_TLS, 0, "no TLSA record matches it", "DNSSEC" },
		{ ERR_TLS, 0, "the server does not offer TLS 1.3 (tls-min)",
		    "tls-min = 1.2" },
		{ ERR_AUTH, 0,
		    "[ALERT] Application-specific password required: x",
		    "make an app password" },
		{ ERR_AUTH, 0, "[ALERT] You are yet to enable IMAP for",
		    "switch IMAP on" },
		{ ERR_AUTH, 0, "[AUTH] POP access is not enabled",
		    "switch POP3 on" },
		{ ERR_AUTH, 0, "[WEBALERT https://x] Web login required",
		    "log in once" },
		{ ERR_TEMP, 0, "User is authenticated but not connected.",
		    "switched off" },
		{ ERR_TEMP, 0, "later", "" },
		{ ERR_THROTTLE, 0, "x", "wait" },
		{ ERR_LOCKED, 0, "x", "another program" },
		{ ERR_MAILBOX, 0, "Gone: x", "mailhaul list work" },
		{ ERR_CONFIG, 0, "x", "" },
		{ ERR_NONE, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(rows[i].kind, rows[i].sys, rows[i].text, rows[i].want);
}

static void
knows_what_providers_want(void **state)
{
	static const struct {
		const char *host, *want;
	} rows[] = {
		{ "imap.gmail.com", "mailhaul login work" },
		{ "pop.GoogleMail.com", "app password" },
		{ "outlook.office365.com", "oauth2 = microsoft" },
		{ "imap-mail.outlook.com", "mailhaul login work" },
		{ "imap.mail.yahoo.com", "app password" },
		{ "imap.aol.com", "app password" },
		{ "imap.mail.me.com", "app-specific" },
		{ "imap.gmx.net", "switch POP3 and IMAP on" },
		{ "pop3.web.de", "switch POP3 and IMAP on" },
		{ "imap.qq.com", "authorization code" },
		{ "imap.163.com", "authorization code" },
		{ "imap.yandex.ru", "app password" },
		{ "imap.mail.ru", "external applications" },
		{ "imap.zoho.eu", "switch IMAP on" },
		{ "imap.fastmail.com", "app password" },
		{ "secureimap.t-online.de", "e-mail password" },
		{ "imap.gmx.net", "(see mailhaul-providers(7))" },
		{ "notgmail.com", "check user" },
		{ "gmail.com.example.org", "check user" },
		{ "com", "check user" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(host_name, sizeof(host_name), "%s", rows[i].host);
		expect(ERR_AUTH, 0, "the server refuses the login: \"no\"",
		    rows[i].want);
	}
}

static void
has_other_advice_for_tickets(void **state)
{
	(void)state;
	account.auth = CONF_AUTH_GSSAPI;
	expect(ERR_AUTH, 0, "the server refuses the login", "(klist");
	expect(ERR_AUTH, 0, "the server refuses the login", "for alice?");
	assert_null(
	    strstr(hint(ERR_AUTH, 0, "the server refuses the login", true),
		"providers"));
	expect(ERR_AUTH, 0,
	    "Kerberos: Server imap/h@R not found in Kerberos database",
	    "tls-name, has to be the name");
	expect(ERR_AUTH, 0,
	    "the server says OK before it has shown by Kerberos who it is: it "
	    "may be another server",
	    "is mail.example.org the right host?");
}

static void
has_other_advice_for_tokens(void **state)
{
	(void)state;
	snprintf(host_name, sizeof(host_name), "imap.gmail.com");
	account.secret.oauth2 = &oauth2;
	expect(ERR_AUTH, 0, "the token was refused", "as alice or whoever");
	account.secret.oauth2 = NULL;
	account.secret.token_command.n = 1;
	expect(ERR_AUTH, 0, "the token was refused", "token-command");
}

static void
blames_no_server_for_a_missing_secret(void **state)
{
	(void)state;
	assert_string_equal(hint(ERR_AUTH, 0, "password-command x", false), "");
	account.secret.oauth2 = &oauth2;
	assert_string_equal(
	    hint(ERR_AUTH, 0, "no tokens", false), "run mailhaul login work");
	assert_string_equal(
	    hint(ERR_AUTH, 0, "run mailhaul login work", false), "");
	assert_string_equal(hint(ERR_NET, 0, "x", false), "");
}

static void
cuts_what_does_not_fit(void **state)
{
	static char long_name[2 * HINT_MAX];
	char small[8];
	struct err e;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	account.name = long_name;
	assert_int_equal(strlen(hint(ERR_MAILBOX, 0, "x", true)), HINT_MAX - 1);
	err_set(&e, ERR_LOCKED, 0, "x");
	assert_string_equal(
	    hint_for(&account, &e, true, small, sizeof(small)), "another");
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup(test, set_up)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_to_do_about_each),
		TEST(knows_what_providers_want),
		TEST(has_other_advice_for_tokens),
		TEST(has_other_advice_for_tickets),
		TEST(blames_no_server_for_a_missing_secret),
		TEST(cuts_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
