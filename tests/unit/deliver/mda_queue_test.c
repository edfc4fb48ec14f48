/* SPDX-License-Identifier: ISC */
#include "deliver/mda_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

#define ARGV(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
/* "$0" is the file that the test looks into afterwards, "$1" the UID */
#define SHELL(script) ARGV("/bin/sh", "-c", script, out_path, "%{uid}")
#define BEGIN_AND_END "printf \"<$1\" >>$0; sleep 0.02; printf \"$1>\" >>$0"
#define MANY 40

/* What is done when a message is answered. */
enum reaction { RECORD, REMEMBER, FREE_QUEUE, PUSH_ONE_MORE };

static struct loop *loop;
static struct mda_queue *queue;
static uint8_t exits[256];
static struct mda_program program;
static char out_path[64], out[4096];
static unsigned int fds_before;
static enum reaction reaction;
static unsigned int answers, accepted, later, cancelled, stopped;
static uintptr_t last_answered;

static unsigned int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	fds_before = count_fds();
	snprintf(out_path, sizeof(out_path), "/tmp/mailhaul-out-XXXXXX");
	fd = mkstemp(out_path);
	assert_true(fd >= 0);
	close(fd);
	memset(exits, MDA_HOLD, sizeof(exits));
	exits[0] = MDA_ACCEPTED;
	exits[75] = MDA_LATER;
	program = (struct mda_program){ .timeout_ms = 60000, .exits = exits };
	reaction = RECORD;
	answers = accepted = later = cancelled = stopped = 0;
	last_answered = 0;
	loop = loop_new();
	return 0;
}

/* Nothing is left: no descriptor. */
static int
tear_down(void **state)
{
	(void)state;
	mda_queue_free(&queue);
	loop_free(&loop);
	unlink(out_path);
	assert_int_equal(count_fds(), fds_before);
	return 0;
}

static void on_answer(void *arg, enum mda_verdict v, const struct err *e);

/* What it is told with is gone when this returns. */
static void
push(unsigned int number)
{
	char path[] = "/tmp/mailhaul-mda-XXXXXX", account[] = "work", uid[16];
	struct mda_mail mail = { .account = account, .uid = uid };

	mail.fd = mkostemp(path, O_CLOEXEC);
	assert_true(mail.fd >= 0);
	unlink(path);
	snprintf(uid, sizeof(uid), "%u", number);
	assert_true(write(mail.fd, uid, strlen(uid)) > 0);
	mda_queue_push(queue, &mail, on_answer, (void *)(uintptr_t)number);
	memset(uid, 'x', sizeof(uid) - 1);
	memset(account, 'x', sizeof(account) - 1);
}

static void
on_answer(void *arg, enum mda_verdict v, const struct err *e)
{
	answers++;
	last_answered = (uintptr_t)arg;
	accepted += v == MDA_ACCEPTED;
	later += v == MDA_LATER;
	cancelled += e != NULL && e->kind == ERR_CANCEL;
	switch (reaction) {
	case RECORD:
		if (v == MDA_ACCEPTED)
			mda_queue_done(queue);
		break;
	case REMEMBER:
		break;
	case FREE_QUEUE:
		mda_queue_free(&queue);
		assert_null(queue);
		break;
	case PUSH_ONE_MORE:
		reaction = RECORD;
		mda_queue_done(queue);
		push(99);
		break;
	}
}

static void
on_stopped(void *arg)
{
	assert_ptr_equal(arg, &stopped);
	stopped++;
}

static void
begin(const char *const *argv, unsigned int parallel, unsigned int n)
{
	unsigned int i;

	program.argv = argv;
	queue = mda_queue_new(loop, &program, parallel);
	for (i = 1; i <= n; i++)
		push(i);
	assert_int_equal(answers, 0); /* never from inside the push */
}

static void
read_out(void)
{
	int fd = open(out_path, O_RDONLY);
	ssize_t n = read(fd, out, sizeof(out) - 1);

	assert_true(fd >= 0 && n >= 0);
	close(fd);
	out[n] = '\0';
}

/* How many ran at the same time, at most. */
static int
most_at_once(void)
{
	int now = 0, most = 0;

	read_out();
	for (const char *p = out; *p != '\0'; p++) {
		now += (*p == '<') - (*p == '>');
		most = now > most ? now : most;
	}
	assert_int_equal(now, 0);
	return most;
}

/* ---- order and bound ---- */

static void
runs_one_at_a_time_in_the_order_of_arrival(void **state)
{
	char want[sizeof(out)];
	size_t n = 0;
	unsigned int i;

	(void)state;
	begin(SHELL(BEGIN_AND_END), 1, MANY);
	assert_int_equal(mda_queue_waiting(queue), MANY - 1);
	loop_run(loop);
	assert_int_equal(accepted, MANY);
	for (i = 1; i <= MANY; i++)
		n += (size_t)snprintf(
		    want + n, sizeof(want) - n, "<%u%u>", i, i);
	read_out();
	assert_string_equal(out, want);
}

static void
runs_as_many_at_once_as_it_may(void **state)
{
	(void)state;
	begin(SHELL("printf '<' >>$0; sleep 0.1; printf '>' >>$0"), 3, MANY);
	assert_int_equal(mda_queue_waiting(queue), MANY - 3);
	loop_run(loop);
	assert_int_equal(accepted, MANY);
	assert_int_equal(most_at_once(), 3);
}

static void
gives_each_program_its_own_message(void **state)
{
	(void)state;
	begin(SHELL("[ \"$(cat)\" = $1 ] && [ $MAILHAUL_ACCOUNT = work ]"), 2,
	    MANY);
	loop_run(loop);
	assert_int_equal(accepted, MANY);
}

