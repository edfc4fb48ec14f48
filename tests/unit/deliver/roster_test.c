/* SPDX-License-Identifier: ISC */
#include "deliver/roster.h"

#include "office.h"

static struct roster r;

static int
setup(void **state)
{
	(void)state;
	roster_init(&r);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	roster_deinit(&r);
	return 0;
}

static struct job_account *
add(uint32_t number)
{
	struct office o = { .dir = "/nowhere" };

	roster_add(&r, number,
	    office_target(&o, TARGET_MAILDIR, "a", "Maildir", NULL));
	return roster_find(&r, number);
}

static void
finds_accounts_by_number(void **state)
{
	struct job_account *a = add(1), *b = add(UINT32_MAX);

	(void)state;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(roster_find(&r, 1), a);
	assert_int_equal(b->number, UINT32_MAX);
	assert_null(roster_find(&r, 2));
	assert_false(roster_knew(&r, 1));
	assert_false(roster_knew(&r, 2));
}

static void
frees_at_once_what_nothing_counts_on(void **state)
{
	(void)state;
	add(1);
	add(2);
	roster_forget(&r, 1);
	roster_forget(&r, 3);
	assert_int_equal(r.n, 1);
	assert_null(roster_find(&r, 1));
	assert_true(roster_knew(&r, 1));
	assert_false(roster_knew(&r, 3));
	assert_non_null(roster_find(&r, 2));
}

static void
keeps_what_a_job_counts_on(void **state)
{
	struct job_account *a = add(1);
	struct job *j = job_of(a, JOB_RECALL);

	(void)state;
	roster_forget(&r, 1);
	assert_null(roster_find(&r, 1));
	roster_sweep(&r);
	assert_int_equal(r.n, 1);
	assert_string_equal(j->account->target->name, "a");
	job_free(&j);
	roster_sweep(&r);
	assert_int_equal(r.n, 0);
}

/* The outlet is still to hear that it has ended. */
static void
keeps_what_has_a_queue_that_is_being_stopped(void **state)
{
	struct job_account *a = add(1);

	(void)state;
	a->queue_stopping = true;
	roster_forget(&r, 1);
	assert_int_equal(r.n, 1);
	a->queue_stopped = true;
	roster_sweep(&r);
	assert_int_equal(r.n, 0);
}

static void
takes_the_later_of_two_with_one_number(void **state)
{
	struct job_account *a = add(1), *b;
	struct job *j = job_of(a, JOB_RECALL);

	(void)state;
	b = add(1);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(roster_find(&r, 1), b);
	assert_false(roster_knew(&r, 1)); /* it is here */
	assert_int_equal(r.n, 2);
	job_free(&j);
	roster_sweep(&r);
	assert_int_equal(r.n, 1);
	assert_ptr_equal(roster_find(&r, 1), b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_accounts_by_number),
		TEST(frees_at_once_what_nothing_counts_on),
		TEST(keeps_what_a_job_counts_on),
		TEST(keeps_what_has_a_queue_that_is_being_stopped),
		TEST(takes_the_later_of_two_with_one_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
