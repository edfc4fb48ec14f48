/* SPDX-License-Identifier: ISC */
#include "io/https_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "util/pack.h"

static struct buf octets;
static struct err error;

static int
tear_down(void **state)
{
	(void)state;
	buf_wipe(&octets);
	return 0;
}

static const struct https_params params = { .url = "https://idp.example/token",
	.form = { "a=b\0c", 5 },
	.ca_file = "/ca.pem",
	.proxy = "socks5h://u:p@h:1",
	.timeout_ms = 5000,
	.follow = true };

static void
carries_a_request(void **state)
{
	struct https_request r;

	(void)state;
	assert_int_equal(https_pack_request(&octets, &params, &error), 0);
	assert_true(https_unpack_request(buf_span(&octets), &r));
	assert_string_equal(r.url, params.url);
	assert_true(span_eq(r.form, params.form));
	assert_string_equal(r.ca_file, params.ca_file);
	assert_string_equal(r.proxy, params.proxy);
	assert_int_equal(r.timeout_ms, 5000);
	assert_true(r.follow);
	https_request_deinit(&r);
	assert_null(r.url);
}

static void
carries_what_is_not_there(void **state)
{
	const struct https_params p = { .url = "HTTPS://h", .timeout_ms = 1 };
	struct https_request r;

	(void)state;
	assert_int_equal(https_pack_request(&octets, &p, &error), 0);
	assert_true(https_unpack_request(buf_span(&octets), &r));
	assert_null(r.ca_file);
	assert_null(r.proxy);
	assert_int_equal(r.form.n, 0);
	assert_false(r.follow);
	https_request_deinit(&r);
}

static void
takes_no_request_that_was_cut(void **state)
{
	(void)state;
	assert_int_equal(https_pack_request(&octets, &params, &error), 0);
	for (size_t n = 0; n < octets.n; n++) {
		struct https_request r;

		assert_false(https_unpack_request(
		    span_make(buf_span(&octets).p, n), &r));
		https_request_deinit(&r);
	}
}

static void
goes_nowhere_but_to_https(void **state)
{
	static const char *const urls[] = { "", "http://h/", "https:/h",
		"ftp://h", "https://", "https:///x", "file:///etc/passwd",
		"https://h/a b", "https://h/\r\nX: y", "https://h\x7f",
		" https://h" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		const struct https_params p = { .url = urls[i] };

		assert_int_equal(https_pack_request(&octets, &p, &error), -1);
		assert_int_equal(error.kind, ERR_CONFIG);
		buf_wipe(&octets);
	}
}

static void
carries_nothing_that_is_too_long(void **state)
{
	char *url = calloc(1, HTTPS_URL_MAX + 2);
	struct https_params p = { .url = url };

	(void)state;
	memset(url, 'x', HTTPS_URL_MAX + 1);
	memcpy(url, "https://", 8);
	assert_int_equal(https_pack_request(&octets, &p, &error), -1);
	buf_wipe(&octets);
	url[HTTPS_URL_MAX] = '\0';
	assert_int_equal(https_pack_request(&octets, &p, &error), 0);
	buf_wipe(&octets);
	p.proxy = url;
	p.form = span_make(url, HTTPS_FORM_MAX + 1); /* not looked at */
	assert_int_equal(https_pack_request(&octets, &p, &error), -1);
	free(url);
}

static void
carries_an_answer(void **state)
{
	const struct https_answer said = { 200, SPAN("application/json"),
		SPAN("{\0}") };
	struct https_answer heard;

	(void)state;
	https_pack_reply(&octets, &said, NULL);
	assert_int_equal(
	    https_unpack_reply(buf_span(&octets), &heard, &error), 1);
	assert_int_equal(heard.status, 200);
	assert_true(span_eq(heard.type, said.type));
	assert_true(span_eq(heard.body, said.body));
	for (size_t n = 0; n < octets.n; n++)
		assert_int_equal(
		    https_unpack_reply(
			span_make(buf_span(&octets).p, n), &heard, &error),
		    -1);
}

static void
carries_the_longest_answer(void **state)
{
	char *body = calloc(1, HTTPS_BODY_MAX);
	const struct https_answer said = { 599, { body, HTTPS_TYPE_MAX + 100 },
		{ body, HTTPS_BODY_MAX } };
	struct https_answer heard;

	(void)state;
	https_pack_reply(&octets, &said, NULL);
	assert_true(octets.n <= HTTPS_REPLY_MAX);
	assert_int_equal(
	    https_unpack_reply(buf_span(&octets), &heard, &error), 1);
	assert_int_equal(heard.type.n, HTTPS_TYPE_MAX);
	assert_int_equal(heard.body.n, HTTPS_BODY_MAX);
	free(body);
}

static void
carries_an_error_made_printable(void **state)
{
	struct err said = { .kind = ERR_TLS };
	struct https_answer heard;

	(void)state;
	memcpy(said.text, "no \033[1m trust", 14);
	https_pack_reply(&octets, NULL, &said);
	assert_int_equal(
	    https_unpack_reply(buf_span(&octets), &heard, &error), 0);
	assert_int_equal(error.kind, ERR_TLS);
	assert_string_equal(error.text, "no \\x1B[1m trust");
}

/* What: 1 error, 2 answer, any other; then kind or status. */
static void
takes_no_reply_that_cannot_be(void **state)
{
	static const struct {
		uint8_t what;
		uint32_t value;
	} bad[] = { { 0, 200 }, { 3, 200 }, { 2, 99 }, { 2, 600 },
		{ 2, UINT32_MAX }, { 1, ERR_NONE }, { 1, ERR_KINDS } };
	struct https_answer heard;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_init(&octets, 100);
		pack_u8(&octets, bad[i].what);
		if (bad[i].what == 1)
			pack_u8(&octets, (uint8_t)bad[i].value);
		else
			pack_u32(&octets, bad[i].value);
		pack_str(&octets, "");
		if (bad[i].what != 1)
			pack_str(&octets, "");
		assert_int_equal(
		    https_unpack_reply(buf_span(&octets), &heard, &error), -1);
		buf_wipe(&octets);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(carries_a_request, tear_down),
		cmocka_unit_test_teardown(carries_what_is_not_there, tear_down),
		cmocka_unit_test_teardown(
		    takes_no_request_that_was_cut, tear_down),
		cmocka_unit_test_teardown(goes_nowhere_but_to_https, tear_down),
		cmocka_unit_test_teardown(
		    carries_nothing_that_is_too_long, tear_down),
		cmocka_unit_test_teardown(carries_an_answer, tear_down),
		cmocka_unit_test_teardown(
		    carries_the_longest_answer, tear_down),
		cmocka_unit_test_teardown(
		    carries_an_error_made_printable, tear_down),
		cmocka_unit_test_teardown(
		    takes_no_reply_that_cannot_be, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
