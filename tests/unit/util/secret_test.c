/* SPDX-License-Identifier: ISC */
#include "util/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
keeps_a_copy_of_any_octets(void **state)
{
	char octets[] = "p\0w\r\n";
	struct secret *s = secret_new(span_make(octets, 5));

	(void)state;
	octets[0] = 'x';
	assert_true(span_eq(secret_span(s), SPAN("p\0w\r\n")));
	secret_free(&s);
	assert_null(s);
	secret_free(&s);
}

static void
may_be_empty(void **state)
{
	struct secret *s = secret_new(span_make(NULL, 0));

	(void)state;
	assert_int_equal(secret_span(s).n, 0);
	secret_free(&s);
}

static void
refuses_what_is_above_the_maximum(void **state)
{
	static const char octets[SECRET_MAX + 1];
	struct secret *s = secret_new(span_make(octets, SECRET_MAX));

	(void)state;
	assert_non_null(s);
	assert_int_equal(secret_span(s).n, SECRET_MAX);
	secret_free(&s);
	assert_null(secret_new(span_make(octets, SECRET_MAX + 1)));
}

static void
is_the_same_by_all_its_octets(void **state)
{
	struct secret *a = secret_new(SPAN("a\0bc"));
	struct secret *same = secret_new(SPAN("a\0bc"));
	struct secret *last = secret_new(SPAN("a\0bd"));
	struct secret *longer = secret_new(SPAN("a\0bcd"));

	(void)state;
	assert_true(secret_same(a, same));
	assert_false(secret_same(a, last));
	assert_false(secret_same(a, longer));
	assert_false(secret_same(a, NULL));
	assert_false(secret_same(NULL, NULL));
	secret_free(&a);
	secret_free(&same);
	secret_free(&last);
	secret_free(&longer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_copy_of_any_octets),
		cmocka_unit_test(may_be_empty),
		cmocka_unit_test(refuses_what_is_above_the_maximum),
		cmocka_unit_test(is_the_same_by_all_its_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
