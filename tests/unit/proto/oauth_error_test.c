/* SPDX-License-Identifier: ISC */
#include "proto/oauth_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
knows_what_providers_say(void **state)
{
	static const struct {
		unsigned int status;
		const char *name;
		enum oauth_verdict verdict;
		enum err_kind kind;
	} t[] = {
		/* clang-format off */
		{ 400, "authorization_pending", OAUTH_PENDING, ERR_TEMP },
		{ 428, "authorization_pending", OAUTH_PENDING, ERR_TEMP },
		{ 400, "slow_down", OAUTH_SLOW_DOWN, ERR_THROTTLE },
		{ 403, "slow_down", OAUTH_SLOW_DOWN, ERR_THROTTLE },
		{ 429, "slow_down", OAUTH_SLOW_DOWN, ERR_THROTTLE },
		{ 403, "access_denied", OAUTH_FAILED, ERR_AUTH },
		{ 400, "expired_token", OAUTH_FAILED, ERR_AUTH },
		{ 400, "invalid_grant", OAUTH_FAILED, ERR_AUTH },
		{ 401, "invalid_grant", OAUTH_FAILED, ERR_AUTH },
		{ 400, "interaction_required", OAUTH_FAILED, ERR_AUTH },
		{ 401, "invalid_client", OAUTH_FAILED, ERR_CONFIG },
		{ 400, "unauthorized_client", OAUTH_FAILED, ERR_CONFIG },
		{ 400, "invalid_scope", OAUTH_FAILED, ERR_CONFIG },
		{ 400, "unsupported_grant_type", OAUTH_FAILED, ERR_CONFIG },
		{ 400, "invalid_request", OAUTH_FAILED, ERR_CONFIG },
		{ 400, "temporarily_unavailable", OAUTH_FAILED, ERR_TEMP },
		{ 500, "server_error", OAUTH_FAILED, ERR_TEMP },
		/* a server in trouble has withdrawn nothing */
		{ 500, "invalid_grant", OAUTH_FAILED, ERR_TEMP },
		{ 503, "invalid_client", OAUTH_FAILED, ERR_TEMP },
		{ 503, NULL, OAUTH_FAILED, ERR_TEMP },
		{ 599, NULL, OAUTH_FAILED, ERR_TEMP },
		{ 429, NULL, OAUTH_FAILED, ERR_THROTTLE },
		{ 429, "too_many", OAUTH_FAILED, ERR_THROTTLE },
		{ 408, NULL, OAUTH_FAILED, ERR_TEMP },
		{ 302, NULL, OAUTH_FAILED, ERR_CONFIG },
		{ 404, NULL, OAUTH_FAILED, ERR_CONFIG },
		{ 405, NULL, OAUTH_FAILED, ERR_CONFIG },
		{ 400, "never_heard_of", OAUTH_FAILED, ERR_AUTH },
		{ 200, "never_heard_of", OAUTH_FAILED, ERR_AUTH },
		{ 200, NULL, OAUTH_FAILED, ERR_PROTO },
		{ 400, NULL, OAUTH_FAILED, ERR_PROTO },
		{ 0, NULL, OAUTH_FAILED, ERR_PROTO },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct err e = { 0 };

		assert_int_equal(
		    oauth_refused(t[i].status, t[i].name, NULL, &e),
		    t[i].verdict);
		assert_int_equal(e.kind, t[i].kind);
		assert_true(strlen(e.text) > 0);
	}
}

static void
says(unsigned int status, const char *name, const char *more, const char *text)
{
	struct err e = { 0 };

	(void)oauth_refused(status, name, more, &e);
	assert_string_equal(e.text, text);
}

static void
shows_the_first_line_of_what_they_say(void **state)
{
	(void)state;
	says(400, "expired_token",
	    "AADSTS70020: The code is too old.\r\nTrace ID: 1\r\nTime: 2",
	    "the code has expired (expired_token: AADSTS70020: The code is too "
	    "old.)");
	says(
	    400, "expired_token", NULL, "the code has expired (expired_token)");
	says(400, "expired_token", "\n \n",
	    "the code has expired (expired_token)");
	says(400, "never_heard_of", "x",
	    "the provider has refused (HTTP 400 never_heard_of: x)");
	says(503, NULL, NULL, "the provider cannot do it now (HTTP 503)");
}

static void
makes_it_printable_and_short(void **state)
{
	char many[2000];

	(void)state;
	says(400, "a\033[2Jb\nc", "\033]0;x\007",
	    "the provider has refused (HTTP 400 a\\x1B[2Jb: \\x1B]0;x\\x07)");
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 8 == 7 ? ' ' : 'x';
	many[sizeof(many) - 1] = '\0';
	for (size_t i = 0; i < 2; i++) {
		struct err e = { 0 };

		(void)oauth_refused(400, i == 0 ? many : "n", many, &e);
		assert_true(strlen(e.text) < ERR_TEXT_MAX);
		assert_true(strstr(e.text, "...)") != NULL);
	}
}

/* As if the provider repeated what it was sent. */
static void
shows_nothing_that_may_be_a_token(void **state)
{
	static const char *const tokens[] = {
		"ya29.a0AfH6SMBx-3kLq0rT_yUv1pWnQz8sD4fG7hJ2kL5mN9bV",
		"1//0gabcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRST",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIwMD==",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
		char more[200] = "Token \"";
		struct err e = { 0 };

		memcpy(more + 7, tokens[i], strlen(tokens[i]));
		memcpy(more + 7 + strlen(tokens[i]), "\" is bad", 9);
		(void)oauth_refused(400, "invalid_grant", more, &e);
		assert_non_null(strstr(e.text, "Token \"[...]\" is bad"));
		assert_null(strstr(e.text, tokens[i]));
		(void)oauth_refused(400, tokens[i], NULL, &e);
		assert_null(strstr(e.text, tokens[i]));
		assert_non_null(strstr(e.text, "[...]"));
	}
	says(400, "expired_token", "Id 123e4567-e89b-12d3-a456-426614174000.",
	    "the code has expired (expired_token: Id "
	    "123e4567-e89b-12d3-a456-426614174000.)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_providers_say),
		cmocka_unit_test(shows_the_first_line_of_what_they_say),
		cmocka_unit_test(makes_it_printable_and_short),
		cmocka_unit_test(shows_nothing_that_may_be_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
