/* SPDX-License-Identifier: ISC */
#include "proto/pop3_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static void
knows_ok_err_and_challenge(void **state)
{
	static const struct {
		const char *line;
		enum pop3_status status;
		const char *text;
	} t[] = {
		/* clang-format off */
		{ "+OK", POP3_STATUS_OK, "" },
		{ "+ok  hello ", POP3_STATUS_OK, "hello" },
		{ "-ERR [IN-USE] no", POP3_STATUS_ERR, "[IN-USE] no" },
		{ "-err", POP3_STATUS_ERR, "" },
		{ "+ QUJD", POP3_STATUS_GO_ON, "QUJD" },
		{ "+", POP3_STATUS_GO_ON, "" },
		{ "+x", POP3_STATUS_GO_ON, "x" },
		{ "", POP3_STATUS_NONE, "" },
		{ "OK", POP3_STATUS_NONE, "OK" },
		{ "-", POP3_STATUS_NONE, "-" },
		{ " +OK", POP3_STATUS_NONE, "+OK" },
		{ "* OK IMAP4rev1", POP3_STATUS_NONE, "* OK IMAP4rev1" },
		/* clang-format on */
	};
	struct span text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(
		    pop3_text_status(span_of(t[i].line), &text), t[i].status);
		assert_true(span_eq(text, span_of(t[i].text)));
	}
}

static void
reads_uidl_lines(void **state)
{
	static const struct {
		struct span line;
		bool good;
		uint32_t number;
		const char *uidl;
	} t[] = {
		/* clang-format off */
		{ { "1 abc", 5 }, true, 1, "abc" },
		{ { "1   abc", 7 }, true, 1, "abc" },
		{ { "  1\tabc  ", 9 }, true, 1, "abc" },
		{ { "1 a b  c ", 9 }, true, 1, "a b  c" },
		{ { "007 x", 5 }, true, 7, "x" },
		{ { "4294967295 x", 12 }, true, UINT32_MAX, "x" },
		{ { "1 ../../x", 9 }, true, 1, "../../x" },
		{ { "1 \xff\x01", 4 }, true, 1, "\xff\x01" },
		{ { "1", 1 }, true, 1, "" },
		{ { "1 ", 2 }, true, 1, "" },
		{ { "1 a\0b", 5 }, true, 1, "" },
		{ { "1 a\rb", 5 }, true, 1, "" },
		{ { "", 0 }, false, 0, "" },
		{ { " ", 1 }, false, 0, "" },
		{ { "0 x", 3 }, false, 0, "" },
		{ { "-1 x", 4 }, false, 0, "" },
		{ { "4294967296 x", 12 }, false, 0, "" },
		{ { "99999999999999999999999 x", 25 }, false, 0, "" },
		{ { "1abc", 4 }, false, 0, "" },
		{ { "abc 1", 5 }, false, 0, "" },
		{ { "1\0 x", 4 }, false, 0, "" },
		/* clang-format on */
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint32_t number = 0;
		struct span uidl = SPAN("");

		assert_int_equal(
		    pop3_text_uidl(t[i].line, &number, &uidl), t[i].good);
		assert_int_equal(number, t[i].number);
		assert_true(span_eq(uidl, span_of(t[i].uidl)));
	}
}

static void
takes_uidls_up_to_4096_octets(void **state)
{
	static const size_t sizes[] = { 1, 70, 71, POP3_UIDL_MAX,
		POP3_UIDL_MAX + 1, 60000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *line = mem_new(sizes[i] + 2);
		struct span uidl;
		uint32_t number;

		memset(line, 'u', sizes[i] + 2);
		memcpy(line, "5 ", 2);
		assert_true(pop3_text_uidl(
		    span_make(line, sizes[i] + 2), &number, &uidl));
		assert_int_equal(
		    uidl.n, sizes[i] <= POP3_UIDL_MAX ? sizes[i] : 0);
		free(line);
	}
}

