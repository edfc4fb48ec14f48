/* SPDX-License-Identifier: ISC */
#include "proc/report.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sys/clock.h"
#include "unit/proc/spoken.h"

static struct fetch_result
result_of(uint64_t messages, uint64_t octets, enum err_kind kind)
{
	struct fetch_result r = { 0 };

	r.progress.doing = "done";
	r.progress.messages = r.progress.total = messages;
	r.progress.octets = octets;
	if (kind != ERR_NONE)
		err_set(&r.err, kind, 0, "broken");
	return r;
}

/* One account that ended so. */
static void
summarize(enum report_style style, const struct fetch_result *result)
{
	struct report *r = report_new(style, 1);

	report_name(r, 0, "work");
	listen_to_both();
	report_result(r, 0, result);
	report_end(r);
	read_both_back();
	report_free(&r);
	assert_null(r);
}

static void
says_one_message_and_many(void **state)
{
	struct fetch_result one = result_of(1, 1000, ERR_NONE);
	struct fetch_result two = result_of(2, 2000, ERR_NONE);

	(void)state;
	summarize(REPORT_SUMMARY, &one);
	assert_non_null(strstr(out, "work: 1 message ("));
	assert_string_equal(err, "");
	summarize(REPORT_SUMMARY, &two);
	assert_non_null(strstr(out, "work: 2 messages ("));
	assert_non_null(strstr(out, ") in 0."));
}

static void
says_that_there_is_no_new_mail(void **state)
{
	struct fetch_result none = result_of(0, 0, ERR_NONE);

	(void)state;
	summarize(REPORT_SUMMARY, &none);
	assert_string_equal(out, "work: no new mail\n");
}

static void
says_how_many_were_removed(void **state)
{
	struct fetch_result none = result_of(0, 0, ERR_NONE);

	(void)state;
	none.removed = 3;
	summarize(REPORT_SUMMARY, &none);
	assert_string_equal(
	    out, "work: no new mail, 3 removed on the server\n");
}

static void
says_that_it_failed_after_some(void **state)
{
	struct fetch_result some = result_of(1, 10, ERR_NET);
	struct fetch_result none = result_of(0, 0, ERR_NET);

	(void)state;
	summarize(REPORT_SUMMARY, &some);
	assert_non_null(strstr(out, "work: 1 message "));
	assert_non_null(strstr(out, ", then failed\n"));
	summarize(REPORT_SUMMARY, &none); /* the log has told it */
	assert_string_equal(out, "");
}

static void
says_nothing_when_silent(void **state)
{
	struct fetch_result one = result_of(1, 10, ERR_NONE);
	struct report *r = report_new(REPORT_SILENT, 1);

	(void)state;
	report_name(r, 0, "work");
	listen_to_both();
	report_progress(r, 0, &one.progress);
	report_draw(r);
	report_clear(r);
	report_result(r, 0, &one);
	report_end(r);
	read_both_back();
	report_free(&r);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
}

static void
moves_nothing_in_a_summary(void **state)
{
	struct report *r = report_new(REPORT_SUMMARY, 1);

	(void)state;
	report_name(r, 0, "work");
	listen_to_both();
	report_draw(r);
	report_clear(r);
	read_both_back();
	report_free(&r);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
}

static void
draws_a_line_for_each_account(void **state)
{
	struct fetch_progress p = { "fetching", 3, 10, 3000, 0 };
	struct fetch_result bad = result_of(0, 0, ERR_AUTH);
	struct report *r = report_new(REPORT_MOVING, 3);

	(void)state;
	report_name(r, 0, "work");
	report_name(r, 1, "home");
	report_name(r, 2, "old");
	listen_to_both();
	report_progress(r, 0, &p);
	report_result(r, 2, &bad);
	report_draw(r);
	read_both_back();
	report_free(&r);
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "work  fetching         3/10 "));
	assert_non_null(strstr(err, "home  waiting          0/0 "));
	assert_non_null(strstr(err, "old   failed "));
	assert_null(strstr(err, "\033[3A")); /* nothing was there to go over */
}

static void
draws_over_what_it_drew(void **state)
{
	struct report *r = report_new(REPORT_MOVING, 2);

	(void)state;
	report_name(r, 0, "work");
	report_name(r, 1, "home");
	listen_to_both();
	report_draw(r);
	report_draw(r);
	report_clear(r);
	report_clear(r); /* once is enough */
	read_both_back();
	report_free(&r);
	assert_non_null(strstr(err, "\033[2A"));
	assert_null(strstr(
	    strstr(strstr(err, "\033[2A") + 1, "\033[2A") + 1, "\033[2A"));
}

