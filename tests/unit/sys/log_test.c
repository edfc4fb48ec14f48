/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char lines[8][4096];
static enum log_level line_levels[8];
static unsigned int n_lines;

static void
note(enum log_level level, const char *line)
{
	assert_true(n_lines < 8);
	line_levels[n_lines] = level;
	snprintf(lines[n_lines++], sizeof(lines[0]), "%s", line);
}

static int
set_up(void **state)
{
	(void)state;
	n_lines = 0;
	log_set_level(LOG_LEVEL_INFO);
	log_set_sink(note);
	return 0;
}

static void
marks_what_needs_attention(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_TRACE);
	log_error("work", "a %d", 1);
	log_warning("work", "b");
	log_notice("work", "c");
	log_info("work", "d");
	log_debug("work", "e");
	assert_int_equal(n_lines, 5);
	assert_string_equal(lines[0], "work: error: a 1");
	assert_string_equal(lines[1], "work: warning: b");
	assert_string_equal(lines[2], "work: c");
	assert_string_equal(lines[3], "work: d");
	assert_string_equal(lines[4], "work: e");
	assert_int_equal(line_levels[0], LOG_LEVEL_ERROR);
	assert_int_equal(line_levels[4], LOG_LEVEL_DEBUG);
}

static void
drops_what_is_below_the_level(void **state)
{
	(void)state;
	log_info("x", "kept");
	log_debug("x", "dropped");
	log_wire("x", 'S', SPAN("dropped"));
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("x", "dropped");
	log_error("x", "kept");
	assert_int_equal(n_lines, 2);
	assert_int_equal(log_level(), LOG_LEVEL_ERROR);
	assert_true(log_wants(LOG_LEVEL_ERROR));
	assert_false(log_wants(LOG_LEVEL_WARNING));
}

static void
never_lets_a_line_break_through(void **state)
{
	(void)state;
	log_info("x", "%s", "a\r\nfake: error: \x1b[31m");
	assert_int_equal(n_lines, 1);
	assert_string_equal(lines[0], "x: a\\x0D\\x0Afake: error: \\x1B[31m");
}

static void
cuts_long_lines_and_shows_it(void **state)
{
	static char text[10000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	log_info("x", "%s", text);
	log_info(text, "%s", "y");
	assert_int_equal(n_lines, 2);
	assert_int_equal(strlen(lines[0]), 2047);
	assert_string_equal(lines[0] + 2044, "...");
	assert_int_equal(strlen(lines[1]), 2047);
}

static void
shows_the_dialogue_line_by_line(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_TRACE);
	log_wire("work", 'S', SPAN("* OK hi\r\n\r\nA1 \0 part"));
	assert_int_equal(n_lines, 3);
	assert_string_equal(lines[0], "work: S: * OK hi");
	assert_string_equal(lines[1], "work: S: ");
	assert_string_equal(lines[2], "work: S: A1 \\x00 part");
	assert_int_equal(line_levels[0], LOG_LEVEL_TRACE);
}

static void
shortens_long_lines_of_the_dialogue(void **state)
{
	static char text[1002];

	(void)state;
	log_set_level(LOG_LEVEL_TRACE);
	memset(text, 'x', sizeof(text));
	memcpy(text + 500, "\r\n", 2);
	log_wire("w", 'C', span_make(text, sizeof(text)));
	log_wire("w", 'C', span_make(text + 502, 500));
	log_wire("w", 'C', SPAN("\n"));
	assert_int_equal(n_lines, 4);
	assert_int_equal(strlen(lines[0]), strlen("w: C: ") + 500);
	assert_int_equal(strlen(lines[1]), strlen("w: C: ") + 500);
	assert_int_equal(strlen(lines[2]), strlen("w: C: ") + 500);
	assert_string_equal(lines[3], "w: C: ");
}

static void
says_how_much_it_left_out(void **state)
{
	static char text[623];

	(void)state;
	log_set_level(LOG_LEVEL_TRACE);
	memset(text, 'x', sizeof(text));
	log_wire("w", 'C', span_make(text, sizeof(text)));
	assert_int_equal(n_lines, 1);
	assert_string_equal(
	    lines[0] + strlen("w: C: ") + 500, " (and 123 octets more)");
}

static void
knows_its_levels_by_name(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;
	int i;

	(void)state;
	for (i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_TRACE; i++) {
		const char *name = log_level_name((enum log_level)i);

		assert_true(log_level_parse(name, &level));
		assert_int_equal(level, i);
	}
	assert_string_equal(log_level_name(LOG_LEVEL_WARNING), "warning");
	assert_false(log_level_parse("warn", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_LEVEL_TRACE);
}

/* Packets keep the boundaries of each write(2). */
static void
writes_one_line_at_a_time_to_standard_error(void **state)
{
	char got[100];
	int ends[2], old = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_DIRECT), 0);
	log_set_sink(NULL);
	dup2(ends[1], STDERR_FILENO);
	log_notice("work", "first");
	log_error("work", "second");
	dup2(old, STDERR_FILENO);
	n = read(ends[0], got, sizeof(got));
	assert_int_equal(n, strlen("work: first\n"));
	assert_memory_equal(got, "work: first\n", (size_t)n);
	n = read(ends[0], got, sizeof(got));
	assert_int_equal(n, strlen("work: error: second\n"));
	assert_memory_equal(got, "work: error: second\n", (size_t)n);
	close(ends[0]);
	close(ends[1]);
	close(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(marks_what_needs_attention, set_up),
		cmocka_unit_test_setup(drops_what_is_below_the_level, set_up),
		cmocka_unit_test_setup(never_lets_a_line_break_through, set_up),
		cmocka_unit_test_setup(cuts_long_lines_and_shows_it, set_up),
		cmocka_unit_test_setup(shows_the_dialogue_line_by_line, set_up),
		cmocka_unit_test_setup(
		    shortens_long_lines_of_the_dialogue, set_up),
		cmocka_unit_test_setup(says_how_much_it_left_out, set_up),
		cmocka_unit_test(knows_its_levels_by_name),
		cmocka_unit_test_setup(
		    writes_one_line_at_a_time_to_standard_error, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
