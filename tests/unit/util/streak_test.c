/* SPDX-License-Identifier: ISC */
#include "util/streak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
counts_the_same_words_in_a_row(void **state)
{
	struct streak s = { 0 };

	(void)state;
	for (unsigned int i = 1; i <= STREAK_LONG; i++)
		assert_int_equal(streak_add(&s, "exited with 75"), i);
	assert_int_equal(streak_add(&s, "exited with 1"), 1);
	assert_int_equal(streak_add(&s, "exited with 75"), 1);
}

/* What stands behind is about the single message. */
static void
compares_up_to_a_colon_or_an_angle_bracket(void **state)
{
	struct streak s = { 0 };

	(void)state;
	assert_int_equal(streak_add(&s, "no user: bob"), 1);
	assert_int_equal(streak_add(&s, "no user: al"), 2);
	assert_int_equal(streak_add(&s, "no user"), 3);
	assert_int_equal(streak_add(&s, "no user<al@b>"), 4);
	assert_int_equal(streak_add(&s, "no user <al@b>"), 1);
	assert_int_equal(streak_add(&s, ""), 1);
	assert_int_equal(streak_add(&s, ": x"), 2);
}

static void
compares_no_more_than_it_keeps(void **state)
{
	struct streak s = { 0 };
	char a[4 * STREAK_OCTETS], b[4 * STREAK_OCTETS];

	(void)state;
	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	b[STREAK_OCTETS] = 'y';
	assert_int_equal(streak_add(&s, a), 1);
	assert_int_equal(streak_add(&s, b), 2);
	b[STREAK_OCTETS - 2] = 'y';
	assert_int_equal(streak_add(&s, b), 1);
}

static void
begins_anew_after_its_end(void **state)
{
	struct streak s = { 0 };

	(void)state;
	streak_add(&s, "no");
	streak_add(&s, "no");
	streak_end(&s);
	assert_int_equal(streak_add(&s, "no"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_the_same_words_in_a_row),
		cmocka_unit_test(compares_up_to_a_colon_or_an_angle_bracket),
		cmocka_unit_test(compares_no_more_than_it_keeps),
		cmocka_unit_test(begins_anew_after_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
