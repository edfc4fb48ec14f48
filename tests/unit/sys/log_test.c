/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/log_journal.h"

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

/* ---- what is written to standard error ---- */

static int ends[2], old;
static char got[8192];

/* Packets keep the boundaries of each write(2). */
static int
set_up_pipe(void **state)
{
	set_up(state);
	log_set_sink(NULL);
	assert_int_equal(pipe2(ends, O_DIRECT | O_NONBLOCK), 0);
	old = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	return 0;
}

static int
tear_down_pipe(void **state)
{
	(void)state;
	log_set_format(LOG_TEXT);
	unsetenv("JOURNAL_STREAM");
	dup2(old, STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	close(old);
	return 0;
}

/* What came in one write, or "". */
static const char *
next_write(void)
{
	ssize_t n = read(ends[0], got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void
writes_one_line_at_a_time_to_standard_error(void **state)
{
	(void)state;
	log_notice("work", "first");
	log_error("work", "second");
	assert_string_equal(next_write(), "work: first\n");
	assert_string_equal(next_write(), "work: error: second\n");
	assert_string_equal(next_write(), "");
}

static const struct log_field fields[] = { { "account", "work" },
	{ "uid", "7" } };

static void
a_record_says_its_words_alone_as_text(void **state)
{
	(void)state;
	log_record(LOG_LEVEL_INFO, "work", fields, 2, "delivered %d", 7);
	log_record(LOG_LEVEL_DEBUG, "work", fields, 2, "dropped");
	assert_string_equal(next_write(), "work: delivered 7\n");
	assert_string_equal(next_write(), "");
}

static void
puts_the_priority_in_front_for_the_journal(void **state)
{
	static const char *const want[] = { "<3>w: error: m\n",
		"<4>w: warning: m\n", "<5>w: m\n", "<6>w: m\n", "<7>w: m\n",
		"<7>w: m\n" };

	(void)state;
	log_set_format(LOG_JOURNAL);
	log_set_level(LOG_LEVEL_TRACE);
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_TRACE; i++) {
		log_record((enum log_level)i, "w", fields, 2, "m");
		assert_string_equal(next_write(), want[i]);
	}
}

static void
writes_an_object_with_the_fields_as_json(void **state)
{
	const char *line;

	(void)state;
	log_set_format(LOG_JSON);
	log_record(LOG_LEVEL_WARNING, "w\n", fields, 2, "\"%s\"", "\x1b");
	line = next_write();
	assert_int_equal(strncmp(line, "{\"time\":\"2", 10), 0);
	assert_non_null(strstr(line,
	    "\"level\":\"warning\",\"subject\":\"w\\\\x0A\","
	    "\"message\":\"\\\"\\\\x1B\\\"\","
	    "\"account\":\"work\",\"uid\":\"7\"}\n"));
	assert_string_equal(next_write(), "");
}

static void
keeps_sixteen_fields(void **state)
{
	static const char names[17][2] = { "a", "b", "c", "d", "e", "f", "g",
		"h", "i", "j", "k", "l", "m", "n", "o", "p", "q" };
	struct log_field many[17];

	(void)state;
	for (size_t i = 0; i < 17; i++)
		many[i] =
		    (struct log_field){ names[i], i == 16 ? "17th" : "y" };
	log_set_format(LOG_JSON);
	log_record(LOG_LEVEL_INFO, "w", many, 17, "m");
	assert_null(strstr(next_write(), "17th"));
	many[15].value = "16th";
	log_record(LOG_LEVEL_INFO, "w", many, 17, "m");
	assert_non_null(strstr(next_write(), "16th"));
}

static void
name_our_end_as_that_of_the_journal(void)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void
finds_out_by_itself_whether_the_journal_reads(void **state)
{
	(void)state;
	log_set_format(LOG_AUTO);
	log_error("w", "m");
	assert_string_equal(next_write(), "w: error: m\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_set_format(LOG_AUTO);
	log_error("w", "m");
	assert_string_equal(next_write(), "w: error: m\n");
	name_our_end_as_that_of_the_journal();
	log_set_format(LOG_AUTO);
	log_journal_close(); /* a real one shall not get it */
	log_error("w", "m");
	assert_string_equal(next_write(), "<3>w: error: m\n");
}

static void
a_sink_gets_text_whatever_the_format(void **state)
{
	(void)state;
	log_set_sink(note);
	log_set_format(LOG_JSON);
	log_record(LOG_LEVEL_ERROR, "w", fields, 2, "m");
	assert_int_equal(n_lines, 1);
	assert_string_equal(lines[0], "w: error: m");
	assert_string_equal(next_write(), "");
}

/* ---- what children write ---- */

/* As its parent gets it. */
static struct span
childs_line(enum log_level level, const char *subject, const char *text)
{
	struct span line;

	log_set_format(LOG_RELAY);
	log_record(level, subject, fields, 2, "%s", text);
	line = span_of(next_write());
	assert_int_equal(span_find(line, '\n'), line.n - 1);
	line.n--;
	return line;
}

static void
a_childs_line_is_logged_as_our_own(void **state)
{
	struct span line = childs_line(LOG_LEVEL_ERROR, "work", "no\n: way");

	(void)state;
	log_set_format(LOG_TEXT);
	log_relay("engine", line);
	assert_string_equal(next_write(), "work: error: no\\x0A: way\n");
	line = childs_line(LOG_LEVEL_ERROR, "work", "no");
	log_set_format(LOG_JOURNAL);
	log_relay("engine", line);
	assert_string_equal(next_write(), "<3>work: error: no\n");
}

static void
a_childs_fields_reach_the_log(void **state)
{
	struct span line = childs_line(LOG_LEVEL_INFO, "work", "got");

	(void)state;
	log_set_format(LOG_JSON);
	log_relay("engine", line);
	assert_non_null(strstr(next_write(),
	    "\"level\":\"info\",\"subject\":\"work\",\"message\":\"got\","
	    "\"account\":\"work\",\"uid\":\"7\"}\n"));
}

static void
a_childs_level_has_chosen(void **state)
{
	struct span line;

	(void)state;
	log_set_level(LOG_LEVEL_TRACE);
	line = childs_line(LOG_LEVEL_TRACE, "work", "S: * OK");
	log_set_level(LOG_LEVEL_ERROR);
	log_set_format(LOG_TEXT);
	log_relay("engine", line);
	assert_string_equal(next_write(), "work: S: * OK\n");
}

static void
other_words_of_a_child_are_a_warning(void **state)
{
	(void)state;
	log_relay("engine", SPAN("<0>free(): invalid pointer"));
	log_relay("engine", SPAN(""));
	assert_string_equal(
	    next_write(), "engine: warning: <0>free(): invalid pointer\n");
	assert_string_equal(next_write(), "");
}

/* It may be what a server made of it. */
static void
a_hostile_child_cannot_forge_a_second_line(void **state)
{
	(void)state;
	log_set_format(LOG_JOURNAL);
	log_relay("engine",
	    SPAN("\x1e"
		 "0a\r\x1b\x1f"
		 "b\n<0>c\x1fx=\n<0>d"));
	assert_string_equal(
	    next_write(), "<3>a\\x0D\\x1B: error: b\\x0A<0>c\n");
	log_set_format(LOG_JSON);
	log_relay("engine",
	    SPAN("\x1e"
		 "3a\x1f"
		 "b\x1fx=\n\"d\x1f\"y=1"));
	assert_non_null(strstr(next_write(), ",\"x\":\"\\\\x0A\\\"d\"}\n"));
}

#define PIPE(f) cmocka_unit_test_setup_teardown(f, set_up_pipe, tear_down_pipe)

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
		PIPE(writes_one_line_at_a_time_to_standard_error),
		PIPE(a_record_says_its_words_alone_as_text),
		PIPE(puts_the_priority_in_front_for_the_journal),
		PIPE(writes_an_object_with_the_fields_as_json),
		PIPE(keeps_sixteen_fields),
		PIPE(finds_out_by_itself_whether_the_journal_reads),
		PIPE(a_sink_gets_text_whatever_the_format),
		PIPE(a_childs_line_is_logged_as_our_own),
		PIPE(a_childs_fields_reach_the_log),
		PIPE(a_childs_level_has_chosen),
		PIPE(other_words_of_a_child_are_a_warning),
		PIPE(a_hostile_child_cannot_forge_a_second_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
