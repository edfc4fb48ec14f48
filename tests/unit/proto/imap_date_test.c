/* SPDX-License-Identifier: ISC */
#include "proto/imap_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct date {
	const char *text;
	int64_t seconds;
};

static void
expect(const struct date *dates, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t got = imap_date_read(span_of(dates[i].text));

		if (got != dates[i].seconds)
			fail_msg("\"%s\": %lld", dates[i].text, (long long)got);
	}
}

static void
reads_dates(void **state)
{
	static const struct date dates[] = {
		{ "17-Jul-1996 02:44:25 -0700", 837596665 },
		{ " 7-Jul-1996 02:44:25 -0700", 836732665 },
		{ "07-Jul-1996 02:44:25 -0700", 836732665 },
		{ "01-Jan-1970 00:00:01 +0000", 1 },
		{ "19-Jan-2038 03:14:08 +0000", 2147483648 },
		{ "07-Feb-2106 06:28:16 +0000", 4294967296 },
		{ "31-Dec-9999 23:59:59 +0000", 253402300799 },
		{ "31-Dec-9999 23:59:59 -2359", 253402387139 },
	};

	(void)state;
	expect(dates, sizeof(dates) / sizeof(dates[0]));
}

static void
knows_leap_years(void **state)
{
	static const struct date dates[] = {
		{ "28-Feb-2023 00:00:00 +0000", 1677542400 },
		{ "29-Feb-2023 00:00:00 +0000", 0 },
		{ "01-Mar-2023 00:00:00 +0000", 1677628800 },
		{ "29-Feb-2024 00:00:00 +0000", 1709164800 },
		{ "30-Feb-2024 00:00:00 +0000", 0 },
		{ "01-Mar-2024 00:00:00 +0000", 1709251200 },
		{ "29-Feb-2000 00:00:00 +0000", 951782400 },
		{ "01-Mar-2000 00:00:00 +0000", 951868800 },
		{ "29-Feb-2100 00:00:00 +0000", 0 },
		{ "01-Mar-2100 00:00:00 +0000", 4107542400 },
		{ "31-Dec-2024 00:00:00 +0000", 1735603200 },
	};

	(void)state;
	expect(dates, sizeof(dates) / sizeof(dates[0]));
}

/* Every day of 160 years, as the C library counts them. */
static void
counts_every_day_as_the_library_does(void **state)
{
	(void)state;
	for (time_t t = 43200; t < (time_t)160 * 366 * 86400; t += 86400) {
		char text[64];
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(text, sizeof(text),
				"%d-%b-%Y %H:%M:%S +0000", &tm) > 0);
		if (imap_date_read(span_of(text)) != t)
			fail_msg("%s", text);
	}
}

static void
knows_zones(void **state)
{
	static const struct date dates[] = {
		{ "01-Jan-2000 00:00:00 +0000", 946684800 },
		{ "01-Jan-2000 00:00:00 -0000", 946684800 },
		{ "01-Jan-2000 00:00:00 +0100", 946681200 },
		{ "01-Jan-2000 00:00:00 -0100", 946688400 },
		{ "01-Jan-2000 00:00:00 +0530", 946665000 },
		{ "01-Jan-2000 00:00:00 -0330", 946697400 },
		{ "01-Jan-2000 00:00:00 +2359", 946598460 },
		{ "01-Jan-2000 00:00:00", 946684800 },
		{ "01-Jan-2000 00:00:00 +2400", 0 },
		{ "01-Jan-2000 00:00:00 +0060", 0 },
		{ "01-Jan-2000 00:00:00 +100", 0 },
		{ "01-Jan-2000 00:00:00 +00100", 0 },
		{ "01-Jan-2000 00:00:00 0100", 0 },
		{ "01-Jan-2000 00:00:00 +", 0 },
		{ "01-Jan-2000 00:00:00 +-0100", 0 },
		{ "01-Jan-2000 00:00:00 GMT", 0 },
	};

	(void)state;
	expect(dates, sizeof(dates) / sizeof(dates[0]));
}

static void
takes_what_servers_write(void **state)
{
	static const struct date dates[] = {
		{ "1-jan-2000 0:00:00 +0000", 946684800 },
		{ "01-JAN-2000  00:00:00   +0000 ", 946684800 },
		{ " 1-Jan-2000 00:00:00+0000", 946684800 },
		{ "31-Dec-1999 23:59:60 +0000", 946684800 },
	};

	(void)state;
	expect(dates, sizeof(dates) / sizeof(dates[0]));
}

