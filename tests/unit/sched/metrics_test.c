/* SPDX-License-Identifier: ISC */
#include "sched/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1800000000)

static struct buf out;
static struct metrics_account accounts[2];
static struct metrics metrics;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	memset(accounts, 0, sizeof(accounts));
	accounts[0].account = "work";
	accounts[1].account = "home";
	metrics = (struct metrics){ .version = "1.2",
		.now = NOW,
		.started = NOW - 1000,
		.accounts = accounts,
		.n = 2 };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_deinit(&out);
	return 0;
}

static void
write_it(bool open)
{
	buf_clear(&out);
	assert_int_equal(metrics_write(&out, &metrics, open), 0);
	assert_int_equal(buf_addc(&out, '\0'), 0);
}

/* The line of a sample or a description, or NULL. */
static const char *
line_of(const char *begin)
{
	static char line[1024];
	const char *text = buf_span(&out).p;
	size_t n = strlen(begin);

	for (const char *p = text; *p != '\0';) {
		size_t len = strcspn(p, "\n");

		if (strncmp(p, begin, n) == 0) {
			snprintf(line, sizeof(line), "%.*s", (int)len, p);
			return line;
		}
		p += len + (p[len] == '\n');
	}
	return NULL;
}

/* Whether text has exactly this line. */
static bool
has_line(const char *whole)
{
	const char *line = line_of(whole);

	return line != NULL && strcmp(line, whole) == 0;
}

static void
shows_the_numbers_of_each_account(void **state)
{
	struct status *s = &accounts[0].status;

	(void)state;
	*s = (struct status){ .state = STATUS_WATCHING,
		.sessions = 2,
		.watched = 3,
		.polled = 4,
		.last_success = NOW - 7,
		.delivered = 10,
		.octets = UINT64_MAX,
		.held = 5,
		.failures[ERR_NET] = 6 };
	write_it(true);
	assert_true(has_line("mailhaul_up{account=\"work\"} 1"));
	assert_true(
	    has_line("mailhaul_seconds_since_success{account=\"work\"} 7"));
	assert_true(has_line("mailhaul_delivered_total{account=\"work\"} 10"));
	assert_true(has_line("mailhaul_delivered_bytes_total{account="
			     "\"work\"} 18446744073709551615"));
	assert_true(has_line("mailhaul_held{account=\"work\"} 5"));
	assert_true(has_line(
	    "mailhaul_failures_total{account=\"work\",class=\"net\"} 6"));
	assert_true(has_line(
	    "mailhaul_sessions{account=\"work\",state=\"watching\"} 2"));
	assert_true(has_line(
	    "mailhaul_mailboxes{account=\"work\",noticed=\"push\"} 3"));
	assert_true(has_line(
	    "mailhaul_mailboxes{account=\"work\",noticed=\"poll\"} 4"));
	assert_true(has_line("mailhaul_delivered_total{account=\"home\"} 0"));
}

static void
shows_the_numbers_of_the_whole(void **state)
{
	(void)state;
	metrics.restarts = 3;
	write_it(true);
	assert_true(has_line("mailhaul_build_info{version=\"1.2\"} 1"));
	assert_true(has_line("mailhaul_start_time_seconds 1799999000"));
	assert_true(has_line("mailhaul_restarts_total 3"));
}

