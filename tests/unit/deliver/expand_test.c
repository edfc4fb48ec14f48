/* SPDX-License-Identifier: ISC */
#include "deliver/expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct expand_values values;

static int
set_up(void **state)
{
	(void)state;
	values = (struct expand_values){ .account = "work",
		.mailbox = "Lists/a+b",
		.user = "alice@example.org",
		.sender = "bob=x_y-z@example.net",
		.recipient = "carol",
		.uid = "4711" };
	return 0;
}

static void
expect(const char *argument, const char *want)
{
	struct err e = { 0 };
	char *out;

	assert_int_equal(expand(&values, argument, &out, &e), 0);
	assert_string_equal(out, want);
	assert_int_equal(e.kind, ERR_NONE);
	free(out);
}

static void
expect_refusal(const char *argument, const char *name)
{
	struct err e;
	char *out, want[100];

	assert_int_equal(expand(&values, argument, &out, &e), -1);
	assert_null(out);
	assert_int_equal(e.kind, ERR_MESSAGE);
	snprintf(
	    want, sizeof(want), "%s would begin an argument with \"-\"", name);
	assert_string_equal(e.text, want);
}

static void
knows_each_placeholder_anywhere(void **state)
{
	(void)state;
	expect("%{account}", "work");
	expect("a%{mailbox}b", "aLists/a+bb");
	expect("--user=%{user}", "--user=alice@example.org");
	expect("%{sender}%{recipient}", "bob=x_y-z@example.netcarol");
	expect("<%{uid}>", "<4711>");
}

static void
copies_all_else(void **state)
{
	(void)state;
	expect("", "");
	expect("-d", "-d");
	expect("a b;`c` $HOME \\ \xc3\xa4", "a b;`c` $HOME \\ \xc3\xa4");
	expect("%", "%");
	expect("%%", "%%");
	expect("100%%", "100%%");
	expect("%{", "%{");
	expect("%{uid", "%{uid");
	expect("%{other}", "%{other}");
	expect("%{UID}", "%{UID}");
	expect("%{}", "%{}");
}

static void
takes_a_doubled_percent_sign_for_a_literal(void **state)
{
	(void)state;
	expect("%%{uid}", "%{uid}");
	expect("%%%{uid}", "%%{uid}");
	expect("%%{%{uid}", "%{4711");
}

static void
replaces_every_octet_that_is_not_safe(void **state)
{
	char every[256], want[256];
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		every[c - 1] = (char)c;
		want[c - 1] = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789.@_+/=-",
				  c) == NULL
		    ? '_'
		    : (char)c;
	}
	every[255] = want[255] = '\0';
	values.mailbox = every;
	expect("%{mailbox}", want);
}

static void
never_expands_what_a_value_brings(void **state)
{
	(void)state;
	values.sender = "%{uid}%%{";
	expect("%{sender}", "__uid____");
}

static void
takes_a_missing_value_for_an_empty_one(void **state)
{
	(void)state;
	values.sender = "";
	values.recipient = NULL;
	expect("%{sender}", "");
	expect("%{recipient}", "");
	expect("a%{sender}%{recipient}b", "ab");
}

static void
refuses_a_value_that_would_be_an_option(void **state)
{
	(void)state;
	values.sender = "-oQ/tmp@example.org";
	expect_refusal("%{sender}", "%{sender}");
	expect_refusal("%{sender}@x", "%{sender}");
	expect("x%{sender}", "x-oQ/tmp@example.org");
	expect("-%{sender}", "--oQ/tmp@example.org");
	expect("%{uid}%{sender}", "4711-oQ/tmp@example.org");
	values.sender = "\n-f"; /* cleaned first */
	expect("%{sender}", "_-f");
}

static void
refuses_it_behind_an_empty_value_too(void **state)
{
	(void)state;
	values.sender = "";
	values.recipient = "-x";
	expect_refusal("%{sender}%{recipient}", "%{recipient}");
	expect_refusal("%{sender}-%{uid}", "%{sender}");
	expect("%{sender}a-%{uid}", "a-4711");
}

static void
cuts_what_is_very_long(void **state)
{
	size_t n = (size_t)1 << 20;
	char *value = malloc(n + 1), *out;
	struct err e;

	(void)state;
	assert_non_null(value);
	memset(value, 'v', n);
	value[n] = '\0';
	values.mailbox = value;
	assert_int_equal(expand(&values, "<%{mailbox}>", &out, &e), 0);
	assert_int_equal(strlen(out), EXPAND_VALUE_MAX + 2);
	assert_int_equal(out[EXPAND_VALUE_MAX], 'v');
	assert_int_equal(out[EXPAND_VALUE_MAX + 1], '>');
	free(out);
	value[EXPAND_VALUE_MAX] = '\0'; /* just fits */
	expect("%{mailbox}", value);
	free(value);
}

#define TEST(fn) cmocka_unit_test_setup(fn, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_each_placeholder_anywhere),
		TEST(copies_all_else),
		TEST(takes_a_doubled_percent_sign_for_a_literal),
		TEST(replaces_every_octet_that_is_not_safe),
		TEST(never_expands_what_a_value_brings),
		TEST(takes_a_missing_value_for_an_empty_one),
		TEST(refuses_a_value_that_would_be_an_option),
		TEST(refuses_it_behind_an_empty_value_too),
		TEST(cuts_what_is_very_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
