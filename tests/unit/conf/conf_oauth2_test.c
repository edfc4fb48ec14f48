/* SPDX-License-Identifier: ISC */
#include "conf/conf_oauth2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MUST "host = h user = u maildir = /m "

static struct conf *
load_oauth2(const char *section, const char *options)
{
	char *all =
	    mem_printf("%s\naccount a { " MUST "%s }\n", section, options);
	struct conf *c = load_text(all);

	free(all);
	return c;
}

static void
fills_in_every_preset(void **state)
{
	const char *const *name;

	(void)state;
	for (name = conf_oauth2_presets(); *name != NULL; name++) {
		char *section =
		    mem_printf("oauth2 %s { client-id = id }", *name);
		char *option = mem_printf("oauth2 = %s", *name);
		struct conf *c = load_oauth2(section, option);
		const struct conf_oauth2 *o = c->accounts[0].secret.oauth2;

		assert_string_equal(o->name, *name);
		assert_string_equal(o->client_id, "id");
		assert_non_null(o->scopes);
		assert_memory_equal(o->token_url, "https://", 8);
		assert_memory_equal(o->auth_url, "https://", 8);
		assert_null(strchr(o->token_url, '{'));
		conf_free(&c);
		free(option);
		free(section);
	}
}

static void
knows_that_googles_device_flow_is_not_for_mail(void **state)
{
	struct conf *c =
	    load_oauth2("oauth2 google { client-id = x }", "oauth2 = google");

	(void)state;
	assert_null(c->accounts[0].secret.oauth2->device_url);
	assert_null(c->accounts[0].secret.oauth2->client_secret);
	assert_string_equal(
	    c->accounts[0].secret.oauth2->scopes, "https://mail.google.com/");
	conf_free(&c);
}

static void
chooses_scopes_by_protocol_and_urls_by_tenant(void **state)
{
	struct conf *c =
	    load_text("oauth2 work { preset = microsoft client-id = x "
		      "tenant = contoso.com }\n"
		      "oauth2 microsoft { client-id = y }\n"
		      "defaults { " MUST "}\n"
		      "account a { oauth2 = work }\n"
		      "account b { oauth2 = microsoft protocol = pop3 }\n");
	const struct conf_oauth2 *o = c->accounts[0].secret.oauth2;

	(void)state;
	assert_string_equal(o->name, "work");
	assert_string_equal(o->scopes,
	    "https://outlook.office.com/IMAP.AccessAsUser.All "
	    "offline_access");
	assert_string_equal(o->device_url,
	    "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/"
	    "devicecode");
	assert_string_equal(o->token_url,
	    "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token");
	o = c->accounts[1].secret.oauth2;
	assert_string_equal(o->client_id, "y");
	assert_string_equal(o->scopes,
	    "https://outlook.office.com/POP.AccessAsUser.All offline_access");
	assert_string_equal(o->auth_url,
	    "https://login.microsoftonline.com/common/oauth2/v2.0/authorize");
	conf_free(&c);
}

static void
reads_a_section_of_its_own(void **state)
{
	struct conf *c =
	    load_oauth2("oauth2 own { client-id = x client-secret = 'a b' "
			"scopes = {mail, \"offline_access openid\"} "
			"device-url = \"https://id.example.org/device\" "
			"token-url = \"https://id.example.org:8443/token\" "
			"ca-file = /ca }",
		"oauth2 = own auth = oauthbearer");
	const struct conf_oauth2 *o = c->accounts[0].secret.oauth2;

	(void)state;
	assert_true(span_eq(secret_span(o->client_secret), SPAN("a b")));
	assert_string_equal(o->scopes, "mail offline_access openid");
	assert_string_equal(o->device_url, "https://id.example.org/device");
	assert_null(o->auth_url);
	assert_string_equal(o->token_url, "https://id.example.org:8443/token");
	assert_string_equal(o->ca_file, "/ca");
	conf_free(&c);
	c = load_oauth2("oauth2 google { client-id = x "
			"client-secret-file = /s scopes = y }",
	    "oauth2 = google");
	o = c->accounts[0].secret.oauth2;
	assert_string_equal(o->client_secret_file, "/s");
	assert_string_equal(o->scopes, "y");
	conf_free(&c);
}

#define ID "client-id = x "
#define URLS "token-url = \"https://h/t\" auth-url = \"https://h/a\" "

