/* SPDX-License-Identifier: ISC */
#include "conf/conf_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/conf.h"

static void
hands_out_in_the_order_of_files_and_lines(void **state)
{
	struct conf_place a = { "a", 0, 9 }, b = { "b", 1, 2 },
			  c = { "a", 0, 3 };
	struct conf_report r;
	char **v;
	size_t n;

	(void)state;
	conf_report_init(&r);
	conf_complain(&r, b, "third");
	conf_complain(&r, a, "second");
	conf_complain(&r, a, "and %s", "its twin");
	conf_complain(&r, c, "first");
	v = conf_report_take(&r, &n);
	assert_int_equal(n, 4);
	assert_string_equal(v[0], "a:3: first");
	assert_string_equal(v[1], "a:9: second");
	assert_string_equal(v[2], "a:9: and its twin");
	assert_string_equal(v[3], "b:2: third");
	assert_null(v[4]);
	assert_int_equal(r.n, 0);
	conf_errors_free(&v, &n);
	conf_report_deinit(&r);
}

static void
makes_texts_printable(void **state)
{
	struct conf_place whole = { "f", 0, 0 };
	struct conf_report r;
	char **v;
	size_t n;

	(void)state;
	conf_report_init(&r);
	conf_complain(&r, whole, "a\nb\033[2J");
	v = conf_report_take(&r, &n);
	assert_string_equal(v[0], "f: a\\x0Ab\\x1B[2J");
	conf_errors_free(&v, &n);
}

static void
ends_somewhere(void **state)
{
	struct conf_place at = { "f", 0, 1 };
	struct conf_report r;
	char **v;
	size_t n, i;

	(void)state;
	conf_report_init(&r);
	for (i = 0; i < 1000; i++)
		conf_complain(&r, at, "x");
	v = conf_report_take(&r, &n);
	assert_true(n < 300);
	assert_string_equal(v[n - 1], "and more errors, not shown");
	conf_errors_free(&v, &n);
}

static void
finds_the_nearest_word(void **state)
{
	static const char *const words[] = { "host", "port", "user", "id",
		"command-timeout", NULL };

	(void)state;
	assert_string_equal(conf_nearest_word("hsot", words), "host");
	assert_string_equal(conf_nearest_word("prt", words), "port");
	assert_string_equal(
	    conf_nearest_word("cmd-timeout", words), "command-timeout");
	assert_null(conf_nearest_word("maildir", words));
	assert_null(conf_nearest_word("", words));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_in_the_order_of_files_and_lines),
		cmocka_unit_test(makes_texts_printable),
		cmocka_unit_test(ends_somewhere),
		cmocka_unit_test(finds_the_nearest_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
