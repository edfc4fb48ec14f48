/* SPDX-License-Identifier: ISC */
#include "proc/state_lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/mem.h"

static char *dir;  /* a new one */
static char *deep; /* in it, not there yet */

static int
set_up(void **state)
{
	(void)state;
	dir = mem_strdup("/tmp/mailhaul-lock-XXXXXX");
	assert_non_null(mkdtemp(dir));
	deep = mem_printf("%s/state", dir);
	return 0;
}

static int
tear_down(void **state)
{
	char *lock = mem_printf("%s/lock", deep);

	(void)state;
	(void)unlink(lock);
	(void)rmdir(deep);
	(void)rmdir(dir);
	free(lock);
	free(deep);
	free(dir);
	return 0;
}

static void
makes_a_directory_of_our_own(void **state)
{
	struct stat st;
	struct err e;
	int fd = state_lock(deep, &e);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(fd);
}

static void
says_that_another_works_there(void **state)
{
	struct err e;
	int fd = state_lock(deep, &e);

	(void)state;
	assert_int_equal(state_lock(deep, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	assert_non_null(strstr(e.text, "another mailhaul works on "));
	close(fd);
	fd = state_lock(deep, &e);
	assert_true(fd >= 0);
	close(fd);
}

static void
a_directory_that_cannot_be_is_not_busy(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(state_lock("/dev/null/x", &e), -1);
	assert_int_not_equal(e.kind, ERR_LOCKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    makes_a_directory_of_our_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    says_that_another_works_there, set_up, tear_down),
		cmocka_unit_test(a_directory_that_cannot_be_is_not_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
