/* SPDX-License-Identifier: ISC */
#include "ledger/lists.h"

#include "unit/ledger/table.h"

static struct rides rides;
static struct lists lists;

static int
setup_lists(void **state)
{
	setup(state);
	rides_init(&rides, t.d);
	lists_init(&lists, &rides);
	sql("INSERT INTO box (id, account, mailbox, uidvalidity) VALUES "
	    "(1, 'a', '', 0), (2, 'b', '', 0)");
	return 0;
}

static int
teardown_lists(void **state)
{
	lists_deinit(&lists);
	rides_deinit(&rides);
	return teardown(state);
}

static int
add(int64_t box, uint32_t number_, const char *uidl, uint64_t size)
{
	return lists_add(&lists, box, number_, span_of(uidl), size, &t.e);
}

static void
assert_end(int64_t box, const char *fresh, uint32_t barred, const char *full)
{
	struct set sets[3];
	struct lists_found f = { .fresh = &sets[0],
		.owed = &sets[1],
		.full = &sets[2],
		.barred = 99 };

	for (int i = 0; i < 3; i++)
		sets[i] = set_of("77");
	if (lists_end(&lists, box, 1000, &f, &t.e) < 0)
		fail_msg("%s", t.e.text);
	assert_set(&sets[0], fresh);
	assert_set(&sets[1], "");
	assert_set(&sets[2], full);
	assert_int_equal(f.barred, barred);
	for (int i = 0; i < 3; i++)
		set_deinit(&sets[i]);
}

static void
adds_to_what_was_begun_alone(void **state)
{
	struct set s = set_of("");
	struct lists_found f = { .fresh = &s, .owed = &s, .full = &s };

	(void)state;
	assert_int_equal(add(1, 1, "a", 1), -1);
	assert_int_equal(lists_begin(&lists, 1, &t.e), 0);
	assert_int_equal(add(1, 1, "a", 1), 0);
	assert_int_equal(add(2, 1, "a", 1), -1);
	assert_int_equal(lists_end(&lists, 2, 1000, &f, &t.e), -1);
	assert_int_equal(lists_begin(&lists, 3, &t.e), -1);
	set_deinit(&s);
}

static void
is_open_from_the_beginning_to_a_good_end(void **state)
{
	(void)state;
	assert_false(lists_open(&lists, 1));
	assert_int_equal(lists_begin(&lists, 1, &t.e), 0);
	assert_int_equal(lists_begin(&lists, 2, &t.e), 0);
	assert_int_equal(add(1, 1, "a", 1), 0);
	assert_true(lists_open(&lists, 1));
	assert_end(1, "1", 0, "");
	assert_false(lists_open(&lists, 1));
	assert_true(lists_open(&lists, 2));
}

static void
stays_open_when_nothing_can_be_told_apart(void **state)
{
	(void)state;
	assert_int_equal(lists_begin(&lists, 1, &t.e), 0);
	assert_int_equal(add(1, 1, "a", 0), 0);
	assert_int_equal(add(1, 2, "a", 0), 0);
	assert_end(1, "", 0, "");
	assert_true(lists_open(&lists, 1));
	assert_int_equal(number("SELECT listed FROM box WHERE id = 1"), 0);
	assert_int_equal(lists_begin(&lists, 1, &t.e), 0);
	assert_end(1, "", 0, "");
	assert_int_equal(number("SELECT listed FROM box WHERE id = 1"), 1);
}

static void
leaves_out_what_is_held(void **state)
{
	(void)state;
	sql("INSERT INTO trouble VALUES "
	    "(1, 1, x'6c61', 0, 1, 0, 1, 5, 0, 900, 0, 0, 0, '', ''), "
	    "(2, 1, x'6c62', 0, 0, 0, 0, 5, 0, 900, 0, 0, 1, '', '')");
	assert_int_equal(lists_begin(&lists, 1, &t.e), 0);
	assert_int_equal(add(1, 1, "a", 1), 0);
	assert_int_equal(add(1, 2, "b", 1), 0);
	assert_int_equal(add(1, 3, "c", 1), 0);
	assert_end(1, "2:3", 1, "2");
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_lists, teardown_lists)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(adds_to_what_was_begun_alone),
		TEST(is_open_from_the_beginning_to_a_good_end),
		TEST(stays_open_when_nothing_can_be_told_apart),
		TEST(leaves_out_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
