/* SPDX-License-Identifier: ISC */
#include "proto/oauth_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static void
reads_texts(void **state)
{
	struct oauth_json *j = oauth_json_new(
	    SPAN("{\"a\": \"x\\u00e4\", \"b\": 1, \"c\": null, \"d\": {}}"));

	(void)state;
	assert_non_null(j);
	assert_string_equal(oauth_json_text(j, "a"), "x\xc3\xa4");
	assert_null(oauth_json_text(j, "b"));
	assert_null(oauth_json_text(j, "c"));
	assert_null(oauth_json_text(j, "d"));
	assert_null(oauth_json_text(j, "e"));
	assert_true(oauth_json_has(j, "d"));
	assert_false(oauth_json_has(j, "e"));
	oauth_json_free(&j);
	assert_null(j);
	oauth_json_free(&j);
}

static void
reads_numbers_as_providers_send_them(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t n;
	} t[] = {
		{ "3600", true, 3600 },
		{ "0", true, 0 },
		{ "\"3600\"", true, 3600 },
		{ "\" 3600 \"", true, 3600 },
		{ "3599.9", true, 3599 },
		{ "5000", true, 4000 },
		{ "1e300", true, 4000 },
		{ "9223372036854775807", true, 4000 },
		{ "\"99999999999999999999999\"", true, 4000 },
		{ "-1", false, 7 },
		{ "-0.5", false, 7 },
		{ "\"-1\"", false, 7 },
		{ "\"\"", false, 7 },
		{ "\"1h\"", false, 7 },
		{ "\"1.5\"", false, 7 },
		{ "null", false, 7 },
		{ "true", false, 7 },
		{ "[3600]", false, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char *text = mem_printf("{\"n\": %s}", t[i].text);
		struct oauth_json *j = oauth_json_new(span_of(text));
		uint64_t n = 7;

		assert_non_null(j);
		assert_int_equal(
		    oauth_json_number(j, "n", 4000, &n), t[i].good);
		assert_int_equal(n, t[i].n);
		assert_false(oauth_json_number(j, "m", 4000, &n));
		oauth_json_free(&j);
		free(text);
	}
}

static void
takes_nothing_but_objects(void **state)
{
	static const char *const t[] = {
		"",
		" ",
		"{",
		"}",
		"[]",
		"[{}]",
		"\"a\"",
		"1",
		"null",
		"{} x",
		"{\"a\": }",
		"{\"a\": \"\\u0000\"}",
		"{\"a\\u0000b\": 1}",
		"{\"a\": \"\xff\"}",
		"{\"a\": \"x",
		"{\"a\": 1e999}",
		"{\"a\": 99999999999999999999999}",
		"<!DOCTYPE html><html></html>",
		"access_token=a&expires_in=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_null(oauth_json_new(span_of(t[i])));
	assert_null(oauth_json_new(span_make(NULL, 0)));
}

static void
takes_a_byte_order_mark(void **state)
{
	struct oauth_json *j = oauth_json_new(SPAN("\xef\xbb\xbf{}\r\n"));

	(void)state;
	assert_non_null(j);
	oauth_json_free(&j);
}

/* n times open, then n times close, in an object. */
static bool
takes_depth(size_t n)
{
	char *text = mem_printf("{\"a\": %*s}", (int)(2 * n), "");
	struct oauth_json *j;

	memset(text + 6, '[', n);
	memset(text + 6 + n, ']', n);
	j = oauth_json_new(span_of(text));
	free(text);
	if (j == NULL)
		return false;
	oauth_json_free(&j);
	return true;
}

static void
is_bounded_in_depth(void **state)
{
	(void)state;
	assert_true(takes_depth(OAUTH_JSON_DEPTH - 1));
	assert_false(takes_depth(OAUTH_JSON_DEPTH));
	assert_false(takes_depth(100000));
}

static void
counts_no_brackets_in_strings(void **state)
{
	struct oauth_json *j = oauth_json_new(
	    SPAN("{\"a\": \"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[{{{{\\\\\"}"));

	(void)state;
	assert_non_null(j);
	oauth_json_free(&j);
}

static void
is_bounded_in_size(void **state)
{
	char *text = mem_new(OAUTH_JSON_MAX + 1);
	struct oauth_json *j;

	(void)state;
	memset(text, ' ', OAUTH_JSON_MAX + 1);
	text[0] = '{';
	text[1] = '}';
	j = oauth_json_new(span_make(text, OAUTH_JSON_MAX));
	assert_non_null(j);
	oauth_json_free(&j);
	assert_null(oauth_json_new(span_make(text, OAUTH_JSON_MAX + 1)));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_texts),
		cmocka_unit_test(reads_numbers_as_providers_send_them),
		cmocka_unit_test(takes_nothing_but_objects),
		cmocka_unit_test(takes_a_byte_order_mark),
		cmocka_unit_test(is_bounded_in_depth),
		cmocka_unit_test(counts_no_brackets_in_strings),
		cmocka_unit_test(is_bounded_in_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
