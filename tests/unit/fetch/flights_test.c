/* SPDX-License-Identifier: ISC */
#include "fetch/flights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
knows_which_command_is_to_bring_what(void **state)
{
	struct flights f = { 0 };

	(void)state;
	assert_false(flights_any(&f));
	set_add(&flights_free(&f)->uids, 1, 5);
	flights_free(&f)->ticket = 9;
	set_add(&flights_free(&f)->uids, 6, 7);
	flights_free(&f)->ticket = 10;
	assert_true(flights_any(&f));
	assert_int_equal(flights_of_uid(&f, 5)->ticket, 9);
	assert_int_equal(flights_of_uid(&f, 6)->ticket, 10);
	assert_null(flights_of_uid(&f, 8));
	assert_null(flights_of_uid(&f, 0));
	assert_int_equal(set_first(&flights_of_ticket(&f, 10)->uids), 6);
	assert_null(flights_of_ticket(&f, 11));
	flights_deinit(&f);
}

static void
has_no_room_for_more_than_its_number(void **state)
{
	struct flights f = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= FLIGHTS; i++)
		flights_free(&f)->ticket = i;
	assert_null(flights_free(&f));
	flights_of_ticket(&f, 3)->ticket = 0;
	assert_non_null(flights_free(&f));
	flights_deinit(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_which_command_is_to_bring_what),
		cmocka_unit_test(has_no_room_for_more_than_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