static void
is_up_when_it_succeeded_and_does_not_fail(void **state)
{
	static const struct {
		int64_t success, failing;
		const char *line;
	} rows[] = {
		{ 0, 0, "mailhaul_up{account=\"work\"} 0" },
		{ NOW - 5, 0, "mailhaul_up{account=\"work\"} 1" },
		{ NOW - 5, NOW - 2, "mailhaul_up{account=\"work\"} 0" },
		{ 0, NOW - 2, "mailhaul_up{account=\"work\"} 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		accounts[0].status.last_success = rows[i].success;
		accounts[0].status.failing_since = rows[i].failing;
		write_it(false);
		assert_true(has_line(rows[i].line));
	}
}

static void
counts_from_the_start_when_there_was_no_success(void **state)
{
	(void)state;
	write_it(true);
	assert_true(
	    has_line("mailhaul_seconds_since_success{account=\"work\"} 1000"));
	accounts[0].status.last_success = NOW + 50; /* the clock was set */
	write_it(true);
	assert_true(
	    has_line("mailhaul_seconds_since_success{account=\"work\"} 0"));
}

static void
shows_each_class_of_failure_from_zero_on(void **state)
{
	char line[128];

	(void)state;
	write_it(true);
	for (int kind = 0; kind < ERR_KINDS; kind++) {
		snprintf(line, sizeof(line),
		    "mailhaul_failures_total{account=\"home\",class=\"%s\"} 0",
		    err_kind_name((enum err_kind)kind));
		assert_int_equal(
		    has_line(line), kind != ERR_NONE && kind != ERR_CANCEL);
	}
}

static void
cumulates_the_histogram(void **state)
{
	(void)state;
	histogram_add(&metrics.commit, 900);
	histogram_add(&metrics.commit, 4500);
	histogram_add(&metrics.commit, 1000000);
	histogram_add(&metrics.commit, 60000000);
	write_it(true);
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"0.001\"} 1"));
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"0.002\"} 1"));
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"0.005\"} 2"));
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"0.5\"} 2"));
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"1.0\"} 3"));
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"10.0\"} 3"));
	assert_true(has_line("mailhaul_commit_seconds_bucket{le=\"+Inf\"} 4"));
	assert_true(has_line("mailhaul_commit_seconds_count 4"));
	assert_true(has_line("mailhaul_commit_seconds_sum 61.0054"));
}

static void
escapes_names(void **state)
{
	(void)state;
	accounts[0].account = "a\"b\\c\nd\xff"
			      "\xc3\xa9";
	write_it(true);
	assert_true(has_line("mailhaul_held{account=\"a\\\"b\\\\c\\\\x0Ad"
			     "\\\\xFF\xc3\xa9\"} 0"));
}

/* Where the two formats differ, and where one mistakes the other. */
static void
describes_in_the_words_of_the_format(void **state)
{
	(void)state;
	write_it(true);
	assert_true(has_line("# TYPE mailhaul_delivered counter"));
	assert_true(has_line("# TYPE mailhaul_build info"));
	assert_true(has_line("# UNIT mailhaul_commit_seconds seconds"));
	assert_string_equal(out.mem + out.off + out.n - 7, "# EOF\n");
	write_it(false);
	assert_true(has_line("# TYPE mailhaul_delivered_total counter"));
	assert_true(has_line("# TYPE mailhaul_build_info gauge"));
	assert_null(line_of("# UNIT"));
	assert_null(line_of("# EOF"));
}

static void
each_family_is_described_once(void **state)
{
	static const bool formats[] = { true, false };
	char seen[64][96];

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		size_t n = 0;
		const char *p;

		write_it(formats[k]);
		p = buf_span(&out).p;
		while ((p = strstr(p, "# TYPE ")) != NULL) {
			size_t len = strcspn(p + 7, " ");

			assert_true(n < 64 && len < sizeof(seen[0]));
			memcpy(seen[n], p + 7, len);
			seen[n][len] = '\0';
			for (size_t i = 0; i < n; i++)
				assert_string_not_equal(seen[i], seen[n]);
			n++;
			p += 7;
		}
		assert_true(n >= 12);
	}
}

static void
says_so_when_it_does_not_fit(void **state)
{
	size_t whole;

	(void)state;
	write_it(true);
	whole = out.n - 1;
	for (size_t max = 0; max < whole; max += 97) {
		struct buf small;

		buf_init(&small, max);
		assert_int_equal(metrics_write(&small, &metrics, true), -1);
		buf_deinit(&small);
	}
}

static void
the_client_chooses_the_format(void **state)
{
	(void)state;
	assert_false(metrics_wants_open(SPAN("")));
	assert_false(metrics_wants_open(SPAN("text/plain;version=0.0.4")));
	assert_true(metrics_wants_open(SPAN(
	    "Application/OpenMetrics-Text;version=1.0.0;q=0.5,*/*;q=0.1")));
	assert_non_null(strstr(metrics_type(true), "openmetrics"));
	assert_non_null(strstr(metrics_type(false), "0.0.4"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shows_the_numbers_of_each_account),
		TEST(shows_the_numbers_of_the_whole),
		TEST(is_up_when_it_succeeded_and_does_not_fail),
		TEST(counts_from_the_start_when_there_was_no_success),
		TEST(shows_each_class_of_failure_from_zero_on),
		TEST(cumulates_the_histogram),
		TEST(escapes_names),
		TEST(describes_in_the_words_of_the_format),
		TEST(each_family_is_described_once),
		TEST(says_so_when_it_does_not_fit),
		cmocka_unit_test(the_client_chooses_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
