/* SPDX-License-Identifier: ISC */
#include "conf/conf_delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define MUST "host = h user = u "
#define SEVERAL                                                                \
	"there are several recipients, and one copy only: leave one (lmtp "    \
	"and smtp take more)"
#define NO_RECIPIENT                                                           \
	"recipient is missing: add recipient = \"alice@example.org\", or "     \
	"recipient-header = \"Delivered-To\""

/* ---- which destination ---- */

static void
finds_the_destination(void **state)
{
	static const char *const t[] = {
		[CONF_MAILDIR] = "maildir = /m",
		[CONF_MDA] = "mda = x",
		[CONF_LMTP] = "lmtp = h recipient = a",
		[CONF_SMTP] = "smtp = h recipient = \"a@b\"",
		[CONF_MBOX] = "mbox = \"/b\"",
	};

	unsigned int i;

	(void)state;
	for (i = 0; i <= CONF_MBOX; i++) {
		struct conf *c = load_options(MUST, t[i]);

		assert_int_equal(c->accounts[0].way, i);
		conf_free(&c);
	}
}

static void
wants_one_destination(void **state)
{
	(void)state;
	options_say(MUST, "",
	    "there is no destination: add maildir = \"~/Maildir\", or mda, "
	    "lmtp, smtp or mbox");
	options_say(MUST, "mbox = \"/b\" maildir = /m",
	    "maildir beside mbox: two destinations, remove one of them");
	expect_errors("defaults { maildir = /m\nmda = x\n}\n"
		      "account a { " MUST "}\n",
	    "f:2: defaults: mda beside maildir: two destinations, remove one "
	    "of them\n");
}

static void
prefers_an_accounts_own_destination(void **state)
{
	struct conf *c = load_text("defaults { maildir = /m keep-flags = yes "
				   "maildir-folders = yes }\n"
				   "account a { " MUST "}\n"
				   "account b { " MUST "mda = x }\n"
				   "account c { " MUST "protocol = pop3 }\n");

	(void)state;
	assert_int_equal(c->accounts[0].way, CONF_MAILDIR);
	assert_true(c->accounts[0].keep_flags);
	assert_true(c->accounts[0].maildir_folders);
	assert_int_equal(c->accounts[1].way, CONF_MDA);
	assert_null(c->accounts[1].maildir);
	assert_false(c->accounts[1].keep_flags);
	assert_false(c->accounts[1].maildir_folders);
	assert_string_equal(c->accounts[2].maildir, "/m");
	assert_false(c->accounts[2].keep_flags);
	conf_free(&c);
}

static void
misses_nothing_in_a_broken_file(void **state)
{
	(void)state;
	expect_errors("account a { " MUST "lmtp = h }\naccount b { " MUST
		      "}\nlog-level info\n",
	    "f:3: \"log-level\" must be followed by \"=\" and a value\n");
}

/* ---- what belongs to which ---- */

static void
refuses_what_another_destination_has(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "mda = x keep-flags = yes",
		    "keep-flags is for maildir: remove it" },
		{ "mbox = \"/b\" maildir-folders = no",
		    "maildir-folders is for maildir: remove it" },
		{ "maildir = /m protocol = pop3 keep-flags = yes",
		    "keep-flags is for IMAP: remove it" },
		{ "maildir = /m mda-timeout = 1m",
		    "mda-timeout is for mda: remove it" },
		{ "maildir = /m delivery-parallel = 2",
		    "delivery-parallel is for lmtp and smtp: remove it" },
		{ "maildir = /m mda-parallel = 2",
		    "mda-parallel is for mda: remove it" },
		{ "maildir = /m mda-from-line = yes",
		    "mda-from-line is for mda: remove it" },
		{ "maildir = /m mda-new-privileges = yes",
		    "mda-new-privileges is for mda: remove it" },
		{ "maildir = /m mda-exit = \"1=hold\"",
		    "mda-exit is for mda: remove it" },
		{ "mda = x delivery-tls = none",
		    "delivery-tls is for lmtp and smtp: remove it" },
		{ "mda = x delivery-tls-ca-file = \"/c\"",
		    "delivery-tls-ca-file is for lmtp and smtp: remove it" },
		{ "mda = x delivery-tls-name = n",
		    "delivery-tls-name is for lmtp and smtp: remove it" },
		{ "mda = x delivery-timeout = 1m",
		    "delivery-timeout is for lmtp and smtp: remove it" },
		{ "mda = x helo-name = n",
		    "helo-name is for lmtp and smtp: remove it" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		options_say(MUST, t[i].text, t[i].want);
}

