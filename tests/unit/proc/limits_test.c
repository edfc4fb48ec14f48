/* SPDX-License-Identifier: ISC */
#include "proc/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static void
raises_the_number_of_files_to_what_the_system_allows(void **state)
{
	struct rlimit r;
	rlim_t most;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	most = r.rlim_max;
	r.rlim_cur = most < 64 ? most : 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	limits_raise_files();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	assert_true(r.rlim_cur == most);
	assert_true(r.rlim_max == most);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    raises_the_number_of_files_to_what_the_system_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
