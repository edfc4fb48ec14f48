/* SPDX-License-Identifier: ISC */
#include "conf/conf_tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MUST "host = h user = u maildir = /m "

/* One of 32 octets from 0x00 to 0x1f, in all its forms. */
#define PLAIN "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define COLONS                                                                 \
	"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                     \
	"10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void
reads_a_pin_in_all_its_forms(void **state)
{
	static const char *const t[] = {
		"\"sha256:" PLAIN "\"",
		PLAIN,
		"\"sha256:" COLONS "\"",
		COLONS,
		"\"SHA256:" BASE64 "\"",
		"\"" BASE64 "\"",
		"\"sha256//" BASE64 "\"",
		"'pin-sha256=\"" BASE64 "\"'",
		"\"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"",
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		char *text = mem_printf("tls-pin = %s", t[i]);
		struct conf *c = load_options(MUST, text);

		assert_int_equal(c->accounts[0].tls_pins.n, 1);
		assert_string_equal(c->accounts[0].tls_pins.v[0], PLAIN);
		assert_int_equal(c->accounts[0].tls_verify, CONF_VERIFY_BOTH);
		conf_free(&c);
		free(text);
	}
}

static void
refuses_what_is_no_pin(void **state)
{
	static const char *const t[] = {
		"sha256:",
		"sha1:" PLAIN,
		"sha256:" PLAIN "0",
		"sha256:0" PLAIN,
		"sha256:000102",
		COLONS ":",
		":" COLONS,
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", /* bits over */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH-8=",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
		"",
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		char *text = mem_printf("tls-pin = \"%s\"", t[i]);

		options_say(MUST, text,
		    "tls-pin is no SHA-256 of a key: write \"sha256:\" and 64 "
		    "hexadecimal digits, or 44 of base64");
		free(text);
	}
}

#define PIN "tls-pin = " PLAIN " "
#define NO_USE " is of no use with tls = none: remove it"

static void
says_what_does_not_go_together(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ PIN "tls-verify = pin", NULL },
		{ PIN "tls-verify = both", NULL },
		{ "tls-verify = dane", NULL },
		{ "tls-verify = pin",
		    "tls-verify looks at the server's key: add tls-pin" },
		{ "tls-verify = both",
		    "tls-verify looks at the server's key: add tls-pin" },
		{ PIN "tls-verify = chain",
		    "tls-pin is looked at with tls-verify = pin or both only: "
		    "use one of them" },
		{ PIN "tls-verify = dane",
		    "tls-pin is looked at with tls-verify = pin or both only: "
		    "use one of them" },
		{ "tls-cert = /c",
		    "tls-cert is of no use without its key: add tls-key" },
		{ "tls-key = /k",
		    "tls-key is of no use without a certificate: add "
		    "tls-cert" },
		{ "tls-ciphers = \"HIGH:!aNULL:@SECLEVEL=2\"", NULL },
		{ "tls-ciphers = \"HIGH aNULL\"",
		    "tls-ciphers holds a sign that no list of ciphers has: "
		    "write it as \"HIGH:!aNULL\"" },
		{ "tls-ciphers = \"\"",
		    "tls-ciphers is empty: give it a value" },
		{ "tls-min = 1.1", "tls-min = \"1.1\": use 1.2 or 1.3" },
		{ "tls-warn-before = 0", NULL },
		{ "tls-warn-before = 366d",
		    "tls-warn-before = \"366d\": it must be a time from 0s to "
		    "365d, as 30s, 5m, 2h or 14d" },
		{ "tls = none " PIN, "tls-pin" NO_USE },
		{ "tls = none tls-verify = both", "tls-verify" NO_USE },
		{ "tls = none tls-min = 1.3", "tls-min" NO_USE },
		{ "tls = none tls-ciphers = x", "tls-ciphers" NO_USE },
		{ "tls = none tls-ca-dir = /x", "tls-ca-dir" NO_USE },
		{ "tls = none tls-crl-file = /x", "tls-crl-file" NO_USE },
		{ "tls = none tls-ocsp = require", "tls-ocsp" NO_USE },
		{ "tls = none tls-cert = /x", "tls-cert" NO_USE },
		{ "tls = none tls-key = /x", "tls-key" NO_USE },
		{ "tls = none tls-warn-before = 3d", "tls-warn-before" NO_USE },
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++)
		options_say(MUST, t[i].text, t[i].want);
}