static void
lets_defaults_serve_every_destination(void **state)
{
	struct conf *c = load_text(
	    "defaults { mda-timeout = 1m mda-from-line = yes "
	    "mda-new-privileges = yes delivery-tls = implicit helo-name = n "
	    "delivery-tls-name = t delivery-tls-ca-file = \"/c\" "
	    "recipient-prefix = p max-size = 5M oversize = stub }\n"
	    "account a { " MUST "maildir = /m }\n"
	    "account b { " MUST "mda = x }\n"
	    "account c { " MUST "lmtp = h recipient-header = To }\n"
	    "account d { " MUST "lmtp = \"/s\" recipient = r }\n");
	const struct conf_account *a = c->accounts;

	(void)state;
	assert_false(a[0].mda_from_line || a[0].mda_new_privileges);
	assert_int_equal(a[0].delivery_tls, CONF_TLS_NONE);
	assert_null(a[0].helo_name);
	assert_null(a[0].delivery_tls_name);
	assert_null(a[0].delivery_tls_ca_file);
	assert_null(a[0].recipient_prefix);
	assert_true(a[0].max_size == 5 << 20);
	assert_int_equal(a[0].oversize, CONF_STUB);
	assert_int_equal(a[1].mda_timeout_s, 60);
	assert_true(a[1].mda_from_line && a[1].mda_new_privileges);
	assert_int_equal(a[2].delivery_tls, CONF_TLS_IMPLICIT);
	assert_string_equal(a[2].helo_name, "n");
	assert_string_equal(a[2].delivery_tls_name, "t");
	assert_string_equal(a[2].delivery_tls_ca_file, "/c");
	assert_string_equal(a[2].recipient_prefix, "p");
	assert_int_equal(a[3].delivery_tls, CONF_TLS_NONE);
	conf_free(&c);
}

static void
keeps_the_limits(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "mda-timeout = 1s", NULL },
		{ "mda-timeout = 1d", NULL },
		{ "mda-timeout = 0",
		    "mda-timeout = \"0\": it must be a time from 1s to 1d, as "
		    "30s, 5m, 2h or 14d" },
		{ "mda-parallel = 64", NULL },
		{ "mda-parallel = 0",
		    "mda-parallel = \"0\": it must be a number from 1 to 64" },
		{ "mda-parallel = 65",
		    "mda-parallel = \"65\": it must be a number from 1 to 64" },
		{ "max-size = 0", NULL },
		{ "max-size = 1024G", NULL },
		{ "max-size = 1025G",
		    "max-size = \"1025G\": it must be a size up to 1024G, as "
		    "512K, 50M or 2G" },
		{ "oversize = drop", "oversize = \"drop\": use skip or stub" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		options_say(MUST "mda = x ", t[i].text, t[i].want);
	options_say(MUST "lmtp = h recipient = r", "delivery-timeout = 2h",
	    "delivery-timeout = \"2h\": it must be a time from 1s to 1h, as "
	    "30s, 5m, 2h or 14d");
	options_say(MUST "lmtp = h recipient = r", "delivery-tls = yes",
	    "delivery-tls = \"yes\": use implicit, starttls, none or auto");
}

/* ---- the envelope ---- */

