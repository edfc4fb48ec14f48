/* SPDX-License-Identifier: ISC */
#include "io/own_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *picked[OWN_ENV_MAX];

static bool
has(const char *assignment)
{
	for (size_t i = 0; picked[i] != NULL; i++)
		if (strcmp(picked[i], assignment) == 0)
			return true;
	return false;
}

static int
set_up(void **state)
{
	(void)state;
	clearenv();
	return 0;
}

static void
picks_what_is_no_secret(void **state)
{
	(void)state;
	setenv("MAILHAUL_TEST", "1", 1);
	setenv("LANG", "C", 1);
	setenv("LANGUAGE", "de", 1);
	setenv("IMAP_PASSWORD", "hunter2", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	own_env_pick(picked, NULL);
	assert_true(has("MAILHAUL_TEST=1"));
	assert_true(has("LANG=C"));
	assert_null(picked[2]);
}

static void
picks_what_is_named_beside(void **state)
{
	static const char *const more[] = { "SSL_CERT_FILE", NULL };

	(void)state;
	setenv("SSL_CERT_FILE", "/x", 1);
	setenv("SSL_CERT_FILES", "/y", 1);
	own_env_pick(picked, NULL);
	assert_null(picked[0]);
	own_env_pick(picked, more);
	assert_true(has("SSL_CERT_FILE=/x"));
	assert_null(picked[1]);
}

static void
has_an_end(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 2 * OWN_ENV_MAX; i++) {
		snprintf(name, sizeof(name), "MAILHAUL_%d", i);
		setenv(name, "", 1);
	}
	own_env_pick(picked, NULL);
	assert_null(picked[OWN_ENV_MAX - 1]);
	assert_non_null(picked[OWN_ENV_MAX - 2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(picks_what_is_no_secret, set_up),
		cmocka_unit_test_setup(picks_what_is_named_beside, set_up),
		cmocka_unit_test_setup(has_an_end, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
