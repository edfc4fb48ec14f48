/* SPDX-License-Identifier: ISC */
#include "util/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define TOP SET_MAX_NUMBER

/* The set must read as text says, and keep its shape. */
static void
expect(const struct set *s, const char *text)
{
	struct buf b;
	size_t i;

	for (i = 0; i < s->n; i++) {
		assert_true(s->r[i].first > 0);
		assert_true(s->r[i].first <= s->r[i].last);
		if (i > 0) /* sorted, and never adjacent */
			assert_true(s->r[i].first - 1 > s->r[i - 1].last);
	}
	buf_init(&b, 1000);
	assert_int_equal(set_write(s, &b), 0);
	buf_addc(&b, '\0');
	assert_string_equal(buf_span(&b).p, text);
	buf_deinit(&b);
}

static void
joins_what_touches(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	set_add(&s, 5, 5);
	set_add(&s, 6, 8);
	expect(&s, "5:8");
	set_add(&s, 20, 30);
	set_add(&s, 10, 18);
	expect(&s, "5:8,10:18,20:30");
	set_add(&s, 9, 9);
	expect(&s, "5:18,20:30");
	set_add(&s, 2, 3);
	expect(&s, "2:3,5:18,20:30");
	set_add(&s, 4, 25);
	expect(&s, "2:30");
	set_add(&s, 1, 100);
	expect(&s, "1:100");
	set_deinit(&s);
}

static void
ignores_zero_and_reversed_ranges(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	set_add(&s, 0, 10);
	set_add(&s, 7, 5);
	assert_true(set_empty(&s));
	set_add(&s, 1, 10);
	set_remove(&s, 0, 10);
	set_remove(&s, 7, 5);
	expect(&s, "1:10");
	assert_false(set_has(&s, 0));
	set_deinit(&s);
}

static void
holds_the_first_and_the_last_number(void **state)
{
	struct set s, t;

	(void)state;
	set_init(&s);
	set_init(&t);
	set_add(&s, TOP, TOP);
	set_add(&s, 1, 1);
	set_add(&s, TOP - 1, TOP - 1);
	expect(&s, "1,4294967294:4294967295");
	set_add(&s, TOP - 5, TOP);
	expect(&s, "1,4294967290:4294967295");
	assert_true(set_has(&s, TOP) && set_has(&s, 1));
	set_invert(&t, &s, 1, TOP);
	expect(&t, "2:4294967289");
	set_invert(&t, &t, 1, TOP);
	assert_true(set_eq(&s, &t));
	set_remove(&s, TOP, TOP);
	expect(&s, "1,4294967290:4294967294");
	set_add(&s, 1, TOP);
	expect(&s, "1:4294967295");
	assert_true(set_count(&s) == TOP);
	set_remove(&s, 5, 5);
	expect(&s, "1:4,6:4294967295");
	set_add(&s, 5, TOP);
	expect(&s, "1:4294967295");
	set_remove(&s, 1, TOP);
	assert_true(set_empty(&s));
	set_deinit(&s);
	set_deinit(&t);
}

static void
costs_one_range_for_a_million_numbers(void **state)
{
	struct set s;
	uint32_t i;

	(void)state;
	set_init(&s);
	for (i = 1; i <= 1000000; i++)
		set_add(&s, i, i);
	assert_int_equal(s.n, 1);
	assert_true(set_count(&s) == 1000000);
	for (i = 1; i <= 1000000; i++)
		set_remove(&s, i, i);
	assert_true(set_empty(&s));
	set_deinit(&s);
}

/* ---- against a plain table ---- */

#define TABLE 64

struct model {
	bool has[TABLE + 1];
};

static uint32_t
dice(uint32_t n)
{
	static uint32_t x = 12345;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % n;
}

/* The numbers are those near 1, or those near 2^32-1. */
static uint32_t
number(bool high, uint32_t i)
{
	return high ? TOP - TABLE + i : i;
}

static void
same_as_model(const struct set *s, const struct model *m, bool high)
{
	uint64_t count = 0;
	uint32_t i;
	size_t k;

	for (i = 1; i <= TABLE; i++) {
		assert_int_equal(set_has(s, number(high, i)), m->has[i]);
		count += m->has[i];
	}
	assert_true(set_count(s) == count);
	for (k = 1; k < s->n; k++)
		assert_true(s->r[k].first - 1 > s->r[k - 1].last);
}

static void
random_set(struct set *s, struct model *m, bool high, unsigned int steps)
{
	set_init(s);
	memset(m, 0, sizeof(*m));
	while (steps-- > 0) {
		uint32_t a = dice(TABLE) + 1;
		uint32_t b = a + dice(TABLE - a + 1), i;
		bool add = dice(3) > 0;

		if (dice(2) == 0)
			b = a;
		for (i = a; i <= b; i++)
			m->has[i] = add;
		if (add)
			set_add(s, number(high, a), number(high, b));
		else
			set_remove(s, number(high, a), number(high, b));
		same_as_model(s, m, high);
	}
}