static void
reads_list_and_stat(void **state)
{
	uint32_t number;
	uint64_t size;

	(void)state;
	assert_true(pop3_text_list(SPAN("3 120"), &number, &size));
	assert_int_equal(number, 3);
	assert_int_equal(size, 120);
	assert_true(pop3_text_list(SPAN(" 3  120 extra"), &number, &size));
	assert_int_equal(size, 120);
	assert_true(
	    pop3_text_list(SPAN("3 18446744073709551615"), &number, &size));
	assert_true(size == UINT64_MAX);
	assert_true(pop3_text_list(SPAN("3 -1"), &number, &size));
	assert_int_equal(size, 0);
	assert_true(pop3_text_list(SPAN("3"), &number, &size));
	assert_int_equal(size, 0);
	assert_false(pop3_text_list(SPAN("0 1"), &number, &size));
	assert_false(pop3_text_list(SPAN("x"), &number, &size));

	assert_true(pop3_text_stat(SPAN("2 320"), &number, &size));
	assert_int_equal(number, 2);
	assert_int_equal(size, 320);
	assert_true(pop3_text_stat(SPAN("0 0 (empty)"), &number, &size));
	assert_int_equal(number, 0);
	assert_false(pop3_text_stat(SPAN("4294967296 1"), &number, &size));
	assert_false(pop3_text_stat(SPAN(""), &number, &size));
	assert_false(pop3_text_stat(SPAN("many"), &number, &size));
}

static void
finds_capabilities(void **state)
{
	struct span lines = SPAN("TOP\nuidl\nSASL PLAIN  login\nEXPIRE 0");
	struct span args = SPAN("");

	(void)state;
	assert_true(pop3_text_capability(lines, SPAN("top"), NULL));
	assert_true(pop3_text_capability(lines, SPAN("UIDL"), NULL));
	assert_true(pop3_text_capability(lines, SPAN("SASL"), &args));
	assert_true(pop3_text_has_word(args, SPAN("PLAIN")));
	assert_true(pop3_text_has_word(args, SPAN("LOGIN")));
	assert_false(pop3_text_has_word(args, SPAN("LOG")));
	assert_false(pop3_text_has_word(args, SPAN("SASL")));
	assert_false(pop3_text_has_word(SPAN(""), SPAN("PLAIN")));
	assert_false(pop3_text_capability(lines, SPAN("PLAIN"), NULL));
	assert_false(pop3_text_capability(lines, SPAN("UID"), NULL));
	assert_false(pop3_text_capability(SPAN(""), SPAN("UIDL"), NULL));
}