static void
wants_recipients_that_fit_the_destination(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "lmtp = h", NO_RECIPIENT },
		{ "smtp = h", NO_RECIPIENT },
		{ "lmtp = h recipient-header = To", NULL },
		{ "lmtp = h recipient-header = To recipient = r", NULL },
		{ "lmtp = h recipient = {a, b, c}", NULL },
		{ "smtp = h recipient = Postmaster", NULL },
		{ "smtp = h recipient = {\"a@b\", c}",
		    "a recipient has no \"@\": smtp wants whole addresses" },
		{ "mda = x recipient = bob", NULL },
		{ "mda = x recipient = {a, b}", SEVERAL },
		{ "maildir = /m recipient = {a, b}", SEVERAL },
		{ "maildir = /m recipient-prefix = p",
		    "recipient-prefix is for the value of a header: add "
		    "recipient-header" },
		{ "maildir = /m recipient-header = \"To:\"",
		    "recipient-header is no name of a header field: write it "
		    "as \"Delivered-To\", without a colon" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		options_say(MUST, t[i].text, t[i].want);
	expect_errors("defaults { recipient = {a, b} }\n"
		      "account a { " MUST "maildir = /m }\n"
		      "account b { " MUST "lmtp = h }\n",
	    "f:2: account a: " SEVERAL "\n");
}

static void
leaves_delivered_to_to_the_server_that_delivers(void **state)
{
	struct conf *c =
	    load_options(MUST, "lmtp = h recipient = r trace = delivered-to");

	(void)state;
	assert_false(c->accounts[0].trace_delivered_to);
	conf_free(&c);
}

/* ---- LMTP and SMTP ---- */

static void
encrypts_what_leaves_this_host(void **state)
{
	static const struct {
		const char *text;
		enum conf_tls want;
	} t[] = {
		{ "lmtp = \"/s\"", CONF_TLS_NONE },
		{ "lmtp = \"/s\" delivery-tls = auto", CONF_TLS_NONE },
		{ "lmtp = \"/s\" delivery-tls = none", CONF_TLS_NONE },
		{ "lmtp = localhost", CONF_TLS_NONE },
		{ "lmtp = \"LocalHost:2400\"", CONF_TLS_NONE },
		{ "lmtp = \"127.0.0.1\"", CONF_TLS_NONE },
		{ "lmtp = \"127.9.8.7:24\"", CONF_TLS_NONE },
		{ "lmtp = \"[::1]:24\"", CONF_TLS_NONE },
		{ "lmtp = \"128.0.0.1\"", CONF_TLS_STARTTLS },
		{ "lmtp = \"127.example.org\"", CONF_TLS_STARTTLS },
		{ "lmtp = localhost.example.org", CONF_TLS_STARTTLS },
		{ "lmtp = \"[2001:db8::1]\"", CONF_TLS_STARTTLS },
		{ "lmtp = h delivery-tls = auto", CONF_TLS_STARTTLS },
		{ "lmtp = h delivery-tls = none", CONF_TLS_NONE },
		{ "lmtp = h delivery-tls = implicit", CONF_TLS_IMPLICIT },
		{ "lmtp = localhost delivery-tls = starttls",
		    CONF_TLS_STARTTLS },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf *c = load_options(MUST "recipient = r ", t[i].text);

		assert_int_equal(c->accounts[0].delivery_tls, t[i].want);
		conf_free(&c);
	}
	options_say(MUST, "lmtp = \"/s\" recipient = r delivery-tls = starttls",
	    "delivery-tls is for servers of the network: a socket needs none");
}

static void
says_hello_with_this_hosts_name(void **state)
{
	struct conf *c = load_options(MUST, "lmtp = h recipient = r");
	char name[256];

	(void)state;
	assert_int_equal(gethostname(name, sizeof(name)), 0);
	assert_string_equal(c->accounts[0].helo_name, name);
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_destination),
		cmocka_unit_test(wants_one_destination),
		cmocka_unit_test(prefers_an_accounts_own_destination),
		cmocka_unit_test(misses_nothing_in_a_broken_file),
		cmocka_unit_test(refuses_what_another_destination_has),
		cmocka_unit_test(lets_defaults_serve_every_destination),
		cmocka_unit_test(keeps_the_limits),
		cmocka_unit_test(wants_recipients_that_fit_the_destination),
		cmocka_unit_test(
		    leaves_delivered_to_to_the_server_that_delivers),
		cmocka_unit_test(encrypts_what_leaves_this_host),
		cmocka_unit_test(says_hello_with_this_hosts_name),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
