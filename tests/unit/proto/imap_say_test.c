/* SPDX-License-Identifier: ISC */
#include "proto/imap_say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
numbers_commands_and_remembers_them(void **state)
{
	struct imap_say s;

	(void)state;
	imap_say_init(&s);
	assert_int_equal(imap_say_command(&s, IMAP_VERB_NOOP, SPAN("NOOP")), 1);
	assert_int_equal(imap_say_begin(&s, IMAP_VERB_LOGIN), 2);
	assert_true(span_eq(buf_span(&s.out), SPAN("A1 NOOP\r\nA2 ")));
	assert_int_equal(
	    imap_flight_oldest(&s.flight, IMAP_VERB_LOGIN)->tag, 2);
	assert_int_equal(s.flight.n, 2);
	imap_say_deinit(&s);
}

static void
knows_how_far_a_secret_reaches(void **state)
{
	struct imap_say s;

	(void)state;
	imap_say_init(&s);
	imap_say_command(&s, IMAP_VERB_LOGIN, SPAN("LOGIN x"));
	imap_say_secret(&s);
	imap_say_command(&s, IMAP_VERB_NOOP, SPAN("NOOP"));
	assert_int_equal(s.secret, 12);
	imap_say_sent(&s, 11);
	assert_int_equal(s.secret, 1);
	imap_say_sent(&s, 5);
	assert_int_equal(s.secret, 0);
	assert_int_equal(s.out.n, 5);
	imap_say_sent(&s, 5);
	imap_say_command(&s, IMAP_VERB_LOGIN, SPAN("LOGIN x"));
	imap_say_secret(&s);
	imap_say_sent(&s, s.out.n);
	assert_null(s.out.mem); /* wiped */
	imap_say_command(&s, IMAP_VERB_LOGIN, SPAN("LOGIN x"));
	imap_say_secret(&s);
	imap_say_nothing(&s);
	assert_int_equal(s.secret, 0);
	assert_int_equal(s.out.n, 0);
	imap_say_deinit(&s);
}

static void
says_when_a_command_does_not_fit(void **state)
{
	struct imap_say s;
	size_t n = 17 << 20;
	char *large = calloc(1, n);

	(void)state;
	imap_say_init(&s);
	imap_say_command(&s, IMAP_VERB_NOOP, SPAN("NOOP"));
	assert_false(s.full);
	imap_say_command(&s, IMAP_VERB_NOOP, span_make(large, n));
	assert_true(s.full);
	imap_say_deinit(&s);
	free(large);
}

static void
keeps_no_memory_when_all_is_sent(void **state)
{
	struct imap_say s;

	(void)state;
	imap_say_init(&s);
	imap_say_command(&s, IMAP_VERB_NOOP, SPAN("NOOP"));
	imap_say_sent(&s, 3);
	imap_say_rest(&s);
	assert_true(span_eq(buf_span(&s.out), SPAN("NOOP\r\n")));
	imap_say_sent(&s, 6);
	imap_say_rest(&s);
	assert_null(s.out.mem);
	imap_say_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_commands_and_remembers_them),
		cmocka_unit_test(knows_how_far_a_secret_reaches),
		cmocka_unit_test(says_when_a_command_does_not_fit),
		cmocka_unit_test(keeps_no_memory_when_all_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
