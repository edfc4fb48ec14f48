/* SPDX-License-Identifier: ISC */
#include "ledger/ranges.h"

#include "unit/ledger/table.h"

#define BOX 3

static void
add(const char *text)
{
	struct set s = set_of(text);

	assert_int_equal(ranges_add(t.d, BOX, RANGES_HANDLED, &s, &t.e), 0);
	set_deinit(&s);
}

static void
cut(const char *text)
{
	struct set s = set_of(text);

	assert_int_equal(ranges_remove(t.d, BOX, RANGES_HANDLED, &s, &t.e), 0);
	set_deinit(&s);
}

/* Each range is a row. */
static void
assert_stored(const char *text)
{
	struct set s;

	set_init(&s);
	assert_int_equal(ranges_read(t.d, BOX, RANGES_HANDLED, &s, &t.e), 0);
	assert_set(&s, text);
	assert_int_equal(
	    number("SELECT count(*) FROM ranges WHERE box = 3 AND kind = 0"),
	    s.n);
	set_deinit(&s);
}

static void
merges_neighbours(void **state)
{
	(void)state;
	add("5:6");
	add("8:9");
	assert_stored("5:6,8:9");
	add("7");
	assert_stored("5:9");
	add("1:3");
	add("4");
	assert_stored("1:9");
	add("20:30,40:50,60:70");
	add("25:65");
	assert_stored("1:9,20:70");
	add("2:3");
	assert_stored("1:9,20:70");
	add("1:100");
	assert_stored("1:100");
	add("");
	assert_stored("1:100");
}

static void
splits_what_it_cuts(void **state)
{
	(void)state;
	add("1:100");
	cut("50");
	assert_stored("1:49,51:100");
	cut("1,100");
	assert_stored("2:49,51:99");
	cut("40:60");
	assert_stored("2:39,61:99");
	cut("200:300");
	cut("50:55");
	assert_stored("2:39,61:99");
	cut("1:4294967295");
	assert_stored("");
}

static void
reaches_to_the_largest_number(void **state)
{
	(void)state;
	add("4294967295");
	add("4294967293");
	add("4294967294");
	assert_stored("4294967293:4294967295");
	cut("4294967294");
	assert_stored("4294967293,4294967295");
}

static void
keeps_boxes_and_kinds_apart(void **state)
{
	struct set s = set_of("4:6");

	(void)state;
	add("1:3");
	assert_int_equal(ranges_add(t.d, BOX, RANGES_OWED, &s, &t.e), 0);
	assert_int_equal(ranges_add(t.d, 2, RANGES_HANDLED, &s, &t.e), 0);
	assert_int_equal(ranges_add(t.d, 4, RANGES_HANDLED, &s, &t.e), 0);
	cut("2");
	add("7");
	assert_stored("1,3,7");
	assert_int_equal(ranges_read(t.d, BOX, RANGES_OWED, &s, &t.e), 0);
	assert_set(&s, "4:6");
	assert_int_equal(ranges_read(t.d, 2, RANGES_HANDLED, &s, &t.e), 0);
	assert_set(&s, "4:6");
	set_deinit(&s);
}

static void
finds_a_number(void **state)
{
	static const struct {
		uint32_t number;
		bool has;
	} cases[] = { { 1, false }, { 4, false }, { 5, true }, { 7, true },
		{ 9, true }, { 10, false }, { UINT32_MAX, true } };

	size_t i;
	bool has;

	(void)state;
	add("5:9,4294967295");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ranges_has(t.d, BOX, RANGES_HANDLED,
				     cases[i].number, &has, &t.e),
		    0);
		assert_int_equal(has, cases[i].has);
	}
	assert_int_equal(ranges_has(t.d, BOX, RANGES_OWED, 7, &has, &t.e), 0);
	assert_false(has);
}

/* Any order of adds and cuts gives what struct set gives. */
static void
does_as_a_set_in_memory_does(void **state)
{
	struct set model;
	struct set s;
	unsigned int seed = 1;
	int i;

	(void)state;
	set_init(&model);
	set_init(&s);
	for (i = 0; i < 600; i++) {
		uint32_t first, last;

		seed = seed * 1103515245 + 12345;
		first = 1 + (seed >> 8) % 60;
		last = first + (seed >> 16) % 7;
		set_clear(&s);
		set_add(&s, first, last);
		if ((seed >> 24) % 5 < 3) {
			set_add(&model, first, last);
			assert_int_equal(
			    ranges_add(t.d, BOX, RANGES_HANDLED, &s, &t.e), 0);
		} else {
			set_remove(&model, first, last);
			assert_int_equal(
			    ranges_remove(t.d, BOX, RANGES_HANDLED, &s, &t.e),
			    0);
		}
		assert_int_equal(
		    ranges_read(t.d, BOX, RANGES_HANDLED, &s, &t.e), 0);
		assert_true(set_eq(&s, &model));
		if (i % 50 == 0)
			assert_int_equal(
			    number("SELECT count(*) FROM ranges"), s.n);
	}
	set_deinit(&model);
	set_deinit(&s);
}

static void
keeps_a_million_numbers_in_one_row(void **state)
{
	struct set s;
	uint32_t i;

	(void)state;
	set_init(&s);
	sql("BEGIN");
	for (i = 0; i < 1000; i++) {
		set_clear(&s);
		set_add(&s, i * 1000 + 1, i * 1000 + 1000);
		assert_int_equal(
		    ranges_add(t.d, BOX, RANGES_HANDLED, &s, &t.e), 0);
	}
	sql("COMMIT");
	set_deinit(&s);
	assert_stored("1:1000000");
}

static void
refuses_a_damaged_row(void **state)
{
	static const char *const rows[] = { "(3, 0, 0, 5)", "(3, 0, 9, 5)",
		"(3, 0, 9, 4294967296)", "(3, 0, -5, -1)" };
	struct set s;
	size_t i;

	(void)state;
	set_init(&s);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *insert = mem_printf(
		    "DELETE FROM ranges; INSERT INTO ranges VALUES %s",
		    rows[i]);

		sql(insert);
		free(insert);
		assert_int_equal(
		    ranges_read(t.d, BOX, RANGES_HANDLED, &s, &t.e), -1);
		assert_non_null(strstr(t.e.text, "damaged"));
	}
	set_deinit(&s);
}

/* clang-format off */
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(merges_neighbours),
		TEST(splits_what_it_cuts),
		TEST(reaches_to_the_largest_number),
		TEST(keeps_boxes_and_kinds_apart),
		TEST(finds_a_number),
		TEST(does_as_a_set_in_memory_does),
		TEST(keeps_a_million_numbers_in_one_row),
		TEST(refuses_a_damaged_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