static void
has_no_word_for_what_makes_no_sense(void **state)
{
	static const struct date dates[] = {
		{ "", 0 },
		{ " ", 0 },
		{ "NIL", 0 },
		{ "00-Jan-0000 00:00:00 +0000", 0 },
		{ "00-Jan-2000 00:00:00 +0000", 0 },
		{ "01-Jan-0000 00:00:00 +0000", 0 },
		{ "01-Jan-0001 00:00:00 +0000", 0 },
		{ "32-Jan-2000 00:00:00 +0000", 0 },
		{ "31-Apr-2000 00:00:00 +0000", 0 },
		{ "001-Jan-2000 00:00:00 +0000", 0 },
		{ "-1-Jan-2000 00:00:00 +0000", 0 },
		{ "01-Foo-2000 00:00:00 +0000", 0 },
		{ "01-anF-2000 00:00:00 +0000", 0 },
		{ "01-January-2000 00:00:00 +0000", 0 },
		{ "01-01-2000 00:00:00 +0000", 0 },
		{ "01 Jan 2000 00:00:00 +0000", 0 },
		{ "01-Jan-99 00:00:00 +0000", 0 },
		{ "01-Jan-02000 00:00:00 +0000", 0 },
		{ "01-Jan-10000 00:00:00 +0000", 0 },
		{ "01-Jan-18446744073709551617 00:00:00 +0000", 0 },
		{ "01-Jan-2000 24:00:00 +0000", 0 },
		{ "01-Jan-2000 00:60:00 +0000", 0 },
		{ "01-Jan-2000 00:00:61 +0000", 0 },
		{ "01-Jan-2000 00:0:00 +0000", 0 },
		{ "01-Jan-2000 00:00:0 +0000", 0 },
		{ "01-Jan-2000 000:00:00 +0000", 0 },
		{ "01-Jan-2000 00:00", 0 },
		{ "01-Jan-2000", 0 },
		{ "01-Jan-2000 00:00:00 +0000 x", 0 },
		{ "Sat, 01 Jan 2000 00:00:00 +0000", 0 },
		{ "01-Jan-2000 00:00:00 +0000                                "
		  "              ",
		    0 },
	};

	(void)state;
	expect(dates, sizeof(dates) / sizeof(dates[0]));
}

static void
has_no_word_for_what_lies_before_1970(void **state)
{
	static const struct date dates[] = {
		{ "31-Dec-1969 16:00:00 -0800", 0 },
		{ "31-Dec-1969 23:59:59 +0000", 0 },
		{ "01-Jan-1970 00:00:00 +0000", 0 },
		{ "01-Jan-1970 00:59:59 +0100", 0 },
		{ "01-Jan-1970 01:00:01 +0100", 1 },
		{ "01-Jan-1601 00:00:00 +0000", 0 },
	};

	(void)state;
	expect(dates, sizeof(dates) / sizeof(dates[0]));
}

/* Read in memory of exactly its size, so that ASan sees a step too far. */
static void
reads_no_further_than_the_text(void **state)
{
	static const char whole[] = "17-Jul-1996 02:44:25 -0700";

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *copy = malloc(n + 1);
		int64_t got;

		assert_non_null(copy);
		memcpy(copy + 1, whole, n);
		got = imap_date_read(span_make(copy + 1, n));
		if (n == 20 || n == 21)
			assert_int_equal(got, 837571465); /* no zone */
		else
			assert_int_equal(
			    got, n + 1 == sizeof(whole) ? 837596665 : 0);
		free(copy);
	}
	assert_int_equal(
	    imap_date_read(SPAN("17-Jul-1996 02:44:25 -07\0000")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_dates),
		cmocka_unit_test(knows_leap_years),
		cmocka_unit_test(counts_every_day_as_the_library_does),
		cmocka_unit_test(knows_zones),
		cmocka_unit_test(takes_what_servers_write),
		cmocka_unit_test(has_no_word_for_what_makes_no_sense),
		cmocka_unit_test(has_no_word_for_what_lies_before_1970),
		cmocka_unit_test(reads_no_further_than_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