static void
check_pair(bool high)
{
	struct set a, b, to;
	struct model ma, mb, m = { 0 };
	uint32_t i, lo = dice(TABLE) + 1, hi = dice(TABLE) + 1;

	random_set(&a, &ma, high, dice(20));
	random_set(&b, &mb, high, dice(20));
	set_init(&to);

	set_intersect(&to, &a, &b);
	for (i = 1; i <= TABLE; i++)
		m.has[i] = ma.has[i] && mb.has[i];
	same_as_model(&to, &m, high);

	set_invert(&to, &a, number(high, lo), number(high, hi));
	for (i = 1; i <= TABLE; i++)
		m.has[i] = i >= lo && i <= hi && !ma.has[i];
	same_as_model(&to, &m, high);

	set_copy(&to, &a);
	assert_true(set_eq(&to, &a));
	set_add_set(&to, &b);
	for (i = 1; i <= TABLE; i++)
		m.has[i] = ma.has[i] || mb.has[i];
	same_as_model(&to, &m, high);

	set_copy(&to, &a);
	set_remove_set(&to, &b);
	for (i = 1; i <= TABLE; i++)
		m.has[i] = ma.has[i] && !mb.has[i];
	same_as_model(&to, &m, high);

	set_deinit(&a);
	set_deinit(&b);
	set_deinit(&to);
}

static void
agrees_with_a_plain_table(void **state)
{
	unsigned int round;

	(void)state;
	for (round = 0; round < 1000; round++)
		check_pair(round % 2 == 0);
}

static void
may_be_combined_with_itself(void **state)
{
	struct set s;

	(void)state;
	set_init(&s);
	set_add(&s, 3, 5);
	set_add(&s, 9, 9);
	set_add_set(&s, &s);
	set_copy(&s, &s);
	set_move(&s, &s);
	set_intersect(&s, &s, &s);
	expect(&s, "3:5,9");
	set_remove_set(&s, &s);
	expect(&s, "");
	set_deinit(&s);
}

static void
moves_and_clears(void **state)
{
	struct set a, b;

	(void)state;
	set_init(&a);
	set_init(&b);
	set_add(&a, 1, 2);
	set_add(&b, 7, 9);
	set_move(&b, &a);
	expect(&a, "");
	expect(&b, "1:2");
	assert_false(set_eq(&a, &b));
	assert_int_equal(set_first(&b), 1);
	assert_int_equal(set_last(&b), 2);
	set_clear(&b);
	assert_true(set_eq(&a, &b));
	assert_int_equal(set_first(&b), 0);
	assert_int_equal(set_last(&b), 0);
	set_deinit(&a);
	set_deinit(&b);
}

static void
takes_from_the_front_by_count_and_by_ranges(void **state)
{
	struct set from, to;

	(void)state;
	set_init(&from);
	set_init(&to);
	set_add(&from, 1, 5);
	set_add(&from, 7, 7);
	set_add(&from, 9, 20);
	set_add(&to, 99, 99);
	set_take(&to, &from, 7, 10);
	expect(&to, "1:5,7,9");
	expect(&from, "10:20");
	set_add(&from, 1, 1);
	set_take(&to, &from, UINT64_MAX, 1);
	expect(&to, "1");
	set_take(&to, &from, 0, 5);
	expect(&to, "");
	set_take(&to, &from, 5, 0);
	expect(&to, "");
	set_take(&to, &from, 100, 100);
	expect(&to, "10:20");
	expect(&from, "");
	set_take(&to, &from, 100, 100);
	expect(&to, "");
	set_add(&from, TOP, TOP);
	set_take(&to, &from, 1, 1);
	expect(&to, "4294967295");
	expect(&from, "");
	set_deinit(&from);
	set_deinit(&to);
}

static void
reads_sequence_sets_in_any_order(void **state)
{
	static const struct {
		const char *text, *set;
	} cases[] = { { "7", "7" }, { "7:5", "5:7" }, { "9,1:3,2", "1:3,9" },
		{ "*", "40" }, { "50:*", "40:50" }, { "*:38,1", "1,38:40" },
		{ "4294967295", "4294967295" } };
	struct set s;
	size_t i;

	(void)state;
	set_init(&s);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(set_read(&s, span_of(cases[i].text), 40));
		expect(&s, cases[i].set);
	}
	set_deinit(&s);
}

static void
refuses_what_is_no_sequence_set(void **state)
{
	static const char *const bad[] = { "", ",", "1,", ",1", "1:", ":1", "0",
		"1:0", "4294967296", "1 ", " 1", "a", "1:2:3", "-1", "1,,2" };
	struct set s;
	size_t i;

	(void)state;
	set_init(&s);
	set_add(&s, 77, 77);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(set_read(&s, span_of(bad[i]), 40));
	assert_false(set_read(&s, SPAN("*"), 0)); /* an empty mailbox */
	expect(&s, "77");
	set_deinit(&s);
}

static void
tells_when_the_text_does_not_fit(void **state)
{
	struct set s;
	struct buf b;
	size_t max;

	(void)state;
	set_init(&s);
	set_add(&s, 10, 12);
	set_add(&s, 14, 14);
	for (max = 0; max < 8; max++) {
		buf_init(&b, max);
		assert_int_equal(set_write(&s, &b), -1);
		buf_deinit(&b);
	}
	expect(&s, "10:12,14");
	set_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_what_touches),
		cmocka_unit_test(ignores_zero_and_reversed_ranges),
		cmocka_unit_test(holds_the_first_and_the_last_number),
		cmocka_unit_test(costs_one_range_for_a_million_numbers),
		cmocka_unit_test(agrees_with_a_plain_table),
		cmocka_unit_test(may_be_combined_with_itself),
		cmocka_unit_test(moves_and_clears),
		cmocka_unit_test(takes_from_the_front_by_count_and_by_ranges),
		cmocka_unit_test(reads_sequence_sets_in_any_order),
		cmocka_unit_test(refuses_what_is_no_sequence_set),
		cmocka_unit_test(tells_when_the_text_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