/* A pace takes a time, if only a millisecond. */
static void
let_the_clock_tick(void)
{
	uint64_t now = clock_ms();

	while (clock_ms() == now)
		;
}

static void
tells_the_time_left_only_while_there_is_some(void **state)
{
	struct fetch_progress begun = { "fetching", 1, 1000000, 1, 1ULL << 50 };
	struct fetch_progress unknown = { "fetching", 0, 10, 0, 0 };
	struct fetch_progress done = { "fetching", 10, 10, 100, 100 };
	struct report *r = report_new(REPORT_MOVING, 1);

	(void)state;
	report_name(r, 0, "work");
	let_the_clock_tick();
	listen_to_both();
	report_progress(r, 0, &begun);
	report_draw(r);
	read_both_back();
	assert_non_null(strstr(err, "left: "));
	listen_to_both();
	report_progress(r, 0, &unknown);
	report_draw(r);
	report_progress(r, 0, &done);
	report_draw(r);
	read_both_back();
	report_free(&r);
	assert_null(strstr(err, "left: "));
}

static void
tells_no_time_left_of_what_has_ended(void **state)
{
	struct fetch_result part = result_of(1, 1, ERR_NET);
	struct report *r = report_new(REPORT_MOVING, 1);

	(void)state;
	part.progress.total = 1000000;
	report_name(r, 0, "work");
	let_the_clock_tick();
	listen_to_both();
	report_result(r, 0, &part);
	report_draw(r);
	read_both_back();
	report_free(&r);
	assert_null(strstr(err, "left: "));
}

static void
shows_no_control_octets(void **state)
{
	struct fetch_progress p = { "\033[31mred\r\n", 0, 0, 0, 0 };
	struct report *r = report_new(REPORT_MOVING, 1);

	(void)state;
	report_name(r, 0, "work");
	listen_to_both();
	report_progress(r, 0, &p);
	report_draw(r);
	read_both_back();
	report_free(&r);
	assert_null(strstr(err, "\033[31m"));
	assert_non_null(strstr(err, "\\x1B[31mred"));
}

static void
survives_numbers_that_make_no_sense(void **state)
{
	struct fetch_progress p = { "fetching", UINT64_MAX, UINT64_MAX,
		UINT64_MAX, UINT64_MAX };
	struct fetch_progress q = { "fetching", 1, UINT64_MAX, 1, UINT64_MAX };
	struct report *r = report_new(REPORT_MOVING, 1);

	(void)state;
	report_name(r, 0, "work");
	listen_to_both();
	report_progress(r, 0, &p);
	report_draw(r);
	report_progress(r, 0, &q);
	report_draw(r);
	read_both_back();
	report_free(&r);
	assert_non_null(strstr(err, "work"));
}

static void
draws_a_screenful_at_most_and_the_busy_ones(void **state)
{
	struct fetch_result none = result_of(0, 0, ERR_NONE);
	struct report *r = report_new(REPORT_MOVING, 30);
	static char names[30][8];
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		snprintf(names[i], sizeof(names[i]), "a%02zu", i);
		report_name(r, i, names[i]);
	}
	report_result(r, 0, &none);
	listen_to_both();
	report_draw(r);
	read_both_back();
	report_free(&r);
	for (const char *p = err; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 20);
	assert_null(strstr(err, "a00"));
	assert_non_null(strstr(err, "a20"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_one_message_and_many),
		cmocka_unit_test(says_that_there_is_no_new_mail),
		cmocka_unit_test(says_how_many_were_removed),
		cmocka_unit_test(says_that_it_failed_after_some),
		cmocka_unit_test(says_nothing_when_silent),
		cmocka_unit_test(moves_nothing_in_a_summary),
		cmocka_unit_test(draws_a_line_for_each_account),
		cmocka_unit_test(draws_over_what_it_drew),
		cmocka_unit_test(tells_the_time_left_only_while_there_is_some),
		cmocka_unit_test(tells_no_time_left_of_what_has_ended),
		cmocka_unit_test(shows_no_control_octets),
		cmocka_unit_test(survives_numbers_that_make_no_sense),
		cmocka_unit_test(draws_a_screenful_at_most_and_the_busy_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
