/* SPDX-License-Identifier: ISC */
#include "fetch/imap_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The cases that need no SEARCH, so no machine; the others are seen in
 * imap_box_test.c. */

static bool
known(uint32_t exists, uint32_t uidnext, uint32_t handled, uint32_t *found)
{
	struct imap_look l = { .exists = exists, .uidnext = uidnext };
	struct set done = { 0 };
	struct set all = { 0 };
	bool answer;

	set_add(&done, 1, handled);
	answer = imap_look_begin(&l, NULL, &done, &all);
	*found = (uint32_t)set_count(&all);
	set_deinit(&done);
	set_deinit(&all);
	imap_look_deinit(&l);
	return answer;
}

static void
needs_no_search_of_an_empty_mailbox(void **state)
{
	uint32_t found;

	(void)state;
	assert_true(known(0, 1, 0, &found));
	assert_int_equal(found, 0);
	assert_true(known(0, 0, 0, &found));
}

static void
needs_no_search_when_nothing_is_new(void **state)
{
	uint32_t found;

	(void)state;
	assert_true(known(10, 11, 10, &found));
	assert_int_equal(found, 0);
	assert_true(known(3, 11, 10, &found)); /* others deleted some */
}

static void
needs_no_search_when_all_numbers_are_taken(void **state)
{
	uint32_t found;

	(void)state;
	assert_true(known(100000, 100001, 0, &found));
	assert_int_equal(found, 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_no_search_of_an_empty_mailbox),
		cmocka_unit_test(needs_no_search_when_nothing_is_new),
		cmocka_unit_test(needs_no_search_when_all_numbers_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
