/* SPDX-License-Identifier: ISC */
#include "util/utf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *utf8, *utf7;
} pairs[] = {
	{ "", "" },
	{ "INBOX", "INBOX" },
	{ " ~", " ~" },
	{ "a&b", "a&-b" },
	{ "&", "&-" },
	{ "&&", "&-&-" },
	{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
	/* RFC 3501 5.1.3 */
	{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac"
	  "\xe8\xaa\x9e",
	    "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "\xe2\x98\xba!", "&Jjo-!" },
	{ "\xf0\x9f\x98\x80", "&2D3eAA-" },
	{ "\xf4\x8f\xbf\xbf", "&2,,f,w-" },
	{ "\xef\xbf\xbf", "&,,8-" },
	{ "\xc3\xbc&\xc3\xbc", "&APw-&-&APw-" },
	{ "\n", "&AAo-" },
	{ "\x7f", "&AH8-" },
};

static void
goes_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(utf7_encode(&b, span_of(pairs[i].utf8)), 0);
		assert_true(span_eq(buf_span(&b), span_of(pairs[i].utf7)));
		buf_clear(&b);
		assert_int_equal(utf7_decode(&b, span_of(pairs[i].utf7)), 0);
		assert_true(span_eq(buf_span(&b), span_of(pairs[i].utf8)));
		buf_deinit(&b);
	}
}

static void
adds_to_what_is_there(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_add(&b, SPAN("x"));
	assert_int_equal(utf7_encode(&b, SPAN("\xc3\xbc")), 0);
	assert_int_equal(utf7_decode(&b, SPAN("&APw-")), 0);
	assert_true(span_eq(buf_span(&b), SPAN("x&APw-\xc3\xbc")));
	buf_deinit(&b);
}

static void
takes_nul_along(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(utf7_encode(&b, SPAN("a\0b")), 0);
	assert_true(span_eq(buf_span(&b), SPAN("a&AAA-b")));
	buf_deinit(&b);
}

static void
encodes_only_utf8(void **state)
{
	static const char *const bad[] = { "\xff", "a\x80", "\xc3", "\xc0\xaf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(utf7_encode(&b, span_of(bad[i])), -1);
		buf_deinit(&b);
	}
}

static void
decodes_only_what_an_encoder_writes(void **state)
{
	static const char *const bad[] = {
		"&", "a&", "&APw", "&Jjo!", /* no end */
		"&AGE-",                    /* "a" needs no shift */
		"&APw-&APw-",               /* nor do two neighbours need two */
		"&A-", "&AP-", "&APwA-",    /* bits left over */
		"&APx-",                    /* not zero */
		"&AP/-", "&AP=-", "&A P-",  /* not the alphabet */
		"&2D0-", "&3gA-", "&2D0AYQ-", "&2D3YPQ-", /* halves */
		"\xc3\xbc", "a\tb", "a\nb", "\x7f",       /* not ASCII text */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		if (utf7_decode(&b, span_of(bad[i])) != -1)
			fail_msg("%s", bad[i]);
		buf_deinit(&b);
	}
}

static void
stops_when_there_is_no_room(void **state)
{
	static const char text[] = "a\xc3\xbc&\xf0\x9f\x98\x80";
	static const char coded[] = "a&APw-&-&2D3eAA-";

	(void)state;
	for (size_t max = 0; max < sizeof(coded) - 1; max++) {
		struct buf b;

		buf_init(&b, max);
		assert_int_equal(utf7_encode(&b, span_of(text)), -1);
		buf_deinit(&b);
		buf_init(&b, max);
		assert_int_equal(utf7_decode(&b, span_of(coded)),
		    max < sizeof(text) - 1 ? -1 : 0);
		buf_deinit(&b);
	}
}

static const struct {
	const char *octets, *utf7;
} names[] = {
	{ "", "" },
	{ "a.b/c", "a&AC4-b&AC8-c" },
	{ "..", "&AC4ALg-" },
	{ ".\xc3\xbc&", "&AC4A,A-&-" },
	{ "a\xff", "a&3P8-" },
	{ "\xc3", "&3MM-" },
	{ "\xc3.", "&3MMALg-" },
	{ "\xc0\xaf", "&3MDcrw-" },
	{ "\xed\xb2\x80", "&3O3cstyA-" }, /* itself a lone surrogate */
	{ "\xf0\x9f\x98\x80\x80", "&2D3eANyA-" },
	{ "\n", "&AAo-" },
};

static void
encodes_any_octets_as_a_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i].utf7);
		struct buf b;

		buf_init(&b, n);
		assert_int_equal(
		    utf7_encode_any(&b, span_of(names[i].octets), "./"), 0);
		assert_memory_equal(buf_span(&b).p, names[i].utf7, n);
		assert_int_equal(buf_span(&b).n, n);
		buf_deinit(&b);
		if (n == 0)
			continue;
		buf_init(&b, n - 1);
		assert_int_equal(
		    utf7_encode_any(&b, span_of(names[i].octets), "./"), -1);
		buf_deinit(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_both_ways),
		cmocka_unit_test(adds_to_what_is_there),
		cmocka_unit_test(takes_nul_along),
		cmocka_unit_test(encodes_only_utf8),
		cmocka_unit_test(decodes_only_what_an_encoder_writes),
		cmocka_unit_test(stops_when_there_is_no_room),
		cmocka_unit_test(encodes_any_octets_as_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
