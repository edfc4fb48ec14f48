/* SPDX-License-Identifier: ISC */
#include "conf/conf_include.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf_list.h"
#include "unit/conf/tmp.h"

static struct conf_list
paths(const char *file, const char *wanted, char ***errors, size_t *n)
{
	struct conf_place at = { .path = file, .line = 7 };
	struct conf_list l = { 0 };
	struct conf_report r;

	conf_report_init(&r);
	conf_include_paths(&l, wanted, at, &r);
	*errors = conf_report_take(&r, n);
	return l;
}

static void
expect_path(const char *file, const char *wanted, const char *path)
{
	char **errors;
	size_t n;
	struct conf_list l = paths(file, wanted, &errors, &n);

	assert_int_equal(n, 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0], path);
	conf_list_free(&l);
	conf_errors_free(&errors, &n);
}

static void
looks_beside_the_file_that_includes(void **state)
{
	(void)state;
	setenv("HOME", "/home/alice", 1);
	expect_path("/etc/mailhaul/mailhaul.conf", "more.conf",
	    "/etc/mailhaul/more.conf");
	expect_path("mailhaul.conf", "more.conf", "more.conf");
	expect_path("a/b", "../c", "a/../c");
	expect_path("a/b", "/c", "/c");
	expect_path("a/b", "~/c", "/home/alice/c");
}

static void
sorts_what_a_pattern_matches(void **state)
{
	char **errors;
	struct conf_list l;
	size_t n;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	tmp_write("d/2.conf", 0600, "");
	tmp_write("d/1.conf", 0600, "");
	tmp_write("d/1.conf~", 0600, "");
	l = paths("d/main", "*.conf", &errors, &n);
	assert_int_equal(n, 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0], "d/1.conf");
	assert_string_equal(l.v[1], "d/2.conf");
	conf_list_free(&l);
	conf_errors_free(&errors, &n);
}

static void
lets_a_pattern_match_nothing(void **state)
{
	char **errors;
	size_t n;
	struct conf_list l = paths("f", "*.none", &errors, &n);

	(void)state;
	assert_int_equal(l.n, 0);
	assert_int_equal(n, 0);
	conf_errors_free(&errors, &n);
}

static void
tells_a_directory_that_is_not_there(void **state)
{
	char **errors;
	size_t n;
	struct conf_list l = paths("f", "none.d/*.conf", &errors, &n);

	(void)state;
	assert_int_equal(l.n, 0);
	assert_int_equal(n, 1);
	assert_string_equal(errors[0],
	    "f:7: none.d/*.conf: cannot be searched: is the directory there "
	    "and readable?");
	conf_errors_free(&errors, &n);
}

static void
tells_a_home_directory_it_cannot_find(void **state)
{
	char **errors;
	size_t n;
	struct conf_list l = paths("f", "~bob/x", &errors, &n);

	(void)state;
	assert_int_equal(l.n, 0);
	assert_int_equal(n, 1);
	assert_string_equal(errors[0],
	    "f:7: ~bob/x: ~bob/x: only \"~\" and \"~/\" are understood");
	conf_errors_free(&errors, &n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_beside_the_file_that_includes),
		cmocka_unit_test(sorts_what_a_pattern_matches),
		cmocka_unit_test(lets_a_pattern_match_nothing),
		cmocka_unit_test(tells_a_directory_that_is_not_there),
		cmocka_unit_test(tells_a_home_directory_it_cannot_find),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
