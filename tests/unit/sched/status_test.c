/* SPDX-License-Identifier: ISC */
#include "sched/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
each_state_has_its_own_words(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < STATUS_STATES; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(
			    status_state_name((enum status_state)i),
			    status_state_name((enum status_state)j));
}

static void
a_number_from_a_packet_that_is_none_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(
	    status_state_name((enum status_state)200), "unknown");
	assert_string_equal(status_how_name((enum status_how)200), "unknown");
	assert_string_equal(status_how_name(STATUS_NOTIFY), "notify");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_its_own_words),
		cmocka_unit_test(
		    a_number_from_a_packet_that_is_none_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
