/* SPDX-License-Identifier: ISC */
#include "fetch/found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
gathers_scattered_numbers_in_any_order(void **state)
{
	struct found f = { 0 };
	struct set all = { 0 };
	struct set none = { 0 };

	(void)state;
	/* quadratic work would show: this is 300,000 insertions in front */
	for (uint32_t i = 300000; i > 0; i--)
		assert_true(found_add(&f, 2 * i, 2 * i));
	found_take(&f, &all, &none, 1);
	assert_int_equal(all.n, 300000);
	assert_int_equal(set_first(&all), 2);
	assert_int_equal(set_last(&all), 600000);
	set_deinit(&all);
}

static void
drops_what_nobody_asked_for(void **state)
{
	struct found f = { 0 };
	struct set asked = { 0 };
	struct set taken = { 0 };

	(void)state;
	set_add(&asked, 3, 4);
	found_add(&f, 1, 20);
	found_take(&f, &taken, &asked, 18);
	assert_int_equal(set_count(&taken), 5);
	assert_true(set_has(&taken, 3));
	assert_true(set_has(&taken, 20));
	assert_false(set_has(&taken, 5));
	found_add(&f, 1, 20);
	found_take(&f, &taken, &asked, 0);
	assert_int_equal(set_count(&taken), 2);
	set_deinit(&asked);
	set_deinit(&taken);
}

static void
has_an_end(void **state)
{
	struct found f = { 0 };
	bool more = true;
	uint32_t i;

	(void)state;
	for (i = 1; more && i < UINT32_MAX / 2; i++)
		more = found_add(&f, 2 * i, 2 * i);
	assert_false(more);
	assert_true(i < 2 * FOUND_RANGES_MAX);
	found_deinit(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gathers_scattered_numbers_in_any_order),
		cmocka_unit_test(drops_what_nobody_asked_for),
		cmocka_unit_test(has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
