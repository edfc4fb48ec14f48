/* SPDX-License-Identifier: ISC */
#include "proto/sasl_bearer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static void
assert_said(struct buf *out, const char *want)
{
	char *said = mem_spandup(buf_span(out));

	assert_string_equal(said, want);
	free(said);
	buf_clear(out);
}

static void
puts_the_token_into_words(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(
	    sasl_bearer_xoauth2(&out, "someuser@example.com",
		SPAN("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"), NULL),
	    0);
	assert_said(&out,
	    "user=someuser@example.com\x01"
	    "auth=Bearer "
	    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01");
	assert_int_equal(sasl_bearer_oauthbearer(&out, "user@example.com",
			     SPAN("tok"), "server.example.com", 143, NULL),
	    0);
	assert_said(&out,
	    "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
	    "auth=Bearer tok\x01\x01");
	assert_int_equal(
	    sasl_bearer_oauthbearer(&out, "a,b=c", SPAN("t"), NULL, 0, NULL),
	    0);
	assert_said(&out,
	    "n,a=a=2Cb=3Dc,\x01"
	    "auth=Bearer t\x01\x01");
	buf_deinit(&out);
}

static void
refuses_what_would_end_a_field(void **state)
{
	static const struct {
		const char *user;
		struct span token;
	} t[] = { { "u", SPAN("") }, { "u", SPAN("a b") },
		{ "u",
		    SPAN("a\x01"
			 "auth=Bearer b") },
		{ "u", SPAN("a\n") }, { "u", SPAN("a\0b") },
		{ "u", SPAN("a\x7f") }, { "u\x01host=x", SPAN("a") },
		{ "u\r\n", SPAN("a") } };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = { 0 };

		assert_int_equal(
		    sasl_bearer_xoauth2(&out, t[i].user, t[i].token, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_int_equal(sasl_bearer_oauthbearer(
				     &out, t[i].user, t[i].token, "h", 1, &e),
		    -1);
		assert_int_equal(out.n, 0);
	}
	buf_deinit(&out);
}

static void
carries_long_tokens_and_says_when_there_is_no_room(void **state)
{
	static char token[60000];
	struct err e = { 0 };
	struct buf out;

	(void)state;
	memset(token, 'x', sizeof(token));
	buf_init(&out, 262144);
	assert_int_equal(
	    sasl_bearer_xoauth2(&out, "u", span_make(token, sizeof(token)), &e),
	    0);
	assert_int_equal(
	    out.n, sizeof(token) + sizeof("user=u auth=Bearer ") + 1);
	buf_deinit(&out);
	buf_init(&out, 20);
	assert_int_equal(
	    sasl_bearer_oauthbearer(&out, "u", SPAN("tok"), "h", 1, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	buf_deinit(&out);
}

static void
says_why_it_was_refused(void **state)
{
	static const struct {
		const char *json, *text;
	} t[] = {
		/* clang-format off */
		/* Google */
		{ "{\"status\":\"400\",\"schemes\":\"Bearer\","
		  "\"scope\":\"https://mail.google.com/\"}",
		  "the token was refused (status 400, "
		  "for the scope https://mail.google.com/)" },
		/* RFC 7628 4.3 */
		{ "{\"status\":\"invalid_token\",\"scope\":\"example_scope\","
		  "\"openid-configuration\":\"https://example.com/\"}",
		  "the token was refused (invalid_token, "
		  "for the scope example_scope)" },
		{ "{\"status\":401,\"error\":\"invalid_token\"}",
		  "the token was refused (status 401, invalid_token)" },
		{ "{\"status\":\"\"}", "the token was refused" },
		{ "{\"status\":null,\"scope\":[1]}", "the token was refused" },
		{ "{}", "the token was refused" },
		{ "[]", "the token was refused" },
		{ "", "the token was refused" },
		{ "\x01", "the token was refused" },
		{ "{\"status\":\"a\\u001b[31m\"}",
		  "the token was refused (a\\x1B[31m)" },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = { 0 };

		sasl_bearer_refusal(&e, span_of(t[i].json));
		assert_int_equal(e.kind, ERR_AUTH);
		assert_string_equal(e.text, t[i].text);
	}
}

static void
bounds_what_a_refusal_says(void **state)
{
	static char json[100000];
	struct err e = { 0 };

	(void)state;
	memset(json, '[', sizeof(json));
	sasl_bearer_refusal(&e, span_make(json, sizeof(json)));
	assert_string_equal(e.text, "the token was refused");
	sasl_bearer_refusal(&e, span_make(json, 8000)); /* nested deeply */
	assert_string_equal(e.text, "the token was refused");
	memset(json, 'x', sizeof(json));
	memcpy(json, "{\"status\":\"", 11);
	memcpy(json + 4000, "\"}", 2);
	sasl_bearer_refusal(&e, span_make(json, 4002));
	assert_true(strlen(e.text) < 100);
}

static void
knows_what_is_answered(void **state)
{
	(void)state;
	assert_true(span_eq(sasl_bearer_answer(true), SPAN("\x01")));
	assert_true(span_eq(sasl_bearer_answer(false), SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_the_token_into_words),
		cmocka_unit_test(refuses_what_would_end_a_field),
		cmocka_unit_test(
		    carries_long_tokens_and_says_when_there_is_no_room),
		cmocka_unit_test(says_why_it_was_refused),
		cmocka_unit_test(bounds_what_a_refusal_says),
		cmocka_unit_test(knows_what_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
