/* SPDX-License-Identifier: ISC */
#include "conf/conf_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "util/mem.h"

/* The washed text, and the errors as "line,line,"; the caller frees both. */
static char *
wash(struct span in, char **lines)
{
	struct conf_place at = { "f", 0, 1 };
	struct conf_report r;
	struct conf_scan s;
	struct buf b;
	char *text;
	size_t i;

	conf_report_init(&r);
	conf_scan_init(&s);
	conf_scan(&s, in, at, &r);
	text = mem_spandup(buf_span(&s.text));
	conf_scan_deinit(&s);
	buf_init(&b, 4096);
	for (i = 0; i < r.n; i++)
		buf_printf(&b, "%u,", r.v[i].line);
	*lines = mem_spandup(buf_span(&b));
	buf_deinit(&b);
	conf_report_deinit(&r);
	return text;
}

static void
expect(struct span in, const char *want, const char *want_lines)
{
	char *lines, *text = wash(in, &lines);

	assert_string_equal(text, want);
	assert_string_equal(lines, want_lines);
	free(lines);
	free(text);
}

static void
takes_comments_out_and_keeps_the_lines(void **state)
{
	(void)state;
	expect(SPAN("# x\n#\na = 1 // y\n/* z\n\n*/ b = 2 # q"),
	    "\n\na = 1 \n \n\n b = 2 ", "");
	expect(SPAN("a = http://h/x#y\n//\n"), "a = http://h/x\n\n", "");
	expect(
	    SPAN("a = \"# // /*\" '# // /*'"), "a = \"# // /*\" '# // /*'", "");
	expect(SPAN("a\n/* b\n"), "a\n \n", "2,");
	expect(SPAN(""), "\n", "");
	expect(SPAN("\xef\xbb\xbf"
		    "a\r\nb"),
	    "a \nb", "");
}

static void
lets_no_variable_in(void **state)
{
	(void)state;
	expect(SPAN("a = \"${x}$y\""), "a = \"\\${x}\\$y\"", "");
	expect(SPAN("a = '${x}'"), "a = '${x}'", "");
	expect(SPAN("a = x$y"), "a = x$y", "");
	expect(SPAN("a = x${y}z ${q"), "a = x_z _", "1,1,");
}

static void
ends_quotes_on_their_line(void **state)
{
	(void)state;
	expect(SPAN("a = \"x\nb = 'y\n\"z"), "a = \"x\"\nb = 'y'\n\"z\"",
	    "1,2,3,");
	expect(SPAN("\"x\\\n'y\\\n"), "\"x\"\n'y\\\\'\n", "1,2,");
	expect(SPAN("\"x\\"), "\"x\"", "1,");
	expect(SPAN("'x\\"), "'x\\\\'", "1,");
	expect(SPAN("'x\\'y\\\\' z"), "'x\\'y\\\\' z", "");
	expect(SPAN("\"x\\\"y\\\\\" z"), "\"x\\\"y\\\\\" z", "");
}

static void
refuses_escapes_that_would_end_the_parser_or_the_text(void **state)
{
	(void)state;
	expect(
	    SPAN("\"\\1\\12\\377\\x41\\xg\""), "\"\\1\\12\\377\\x41\\xg\"", "");
	expect(SPAN("\"\\400 \\8 \\19 \\1234 \\0 \\000\""), "\"_ _ _ _ _ _\"",
	    "1,1,1,1,1,1,");
	expect(SPAN("\"\\x0 \\x00 \\x0a\""), "\"_ _ \\x0a\"", "1,1,");
	expect(
	    SPAN("\"a\0b\" 'a\0b' \"\\\0\""), "\"a_b\" 'a_b' \"_\"", "1,1,1,");
}

static void
refuses_what_the_parser_drops_silently(void **state)
{
	(void)state;
	expect(SPAN("a = Lists/*\nb = *"), "a = Lists/_\nb = _", "1,2,");
	expect(SPAN("a += b\nc + d"), "a += b\nc _ d", "2,");
	expect(SPAN("a\0b\n\033"), "a_b\n_", "1,2,");
}

static void
tells_empty_lists_and_open_sections(void **state)
{
	(void)state;
	expect(SPAN("a = {}\na { }\n"), "a = {}\na { }\n", "1,");
	expect(SPAN("\na {\nb = { c }\n"), "\na {\nb = { c }\n", "2,");
	expect(SPAN("a { b = { c } }\n} }"), "a { b = { c } }\n} }", "");
}

static void
notes_where_sections_begin(void **state)
{
	struct conf_place at = { "f", 0, 1 };
	struct conf_report r;
	struct conf_scan s;

	(void)state;
	conf_report_init(&r);
	conf_scan_init(&s);
	conf_scan(
	    &s, SPAN("x = {1}\ndefaults {\n}\n\naccount a\n{ }\n"), at, &r);
	assert_int_equal(s.n_sections, 2);
	assert_int_equal(s.section_lines[0], 2);
	assert_int_equal(s.section_lines[1], 5);
	conf_scan_deinit(&s);
	conf_report_deinit(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_comments_out_and_keeps_the_lines),
		cmocka_unit_test(lets_no_variable_in),
		cmocka_unit_test(ends_quotes_on_their_line),
		cmocka_unit_test(
		    refuses_escapes_that_would_end_the_parser_or_the_text),
		cmocka_unit_test(refuses_what_the_parser_drops_silently),
		cmocka_unit_test(tells_empty_lists_and_open_sections),
		cmocka_unit_test(notes_where_sections_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
