/* SPDX-License-Identifier: ISC */
#include "deliver/twins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct twins t;
static struct job_account a, b;

static int
setup(void **state)
{
	(void)state;
	twins_init(&t);
	a = b = (struct job_account){ .number = 1 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	twins_deinit(&t);
	return 0;
}

static struct job *
job(struct job_account *account, int64_t box, uint32_t number)
{
	struct job *j = job_of(account, JOB_ASK);

	j->commit.entry.box = box;
	j->commit.entry.number = number;
	return j;
}

static void
lets_what_is_different_go(void **state)
{
	struct job *j[] = { job(&a, 1, 1), job(&a, 1, 2), job(&a, 2, 1),
		job(&b, 1, 1) };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(twins_begin(&t, j[i]));
	assert_null(twins_next(&t, &a));
	for (size_t i = 0; i < 4; i++) {
		twins_end(j[i]);
		job_free(&j[i]);
	}
}

static void
lets_the_same_go_one_after_the_other(void **state)
{
	struct job *first = job(&a, 1, 1), *second = job(&a, 1, 1);
	struct job *third = job(&a, 1, 1);

	(void)state;
	assert_true(twins_begin(&t, first));
	assert_false(twins_begin(&t, second));
	assert_false(twins_begin(&t, third));
	assert_null(twins_next(&t, &a));
	twins_end(first);
	assert_null(twins_next(&t, &b));
	assert_ptr_equal(twins_next(&t, &a), second);
	assert_true(twins_begin(&t, second));
	assert_null(twins_next(&t, &a));
	twins_end(second);
	job_free(&first);
	job_free(&second); /* the third with t */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lets_what_is_different_go),
		TEST(lets_the_same_go_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
