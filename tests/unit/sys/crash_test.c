/* SPDX-License-Identifier: ISC */
#include "sys/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passes a, b, a, b in a child; how it ended. */
static int
pass_four_points(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		crash_point("a.one");
		crash_point("b.two");
		crash_point("a.three");
		crash_point("b.four");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The lines of the record, as one string. */
static void
recorded(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
	unlink(path);
}

#ifdef MAILHAUL_CRASH_POINTS

static void
kills_at_the_numbered_point(void **state)
{
	char path[] = "/tmp/mailhaul-crash-XXXXXX", text[100];

	(void)state;
	close(mkstemp(path));
	setenv("MAILHAUL_POINTS", path, 1);
	setenv("MAILHAUL_DIE_AT", "3", 1);
	assert_int_equal(WTERMSIG(pass_four_points()), SIGKILL);
	recorded(path, text, sizeof(text));
	assert_string_equal(text, "a.one\nb.two\na.three\n");
	unsetenv("MAILHAUL_POINTS");

	setenv("MAILHAUL_DIE_AT", "4", 1);
	assert_true(WIFSIGNALED(pass_four_points()));
	setenv("MAILHAUL_DIE_AT", "5", 1);
	assert_int_equal(pass_four_points(), 0);
	setenv("MAILHAUL_DIE_AT", "1x", 1);
	assert_int_equal(pass_four_points(), 0);
	unsetenv("MAILHAUL_DIE_AT");
}

static void
counts_only_the_points_asked_for(void **state)
{
	char path[] = "/tmp/mailhaul-crash-XXXXXX", text[100];

	(void)state;
	close(mkstemp(path));
	setenv("MAILHAUL_POINTS", path, 1);
	setenv("MAILHAUL_DIE_IN", "b.", 1);
	setenv("MAILHAUL_DIE_AT", "2", 1);
	assert_true(WIFSIGNALED(pass_four_points()));
	recorded(path, text, sizeof(text));
	assert_string_equal(text, "a.one\nb.two\na.three\nb.four\n");
	setenv("MAILHAUL_DIE_AT", "3", 1);
	assert_int_equal(pass_four_points(), 0);
	unlink(path);
	unsetenv("MAILHAUL_POINTS");
	unsetenv("MAILHAUL_DIE_IN");
	unsetenv("MAILHAUL_DIE_AT");
}

#else

static void
is_nothing_in_a_release(void **state)
{
	char path[] = "/tmp/mailhaul-crash-XXXXXX", text[100];

	(void)state;
	close(mkstemp(path));
	setenv("MAILHAUL_POINTS", path, 1);
	setenv("MAILHAUL_DIE_AT", "1", 1);
	assert_int_equal(pass_four_points(), 0);
	recorded(path, text, sizeof(text));
	assert_string_equal(text, "");
}

#endif

static void
does_nothing_unasked(void **state)
{
	(void)state;
	unsetenv("MAILHAUL_POINTS");
	unsetenv("MAILHAUL_DIE_AT");
	assert_int_equal(pass_four_points(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef MAILHAUL_CRASH_POINTS
		cmocka_unit_test(kills_at_the_numbered_point),
		cmocka_unit_test(counts_only_the_points_asked_for),
#else
		cmocka_unit_test(is_nothing_in_a_release),
#endif
		cmocka_unit_test(does_nothing_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
