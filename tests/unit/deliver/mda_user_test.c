/* SPDX-License-Identifier: ISC */
#include "deliver/mda_user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
is_the_user_that_we_are(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct mda_user *u = mda_user_new();
	char number[24];

	(void)state;
	snprintf(number, sizeof(number), "%lu", (unsigned long)geteuid());
	assert_string_equal(u->name, pw != NULL ? pw->pw_name : number);
	assert_true(u->home[0] == '/');
	assert_true(u->shell[0] == '/');
	mda_user_free(&u);
	assert_null(u);
	mda_user_free(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_user_that_we_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
