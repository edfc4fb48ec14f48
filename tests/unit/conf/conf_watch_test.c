/* SPDX-License-Identifier: ISC */
#include "conf/conf_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define MUST "host = h user = u maildir = /m "
#define POP3 MUST "protocol = pop3 "

static void
looks_rarely_where_the_server_tells(void **state)
{
	static const struct {
		const char *text;
		uint64_t interval_s, poll_s;
	} t[] = {
		{ "", 900, 300 },
		{ "watch = idle", 900, 300 },
		{ "watch = poll", 300, 300 },
		{ "interval = 10s", 10, 10 },
		{ "watch = poll interval = 2m", 120, 120 },
		{ "protocol = pop3", 600, 600 },
		{ "protocol = pop3 watch = poll interval = 1h", 3600, 3600 },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_options(MUST, t[i].text);

		assert_int_equal(c->accounts[0].interval_s, t[i].interval_s);
		assert_int_equal(c->accounts[0].poll_s, t[i].poll_s);
		conf_free(&c);
	}
}

static void
reads_how_an_imap_account_is_watched(void **state)
{
	struct conf *c = load_options(MUST, "");
	struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_int_equal(a->idle_renew_s, 540);
	assert_int_equal(a->max_connections, 5);
	assert_true(a->notify && a->list_status);
	conf_free(&c);
	c = load_options(MUST,
	    "idle-renew = 29m max-connections = 100 notify = no "
	    "list-status = no");
	a = &c->accounts[0];
	assert_int_equal(a->idle_renew_s, 1740);
	assert_int_equal(a->max_connections, 100);
	assert_false(a->notify || a->list_status);
	conf_free(&c);
}

static void
refuses_what_pop3_cannot_do(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "watch = poll", NULL },
		{ "watch = idle", "watch = idle is for IMAP: remove it" },
		{ "mailboxes = a",
		    "mailboxes is for IMAP: POP3 has one mailbox, remove it" },
		{ "idle-renew = 1m", "idle-renew is for IMAP: remove it" },
		{ "max-connections = 1",
		    "max-connections is for IMAP: POP3 has one connection, "
		    "remove it" },
		{ "notify = no", "notify is for IMAP: remove it" },
		{ "list-status = no", "list-status is for IMAP: remove it" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		options_say(POP3, t[i].text, t[i].want);
}

static void
lets_defaults_for_imap_stand_beside_pop3(void **state)
{
	struct conf *c =
	    load_text("defaults { watch = idle mailboxes = a idle-renew = 1m\n"
		      "max-connections = 7 notify = yes list-status = yes }\n"
		      "account a { " POP3 "}\n");
	struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_int_equal(a->watch, CONF_WATCH_POLL);
	assert_int_equal(a->mailboxes.n, 0);
	assert_int_equal(a->max_connections, 1);
	assert_false(a->notify || a->list_status);
	conf_free(&c);
}

static void
refuses_what_is_too_often_or_too_rare(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "interval = 9s",
		    "interval = \"9s\": it must be a time from 10s to 30d, "
		    "as 30s, 5m, 2h or 14d" },
		{ "idle-renew = 30m",
		    "idle-renew = \"30m\": it must be a time from 10s to "
		    "29m, as 30s, 5m, 2h or 14d" },
		{ "max-connections = 0",
		    "max-connections = \"0\": it must be a number from 1 to "
		    "100" },
		{ "max-connections = 101",
		    "max-connections = \"101\": it must be a number from 1 "
		    "to 100" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		options_say(MUST, t[i].text, t[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_rarely_where_the_server_tells),
		cmocka_unit_test(reads_how_an_imap_account_is_watched),
		cmocka_unit_test(refuses_what_pop3_cannot_do),
		cmocka_unit_test(lets_defaults_for_imap_stand_beside_pop3),
		cmocka_unit_test(refuses_what_is_too_often_or_too_rare),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
