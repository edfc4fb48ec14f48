/* SPDX-License-Identifier: ISC */
#include "session/wire_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sys/log.h"
#include "util/mem.h"

static char told[1024];

static void
on_line(enum log_level level, const char *line)
{
	size_t at = strlen(told);

	assert_int_equal(level, LOG_LEVEL_TRACE);
	snprintf(told + at, sizeof(told) - at, "%s\n", line);
}

static int
set_up(void **state)
{
	(void)state;
	told[0] = '\0';
	log_set_sink(on_line);
	log_set_level(LOG_LEVEL_TRACE);
	return 0;
}

/* The step used so many octets of the text. */
static void
use(struct wire_log *w, const char *text, size_t n, bool body)
{
	struct span before = span_of(text);
	struct span after = before;

	span_take(&after, n);
	wire_log_heard(w, before, after, body);
}

static struct wire_log *
begin(void)
{
	struct secret *secret = secret_new(SPAN("p\"w"));
	struct wire_log *w = wire_log_new("acc", "bob", secret);

	secret_free(&secret);
	return w;
}

/* What a text of one step leads to, and its end. */
static void
expect(const char *text, size_t n, bool body, const char *want)
{
	struct wire_log *w = begin();

	use(w, text, n, body);
	wire_log_free(&w);
	assert_null(w);
	assert_string_equal(told, want);
}

static void
shows_what_was_used_line_by_line(void **state)
{
	(void)state;
	expect("* OK hi\r\n+ go\r\nlater", 15, false,
	    "acc: S: * OK hi\nacc: S: + go\n");
}

static void
puts_the_pieces_of_a_line_together(void **state)
{
	struct wire_log *w = begin();

	(void)state;
	use(w, "* 1 FETCH (BODY[] {1", 20, false);
	use(w, "}\r", 2, false);
	assert_string_equal(told, "");
	use(w, "\n", 1, false);
	assert_string_equal(told, "acc: S: * 1 FETCH (BODY[] {1}\n");
	use(w, "x", 1, true);
	use(w, ")", 1, false);
	wire_log_free(&w);
	assert_string_equal(told, "acc: S: * 1 FETCH (BODY[] {1}\nacc: S: )\n");
	wire_log_free(&w);
}

static void
shows_no_line_that_repeats_the_credential(void **state)
{
	static const char said[] = "* BYE LOGIN \"bob\" \"p\\\"w\"\r\n"
				   "-ERR AGJvYgBwInc=\r\n+OK\r\n";

	(void)state;
	for (size_t cut = 0; cut < sizeof(said); cut++) {
		struct wire_log *w = begin();

		told[0] = '\0';
		use(w, said, cut, false);
		use(w, said + cut, sizeof(said) - 1 - cut, false);
		wire_log_free(&w);
		assert_string_equal(told,
		    "acc: S: (credentials)\nacc: S: (credentials)\n"
		    "acc: S: +OK\n");
	}
}

static void
survives_a_line_without_an_end(void **state)
{
	char *text = mem_new(100001);
	struct wire_log *w = begin();

	(void)state;
	memset(text, 'x', 100000);
	use(w, text, 100000, false);
	use(w, text, 100000, false);
	assert_string_equal(told, "");
	use(w, "\r\n+OK\r\n", 7, false);
	wire_log_free(&w);
	assert_non_null(strstr(told, "octets more)\nacc: S: +OK\n"));
	free(text);
}

static void
shows_no_octet_of_a_message(void **state)
{
	(void)state;
	expect("Subject: private\r\n", 18, true, "");
}

static void
shows_all_where_there_is_no_credential(void **state)
{
	struct wire_log *w = wire_log_new("acc", NULL, NULL);

	(void)state;
	use(w, "220 hi\r\n250 bob\r\n", 17, false);
	wire_log_free(&w);
	assert_string_equal(told, "acc: S: 220 hi\nacc: S: 250 bob\n");
}

static void
is_silent_when_nothing_was_used(void **state)
{
	(void)state;
	expect("* OK hi\r\n", 0, false, "");
	expect("", 0, false, "");
}

static void
is_silent_below_trace(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	expect("* OK hi\r\n", 9, false, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    shows_what_was_used_line_by_line, set_up),
		cmocka_unit_test_setup(
		    puts_the_pieces_of_a_line_together, set_up),
		cmocka_unit_test_setup(
		    shows_no_line_that_repeats_the_credential, set_up),
		cmocka_unit_test_setup(survives_a_line_without_an_end, set_up),
		cmocka_unit_test_setup(shows_no_octet_of_a_message, set_up),
		cmocka_unit_test_setup(
		    shows_all_where_there_is_no_credential, set_up),
		cmocka_unit_test_setup(is_silent_when_nothing_was_used, set_up),
		cmocka_unit_test_setup(is_silent_below_trace, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
