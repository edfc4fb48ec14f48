/* SPDX-License-Identifier: ISC */
#include "proc/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct findings *f, enum fact_kind kind, const char *text)
{
	const struct fact fact = { .kind = kind, .text = { text, "", "", "" } };

	findings_add(f, &fact);
}

static void
finds_by_kind_in_order(void **state)
{
	struct findings f = { 0 };
	size_t at = 0;

	(void)state;
	add(&f, FACT_MAILBOX, "a");
	add(&f, FACT_USE, "u");
	add(&f, FACT_MAILBOX, "b");
	assert_string_equal(findings_next(&f, FACT_MAILBOX, &at)->text[0], "a");
	assert_string_equal(findings_next(&f, FACT_MAILBOX, &at)->text[0], "b");
	assert_null(findings_next(&f, FACT_MAILBOX, &at));
	assert_string_equal(findings_first(&f, FACT_USE)->text[0], "u");
	assert_null(findings_first(&f, FACT_TLS));
	findings_deinit(&f);
	assert_null(findings_first(&f, FACT_USE));
	findings_deinit(&f);
}

static void
keeps_no_more_than_it_may(void **state)
{
	struct findings f = { 0 };

	(void)state;
	for (unsigned int i = 0; i < FINDINGS_MAX + 50; i++)
		add(&f, FACT_MAILBOX, "x");
	assert_int_equal(f.n, FINDINGS_MAX);
	findings_deinit(&f);
}

static void
counts_days(void **state)
{
	(void)state;
	assert_int_equal(findings_days(1000000, 1000000), 0);
	assert_int_equal(findings_days(1086399, 1000000), 0);
	assert_int_equal(findings_days(1086400, 1000000), 1);
	assert_int_equal(findings_days(999999, 1000000), -1);
	assert_int_equal(findings_days(913600, 1000000), -1);
	assert_int_equal(findings_days(913599, 1000000), -2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_kind_in_order),
		cmocka_unit_test(keeps_no_more_than_it_may),
		cmocka_unit_test(counts_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
