/* SPDX-License-Identifier: ISC */
#include "proto/imap_date.h"

#include <stdbool.h>

#include "util/text.h"

#define DAY_S 86400

struct date {
	uint64_t year, month, day, hour, minute, second;
	int64_t zone_s; /* east of Greenwich */
};

/* ---- the calendar ---- */

static bool
is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint64_t
days_of_month(uint64_t year, uint64_t month)
{
	static const uint64_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* From 1 January of the year 1 to that of this year. */
static uint64_t
days_before_year(uint64_t year)
{
	uint64_t n = year - 1;

	return n * 365 + n / 4 - n / 100 + n / 400;
}

static int64_t
seconds_of(const struct date *d)
{
	uint64_t days = days_before_year(d->year) - days_before_year(1970);

	for (uint64_t month = 1; month < d->month; month++)
		days += days_of_month(d->year, month);
	days += d->day - 1;
	return (int64_t)(days * DAY_S + d->hour * 3600 + d->minute * 60 +
		   d->second) -
	    d->zone_s;
}

/* ---- the text ---- */

static void
skip_blanks(struct span *s)
{
	while (span_skip(s, SPAN(" ")))
		;
}

/* A number of least to most digits, from min to max. */
static bool
digits(struct span *s, size_t least, size_t most, uint64_t min, uint64_t max,
    uint64_t *n)
{
	size_t before = s->n;

	return text_number(s, max, n) && *n >= min && before - s->n >= least &&
	    before - s->n <= most;
}

static bool
read_month(struct span *s, uint64_t *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (*month = 1; *month <= 12; (*month)++)
		if (span_iskip(s, span_make(names + 3 * (*month - 1), 3)))
			return true;
	return false;
}

static bool
read_day(struct span *s, struct date *d)
{
	return digits(s, 1, 2, 1, 31, &d->day) && span_skip(s, SPAN("-")) &&
	    read_month(s, &d->month) && span_skip(s, SPAN("-")) &&
	    digits(s, 4, 4, 1970, 9999, &d->year) &&
	    d->day <= days_of_month(d->year, d->month);
}

static bool
read_time(struct span *s, struct date *d)
{
	return digits(s, 1, 2, 0, 23, &d->hour) && span_skip(s, SPAN(":")) &&
	    digits(s, 2, 2, 0, 59, &d->minute) && span_skip(s, SPAN(":")) &&
	    digits(s, 2, 2, 0, 60, &d->second);
}

static bool
read_zone(struct span *s, struct date *d)
{
	bool east = span_skip(s, SPAN("+"));
	uint64_t n;

	if (s->n == 0 && !east)
		return true;
	if (!east && !span_skip(s, SPAN("-")))
		return false;
	if (!digits(s, 4, 4, 0, 2359, &n) || n % 100 > 59)
		return false;
	d->zone_s = (int64_t)(n / 100 * 3600 + n % 100 * 60);
	if (!east)
		d->zone_s = -d->zone_s;
	return true;
}

int64_t
imap_date_read(struct span s)
{
	struct date d = { 0 };
	int64_t seconds;

	if (s.n > IMAP_DATE_MAX_OCTETS)
		return 0;
	s = span_trim(s);
	if (!read_day(&s, &d))
		return 0;
	skip_blanks(&s);
	if (!read_time(&s, &d))
		return 0;
	skip_blanks(&s);
	if (!read_zone(&s, &d) || s.n > 0)
		return 0;
	seconds = seconds_of(&d);
	return seconds > 0 ? seconds : 0;
}
