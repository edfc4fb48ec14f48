/* SPDX-License-Identifier: ISC */
#include "sys/log_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64], path[80];
static int journal = -1;
static char got[65536];

static void
listen_as_the_journal(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (journal >= 0)
		close(journal);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(
	    bind(journal, (const struct sockaddr *)&a, sizeof(a)), 0);
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/log_journal_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	listen_as_the_journal();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	log_journal_close();
	close(journal);
	journal = -1;
	unlink(path);
	rmdir(dir);
	return 0;
}

static const char *
receive(void)
{
	ssize_t n = recv(journal, got, sizeof(got) - 1, 0);

	assert_true(n >= 0);
	got[n] = '\0';
	return got;
}

static const struct log_field fields[] = { { "account", "work" },
	{ "uid_2", "7\n" } };
static const struct log_line line = { LOG_LEVEL_ERROR, "work", "no", fields,
	2 };

static void
sends_the_line_with_its_fields(void **state)
{
	(void)state;
	assert_int_equal(log_journal_open(path), 0);
	assert_true(log_journal_send(&line));
	assert_string_equal(receive(),
	    "MESSAGE=work: error: no\n"
	    "PRIORITY=3\n"
	    "SYSLOG_IDENTIFIER=mailhaul\n"
	    "MAILHAUL_SUBJECT=work\n"
	    "MAILHAUL_ACCOUNT=work\n"
	    "MAILHAUL_UID_2=7\\x0A\n");
}

static void
has_a_priority_for_each_level(void **state)
{
	static const int priorities[] = { 3, 4, 5, 6, 7, 7 };
	char want[32];

	(void)state;
	assert_int_equal(log_journal_open(path), 0);
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_TRACE; i++) {
		struct log_line l = { (enum log_level)i, "s", "m", NULL, 0 };

		assert_true(log_journal_send(&l));
		snprintf(want, sizeof(want), "\nPRIORITY=%d\n", priorities[i]);
		assert_non_null(strstr(receive(), want));
	}
}

static void
sends_the_longest_line(void **state)
{
	static char longest[LOG_LINE_MAX], value[LOG_FIELD_MAX];
	struct log_field many[LOG_FIELDS_MAX];
	struct log_line l = { LOG_LEVEL_INFO, longest, longest, many,
		LOG_FIELDS_MAX };

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memset(value, 'y', sizeof(value) - 1);
	for (size_t i = 0; i < LOG_FIELDS_MAX; i++)
		many[i] = (struct log_field){ "name", value };
	many[LOG_FIELDS_MAX - 1] = (struct log_field){ "last", "z" };
	assert_int_equal(log_journal_open(path), 0);
	assert_true(log_journal_send(&l));
	assert_non_null(strstr(receive(), "\nMAILHAUL_LAST=z\n"));
}

static void
says_when_there_is_no_journal(void **state)
{
	static char too_long[300];

	(void)state;
	assert_false(log_journal_send(&line));
	memset(too_long, '/', sizeof(too_long) - 1);
	assert_int_equal(log_journal_open(too_long), -1);
	unlink(path);
	assert_int_equal(log_journal_open(path), -1);
	assert_false(log_journal_send(&line));
}

static void
outlives_a_restart_of_the_journal(void **state)
{
	(void)state;
	assert_int_equal(log_journal_open(path), 0);
	close(journal);
	journal = -1;
	assert_false(log_journal_send(&line));
	listen_as_the_journal();
	assert_true(log_journal_send(&line));
	assert_non_null(strstr(receive(), "MESSAGE=work: error: no\n"));
}

static void
does_not_wait_for_a_journal_that_is_behind(void **state)
{
	int n = 0;

	(void)state;
	assert_int_equal(log_journal_open(path), 0);
	alarm(20); /* it would wait for ever */
	while (n < 100000 && log_journal_send(&line))
		n++;
	alarm(0);
	assert_in_range(n, 1, 99999);
}

static void
closes_what_it_opened(void **state)
{
	(void)state;
	assert_int_equal(log_journal_open(path), 0);
	log_journal_close();
	log_journal_close();
	assert_false(log_journal_send(&line));
}

static void
knows_whether_the_journal_reads_a_descriptor(void **state)
{
	char stream[64];
	struct stat st;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(log_journal_reads(ends[1]));
	assert_int_equal(fstat(ends[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_journal_reads(ends[1]));
	assert_false(log_journal_reads(journal));
	snprintf(stream, sizeof(stream), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino * 10);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_false(log_journal_reads(ends[1]));
	close(ends[0]);
	close(ends[1]);
	assert_false(log_journal_reads(ends[1]));
	unsetenv("JOURNAL_STREAM");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_the_line_with_its_fields),
		TEST(has_a_priority_for_each_level),
		TEST(sends_the_longest_line),
		TEST(says_when_there_is_no_journal),
		TEST(outlives_a_restart_of_the_journal),
		TEST(does_not_wait_for_a_journal_that_is_behind),
		TEST(closes_what_it_opened),
		TEST(knows_whether_the_journal_reads_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
