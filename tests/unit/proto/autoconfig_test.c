/* SPDX-License-Identifier: ISC */
#include "proto/autoconfig.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

#define ADDRESS "alice@example.org"

#define BEGIN                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig "           \
	"version=\"1.1\"><emailProvider id=\"example.org\">"                   \
	"<domain>example.org</domain>\n"
#define END "</emailProvider></clientConfig>\n"

#define SERVER(type, host, port, tls, user)                                    \
	"<incomingServer type=\"" type "\"><hostname>" host "</hostname>"      \
	"<port>" port "</port><socketType>" tls "</socketType>"                \
	"<authentication>password-cleartext</authentication>"                  \
	"<username>" user "</username></incomingServer>\n"

static struct autoconfig got;
static struct err e;

static int
read_it(const char *xml)
{
	return autoconfig_read(span_of(xml), ADDRESS, &got, &e);
}

static void
reads_what_a_provider_writes(void **state)
{
	const struct autoconfig_server *s;

	(void)state;
	assert_int_equal(
	    read_it(BEGIN "<displayName>Ex</displayName>"
			  "<incomingServer type=\"imap\">\n"
			  "  <!-- ours -->\n"
			  "  <hostname>\n imap.%EMAILDOMAIN% </hostname>\n"
			  "  <port>993</port>\n"
			  "  <socketType>SSL</socketType>\n"
			  "  <username>%EMAILLOCALPART%</username>\n"
			  "  <authentication>OAuth2</authentication>\n"
			  "  <authentication>password-encrypted"
			  "</authentication>\n"
			  "  <pop3><leaveMessagesOnServer/></pop3>\n"
			  "</incomingServer>"
			  "<outgoingServer type=\"smtp\"><hostname>"
			  "smtp.example.org</hostname></outgoingServer>" END),
	    0);
	assert_int_equal(got.n, 1);
	s = &got.servers[0];
	assert_int_equal(s->protocol, AUTOCONFIG_IMAP);
	assert_int_equal(s->tls, AUTOCONFIG_IMPLICIT);
	assert_int_equal(s->port, 993);
	assert_string_equal(s->host, "imap.example.org");
	assert_string_equal(s->user, "alice");
	assert_true(s->password);
	assert_true(s->oauth2);
	assert_false(got.clear);
}

static void
prefers_tls_from_the_first_octet(void **state)
{
	const struct autoconfig_server *s;

	(void)state;
	assert_int_equal(
	    read_it(BEGIN SERVER("imap", "a.example", "143", "plain", "u")
		    SERVER("imap", "b.example", "143", "STARTTLS", "u")
			SERVER("pop3", "c.example", "995", "SSL", "u") SERVER(
			    "imap", "d.example", "993", "SSL", "u")
			    SERVER("imap", "e.example", "993", "SSL", "u") END),
	    0);
	assert_int_equal(got.n, 4);
	assert_true(got.clear);
	s = autoconfig_best(&got, AUTOCONFIG_IMAP);
	assert_non_null(s);
	assert_string_equal(s->host, "d.example");
	s = autoconfig_best(&got, AUTOCONFIG_POP3);
	assert_non_null(s);
	assert_string_equal(s->host, "c.example");
}

static void
finds_none_when_all_are_in_the_clear(void **state)
{
	(void)state;
	assert_int_equal(
	    read_it(BEGIN SERVER("imap", "a.example", "143", "plain", "u") END),
	    0);
	assert_int_equal(got.n, 0);
	assert_true(got.clear);
	assert_null(autoconfig_best(&got, AUTOCONFIG_IMAP));
}

/* Each is left out, and the good one behind it is found. */
static void
leaves_out_what_makes_no_sense(void **state)
{
	static const char *const bad[] = {
		SERVER("exchange", "a.example", "993", "SSL", "u"),
		SERVER("IMAP", "a.example", "993", "SSL", "u"),
		SERVER("imap", "", "993", "SSL", "u"),
		SERVER("imap", "a b", "993", "SSL", "u"),
		SERVER("imap", "a\"b", "993", "SSL", "u"),
		SERVER("imap", "a.example&#10;port = 1", "993", "SSL", "u"),
		SERVER("imap", "%EMAILADDRESS%", "993", "SSL", "u"),
		SERVER("imap", "%WHAT%", "993", "SSL", "u"),
		SERVER("imap", "\xc3\xa4.example", "993", "SSL", "u"),
		SERVER("imap", "a.example", "0", "SSL", "u"),
		SERVER("imap", "a.example", "65536", "SSL", "u"),
		SERVER("imap", "a.example", "-1", "SSL", "u"),
		SERVER("imap", "a.example", "993x", "SSL", "u"),
		SERVER("imap", "a.example", "993", "SSLv2", "u"),
		SERVER("imap", "a.example", "993", "SSL", ""),
		SERVER("imap", "a.example", "993", "SSL", "u&#13;&#10;x"),
		SERVER("imap", "a.example", "993", "SSL", "u&#x202e;x"),
		SERVER("imap", "a.example", "993", "SSL", "%REALNAME%"),
		SERVER("imap", "a<b/>.example", "993", "SSL", "u"),
		"<incomingServer type=\"imap\"/>",
		"<incomingServer><hostname>a.example</hostname>"
		"</incomingServer>",
		"<x>" SERVER("imap", "a.example", "993", "SSL", "u") "</x>",
		"<x:incomingServer type=\"imap\"/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf b;

		buf_init(&b, 8192);
		(void)buf_printf(&b, "%s%s%s", BEGIN, bad[i],
		    SERVER("imap", "good.example", "993", "SSL",
			"%EMAILADDRESS%") END);
		assert_int_equal(
		    autoconfig_read(buf_span(&b), ADDRESS, &got, &e), 0);
		buf_deinit(&b);
		if (got.n != 1)
			print_message("%s\n", bad[i]);
		assert_int_equal(got.n, 1);
		assert_string_equal(got.servers[0].host, "good.example");
		assert_string_equal(got.servers[0].user, ADDRESS);
	}
}