static void
wants_a_name_for_dane(void **state)
{
	(void)state;
	options_say("host = \"::1\" user = u maildir = /m", "tls-verify = dane",
	    "tls-verify = dane is for a host with a name, not an address: "
	    "change one of them");
	options_say("host = 192.0.2.1 user = u maildir = /m",
	    "tls-verify = dane",
	    "tls-verify = dane is for a host with a name, not an address: "
	    "change one of them");
}

/* The name of the server is for the proxy alone. */
static void
asks_no_dns_past_a_proxy(void **state)
{
	(void)state;
	options_say(MUST, "tls-verify = dane proxy = \"socks5://127.0.0.1\"",
	    "tls-verify = dane asks the DNS for the server, past the proxy or "
	    "tunnel: use chain or pin");
	options_say(MUST, "tls-verify = dane tunnel = {ssh, h}",
	    "tls-verify = dane asks the DNS for the server, past the proxy or "
	    "tunnel: use chain or pin");
}

static void
reads_every_option(void **state)
{
	struct conf *c = load_options(MUST,
	    "tls-verify = pin tls-pin = {" PLAIN ", \"" BASE64 "\"} "
	    "tls-min = 1.3 tls-ciphers = HIGH tls-ca-dir = /d "
	    "tls-crl-file = /crl tls-ocsp = require tls-cert = /c "
	    "tls-key = /k tls-warn-before = 30d");
	const struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_int_equal(a->tls_verify, CONF_VERIFY_PIN);
	assert_int_equal(a->tls_pins.n, 2);
	assert_int_equal(a->tls_min, CONF_TLS_1_3);
	assert_string_equal(a->tls_ciphers, "HIGH");
	assert_string_equal(a->tls_ca_dir, "/d");
	assert_string_equal(a->tls_crl_file, "/crl");
	assert_int_equal(a->tls_ocsp, CONF_OCSP_REQUIRE);
	assert_string_equal(a->tls_cert, "/c");
	assert_string_equal(a->tls_key, "/k");
	assert_int_equal(a->tls_warn_s, 30 * 86400);
	conf_free(&c);
}

static void
has_defaults(void **state)
{
	struct conf *c = load_options(MUST, "");
	const struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_int_equal(a->tls_verify, CONF_VERIFY_CHAIN);
	assert_int_equal(a->tls_pins.n, 0);
	assert_int_equal(a->tls_min, CONF_TLS_1_2);
	assert_int_equal(a->tls_ocsp, CONF_OCSP_STAPLED);
	assert_int_equal(a->tls_warn_s, 14 * 86400);
	assert_null(a->tls_ciphers);
	assert_null(a->tls_cert);
	conf_free(&c);
}

static void
takes_no_rules_of_defaults_that_are_of_no_use(void **state)
{
	struct conf *c =
	    load_text("defaults { " MUST PIN "tls-cert = /c tls-key = /k }\n"
		      "account a { tls = none }\n"
		      "account b { tls-verify = chain }\n"
		      "account c { }\n");

	(void)state;
	assert_int_equal(c->accounts[0].tls_pins.n, 0);
	assert_null(c->accounts[0].tls_cert);
	assert_int_equal(c->accounts[1].tls_pins.n, 0);
	assert_int_equal(c->accounts[1].tls_verify, CONF_VERIFY_CHAIN);
	assert_int_equal(c->accounts[2].tls_verify, CONF_VERIFY_BOTH);
	conf_free(&c);
}

/* Who has written the pin believes that it is looked at. */
static void
drops_no_pin_silently(void **state)
{
	(void)state;
	expect_errors("defaults { tls-verify = chain }\n"
		      "account a { " MUST "\n" PIN "}\n",
	    "f:3: account a: tls-pin is looked at with tls-verify = pin or "
	    "both only: use one of them\n");
	expect_errors("defaults { tls-verify = chain " PIN "}\n"
		      "account a { " MUST "}\n",
	    "f:2: account a: tls-pin is looked at with tls-verify = pin or "
	    "both only: use one of them\n");
	expect_errors("defaults { tls-verify = pin }\n"
		      "account a { " MUST "}\n",
	    "f:2: account a: tls-verify looks at the server's key: add "
	    "tls-pin\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_pin_in_all_its_forms),
		cmocka_unit_test(refuses_what_is_no_pin),
		cmocka_unit_test(says_what_does_not_go_together),
		cmocka_unit_test(wants_a_name_for_dane),
		cmocka_unit_test(asks_no_dns_past_a_proxy),
		cmocka_unit_test(reads_every_option),
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(takes_no_rules_of_defaults_that_are_of_no_use),
		cmocka_unit_test(drops_no_pin_silently),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
