/* SPDX-License-Identifier: ISC */
#include "conf/conf_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
ends_in_null_as_an_argv(void **state)
{
	struct conf_list l = { 0 };

	(void)state;
	conf_list_add(&l, "a");
	conf_list_add(&l, "");
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0], "a");
	assert_string_equal(l.v[1], "");
	assert_null(l.v[2]);
	conf_list_free(&l);
	assert_int_equal(l.n, 0);
	assert_null(l.v);
	conf_list_free(&l);
}

static void
copies_over_what_was_there(void **state)
{
	struct conf_list from = { 0 }, to = { 0 };

	(void)state;
	conf_list_add(&to, "old");
	conf_list_add(&from, "x");
	conf_list_add(&from, "y");
	conf_list_copy(&to, &from);
	conf_list_free(&from);
	assert_int_equal(to.n, 2);
	assert_string_equal(to.v[1], "y");
	conf_list_free(&to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_in_null_as_an_argv),
		cmocka_unit_test(copies_over_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