static void
reads_how_often_one_may_log_in(void **state)
{
	static const struct {
		const char *lines;
		unsigned int s;
	} t[] = { { "UIDL\nLOGIN-DELAY 300\nEXPIRE 0", 300 },
		{ "login-delay  900  USER", 900 }, { "LOGIN-DELAY 0", 0 },
		{ "LOGIN-DELAY 86399", 86399 }, { "LOGIN-DELAY 86401", 86400 },
		{ "LOGIN-DELAY 18446744073709551615", 86400 },
		{ "LOGIN-DELAY 18446744073709551616", 0 }, { "LOGIN-DELAY", 0 },
		{ "LOGIN-DELAY x", 0 }, { "LOGIN-DELAY -1", 0 },
		{ "LOGIN-DELAY 5x", 0 }, { "LOGIN-DELAYS 5", 0 }, { "UIDL", 0 },
		{ "", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(
		    pop3_text_login_delay(span_of(t[i].lines)), t[i].s);
}

static void
reads_how_long_mail_stays(void **state)
{
	static const struct {
		const char *lines;
		bool expires;
		unsigned int days;
	} t[] = { { "UIDL\nLOGIN-DELAY 300\nEXPIRE 0", true, 0 },
		{ "expire 30 USER", true, 30 },
		{ "EXPIRE 4294967295", true, 4294967295 },
		{ "EXPIRE 4294967296", false, 7 }, { "EXPIRE NEVER", false, 7 },
		{ "EXPIRE never USER", false, 7 }, { "EXPIRE", false, 7 },
		{ "EXPIRE -1", false, 7 }, { "UIDL", false, 7 },
		{ "", false, 7 } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned int days = 7;

		assert_int_equal(
		    pop3_text_expire(span_of(t[i].lines), &days), t[i].expires);
		assert_int_equal(days, t[i].days);
	}
}

static void
knows_a_list_that_depends_on_the_user(void **state)
{
	(void)state;
	assert_true(pop3_text_is_per_user(SPAN("UIDL\nLOGIN-DELAY 9 USER")));
	assert_true(pop3_text_is_per_user(SPAN("EXPIRE NEVER user\nUIDL")));
	assert_false(pop3_text_is_per_user(
	    SPAN("USER\nLOGIN-DELAY 9\nEXPIRE 5\nX USER")));
	assert_false(pop3_text_is_per_user(SPAN("")));
}

static void
tells_unknown_commands_from_unknown_users(void **state)
{
	(void)state;
	assert_true(pop3_text_is_unknown_command(SPAN("Unknown command: A")));
	assert_true(pop3_text_is_unknown_command(SPAN("syntax error")));
	assert_true(pop3_text_is_unknown_command(SPAN("not supported")));
	assert_false(pop3_text_is_unknown_command(SPAN("unknown user")));
	assert_false(pop3_text_is_unknown_command(SPAN("bad password")));
	assert_false(pop3_text_is_unknown_command(SPAN("")));
}

/* CVE-2007-1558: the less may stand there, the better. */
static void
finds_a_timestamp_that_is_a_message_id(void **state)
{
	static const struct {
		const char *greeting, *stamp; /* NULL: none */
	} t[] = {
		/* clang-format off */
		{ "ready <1896.697170952@dbc.mtview.ca.us>",
		  "<1896.697170952@dbc.mtview.ca.us>" },
		{ "<a@b>", "<a@b>" },
		{ "<1a.5.4f.Xy+/w==@mail.example.org> ready.",
		  "<1a.5.4f.Xy+/w==@mail.example.org>" },
		{ "<1.2@[192.0.2.1]>", "<1.2@[192.0.2.1]>" },
		{ "", NULL },
		{ "ready", NULL },
		{ "<>", NULL },
		{ "<a>", NULL },
		{ "<a@>", NULL },
		{ "<@b>", NULL },
		{ "<a@b", NULL },
		{ "a@b>", NULL },
		{ "<a@b@c>", NULL },
		{ "<a b@c>", NULL },
		{ "<a..b@c>", NULL },
		{ "<.a@c>", NULL },
		{ "<a@c.>", NULL },
		{ "<a\x80@b>", NULL },
		{ "<a\x01@b>", NULL },
		{ "<\"a\"@b>", NULL },
		{ "<<a@b>", NULL },
		{ "<a@[b\x80]>", NULL },
		{ "<a@[]>", NULL },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct span stamp;

		assert_int_equal(
		    pop3_text_timestamp(span_of(t[i].greeting), &stamp),
		    t[i].stamp != NULL);
		if (t[i].stamp != NULL)
			assert_true(span_eq(stamp, span_of(t[i].stamp)));
	}
}

static void
takes_no_timestamp_that_is_endless(void **state)
{
	char greeting[400] = "";
	struct span stamp;

	(void)state;
	memset(greeting, 'a', sizeof(greeting));
	greeting[0] = '<';
	greeting[1 + 126] = '@';
	greeting[255] = '>';
	assert_true(
	    pop3_text_timestamp(span_make(greeting, sizeof(greeting)), &stamp));
	assert_int_equal(stamp.n, 256);
	greeting[255] = 'a';
	greeting[256] = '>';
	assert_false(
	    pop3_text_timestamp(span_make(greeting, sizeof(greeting)), &stamp));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_ok_err_and_challenge),
		cmocka_unit_test(reads_uidl_lines),
		cmocka_unit_test(takes_uidls_up_to_4096_octets),
		cmocka_unit_test(reads_list_and_stat),
		cmocka_unit_test(finds_a_timestamp_that_is_a_message_id),
		cmocka_unit_test(takes_no_timestamp_that_is_endless),
		cmocka_unit_test(finds_capabilities),
		cmocka_unit_test(reads_how_often_one_may_log_in),
		cmocka_unit_test(reads_how_long_mail_stays),
		cmocka_unit_test(knows_a_list_that_depends_on_the_user),
		cmocka_unit_test(tells_unknown_commands_from_unknown_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
