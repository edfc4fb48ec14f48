/* SPDX-License-Identifier: ISC */
#include "sys/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static void
allow(rlim_t files)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = files < r.rlim_max ? files : r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
}

static void
takes_a_quarter_within_bounds(void **state)
{
	(void)state;
	allow(800);
	assert_int_equal(limit_files(1000), 200);
	assert_int_equal(limit_files(150), 150);
	allow(12);
	assert_int_equal(limit_files(1000), LIMIT_FILES_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_quarter_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
