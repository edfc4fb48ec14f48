/* SPDX-License-Identifier: ISC */
#include "fetch/quirks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NO_HOST "mail.example.org"

/* All that are found, with a blank between them. */
static void
expect(const struct quirks_signs *signs, const char *want)
{
	struct quirk found[30];
	size_t n = quirks_find(signs, found, 30);
	char all[400] = "";
	int used = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(found[i].what) > 20);
		assert_true(strlen(found[i].what) < 300);
		used += snprintf(all + used, sizeof(all) - (size_t)used, "%s%s",
		    i > 0 ? " " : "", found[i].server);
	}
	assert_string_equal(all, want);
}

static void
knows_servers_by_one_sign(void **state)
{
	static const struct {
		bool is_pop3;
		const char *host, *greeting, *capabilities, *id, *want;
	} rows[] = {
		{ false, "imap.gmail.com", "", "", "", "Gmail" },
		{ false, NO_HOST, "Gimap ready for requests", "", "", "Gmail" },
		{ false, NO_HOST, "", "IMAP4rev1 X-GM-EXT-1 ID", "", "Gmail" },
		{ false, NO_HOST, "", "IMAP4rev1 X-GM-EXT-10", "", "" },
		{ true, "pop.gmail.com", "", "", "", "Gmail" },
		{ true, NO_HOST, "Gpop ready", "", "", "Gmail" },
		{ false, "outlook.office365.com", "", "", "", "Microsoft 365" },
		{ true, "outlook.office365.com", "", "", "", "Microsoft 365" },
		{ false, NO_HOST,
		    "The Microsoft Exchange IMAP4 service is ready. [x]", "",
		    "", "Microsoft 365 Exchange" },
		{ false, NO_HOST, "", "XAPPLEPUSHSERVICE IMAP4rev1", "",
		    "iCloud" },
		{ false, "imap.mail.me.com", "", "", "", "iCloud" },
		{ false, "imap.mail.yahoo.com", "", "", "", "Yahoo" },
		{ false, "imap.163.com", "", "", "", "NetEase" },
		{ true, NO_HOST, "Welcome to coremail Mail Pop3 Server", "", "",
		    "NetEase" },
		{ false, "imap.qq.com", "", "", "", "QQ Mail" },
		{ false, "imap.yandex.ru", "", "", "", "Yandex" },
		{ false, "imap.mail.ru", "", "", "", "Mail.ru" },
		{ false, "imap.gmx.net", "", "", "", "GMX, web.de" },
		{ true, "pop3.web.de", "", "", "", "GMX, web.de" },
		{ false, "imap.zoho.eu", "", "", "", "Zoho" },
		{ false, "127.0.0.1", "Proton Mail Bridge 03.04 ready", "", "",
		    "Proton Bridge" },
		{ false, "localhost", "IMAP4 server (DavMail) ready", "", "",
		    "DavMail" },
		{ false, NO_HOST, "Dovecot ready.", "", "", "Dovecot" },
		{ true, NO_HOST, "Dovecot ready.", "", "", "Dovecot" },
		{ false, NO_HOST, "", "", "name Dovecot", "Dovecot" },
		{ false, NO_HOST, "Cyrus IMAP 3.6 server ready", "", "",
		    "Cyrus" },
		{ false, NO_HOST, "Courier-IMAP ready.", "", "", "Courier" },
		{ false, NO_HOST, "", "", "name Zimbra, version 8", "Zimbra" },
		{ false, NO_HOST, "hello", "IMAP4rev1", "name x", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(&(struct quirks_signs){ .is_pop3 = rows[i].is_pop3,
			   .host = rows[i].host,
			   .greeting = span_of(rows[i].greeting),
			   .capabilities = span_of(rows[i].capabilities),
			   .id = span_of(rows[i].id) },
		    rows[i].want);
}

static void
takes_no_other_domain_for_one(void **state)
{
	static const char *const hosts[] = { "notgmail.com",
		"gmail.com.example.org", "gmail.co", "mail", "", "m",
		"imap.gmail.com." };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		expect(&(struct quirks_signs){ .host = hosts[i] }, "");
	expect(&(struct quirks_signs){ .host = "IMAP.Gmail.COM" }, "Gmail");
}

static void
finds_no_more_than_is_asked_for(void **state)
{
	const struct quirks_signs signs = { .host = "gmail.com",
		.greeting = SPAN("Dovecot Cyrus Courier") };
	struct quirk found[2];

	(void)state;
	assert_int_equal(quirks_find(&signs, found, 2), 2);
	assert_string_equal(found[1].server, "Dovecot");
	assert_int_equal(quirks_find(&signs, found, 0), 0);
}

static void
looks_for_whole_words_in_lines(void **state)
{
	expect(&(struct quirks_signs){ .host = NO_HOST,
		   .capabilities = SPAN("A\nB XAPPLEPUSHSERVICE\nC") },
	    "iCloud");
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_servers_by_one_sign),
		cmocka_unit_test(takes_no_other_domain_for_one),
		cmocka_unit_test(finds_no_more_than_is_asked_for),
		cmocka_unit_test(looks_for_whole_words_in_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
