/* SPDX-License-Identifier: ISC */
#include "proto/oauth_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
encodes_all_but_the_unreserved(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	oauth_form_put(&b, "a", SPAN("azAZ09-._~"));
	oauth_form_put(&b, "b", SPAN(" +&=%/?#\xc3\xa4\n"));
	oauth_form_put(&b, "c", SPAN("\0"));
	oauth_form_put(&b, "d", SPAN(""));
	buf_addc(&b, '\0');
	assert_string_equal(buf_span(&b).p,
	    "a=azAZ09-._~&b=%20%2B%26%3D%25%2F%3F%23%C3%A4%0A&c=%00&d=");
	buf_deinit(&b);
}

static void
continues_a_url(void **state)
{
	static const struct {
		const char *before, *after;
	} t[] = {
		{ "https://x/?", "https://x/?a=b" },
		{ "https://x/?c=d", "https://x/?c=d&a=b" },
		{ "https://x/?c=d&", "https://x/?c=d&a=b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct buf b;

		buf_init(&b, 1000);
		buf_add(&b, span_of(t[i].before));
		oauth_form_put(&b, "a", SPAN("b"));
		assert_true(span_eq(buf_span(&b), span_of(t[i].after)));
		buf_deinit(&b);
	}
}

static void
leaves_out_what_has_no_room(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 12);
	oauth_form_put(&b, "a", SPAN("bcd"));
	oauth_form_put(&b, "a", SPAN("%%%"));
	assert_true(span_eq(buf_span(&b), SPAN("a=bcd")));
	oauth_form_put(&b, "e", SPAN("1234"));
	assert_true(span_eq(buf_span(&b), SPAN("a=bcd&e=1234")));
	buf_deinit(&b);
}

static void
finds_values(void **state)
{
	static const struct {
		const char *query, *value;
		int n;
	} t[] = {
		{ "a=b", "b", 1 },
		{ "x=y&a=b+c%2bd&z", "b c+d", 1 },
		{ "a", "", 1 },
		{ "a=", "", 1 },
		{ "a=b=c", "b=c", 1 },
		{ "aa=b&%61=c", "", 0 },
		{ "", "", 0 },
		{ "&&", "", 0 },
		{ "a=b&a=b", "", 2 },
		{ "a=%", "", -1 },
		{ "a=x%4", "x", -1 },
		{ "a=%g0", "", -1 },
		{ "a=%0g", "", -1 },
		{ "a=%4A%4a", "JJ", 1 },
		{ "a=12345678", "12345678", 1 },
		{ "a=123456789", "12345678", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct buf b;

		buf_init(&b, 8);
		assert_int_equal(
		    oauth_form_find(span_of(t[i].query), "a", &b), t[i].n);
		assert_true(span_eq(buf_span(&b), span_of(t[i].value)));
		buf_deinit(&b);
	}
}

static void
finds_what_it_has_put(void **state)
{
	char all[256];
	struct buf form;
	struct buf value;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	buf_init(&form, 1000);
	buf_init(&value, 1000);
	oauth_form_put(&form, "x", SPAN("1"));
	oauth_form_put(&form, "a", span_make(all, sizeof(all)));
	assert_int_equal(oauth_form_find(buf_span(&form), "a", &value), 1);
	assert_true(span_eq(buf_span(&value), span_make(all, sizeof(all))));
	buf_deinit(&form);
	buf_deinit(&value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_all_but_the_unreserved),
		cmocka_unit_test(continues_a_url),
		cmocka_unit_test(leaves_out_what_has_no_room),
		cmocka_unit_test(finds_values),
		cmocka_unit_test(finds_what_it_has_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
