/* SPDX-License-Identifier: ISC */
#include "session/wire_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sys/log.h"

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
use(const char *text, size_t n, bool body)
{
	struct span before = span_of(text);
	struct span after = before;

	span_take(&after, n);
	wire_log_heard("acc", before, after, body);
}

static void
shows_what_was_used_line_by_line(void **state)
{
	(void)state;
	use("* OK hi\r\n+ go\r\nlater", 15, false);
	assert_string_equal(told, "acc: S: * OK hi\nacc: S: + go\n");
}

static void
shows_no_octet_of_a_message(void **state)
{
	(void)state;
	use("Subject: private\r\n", 18, true);
	assert_string_equal(told, "");
}

static void
is_silent_when_nothing_was_used(void **state)
{
	(void)state;
	use("* OK hi\r\n", 0, false);
	use("", 0, false);
	assert_string_equal(told, "");
}

static void
is_silent_below_trace(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	use("* OK hi\r\n", 9, false);
	assert_string_equal(told, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    shows_what_was_used_line_by_line, set_up),
		cmocka_unit_test_setup(shows_no_octet_of_a_message, set_up),
		cmocka_unit_test_setup(is_silent_when_nothing_was_used, set_up),
		cmocka_unit_test_setup(is_silent_below_trace, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
