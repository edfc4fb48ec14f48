/* SPDX-License-Identifier: ISC */
#include "ledger/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void
holds_a_name_of_any_mailbox_and_who_was_reached(void **state)
{
	struct ledger_asked a;
	char piece[8192];

	(void)state;
	memset(piece, 'm', sizeof(piece));
	ledger_asked_init(&a);
	assert_false(a.known);
	assert_int_equal(a.n_reached, 0);
	assert_int_equal(buf_add(&a.name, span_make(piece, sizeof(piece))), 0);
	a.reached = malloc(2 * sizeof(*a.reached));
	a.reached[0] = strdup("a@x");
	a.reached[1] = strdup("b@y");
	a.n_reached = 2;
	ledger_asked_deinit(&a); /* all of it: the sanitizer looks */
	ledger_asked_init(&a);
	assert_int_equal(a.name.n, 0);
	assert_null(a.reached);
	ledger_asked_deinit(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    holds_a_name_of_any_mailbox_and_who_was_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