static void
starts_nothing_before_the_last_is_recorded(void **state)
{
	(void)state;
	reaction = REMEMBER;
	begin(SHELL(BEGIN_AND_END), 1, 3);
	loop_run(loop); /* ends, for nothing runs */
	assert_int_equal(accepted, 1);
	assert_int_equal(mda_queue_waiting(queue), 2);
	mda_queue_done(queue);
	assert_int_equal(mda_queue_waiting(queue), 1);
	loop_run(loop);
	assert_int_equal(accepted, 2);
	read_out();
	assert_string_equal(out, "<11><22>");
}

static void
has_no_more_unrecorded_than_it_may_run(void **state)
{
	(void)state;
	reaction = REMEMBER;
	begin(SHELL(BEGIN_AND_END), 3, 10);
	loop_run(loop);
	assert_int_equal(accepted, 3);
	mda_queue_done(queue);
	mda_queue_done(queue);
	loop_run(loop);
	assert_int_equal(accepted, 5);
}

static void
needs_no_record_of_what_was_not_accepted(void **state)
{
	(void)state;
	reaction = REMEMBER;
	begin(SHELL("exit $((74 + $1 % 2))"), 1, 10);
	loop_run(loop);
	assert_int_equal(answers, 10);
	assert_int_equal(later, 5);
	assert_int_equal(cancelled, 0);
}

static void
goes_on_after_programs_that_cannot_run(void **state)
{
	(void)state;
	begin(ARGV("/x/y"), 2, 10);
	loop_run(loop);
	assert_int_equal(answers, 10);
	assert_int_equal(accepted + later, 0);
}

static void
may_be_pushed_to_from_an_answer(void **state)
{
	(void)state;
	reaction = PUSH_ONE_MORE;
	begin(ARGV("true"), 1, 2);
	loop_run(loop);
	assert_int_equal(accepted, 3);
	assert_int_equal(last_answered, 99);
}

/* ---- the end ---- */

static void
answers_what_waits_when_it_is_stopped(void **state)
{
	uint64_t start = clock_ms();

	(void)state;
	begin(SHELL("printf \"$1\" >>$0; sleep 0.3; printf . >>$0"), 2, 10);
	mda_queue_stop(queue, on_stopped, &stopped);
	assert_int_equal(answers + stopped, 0);
	push(11); /* too late */
	loop_run(loop);
	assert_int_equal(stopped, 1);
	assert_int_equal(accepted, 2); /* those ran, and ended */
	assert_int_equal(later, 9);
	assert_int_equal(cancelled, 9);
	read_out();
	assert_int_equal(strlen(out), 4);
	assert_true(clock_ms() < start + MDA_QUEUE_GRACE_MS);
	push(12);
	assert_int_equal(answers, 11);
	loop_run(loop);
	assert_int_equal(answers, 12);
	assert_int_equal(stopped, 1);
}

static void
stops_at_once_when_nothing_runs(void **state)
{
	uint64_t start = clock_ms();

	(void)state;
	begin(ARGV("true"), 1, 0);
	mda_queue_stop(queue, on_stopped, &stopped);
	assert_int_equal(stopped, 0);
	loop_run(loop);
	assert_int_equal(stopped, 1);
	assert_true(clock_ms() < start + MDA_QUEUE_GRACE_MS);
}

static void
stops_with_a_record_still_owed(void **state)
{
	(void)state;
	reaction = REMEMBER;
	begin(SHELL(BEGIN_AND_END), 1, 2);
	loop_run(loop);
	assert_int_equal(accepted, 1);
	mda_queue_stop(queue, on_stopped, &stopped);
	mda_queue_done(queue); /* no reason to go on */
	loop_run(loop);
	assert_int_equal(stopped, 1);
	assert_int_equal(cancelled, 1);
	read_out();
	assert_string_equal(out, "<11>");
}

static void
ends_what_runs_on_after_the_stop(void **state)
{
	uint64_t start = clock_ms();

	(void)state;
	begin(ARGV("sleep", "100"), 1, 1);
	mda_queue_stop(queue, on_stopped, &stopped);
	loop_run(loop);
	assert_in_range(clock_ms() - start, MDA_QUEUE_GRACE_MS, 60000);
	assert_int_equal(stopped, 1);
	assert_int_equal(later, 1);
	assert_int_equal(cancelled, 1);
}

static void
is_silent_when_freed(void **state)
{
	(void)state;
	begin(ARGV("sleep", "100"), 2, 5);
	mda_queue_free(&queue);
	mda_queue_free(&queue);
	loop_run(loop);
	assert_int_equal(answers, 0);
}

static void
may_be_freed_in_an_answer(void **state)
{
	(void)state;
	reaction = FREE_QUEUE;
	begin(ARGV("true"), 2, 5);
	loop_run(loop);
	assert_int_equal(answers, 1);
	answers = 0;
	begin(ARGV("sleep", "100"), 1, 5);
	mda_queue_stop(queue, on_stopped, &stopped);
	loop_run(loop);
	assert_int_equal(answers, 1);
	assert_int_equal(stopped, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(runs_one_at_a_time_in_the_order_of_arrival),
		TEST(runs_as_many_at_once_as_it_may),
		TEST(gives_each_program_its_own_message),
		TEST(starts_nothing_before_the_last_is_recorded),
		TEST(has_no_more_unrecorded_than_it_may_run),
		TEST(needs_no_record_of_what_was_not_accepted),
		TEST(goes_on_after_programs_that_cannot_run),
		TEST(may_be_pushed_to_from_an_answer),
		TEST(answers_what_waits_when_it_is_stopped),
		TEST(stops_at_once_when_nothing_runs),
		TEST(stops_with_a_record_still_owed),
		TEST(ends_what_runs_on_after_the_stop),
		TEST(is_silent_when_freed),
		TEST(may_be_freed_in_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
