/* SPDX-License-Identifier: ISC */
#include "sys/log_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, LOG_JSON_MAX);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_deinit(&out);
	return 0;
}

static void
writes_an_object_in_one_line(void **state)
{
	static const struct log_field fields[] = { { "account", "work" },
		{ "uid", "7" } };
	struct log_line line = { LOG_LEVEL_WARNING, "work", "skipped", fields,
		2 };

	(void)state;
	log_json_write(&out, &line, 1777863721, 7999);
	assert_true(span_eq(buf_span(&out),
	    SPAN("{\"time\":\"2026-05-04T03:02:01.007Z\",\"level\":\"warning\","
		 "\"subject\":\"work\",\"message\":\"skipped\","
		 "\"account\":\"work\",\"uid\":\"7\"}")));
}

static json_t *
parse(void)
{
	struct span all = buf_span(&out);
	json_t *v = json_loadb(all.p, all.n, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(v);
	assert_int_equal(span_find(all, '\n'), all.n);
	return v;
}

static const char *
member(const json_t *v, const char *name)
{
	return json_string_value(json_object_get(v, name));
}

static void
escapes_what_would_end_a_string(void **state)
{
	static const struct log_field fields[] = {
		{ "to", "a\"b\\c\n\x1b\xff" }, { "from", "\xc3\xa9" }
	};
	struct log_line line = { LOG_LEVEL_INFO, "a\"", "\\x0A \\\"", fields,
		2 };
	json_t *v;

	(void)state;
	log_json_write(&out, &line, 0, 0);
	v = parse();
	assert_string_equal(member(v, "time"), "1970-01-01T00:00:00.000Z");
	assert_string_equal(member(v, "subject"), "a\"");
	assert_string_equal(member(v, "message"), "\\x0A \\\"");
	assert_string_equal(member(v, "to"), "a\"b\\c\\x0A\\x1B\\xFF");
	assert_string_equal(member(v, "from"), "\xc3\xa9");
	json_decref(v);
}

/* A hostile child shall not choose the time. */
static void
has_each_member_once(void **state)
{
	static const struct log_field fields[] = { { "time", "1" },
		{ "level", "2" }, { "subject", "3" }, { "message", "4" },
		{ "uid", "5" }, { "uid", "6" }, { "ms", "7" } };
	struct log_line line = { LOG_LEVEL_INFO, "s", "m", fields, 7 };
	json_t *v;

	(void)state;
	log_json_write(&out, &line, 0, 0);
	v = parse();
	assert_string_equal(member(v, "time"), "1970-01-01T00:00:00.000Z");
	assert_string_equal(member(v, "level"), "info");
	assert_string_equal(member(v, "subject"), "s");
	assert_string_equal(member(v, "message"), "m");
	assert_string_equal(member(v, "uid"), "5");
	assert_string_equal(member(v, "ms"), "7");
	json_decref(v);
}

static void
the_longest_line_fits(void **state)
{
	static char longest[LOG_LINE_MAX], value[2 * LOG_FIELD_MAX];
	char names[LOG_FIELDS_MAX][32];
	struct log_field fields[LOG_FIELDS_MAX];
	struct log_line line = { LOG_LEVEL_INFO, longest, longest, fields,
		LOG_FIELDS_MAX };
	json_t *v;

	(void)state;
	memset(longest, '"', sizeof(longest) - 1);
	memset(value, '\\', sizeof(value) - 1);
	for (size_t i = 0; i < LOG_FIELDS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]),
		    "a_name_of_quite_some_length_%02zu", i);
		fields[i] = (struct log_field){ names[i], value };
	}
	log_json_write(&out, &line, 1777863721, 999999);
	v = parse();
	assert_string_equal(member(v, "message"), longest);
	assert_int_equal(strlen(member(v, names[15])), LOG_FIELD_MAX - 1);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    writes_an_object_in_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    escapes_what_would_end_a_string, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    has_each_member_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_longest_line_fits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
