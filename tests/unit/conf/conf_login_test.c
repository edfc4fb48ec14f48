/* SPDX-License-Identifier: ISC */
#include "conf/conf_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MUST "host = h user = u maildir = /m "

static const struct {
	const char *text, *want;
} says[] = {
	{ "auth = plain password = x", NULL },
	{ "auth = scram-sha-256-plus password-file = /x", NULL },
	{ "auth = cram-md5", NULL },
	{ "auth = apop protocol = pop3", NULL },
	{ "auth = apop",
	    "auth = apop is for POP3: use another, or protocol = pop3" },
	{ "auth = gssapi", NULL },
	{ "auth = gssapi password = x",
	    "password is of no use with auth = gssapi: remove it" },
	{ "auth = external tls-cert = /c tls-key = /k", NULL },
	{ "auth = external",
	    "auth = external shows a certificate of ours: add tls-cert and "
	    "tls-key" },
	{ "auth = external tls-cert = /c tls-key = /k token-command = x",
	    "token-command is of no use with auth = external: remove it" },
	{ "token-command = {t, u}", NULL },
	{ "auth = xoauth2 token-command = t", NULL },
	{ "auth = oauthbearer password-command = t", NULL },
	{ "auth = xoauth2",
	    "auth = xoauth2 wants a token: add oauth2 or token-command" },
	{ "auth = xoauth2 password-file = /x",
	    "auth = xoauth2 wants a token, which a password is not: use "
	    "oauth2 or token-command" },
	{ "auth = oauthbearer password-netrc = yes",
	    "auth = oauthbearer wants a token, which a password is not: use "
	    "oauth2 or token-command" },
	{ "auth = login token-command = t",
	    "auth = login wants a password, which a token is not: use xoauth2 "
	    "or oauthbearer, or remove it" },
	{ "auth = apop protocol = pop3 token-command = t",
	    "auth = apop wants a password, which a token is not: use xoauth2 "
	    "or oauthbearer, or remove it" },
	{ "token-command = t password = x",
	    "password beside token-command: there can be one source of a "
	    "password, remove the others" },
	{ "password-netrc = yes password-command = x",
	    "password-command beside password-netrc: there can be one source "
	    "of a password, remove the others" },
	{ "token-command = \"a b\"",
	    "token-command = \"a b\": no shell splits it: write {\"program\", "
	    "\"argument\"}" },
	{ "tls = none token-command = t",
	    "tls = none would send the token in clear: use implicit or "
	    "starttls" },
	{ "tls = none auth = xoauth2 password-command = t",
	    "tls = none would send the token in clear: use implicit or "
	    "starttls" },
	{ "tls = none token-command = t tunnel = {ssh, h}", NULL },
	{ "netrc-file = /x",
	    "netrc-file is for password-netrc: add password-netrc = yes" },
	{ "password-netrc = maybe",
	    "password-netrc = \"maybe\": use yes or no" },
};

static void
says_what_does_not_go_together(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(says); i++)
		options_say(MUST, says[i].text, says[i].want);
}

static void
lets_a_token_go_to_this_host_in_clear(void **state)
{
	struct conf *c = load_text("account a { host = localhost user = u "
				   "maildir = /m tls = none "
				   "token-command = t }");

	(void)state;
	assert_int_equal(c->accounts[0].secret.token_command.n, 1);
	conf_free(&c);
}

static void
knows_every_mechanism(void **state)
{
	static const struct {
		const char *text;
		enum conf_auth auth;
	} t[] = {
		{ "auth = auto", CONF_AUTH_AUTO },
		{ "auth = plain", CONF_AUTH_PLAIN },
		{ "auth = login", CONF_AUTH_LOGIN },
		{ "auth = cram-md5", CONF_AUTH_CRAM_MD5 },
		{ "auth = scram-sha-1", CONF_AUTH_SCRAM_SHA_1 },
		{ "auth = scram-sha-1-plus", CONF_AUTH_SCRAM_SHA_1_PLUS },
		{ "auth = scram-sha-256", CONF_AUTH_SCRAM_SHA_256 },
		{ "auth = scram-sha-256-plus", CONF_AUTH_SCRAM_SHA_256_PLUS },
		{ "auth = external tls-cert = /c tls-key = /k",
		    CONF_AUTH_EXTERNAL },
		{ "auth = xoauth2 token-command = t", CONF_AUTH_XOAUTH2 },
		{ "auth = oauthbearer token-command = t",
		    CONF_AUTH_OAUTHBEARER },
		{ "auth = gssapi", CONF_AUTH_GSSAPI },
		{ "auth = apop protocol = pop3", CONF_AUTH_APOP },
	};

	size_t i;

	(void)state;
	assert_int_equal(COUNT(t), CONF_AUTHS);
	for (i = 0; i < COUNT(t); i++) {
		struct conf *c = load_options(MUST, t[i].text);

		assert_int_equal(c->accounts[0].auth, t[i].auth);
		conf_free(&c);
	}
}

static void
finds_the_netrc(void **state)
{
	struct conf *c;

	(void)state;
	setenv("HOME", "/home/alice", 1);
	c = load_options(MUST, "password-netrc = yes");
	assert_string_equal(c->accounts[0].secret.netrc, "/home/alice/.netrc");
	conf_free(&c);
	c = load_options(MUST, "netrc-file = \"~/n\" password-netrc = yes");
	assert_string_equal(c->accounts[0].secret.netrc, "/home/alice/n");
	conf_free(&c);
	c = load_options(MUST, "password-netrc = no");
	assert_null(c->accounts[0].secret.netrc);
	conf_free(&c);
}

static void
takes_no_source_of_defaults_that_is_of_no_use(void **state)
{
	struct conf *c =
	    load_text("defaults { " MUST "password-file = /p tls-cert = /c "
		      "tls-key = /k netrc-file = /n }\n"
		      "account a { auth = external }\n"
		      "account b { token-command = t }\n"
		      "account c { password-netrc = yes }\n");

	(void)state;
	assert_null(c->accounts[0].secret.file);
	assert_null(c->accounts[1].secret.file);
	assert_int_equal(c->accounts[1].secret.token_command.n, 1);
	assert_null(c->accounts[2].secret.file);
	assert_string_equal(c->accounts[2].secret.netrc, "/n");
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_does_not_go_together),
		cmocka_unit_test(lets_a_token_go_to_this_host_in_clear),
		cmocka_unit_test(knows_every_mechanism),
		cmocka_unit_test(finds_the_netrc),
		cmocka_unit_test(takes_no_source_of_defaults_that_is_of_no_use),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
