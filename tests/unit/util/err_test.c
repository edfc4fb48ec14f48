/* SPDX-License-Identifier: ISC */
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void
carries_kind_errno_and_words(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(
	    err_set(&e, ERR_NET, ECONNRESET, "%s: %d", "a", 7), -1);
	assert_int_equal(e.kind, ERR_NET);
	assert_int_equal(e.sys, ECONNRESET);
	assert_string_equal(e.text, "a: 7");
	err_clear(&e);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "");
}

static void
needs_no_place(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_NET, 0, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
	err_clear(NULL);
}

static void
makes_the_text_printable(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_AUTH, 0, "server: %s", "no\r\n\x1b[2J\xe4");
	assert_string_equal(e.text, "server: no\\x0D\\x0A\\x1B[2J\\xE4");
}

static void
cuts_what_is_too_long(void **state)
{
	char text[2000];
	struct err e;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_AUTH, 0, "%s", text);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_string_equal(e.text + ERR_TEXT_MAX - 4, "...");
	err_prefix(&e, "%s", text);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

static void
puts_words_in_front(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_TLS, 5, "expired");
	assert_int_equal(err_prefix(&e, "host %s", "mx"), -1);
	assert_string_equal(e.text, "host mx: expired");
	assert_int_equal(e.kind, ERR_TLS);
	assert_int_equal(e.sys, 5);
}

static void
may_quote_itself(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_NET, 0, "inner");
	err_set(&e, ERR_DELIVER, 0, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
}

static void
has_a_word_for_each_kind(void **state)
{
	int a, b;

	(void)state;
	for (a = 0; a < ERR_KINDS; a++) {
		assert_non_null(err_kind_name((enum err_kind)a));
		for (b = 0; b < a; b++)
			assert_string_not_equal(err_kind_name((enum err_kind)a),
			    err_kind_name((enum err_kind)b));
	}
	assert_string_equal(err_kind_name(ERR_TLS), "tls");
	assert_string_equal(err_kind_name(ERR_KINDS), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_kind_errno_and_words),
		cmocka_unit_test(needs_no_place),
		cmocka_unit_test(makes_the_text_printable),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(puts_words_in_front),
		cmocka_unit_test(may_quote_itself),
		cmocka_unit_test(has_a_word_for_each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
