/* SPDX-License-Identifier: ISC */
#include "sys/log_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>

static struct buf out;
static struct log_relayed got;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, (size_t)2 * LOG_RELAY_MAX);
	memset(&got, 0, sizeof(got));
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
brings_all_parts_over(void **state)
{
	static const struct log_field fields[] = { { "account", "work" },
		{ "to", "a=b" }, { "empty", "" } };

	(void)state;
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_TRACE; level++) {
		struct log_line line = { (enum log_level)level, "wo rk",
			"got: it", fields, 3 };

		buf_clear(&out);
		log_relay_write(&out, &line);
		assert_true(log_relay_read(buf_span(&out), &got));
		assert_int_equal(got.line.level, level);
		assert_string_equal(got.line.subject, "wo rk");
		assert_string_equal(got.line.message, "got: it");
		assert_int_equal(got.line.n, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_string_equal(
			    got.line.fields[i].name, fields[i].name);
			assert_string_equal(
			    got.line.fields[i].value, fields[i].value);
		}
	}
}

static void
brings_empty_parts_over(void **state)
{
	struct log_line line = { LOG_LEVEL_INFO, "", "", NULL, 0 };

	(void)state;
	log_relay_write(&out, &line);
	assert_true(log_relay_read(buf_span(&out), &got));
	assert_string_equal(got.line.subject, "");
	assert_string_equal(got.line.message, "");
	assert_int_equal(got.line.n, 0);
}

static void
makes_the_values_of_fields_printable(void **state)
{
	static const struct log_field fields[] = { { "to",
	    "a\x1f"
	    "x=y\n" } };
	struct log_line line = { LOG_LEVEL_INFO, "s", "m", fields, 1 };

	(void)state;
	log_relay_write(&out, &line);
	assert_int_equal(span_find(buf_span(&out), '\n'), out.n);
	assert_true(log_relay_read(buf_span(&out), &got));
	assert_int_equal(got.line.n, 1);
	assert_string_equal(got.line.fields[0].value, "a\\x1Fx=y\\x0A");
}

/* So that lines of several children in one pipe do not mix. */
static void
the_longest_line_is_written_in_one_piece(void **state)
{
	static char longest[LOG_LINE_MAX], value[LOG_FIELD_MAX];
	struct log_field fields[LOG_FIELDS_MAX];
	struct log_line line = { LOG_LEVEL_INFO, longest, longest, fields,
		LOG_FIELDS_MAX };

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memset(value, 'y', sizeof(value) - 1);
	for (size_t i = 0; i < LOG_FIELDS_MAX; i++)
		fields[i] = (struct log_field){ "name", value };
	fields[LOG_FIELDS_MAX - 1].value = "short";
	log_relay_write(&out, &line);
	assert_true(out.n + 1 <= PIPE_BUF);
	assert_true(log_relay_read(buf_span(&out), &got));
	assert_string_equal(got.line.message, longest);
	assert_int_equal(got.line.n, 3);
	assert_string_equal(got.line.fields[1].value, value);
	assert_string_equal(got.line.fields[2].value, "short");
}

static void
a_full_line_has_room_for_its_newline(void **state)
{
	static char value[LOG_FIELD_MAX];

	(void)state;
	memset(value, 'y', sizeof(value) - 1);
	for (size_t n = 0; n < sizeof(value); n++) {
		struct log_field fields[9];
		struct log_line line = { LOG_LEVEL_INFO, "s", "m", fields, 9 };

		for (size_t i = 0; i < 9; i++)
			fields[i] = (struct log_field){ "n",
				i == 0 ? value + n : value };
		buf_clear(&out);
		log_relay_write(&out, &line);
		assert_true(out.n + 1 <= PIPE_BUF);
		assert_true(log_relay_read(buf_span(&out), &got));
	}
}

static void
knows_what_is_none_of_it(void **state)
{
	static char huge[LOG_RELAY_MAX + 2];
	static const struct span lines[] = {
		{ "", 0 },
		{ "\x1e", 1 },
		{ "\x1e"
		  "3",
		    2 },
		SPAN("work: error: no"),
		SPAN("<3>work\x1fno"),
		SPAN("\x1e"
		     "6s\x1fm"), /* no such level */
		SPAN("\x1e/s\x1fm"),
		SPAN("\x1e\xff"
		     "s\x1fm"),
		SPAN("\x1e"
		     "3no message"),
		SPAN("\x1e"
		     "3s\x1fm\0x"),
		{ huge, sizeof(huge) - 1 },
	};

	(void)state;
	memset(huge, 'x', sizeof(huge));
	memcpy(huge,
	    "\x1e"
	    "3s\x1f",
	    4);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_false(log_relay_read(lines[i], &got));
	assert_true(log_relay_read(span_make(huge, sizeof(huge) - 2), &got));
}

static void
leaves_out_fields_whose_names_are_out_of_order(void **state)
{
	(void)state;
	assert_true(log_relay_read(
	    SPAN("\x1e"
		 "3s\x1fm\x1f=1\x1fno value\x1fMESSAGE=2\x1fx\"y=3\x1f_x=4"
		 "\x1f"
		 "1x=5\x1f"
		 "a2345678901234567890123456789012=6"
		 "\x1f"
		 "a23456789012345678901234567890123=7\x1f\x1fx_1=8"),
	    &got));
	assert_int_equal(got.line.n, 2);
	assert_string_equal(got.line.fields[0].value, "6");
	assert_string_equal(got.line.fields[1].name, "x_1");
	assert_string_equal(got.line.fields[1].value, "8");
}

static void
takes_no_more_fields_than_it_has_room_for(void **state)
{
	(void)state;
	buf_add(&out,
	    SPAN("\x1e"
		 "3s\x1fm"));
	for (int i = 0; i < 40; i++)
		buf_printf(&out, "\x1fx=%d", i);
	assert_true(log_relay_read(buf_span(&out), &got));
	assert_int_equal(got.line.n, LOG_FIELDS_MAX);
	assert_string_equal(got.line.fields[LOG_FIELDS_MAX - 1].value, "15");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    brings_all_parts_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    brings_empty_parts_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    makes_the_values_of_fields_printable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_longest_line_is_written_in_one_piece, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_full_line_has_room_for_its_newline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    knows_what_is_none_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    leaves_out_fields_whose_names_are_out_of_order, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    takes_no_more_fields_than_it_has_room_for, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
