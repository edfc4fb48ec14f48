/* SPDX-License-Identifier: ISC */
#include "conf/conf_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
is_whole(struct conf_options all, size_t size)
{
	for (size_t i = 0; i < all.n; i++) {
		assert_non_null(all.v[i].name);
		assert_non_null(all.v[i].read);
		assert_true(all.v[i].at < size);
	}
}

static void
says_of_every_option_how_it_is_read(void **state)
{
	(void)state;
	is_whole(conf_global_options(), sizeof(struct conf));
	is_whole(conf_account_options(), sizeof(struct conf_account));
}

static size_t
place(const char *name)
{
	struct conf_options all = conf_account_options();
	size_t i = 0;

	while (i < all.n && strcmp(all.v[i].name, name) != 0)
		i++;
	assert_true(i < all.n);
	return i;
}

static void
reads_first_what_others_depend_on(void **state)
{
	(void)state;
	assert_true(place("run-as") < place("maildir"));
	assert_true(place("protocol") < place("oauth2"));
	assert_true(place("password-netrc") < place("netrc-file"));
}

static void
names_mechanisms_as_they_are_written(void **state)
{
	(void)state;
	assert_string_equal(conf_auth_name(CONF_AUTH_AUTO), "auto");
	assert_string_equal(
	    conf_auth_name(CONF_AUTH_SCRAM_SHA_256_PLUS), "scram-sha-256-plus");
	assert_string_equal(conf_auth_name(CONF_AUTH_APOP), "apop");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_of_every_option_how_it_is_read),
		cmocka_unit_test(reads_first_what_others_depend_on),
		cmocka_unit_test(names_mechanisms_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
