/* SPDX-License-Identifier: ISC */
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* ---- numbers ---- */

static void
reads_a_number_and_steps_over_it(void **state)
{
	struct span s = SPAN("0042 rest");
	uint64_t v;

	(void)state;
	assert_true(text_number(&s, 42, &v));
	assert_int_equal(v, 42);
	assert_true(span_eq(s, SPAN(" rest")));
}

static void
refuses_what_is_no_number_or_too_large(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "+1", " 1",
		"18446744073709551616", "99999999999999999999999" };
	uint64_t v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct span s = span_of(bad[i]);

		assert_false(text_number(&s, UINT64_MAX, &v));
		assert_int_equal(s.n, strlen(bad[i]));
		assert_int_equal(v, 7);
	}
	struct span s = SPAN("43");

	assert_false(text_number(&s, 42, &v));
	s = SPAN("18446744073709551615");
	assert_true(text_number(&s, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
}

static void
reads_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t s;
	} good[] = { { "0", 0 }, { "90", 90 }, { "30s", 30 }, { "5m", 300 },
		{ "2h", 7200 }, { "14d", 1209600 } };

	static const char *const bad[] = { "", "s", "5x", "5m ", " 5m", "5mm",
		"1h30m", "-5m", "1.5h", "18446744073709551615d" };
	uint64_t v = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(text_duration(span_of(good[i].text), &v));
		assert_true(v == good[i].s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_duration(span_of(bad[i]), &v));
}

static void
reads_sizes(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_true(text_size(SPAN("100"), &v) && v == 100);
	assert_true(text_size(SPAN("512K"), &v) && v == 524288);
	assert_true(text_size(SPAN("50M"), &v) && v == 52428800);
	assert_true(text_size(SPAN("2G"), &v) && v == 2147483648);
	assert_true(text_size(SPAN("17179869183G"), &v));
	assert_false(text_size(SPAN("17179869184G"), &v));
	assert_false(text_size(SPAN("5m"), &v));
	assert_false(text_size(SPAN("5MB"), &v));
	assert_false(text_size(SPAN(""), &v));
}

/* ---- UTF-8 ---- */

static void
knows_well_formed_utf8(void **state)
{
	static const char *const good[] = { "", "a\x7f", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf",
		"\xc2", "\xc2\x61", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff", "a\xf0\x90\x80" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(text_is_utf8(span_of(good[i])));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_is_utf8(span_of(bad[i])));
	assert_true(text_is_utf8(SPAN("a\0b")));
}

static void
shows_text_and_escapes_the_rest(void **state)
{
	static const struct {
		const char *raw, *shown;
	} cases[] = {
		{ "", "" }, { "plain ~ \\ text", "plain ~ \\ text" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xac",
		    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xac" },
		{ "\r\n\t\x1b\x7f", "\\x0D\\x0A\\x09\\x1B\\x7F" },
		{ "\xe4", "\\xE4" }, { "\xc2\x9b", "\\xC2\\x9B" }, /* CSI */
		{ "\xc0\xaf", "\\xC0\\xAF" },          /* overlong */
		{ "\xe2\x82", "\\xE2\\x82" },          /* cut */
		{ "\xed\xa0\x80", "\\xED\\xA0\\x80" }, /* surrogate */
		{ "\xe2\x80\x8f", "\\xE2\\x80\\x8F" }, /* RLM */
		{ "\xe2\x80\xa8", "\\xE2\\x80\\xA8" }, /* line */
		{ "\xe2\x80\xae", "\\xE2\\x80\\xAE" }, /* RLO */
		{ "\xe2\x81\xa6", "\\xE2\\x81\\xA6" }, /* LRI */
		{ "\xef\xbb\xbf", "\\xEF\\xBB\\xBF" }, /* BOM */
		{ "\xe2\x80\xb0", "\xe2\x80\xb0" },    /* per mille */
	};

	char dst[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_ptr_equal(
		    text_printable(dst, sizeof(dst), span_of(cases[i].raw)),
		    dst);
		assert_string_equal(dst, cases[i].shown);
	}
	text_printable(dst, sizeof(dst), SPAN("a\0b"));
	assert_string_equal(dst, "a\\x00b");
}

static void
cuts_between_characters_only(void **state)
{
	static const struct {
		size_t size;
		const char *raw, *shown;
	} cases[] = {
		{ 7, "abcdef", "abcdef" },
		{ 6, "abcdef", "ab..." },
		{ 9, "\x01\x02", "\\x01\\x02" },
		{ 8, "\x01\x02", "\\x01..." },
		{ 7, "\x01\x02", "..." },
		{ 7,
		    "a\xe2\x82\xac"
		    "bc",
		    "a\xe2\x82\xac"
		    "bc" },
		{ 7,
		    "a\xe2\x82\xac"
		    "bcd",
		    "a..." },
		{ 8,
		    "a\xe2\x82\xac"
		    "bcde",
		    "a\xe2\x82\xac..." },
		{ 4, "abcd", "..." },
		{ 3, "abcd", ".." },
		{ 1, "abcd", "" },
		{ 1, "", "" },
	};

	char dst[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memset(dst, 'Z', sizeof(dst));
		text_printable(dst, cases[i].size, span_of(cases[i].raw));
		assert_string_equal(dst, cases[i].shown);
		assert_int_equal(dst[cases[i].size], 'Z');
	}
	dst[0] = 'Z';
	text_printable(dst, 0, SPAN("abc"));
	assert_int_equal(dst[0], 'Z');
}

/* Whatever goes in, what comes out is UTF-8 without control characters. */
static void
shows_any_octets_as_clean_text(void **state)
{
	uint32_t x = 1;
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		char raw[12], dst[20];

		for (i = 0; i < sizeof(raw); i++) {
			x = x * 1664525 + 1013904223;
			/* lead octets are rare in plain noise */
			raw[i] = (char)(x >> 24 | (x >> 16 & 0x80));
		}
		text_printable(
		    dst, round % 20 + 1, span_make(raw, round % sizeof(raw)));
		assert_true(strlen(dst) <= round % 20);
		assert_true(text_is_utf8(span_of(dst)));
		for (i = 0; dst[i] != '\0'; i++)
			assert_true(
			    (unsigned char)dst[i] >= ' ' && dst[i] != 0x7f);
	}
}

static void
knows_what_breaks_a_line(void **state)
{
	(void)state;
	assert_false(text_breaks_line(SPAN("plain \t text")));
	assert_true(text_breaks_line(SPAN("a\rb")));
	assert_true(text_breaks_line(SPAN("a\n")));
	assert_true(text_breaks_line(SPAN("\0")));
	assert_false(text_breaks_line(SPAN("")));
}

static void
knows_what_is_plain(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool plain = c > 0 && c < 128 &&
		    strchr("abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+/=-",
			c) != NULL;

		assert_int_equal(text_is_plain((char)c), plain);
	}
}

