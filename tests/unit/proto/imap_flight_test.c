/* SPDX-License-Identifier: ISC */
#include "proto/imap_flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
finds_the_oldest_of_a_kind(void **state)
{
	struct imap_flight f;
	struct imap_cmd cmd;

	(void)state;
	imap_flight_init(&f);
	assert_null(imap_flight_oldest(&f, IMAP_VERB_FETCH));
	imap_flight_add(&f, IMAP_VERB_ID, 1);
	imap_flight_add(&f, IMAP_VERB_FETCH, 2);
	imap_flight_add(&f, IMAP_VERB_LIST, 3);
	imap_flight_add(&f, IMAP_VERB_FETCH, 4);
	assert_int_equal(imap_flight_oldest(&f, IMAP_VERB_FETCH)->tag, 2);
	assert_true(imap_flight_take(&f, 2, &cmd));
	assert_int_equal(imap_flight_oldest(&f, IMAP_VERB_FETCH)->tag, 4);
	assert_null(imap_flight_oldest(&f, IMAP_VERB_NOOP));
	imap_flight_deinit(&f);
}

static void
takes_a_command_once(void **state)
{
	struct imap_flight f;
	struct imap_cmd cmd;

	(void)state;
	imap_flight_init(&f);
	for (uint32_t i = 1; i <= 100; i++)
		imap_flight_add(&f, IMAP_VERB_SELECT, i);
	imap_flight_oldest(&f, IMAP_VERB_SELECT)->uidnext = 7;
	assert_false(imap_flight_take(&f, 0, &cmd));
	assert_false(imap_flight_take(&f, 101, &cmd));
	assert_true(imap_flight_take(&f, 1, &cmd));
	assert_int_equal(cmd.tag, 1);
	assert_int_equal(cmd.uidnext, 7);
	assert_int_equal(cmd.verb, IMAP_VERB_SELECT);
	assert_false(imap_flight_take(&f, 1, &cmd));
	for (uint32_t i = 100; i >= 2; i--)
		assert_true(imap_flight_take(&f, i, &cmd));
	assert_int_equal(f.n, 0);
	imap_flight_deinit(&f);
}

static void
tells_requests_from_our_own_commands(void **state)
{
	struct imap_flight f;

	(void)state;
	imap_flight_init(&f);
	imap_flight_add(&f, IMAP_VERB_ID, 1);
	imap_flight_add(&f, IMAP_VERB_LOGOUT, 2);
	assert_int_equal(imap_flight_requests(&f), 0);
	assert_null(imap_flight_first_request(&f));
	imap_flight_add(&f, IMAP_VERB_LIST, 3);
	imap_flight_add(&f, IMAP_VERB_NOOP, 4);
	imap_flight_add(&f, IMAP_VERB_DELIMITER, 5);
	imap_flight_add(&f, IMAP_VERB_SIZES, 6);
	imap_flight_add(&f, IMAP_VERB_WHOLE_HEADERS, 7);
	assert_int_equal(imap_flight_requests(&f), 5);
	assert_int_equal(imap_flight_first_request(&f)->tag, 3);
	imap_flight_deinit(&f);
}

static void
keeps_no_more_memory_than_it_needs(void **state)
{
	struct imap_flight f;
	struct imap_cmd cmd;

	(void)state;
	imap_flight_init(&f);
	for (uint32_t tag = 1; tag <= 100; tag++)
		imap_flight_add(&f, IMAP_VERB_FETCH, tag);
	imap_flight_rest(&f);
	assert_true(f.cap >= 100);
	for (uint32_t tag = 1; tag < 100; tag++)
		assert_true(imap_flight_take(&f, tag, &cmd));
	imap_flight_rest(&f);
	assert_int_equal(f.cap, 4);
	assert_int_equal(f.cmd[0].tag, 100);
	assert_true(imap_flight_take(&f, 100, &cmd));
	imap_flight_rest(&f);
	assert_null(f.cmd);
	imap_flight_add(&f, IMAP_VERB_IDLE, 101);
	assert_true(imap_flight_take(&f, 101, &cmd));
	imap_flight_deinit(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_oldest_of_a_kind),
		cmocka_unit_test(takes_a_command_once),
		cmocka_unit_test(tells_requests_from_our_own_commands),
		cmocka_unit_test(keeps_no_more_memory_than_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
