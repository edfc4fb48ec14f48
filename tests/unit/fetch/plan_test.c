/* SPDX-License-Identifier: ISC */
#include "fetch/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct set
set_of(const char *text)
{
	struct set s = { 0 };

	if (*text != '\0')
		assert_true(set_read(&s, span_of(text), SET_MAX_NUMBER));
	return s;
}

static void
assert_set(struct set *s, const char *text)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(set_write(s, &b), 0);
	buf_addc(&b, '\0');
	assert_string_equal(buf_span(&b).p, text);
	buf_deinit(&b);
	set_deinit(s);
}

static void
asks_for_gaps_and_for_what_is_above(void **state)
{
	static const struct {
		const char *handled, *gaps;
		uint32_t from;
	} t[] = {
		{ "", "", 1 },
		{ "1:10", "", 11 },
		{ "5:10", "1:4", 11 },
		{ "1:3,7,9:10", "4:6,8", 11 },
		{ "1:4294967295", "", 0 },
		{ "4294967295", "1:4294967294", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct set handled = set_of(t[i].handled);
		struct set gaps = { 0 };
		uint32_t from;

		plan_search(&handled, &gaps, &from);
		assert_int_equal(from, t[i].from);
		assert_set(&gaps, t[i].gaps);
		set_deinit(&handled);
	}
}

static void
keeps_the_question_short_whatever_the_gaps(void **state)
{
	struct set handled = { 0 };
	struct set gaps = { 0 };
	uint32_t from;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++)
		set_add(&handled, 2 + 2 * i, 2 + 2 * i);
	plan_search(&handled, &gaps, &from);
	assert_true(gaps.n <= PLAN_GAPS_MAX);
	for (uint32_t i = 0; i < 100000; i++)
		assert_true(set_has(&gaps, 1 + 2 * i));
	set_deinit(&handled);
	set_deinit(&gaps);
}

static void
sees_that_nothing_is_new(void **state)
{
	struct set none = { 0 };
	struct set gap = set_of("3");

	(void)state;
	assert_true(plan_nothing_new(&none, 11, 11));
	assert_true(plan_nothing_new(&none, 11, 5)); /* a confused server */
	assert_false(plan_nothing_new(&none, 11, 12));
	assert_false(plan_nothing_new(&none, 11, 0)); /* no UIDNEXT */
	assert_false(plan_nothing_new(&gap, 11, 11));
	assert_true(plan_nothing_new(&none, 0, 0)); /* numbers are used up */
	set_deinit(&gap);
}

static void
needs_no_search_when_every_number_exists(void **state)
{
	struct set found = { 0 };

	(void)state;
	assert_true(plan_all_exist(10, 11, &found));
	assert_set(&found, "1:10");
	assert_false(plan_all_exist(9, 11, &found));
	assert_false(plan_all_exist(10, 0, &found));
	assert_true(plan_all_exist(0, 1, &found));
	assert_true(set_empty(&found));
	set_deinit(&found);
}

static void
fetches_what_was_found_and_not_handled(void **state)
{
	struct set found = set_of("8:12,20");
	struct set handled = set_of("1:10");
	struct set todo = { 0 };

	(void)state;
	plan_todo(&todo, &found, &handled);
	assert_set(&todo, "11:12,20");
	set_deinit(&found);
	set_deinit(&handled);
}

static void
settles_only_what_will_hardly_come(void **state)
{
	static const struct {
		const char *gaps, *found, *handled, *absent;
		uint32_t from;
	} t[] = {
		/* close to the highest one seen: everything stays open */
		{ "", "5,200", "", "", 1 },
		{ "", "1:500,600,1000", "", "501:599,601:744", 1 },
		{ "3,7:8", "7", "1:2,4:6,9:1000", "3,8", 1001 },
		/* nothing was seen: nothing is known */
		{ "", "", "", "", 1 },
		{ "2", "", "1,3:10", "", 11 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct set gaps = set_of(t[i].gaps);
		struct set found = set_of(t[i].found);
		struct set handled = set_of(t[i].handled);
		struct set absent = { 0 };

		plan_absent(&absent, &gaps, t[i].from, &found, &handled);
		assert_set(&absent, t[i].absent);
		set_deinit(&gaps);
		set_deinit(&found);
		set_deinit(&handled);
	}
}

static void
knows_a_pattern_when_it_sees_one(void **state)
{
	(void)state;
	assert_true(plan_is_pattern("*"));
	assert_true(plan_is_pattern("Lists/%"));
	assert_true(plan_is_pattern("!Trash"));
	assert_false(plan_is_pattern("INBOX"));
	assert_false(plan_is_pattern("What!"));
}

static void
chooses_by_pattern(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} t[] = {
		{ "*", "INBOX", true },
		{ "*", "a/b/c", true },
		{ "%", "INBOX", true },
		{ "%", "a/b", false },
		{ "Lists/*", "Lists/a", true },
		{ "Lists/*", "Lists/a/b", true },
		{ "Lists/*", "Lists", false },
		{ "Lists/%", "Lists/a/b", false },
		{ "*/%", "a/b/c", true },
		{ "%/%", "a/b", true },
		{ "%/%", "a/b/c", false },
		{ "*a%b", "xxa/ab", true },
		{ "*a%b", "aab/xa", false },
		{ "inbox", "INBOX", true },
		{ "INBOX", "Inbox", true },
		{ "lists", "Lists", false },
		{ "*aaaaaaaaaaaaaaaaaaaab",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(
		    plan_chooses(&t[i].pattern, 1, t[i].name, '/'), t[i].fits);
}

static void
lets_a_negation_win(void **state)
{
	static const char *const patterns[] = { "!Lists/noise", "Lists/*",
		"INBOX" };

	(void)state;
	assert_true(plan_chooses(patterns, 3, "Lists/a", '/'));
	assert_true(plan_chooses(patterns, 3, "INBOX", '/'));
	assert_false(plan_chooses(patterns, 3, "Lists/noise", '/'));
	assert_false(plan_chooses(patterns, 3, "Sent", '/'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_gaps_and_for_what_is_above),
		cmocka_unit_test(keeps_the_question_short_whatever_the_gaps),
		cmocka_unit_test(sees_that_nothing_is_new),
		cmocka_unit_test(needs_no_search_when_every_number_exists),
		cmocka_unit_test(fetches_what_was_found_and_not_handled),
		cmocka_unit_test(settles_only_what_will_hardly_come),
		cmocka_unit_test(knows_a_pattern_when_it_sees_one),
		cmocka_unit_test(chooses_by_pattern),
		cmocka_unit_test(lets_a_negation_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