static void
says_what_is_wrong_with_a_section(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "google { " ID "}", NULL },
		{ "own { " ID URLS "}", NULL },
		{ "google { }",
		    "oauth2 google: client-id is missing: register a client at "
		    "https://console.cloud.google.com/auth/clients and add "
		    "client-id = \"...\", see mailhaul-providers(7)" },
		{ "own { " URLS "}",
		    "oauth2 own: client-id is missing: register a client and "
		    "add client-id = \"...\", see mailhaul-providers(7)" },
		{ "own { " ID "}",
		    "oauth2 own: token-url is missing: add it, or preset = one "
		    "of google, microsoft, yahoo, aol, fastmail, mailru and "
		    "yandex" },
		{ "own { " ID "token-url = \"https://h/\" }",
		    "oauth2 own: auth-url is missing: add it, or device-url: "
		    "one of them is needed to log in" },
		{ "own { " ID "preset = gogle }",
		    "oauth2 own: preset is no preset: use google, microsoft, "
		    "yahoo, aol, fastmail, mailru or yandex" },
		{ "own { " ID URLS "tenant = x }",
		    "oauth2 own: tenant is for Microsoft: remove it" },
		{ "microsoft { " ID "tenant = \"a/b\" }",
		    "oauth2 microsoft: tenant is no tenant: write its domain "
		    "or id, or common, organizations or consumers" },
		{ "google { " ID "token-url = \"http://h/\" }",
		    "oauth2 google: token-url must begin with \"https://\" and "
		    "a host: what goes there is secret" },
		{ "google { " ID "device-url = \"https:///x\" }",
		    "oauth2 google: device-url must begin with \"https://\" "
		    "and a host: what goes there is secret" },
		{ "google { " ID "auth-url = \"https://h/a b\" }",
		    "oauth2 google: auth-url holds a sign that no URL has: "
		    "write it as %XX" },
		{ "google { " ID "auth-url = \"https://h/a#b\" }",
		    "oauth2 google: auth-url holds a sign that no URL has: "
		    "write it as %XX" },
		{ "google { " ID "scopes = {a, \"b\\\"c\"} }",
		    "oauth2 google: scopes holds what is no scope: write them "
		    "as {\"mail.read\", \"offline_access\"}" },
		{ "google { client-id = \"a\\tb\" }",
		    "oauth2 google: client-id holds a sign that no client-id "
		    "has: copy it again" },
		{ "google { " ID "client-secret = s client-secret-file = /s }",
		    "oauth2 google: client-secret stands beside "
		    "client-secret-file: remove one of them" },
		{ "\"a b\" { " ID URLS "}",
		    "the name of an oauth2 holds a blank, a \"/\" or a control "
		    "character, or begins with \"-\": choose another" },
		{ "google { host = h " ID "}",
		    "\"host\" is an option of an account: put it into account "
		    "NAME { }" },
		{ "google { clientid = h " ID "}",
		    "unknown option \"clientid\" (did you mean "
		    "\"client-id\"?)" },
		{ "google { client-secret = a b " ID "}",
		    "more than one word for a password: put it in quotes" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		char *text =
		    mem_printf("oauth2 %s\naccount a { " MUST "}\n", t[i].text);
		char *want = t[i].want == NULL
		    ? mem_strdup("")
		    : mem_printf("f:1: %s\n", t[i].want);

		expect_errors(text, want);
		free(want);
		free(text);
	}
}

static void
says_what_is_wrong_with_an_account(void **state)
{
	(void)state;
	options_say(MUST, "oauth2 = google",
	    "oauth2 = \"google\": register a client at "
	    "https://console.cloud.google.com/auth/clients and add oauth2 "
	    "google { client-id = \"...\" }, see mailhaul-providers(7)");
	options_say(MUST, "oauth2 = other",
	    "oauth2 = \"other\": there is no section oauth2 other { }, and no "
	    "such preset: use google, microsoft, yahoo, aol, fastmail, mailru, "
	    "yandex or a section");
	expect_errors("oauth2 yandex { " ID "}\naccount a { " MUST
		      "protocol = pop3 oauth2 = yandex }\n",
	    "f:2: account a: oauth2 = \"yandex\": no scopes are known for POP3 "
	    "there: use protocol = imap, or add scopes to the section\n");
	expect_errors("oauth2 google { " ID "}\naccount a { " MUST
		      "tls = none oauth2 = google }\n",
	    "f:2: account a: tls = none would send the token in clear: use "
	    "implicit or starttls\n");
	/* once, and not by each account */
	expect_errors("oauth2 google { }\ndefaults { oauth2 = google " MUST
		      "}\naccount a { }\naccount b { }\n",
	    "f:1: oauth2 google: client-id is missing: register a client at "
	    "https://console.cloud.google.com/auth/clients and add client-id = "
	    "\"...\", see mailhaul-providers(7)\n");
}

static void
wants_one_section_of_a_name(void **state)
{
	(void)state;
	expect_errors("oauth2 google { " ID "}\noauth2 google { " ID "}\n"
		      "account a { " MUST "}\n",
	    "f:2: oauth2 \"google\" is there already, in line 1 of f: give one "
	    "of them another name\n");
	expect_errors("oauth2 google { " ID "}\noauth2 google { }\n"
		      "account a { " MUST "}\n",
	    "f:2: an oauth2 of this name is there already: remove it\n");
	expect_errors("oauth2 { " ID "}\naccount a { " MUST "}\n",
	    "f:1: \"oauth2\" must be followed by a name and \"{\"\n");
}

static void
hides_a_client_secret(void **state)
{
	char errors[1024];
	struct conf *c;

	(void)state;
	tmp_write("open", 0644,
	    "oauth2 google { " ID "client-secret = s }\n"
	    "account a { " MUST "oauth2 = google }\n");
	c = load("open", errors, sizeof(errors));
	assert_string_equal(errors,
	    "open:1: oauth2 google: client-secret stands in a file that others "
	    "can read: chmod 600 it, or use client-secret-file\n");
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_every_preset),
		cmocka_unit_test(
		    knows_that_googles_device_flow_is_not_for_mail),
		cmocka_unit_test(chooses_scopes_by_protocol_and_urls_by_tenant),
		cmocka_unit_test(reads_a_section_of_its_own),
		cmocka_unit_test(says_what_is_wrong_with_a_section),
		cmocka_unit_test(says_what_is_wrong_with_an_account),
		cmocka_unit_test(wants_one_section_of_a_name),
		cmocka_unit_test(hides_a_client_secret),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
