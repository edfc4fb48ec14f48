/* SPDX-License-Identifier: ISC */
#include "ledger/rides.h"

#include "unit/ledger/table.h"

static struct rides rides;

static int
setup_rides(void **state)
{
	setup(state);
	rides_init(&rides, t.d);
	sql("INSERT INTO box (id, account, mailbox, uidvalidity) VALUES "
	    "(1, 'a', 'INBOX', 1), (2, 'a', '', 0)");
	sql("INSERT INTO journal (id, box, number, kind, seq, owes, "
	    "fingerprint, dir, file) VALUES (7, 1, 5, 0, 0, 1, "
	    "CAST('0123456789abcdef' AS BLOB), '/m', 'f')");
	sql("INSERT INTO ranges VALUES (1, 1, 5, 6)");
	return 0;
}

static int
teardown_rides(void **state)
{
	rides_deinit(&rides);
	return teardown(state);
}

static void
go(int64_t box, const char *numbers)
{
	struct set s = set_of(numbers);

	assert_int_equal(rides_go(&rides, box, &s, &t.e), 0);
	set_deinit(&s);
}

static void
knows_the_kind_of_a_box(void **state)
{
	bool pop3 = true;

	(void)state;
	assert_int_equal(rides_box(&rides, 1, &pop3, &t.e), 0);
	assert_false(pop3);
	assert_int_equal(rides_box(&rides, 2, &pop3, &t.e), 0);
	assert_true(pop3);
	assert_int_equal(rides_box(&rides, 1, &pop3, &t.e), 0);
	assert_false(pop3);
	assert_int_equal(rides_box(&rides, 0, &pop3, &t.e), -1);
	assert_int_equal(rides_box(&rides, 3, &pop3, &t.e), -1);
}

static void
applies_what_rides_in_the_next_transaction(void **state)
{
	(void)state;
	rides_publish(&rides, 7);
	rides_publish(&rides, 0);
	go(1, "5");
	assert_set(rides_gone_of(&rides, 1), "5");
	assert_null(rides_gone_of(&rides, 2));
	assert_int_equal(number("SELECT count(*) FROM journal"), 1);
	assert_int_equal(rides_flush(&rides, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM journal"), 0);
	assert_int_equal(number("SELECT lo FROM ranges"), 6);
	assert_null(rides_gone_of(&rides, 1));
}

static void
rides_on_when_the_work_fails(void **state)
{
	(void)state;
	rides_publish(&rides, 7);
	go(1, "5");
	go(1, "9");
	assert_int_equal(rides_begin(&rides, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM journal"), 0);
	assert_int_equal(rides_end(&rides, -1, &t.e), -1);
	assert_int_equal(number("SELECT count(*) FROM journal"), 1);
	assert_set(rides_gone_of(&rides, 1), "5,9");
	assert_int_equal(rides_begin(&rides, &t.e), 0);
	assert_int_equal(rides_end(&rides, 0, &t.e), 0);
	assert_int_equal(number("SELECT count(*) FROM journal"), 0);
}

static void
lets_nothing_ride_from_a_box_that_is_not_there(void **state)
{
	struct set s = set_of("5");

	(void)state;
	assert_int_equal(rides_go(&rides, 9, &s, &t.e), -1);
	assert_null(rides_gone_of(&rides, 9));
	set_deinit(&s);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_rides, teardown_rides)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_the_kind_of_a_box),
		TEST(applies_what_rides_in_the_next_transaction),
		TEST(rides_on_when_the_work_fails),
		TEST(lets_nothing_ride_from_a_box_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