static void
keeps_quotes_and_braces_in_a_user_as_they_are(void **state)
{
	(void)state;
	assert_int_equal(read_it(BEGIN SERVER("imap", "a.example", "993", "SSL",
			     "a&quot;} account x { \\") END),
	    0);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.servers[0].user, "a\"} account x { \\");
}

static void
refuses_values_that_are_too_long(void **state)
{
	struct buf b;

	(void)state;
	for (size_t n = 250; n < 2000; n += 250) {
		buf_init(&b, 16384);
		(void)buf_printf(&b, "%s",
		    BEGIN "<incomingServer type=\"imap\"><port>1</port>"
			  "<socketType>SSL</socketType><hostname>");
		for (size_t i = 0; i < n; i++)
			(void)buf_addc(&b, 'a');
		(void)buf_printf(&b, "</hostname><username>");
		for (size_t i = 0; i < n; i++)
			(void)buf_addc(&b, 'u');
		(void)buf_printf(&b, "</username></incomingServer>%s", END);
		assert_int_equal(
		    autoconfig_read(buf_span(&b), ADDRESS, &got, &e), 0);
		assert_int_equal(got.n, n == 250);
		buf_deinit(&b);
	}
}

static void
takes_so_many_servers_and_no_more(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024 * 1024);
	(void)buf_printf(&b, "%s", BEGIN);
	for (int i = 0; i < 1000; i++)
		(void)buf_printf(
		    &b, "%s", SERVER("imap", "a.example", "993", "SSL", "u"));
	(void)buf_printf(&b, "%s", END);
	assert_int_equal(autoconfig_read(buf_span(&b), ADDRESS, &got, &e), 0);
	assert_int_equal(got.n, AUTOCONFIG_SERVERS_MAX);
	buf_deinit(&b);
}

#define LAUGHS                                                                 \
	"<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a \"lol\">"           \
	"<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"                       \
	"<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>"                     \
	"<clientConfig>&c;</clientConfig>"

static void
refuses_what_is_no_such_file(void **state)
{
	static const struct {
		const char *xml, *words;
	} all[] = {
		{ "", "no XML" },
		{ "not found", "no XML" },
		{ BEGIN, "no XML" },
		{ BEGIN END "<x/>", "no XML" },
		{ BEGIN "&nbsp;" END, "no XML" },
		{ BEGIN "\xff" END, "no XML" },
		{ "<?xml version=\"1.0\" encoding=\"X-NONE\"?><clientConfig/>",
		    "no XML" },
		{ "<html><clientConfig/></html>", "another kind" },
		{ "<config xmlns=\"urn:x\"/>", "another kind" },
		{ "<!DOCTYPE html><html></html>", "document type" },
		{ "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>",
		    "document type" },
		{ LAUGHS, "document type" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		assert_int_equal(read_it(all[i].xml), -1);
		assert_int_equal(e.kind, ERR_PROTO);
		if (strstr(e.text, all[i].words) == NULL)
			print_message("%s: %s\n", all[i].xml, e.text);
		assert_non_null(strstr(e.text, all[i].words));
	}
}

static void
refuses_what_is_nested_without_an_end(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024 * 1024);
	for (int i = 0; i < 100000; i++)
		(void)buf_printf(&b, "<x>");
	assert_int_equal(autoconfig_read(buf_span(&b), ADDRESS, &got, &e), -1);
	assert_non_null(strstr(e.text, "nested too deeply"));
	buf_deinit(&b);
	buf_init(&b, 2 * 1024 * 1024);
	for (int i = 0; i < 1024 * 1024 + 1; i++)
		(void)buf_addc(&b, ' ');
	assert_int_equal(autoconfig_read(buf_span(&b), ADDRESS, &got, &e), -1);
	assert_non_null(strstr(e.text, "too long"));
	buf_deinit(&b);
}

static void
survives_each_cut(void **state)
{
	const char *xml =
	    BEGIN SERVER("imap", "a.example", "993", "SSL", "u") END;
	size_t n = strlen(xml) - 1; /* without the last line end */

	(void)state;
	for (size_t cut = 0; cut <= n; cut++) {
		char *copy = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy, xml, cut);
		assert_int_equal(
		    autoconfig_read(span_make(copy, cut), ADDRESS, &got, &e),
		    cut == n ? 0 : -1);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_provider_writes),
		cmocka_unit_test(prefers_tls_from_the_first_octet),
		cmocka_unit_test(finds_none_when_all_are_in_the_clear),
		cmocka_unit_test(leaves_out_what_makes_no_sense),
		cmocka_unit_test(keeps_quotes_and_braces_in_a_user_as_they_are),
		cmocka_unit_test(refuses_values_that_are_too_long),
		cmocka_unit_test(takes_so_many_servers_and_no_more),
		cmocka_unit_test(refuses_what_is_no_such_file),
		cmocka_unit_test(refuses_what_is_nested_without_an_end),
		cmocka_unit_test(survives_each_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
