/* SPDX-License-Identifier: ISC */
#include "deliver/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
check_group(struct sync *s, size_t n)
{
	struct sync_file *files = calloc(n + 1, sizeof(*files));
	FILE *f = tmpfile();
	int pipes[2];
	size_t i;

	assert_non_null(files);
	assert_non_null(f);
	assert_int_equal(pipe(pipes), 0);
	/* every seventh cannot be made durable */
	for (i = 0; i < n; i++) {
		files[i].fd = i % 7 == 3 ? pipes[1] : fileno(f);
		files[i].error = -1;
	}
	sync_group(s, files, n);
	for (i = 0; i < n; i++)
		assert_int_equal(files[i].error, i % 7 == 3 ? EINVAL : 0);
	close(pipes[0]);
	close(pipes[1]);
	fclose(f);
	free(files);
}

static void
answers_for_each_file_alone(void **state)
{
	struct sync *s = sync_new();
	size_t n;

	(void)state;
	for (n = 0; n < 40; n++)
		check_group(s, n);
	check_group(s, 1000);
	check_group(s, 5);
	check_group(s, 300);
	sync_free(&s);
	assert_null(s);
	sync_free(&s);
}

static void
ends_without_having_had_work(void **state)
{
	struct sync *s = sync_new();

	(void)state;
	sync_free(&s);
	assert_null(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_for_each_file_alone),
		cmocka_unit_test(ends_without_having_had_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
