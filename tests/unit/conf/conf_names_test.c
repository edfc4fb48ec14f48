/* SPDX-License-Identifier: ISC */
#include "conf/conf_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"

static const char *const global[] = { "log-level", NULL };

static const char *const account[] = { "host", "user", "oauth2", NULL };

static const char *const oauth2[] = { "client-id", NULL };

static void
expect(const char *name, enum conf_inside in, const char *want)
{
	const struct conf_words words = { global, account, oauth2 };
	struct conf_place at = { .path = "f", .line = 3 };
	struct conf_report r;
	char **errors;
	size_t n;

	conf_report_init(&r);
	conf_complain_unknown(&r, at, &words, name, in);
	errors = conf_report_take(&r, &n);
	assert_int_equal(n, 1);
	assert_string_equal(errors[0], want);
	conf_errors_free(&errors, &n);
}

static void
names_what_may_be_meant(void **state)
{
	(void)state;
	expect("hots", CONF_IN_ACCOUNT,
	    "f:3: unknown option \"hots\" (did you mean \"host\"?)");
	expect("loglevel", CONF_IN_NONE,
	    "f:3: unknown option \"loglevel\" (did you mean \"log-level\"?)");
	expect("includes", CONF_IN_NONE,
	    "f:3: unknown option \"includes\" (did you mean \"include\"?)");
	expect("zzzz", CONF_IN_ACCOUNT,
	    "f:3: unknown option \"zzzz\": mailhaul.conf(5) lists all");
	expect("host", CONF_IN_NONE,
	    "f:3: \"host\" stands outside an account: put it into account NAME "
	    "{ } or defaults { }");
	expect("oauth", CONF_IN_NONE,
	    "f:3: unknown option \"oauth\" (did you mean \"oauth2\"?)");
	expect("client_id", CONF_IN_OAUTH2,
	    "f:3: unknown option \"client_id\" (did you mean \"client-id\"?)");
	expect("host", CONF_IN_OAUTH2,
	    "f:3: \"host\" is an option of an account: put it into account "
	    "NAME { }");
	expect("client-id", CONF_IN_ACCOUNT,
	    "f:3: \"client-id\" is of how to get tokens: put it into oauth2 "
	    "NAME { }");
	expect("log-level", CONF_IN_ACCOUNT,
	    "f:3: \"log-level\" is for all accounts: put it outside the "
	    "braces");
}

static void
knows_the_keywords(void **state)
{
	(void)state;
	assert_true(conf_is_keyword("account"));
	assert_true(conf_is_keyword("defaults"));
	assert_true(conf_is_keyword("include"));
	assert_false(conf_is_keyword("host"));
	assert_true(conf_is_in(account, "user"));
	assert_false(conf_is_in(account, "use"));
}

static void
remembers_names_by_where_they_stand(void **state)
{
	struct conf_unknowns u = { 0 };

	(void)state;
	conf_unknowns_add(&u, "x", true);
	conf_unknowns_add(&u, "y", false);
	assert_non_null(conf_unknowns_find(&u, "x", true));
	assert_null(conf_unknowns_find(&u, "x", false));
	assert_int_equal(
	    conf_unknowns_find(&u, "y", false)->shape, CONF_OPTION);
	conf_unknowns_free(&u);
	assert_null(conf_unknowns_find(&u, "x", true));
}

static void
knows_sections_and_secrets(void **state)
{
	(void)state;
	assert_true(conf_is_section("account"));
	assert_true(conf_is_section("defaults"));
	assert_true(conf_is_section("oauth2"));
	assert_false(conf_is_section("include"));
	assert_false(conf_is_section("acount"));
	assert_true(conf_may_be_secret("password"));
	assert_true(conf_may_be_secret("pasword"));
	assert_true(conf_may_be_secret("client-secrt"));
	assert_true(conf_may_be_secret("proxy"));
	assert_false(conf_may_be_secret("client-id"));
	assert_false(conf_may_be_secret("user"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_may_be_meant),
		cmocka_unit_test(knows_the_keywords),
		cmocka_unit_test(knows_sections_and_secrets),
		cmocka_unit_test(remembers_names_by_where_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
