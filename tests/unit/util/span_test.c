/* SPDX-License-Identifier: ISC */
#include "util/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
compares_octets_and_length(void **state)
{
	(void)state;
	assert_true(span_eq(SPAN("a\0b"), SPAN("a\0b")));
	assert_false(span_eq(SPAN("a\0b"), SPAN("a\0c")));
	assert_false(span_eq(SPAN("ab"), SPAN("abc")));
	assert_false(span_eq(SPAN("ab"), SPAN("AB")));
	assert_true(span_eq(SPAN(""), span_make(NULL, 0)));
}

static void
ignores_ascii_case_only(void **state)
{
	(void)state;
	assert_true(span_ieq(SPAN("Inbox"), SPAN("INBOX")));
	assert_false(span_ieq(SPAN("@["), SPAN("`{")));
	assert_false(span_ieq(SPAN("\xc4"), SPAN("\xe4")));
	assert_false(span_ieq(SPAN("in"), SPAN("INB")));
}

static void
makes_spans_of_strings(void **state)
{
	(void)state;
	assert_true(span_eq(span_of("abc"), SPAN("abc")));
	assert_int_equal(span_of(NULL).n, 0);
}

static void
skips_a_prefix_or_nothing(void **state)
{
	struct span s = SPAN("* OK done");

	(void)state;
	assert_false(span_skip(&s, SPAN("* NO")));
	assert_false(span_skip(&s, SPAN("* OK done and more")));
	assert_int_equal(s.n, 9);
	assert_true(span_skip(&s, SPAN("* ")));
	assert_false(span_skip(&s, SPAN("ok")));
	assert_true(span_iskip(&s, SPAN("ok ")));
	assert_true(span_eq(s, SPAN("done")));
	assert_true(span_skip(&s, SPAN("done")));
	assert_true(span_skip(&s, SPAN("")));
	assert_false(span_iskip(&s, SPAN("x")));
}

static void
takes_at_most_what_is_there(void **state)
{
	struct span s = SPAN("abcdef"), none = { NULL, 0 };

	(void)state;
	assert_true(span_eq(span_take(&s, 2), SPAN("ab")));
	assert_true(span_eq(span_take(&s, 100), SPAN("cdef")));
	assert_int_equal(span_take(&s, 1).n, 0);
	assert_int_equal(span_take(&none, 5).n, 0);
}

static void
cuts_at_a_character_and_drops_it(void **state)
{
	struct span s = SPAN("a b  c");

	(void)state;
	assert_true(span_eq(span_until(&s, ' '), SPAN("a")));
	assert_true(span_eq(span_until(&s, ' '), SPAN("b")));
	assert_true(span_eq(span_until(&s, ' '), SPAN("")));
	assert_true(span_eq(span_until(&s, ' '), SPAN("c")));
	assert_int_equal(s.n, 0);
	assert_int_equal(span_until(&s, ' ').n, 0);
}

static void
finds_characters_and_words(void **state)
{
	struct span none = { NULL, 0 };

	(void)state;
	assert_int_equal(span_find(SPAN("abcb"), 'b'), 1);
	assert_int_equal(span_find(SPAN("abc"), 'x'), 3);
	assert_int_equal(span_find(SPAN("a\0b"), '\0'), 1);
	assert_int_equal(span_find(none, 'x'), 0);
	assert_true(span_has(SPAN("the UID is"), SPAN("UID")));
	assert_false(span_has(SPAN("the UID is"), SPAN("uid")));
	assert_true(span_has(none, SPAN("")));
	assert_false(span_has(SPAN("UI"), SPAN("UID")));
	assert_true(span_ihas(SPAN("the UID is"), SPAN("uid IS")));
	assert_false(span_ihas(SPAN("the UID i"), SPAN("uid is")));
	assert_true(span_ihas(none, SPAN("")));
	assert_false(span_ihas(none, SPAN("x")));
}

static void
trims_blanks_at_both_ends(void **state)
{
	(void)state;
	assert_true(span_eq(span_trim(SPAN(" \ta b\r\n")), SPAN("a b")));
	assert_int_equal(span_trim(SPAN(" \r\n\t ")).n, 0);
	assert_true(span_eq(span_trim(SPAN("\0 ")), SPAN("\0")));
	assert_int_equal(span_trim(span_make(NULL, 0)).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_octets_and_length),
		cmocka_unit_test(ignores_ascii_case_only),
		cmocka_unit_test(makes_spans_of_strings),
		cmocka_unit_test(skips_a_prefix_or_nothing),
		cmocka_unit_test(takes_at_most_what_is_there),
		cmocka_unit_test(cuts_at_a_character_and_drops_it),
		cmocka_unit_test(finds_characters_and_words),
		cmocka_unit_test(trims_blanks_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
