/* SPDX-License-Identifier: ISC */
#include "sched/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000)
#define YEAR (INT64_C(365) * 86400)

static void
opens_at_the_third_refusal(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_false(breaker_open(&b));
		breaker_refused(&b, NOW);
	}
	assert_true(breaker_open(&b));
}

static void
lets_who_was_not_refused_try_at_once(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	assert_int_equal(breaker_next(&b, NOW, 12345), NOW);
	b.last = NOW;
	assert_int_equal(breaker_next(&b, NOW, 12345), NOW);
}

static void
waits_longer_each_time_up_to_an_hour(void **state)
{
	static const struct {
		uint32_t refused;
		int64_t least, more;
	} rows[] = { { 1, 30, 30 }, { 2, 300, 60 }, { 3, 3600, 720 },
		{ 4, 3600, 720 }, { UINT32_MAX, 3600, 720 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct breaker b = { .refused = rows[i].refused, .last = NOW };
		uint32_t more = (uint32_t)rows[i].more;

		assert_int_equal(breaker_next(&b, NOW, 0), NOW + rows[i].least);
		assert_int_equal(breaker_next(&b, NOW, more),
		    NOW + rows[i].least + rows[i].more);
		assert_int_equal(
		    breaker_next(&b, NOW, more + 1), NOW + rows[i].least);
	}
}

/* As after a restart: what has passed counts. */
static void
waits_for_the_rest_alone(void **state)
{
	struct breaker b = { .refused = 3, .last = NOW };

	(void)state;
	assert_int_equal(breaker_next(&b, NOW + 3000, 0), NOW + 3600);
	assert_int_equal(breaker_next(&b, NOW + 3600, 0), NOW + 3600);
	assert_int_equal(breaker_next(&b, NOW + 5000, 0), NOW + 5000);
}

static void
a_clock_set_back_locks_nobody_out(void **state)
{
	struct breaker b = { .refused = 3, .last = NOW + YEAR };

	(void)state;
	assert_int_equal(breaker_next(&b, NOW, 720), NOW + 4320);
	b.last = INT64_MAX;
	assert_int_equal(breaker_next(&b, NOW, 720), NOW + 4320);
	b.last = NOW + 1;
	assert_int_equal(breaker_next(&b, NOW, 0), NOW + 3600);
}

static void
a_clock_set_forward_lets_one_probe_through(void **state)
{
	struct breaker b = { .refused = 3, .last = NOW };

	(void)state;
	assert_int_equal(breaker_next(&b, NOW + YEAR, 0), NOW + YEAR);
	breaker_refused(&b, NOW + YEAR);
	assert_int_equal(breaker_next(&b, NOW + YEAR, 0), NOW + YEAR + 3600);
	b.last = INT64_MIN;
	assert_int_equal(breaker_next(&b, NOW, 0), NOW);
}

static void
counts_no_further_than_it_can(void **state)
{
	struct breaker b = { .refused = UINT32_MAX };

	(void)state;
	breaker_refused(&b, NOW);
	assert_true(breaker_open(&b));
	assert_int_equal(b.last, NOW);
}

static void
closes_when_it_is_cleared(void **state)
{
	struct breaker b = { .refused = 7, .last = NOW, .mark = 5 };

	(void)state;
	breaker_clear(&b);
	assert_false(breaker_open(&b));
	assert_int_equal(breaker_next(&b, NOW, 3), NOW);
	assert_int_equal(b.mark, 5);
}

static void
another_secret_closes_it(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	assert_false(breaker_secret(&b, 5)); /* nothing was refused yet */
	breaker_refused(&b, NOW);
	assert_false(breaker_secret(&b, 5));
	assert_int_equal(b.refused, 1);
	assert_true(breaker_secret(&b, 6));
	assert_int_equal(b.refused, 0);
	breaker_refused(&b, NOW);
	assert_false(breaker_secret(&b, 6));
	assert_int_equal(b.refused, 1);
}

static uint16_t
mark_of(struct span secret, struct span salt)
{
	struct secret *s = secret_new(secret);
	uint16_t mark = breaker_mark(s, salt);

	secret_free(&s);
	return mark;
}

static void
a_mark_tells_secrets_and_accounts_apart(void **state)
{
	uint16_t mark = mark_of(SPAN("hunter2"), SPAN("work"));

	(void)state;
	assert_int_equal(mark_of(SPAN("hunter2"), SPAN("work")), mark);
	assert_int_not_equal(mark_of(SPAN("hunter3"), SPAN("work")), mark);
	assert_int_not_equal(mark_of(SPAN("hunter2"), SPAN("home")), mark);
	assert_int_not_equal(
	    mark_of(SPAN("b"), SPAN("a")), mark_of(SPAN(""), SPAN("ab")));
	assert_int_not_equal(
	    mark_of(SPAN("bc"), SPAN("a")), mark_of(SPAN("c"), SPAN("ab")));
}

/* The ledger keeps it: it may not change with the version or machine.
 * printf 'work\0hunter2' | sha256sum */
static void
a_mark_stays_the_same(void **state)
{
	(void)state;
	assert_int_equal(mark_of(SPAN("hunter2"), SPAN("work")), 0x59e1);
}

/* Of the numbers, the first whose digest begins with 0000. */
static void
a_mark_is_never_zero(void **state)
{
	(void)state;
	assert_int_equal(mark_of(SPAN("11164"), SPAN("a")), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_at_the_third_refusal),
		cmocka_unit_test(lets_who_was_not_refused_try_at_once),
		cmocka_unit_test(waits_longer_each_time_up_to_an_hour),
		cmocka_unit_test(waits_for_the_rest_alone),
		cmocka_unit_test(a_clock_set_back_locks_nobody_out),
		cmocka_unit_test(a_clock_set_forward_lets_one_probe_through),
		cmocka_unit_test(counts_no_further_than_it_can),
		cmocka_unit_test(closes_when_it_is_cleared),
		cmocka_unit_test(another_secret_closes_it),
		cmocka_unit_test(a_mark_tells_secrets_and_accounts_apart),
		cmocka_unit_test(a_mark_stays_the_same),
		cmocka_unit_test(a_mark_is_never_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