/* ---- words and quantities ---- */

static void
counts_edits_up_to_a_limit(void **state)
{
	(void)state;
	assert_int_equal(text_distance("maildir", "maildir", 9), 0);
	assert_int_equal(text_distance("kitten", "sitting", 9), 3);
	assert_int_equal(text_distance("kitten", "sitting", 3), 3);
	assert_int_equal(text_distance("kitten", "sitting", 2), 2);
	assert_int_equal(text_distance("", "abc", 9), 3);
	assert_int_equal(text_distance("abc", "", 9), 3);
	assert_int_equal(text_distance("", "", 9), 0);
	assert_int_equal(text_distance("a", "abcdefgh", 3), 3);
	assert_int_equal(text_distance("intervall", "interval", 3), 1);
	assert_int_equal(text_distance("same", "same", 0), 0);
}

static void
shows_octets_for_people(void **state)
{
	static const struct {
		uint64_t n;
		const char *shown;
	} cases[] = { { 0, "0 B" }, { 999, "999 B" }, { 1000, "1.0 kB" },
		{ 4200000, "4.2 MB" }, { 999999, "999.9 kB" },
		{ 1000000, "1.0 MB" }, { UINT64_C(7) << 40, "7.6 TB" },
		{ UINT64_MAX, "18.4 EB" } };

	char dst[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(
		    text_octets(dst, sizeof(dst), cases[i].n), cases[i].shown);
}

static void
shows_time_for_people(void **state)
{
	static const struct {
		uint64_t s;
		const char *shown;
	} cases[] = { { 0, "0s" }, { 59, "59s" }, { 60, "1m 00s" },
		{ 307, "5m 07s" }, { 3599, "59m 59s" }, { 3780, "1h 03m" },
		{ 86400, "1d 00h" }, { 187200, "2d 04h" } };

	char dst[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(
		    text_span_of_time(dst, sizeof(dst), cases[i].s),
		    cases[i].shown);
}

static void
knows_hexadecimal_digits(void **state)
{
	static const char of_each[] = "0123456789abcdef";

	(void)state;
	for (int c = 0; c < 256; c++) {
		int low = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
		const char *at = c == 0 ? NULL : strchr(of_each, (char)low);

		assert_int_equal(text_hex_digit((char)c),
		    at == NULL ? -1 : (int)(at - of_each));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_hexadecimal_digits),
		cmocka_unit_test(reads_a_number_and_steps_over_it),
		cmocka_unit_test(refuses_what_is_no_number_or_too_large),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(knows_well_formed_utf8),
		cmocka_unit_test(shows_text_and_escapes_the_rest),
		cmocka_unit_test(cuts_between_characters_only),
		cmocka_unit_test(shows_any_octets_as_clean_text),
		cmocka_unit_test(knows_what_breaks_a_line),
		cmocka_unit_test(knows_what_is_plain),
		cmocka_unit_test(counts_edits_up_to_a_limit),
		cmocka_unit_test(shows_octets_for_people),
		cmocka_unit_test(shows_time_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
