/* SPDX-License-Identifier: ISC */
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"

/* What happened, one letter each. */
static char story[64];
static struct loop *loop;
static struct loop_timer *timers[4];
static struct loop_fd *watches[2];

static int
set_up(void **state)
{
	(void)state;
	memset(story, 0, sizeof(story));
	loop = loop_new();
	return 0;
}

static int
tear_down(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		loop_timer_free(&timers[i]);
	for (i = 0; i < 2; i++)
		loop_fd_free(&watches[i]);
	loop_free(&loop);
	assert_null(loop);
	return 0;
}

static void
tell(char c)
{
	size_t n = strlen(story);

	assert_true(n + 1 < sizeof(story));
	story[n] = c;
}

static void
tell_letter(void *arg)
{
	tell(*(const char *)arg);
}

static struct loop_timer *
letter_timer(const char *letter, uint64_t ms)
{
	/* the callback only reads from it */
	struct loop_timer *t =
	    loop_timer_new(loop, tell_letter, (void *)(uintptr_t)letter);

	loop_timer_arm(t, ms);
	return t;
}

/* ---- timers ---- */

static void
fires_timers_in_order_and_never_early(void **state)
{
	uint64_t start = clock_ms();

	(void)state;
	timers[0] = letter_timer("c", 30);
	timers[1] = letter_timer("a", 0);
	timers[2] = letter_timer("b", 15);
	assert_string_equal(story, "");
	assert_true(loop_timer_armed(timers[0]));
	loop_run(loop); /* ends when nothing is left */
	assert_string_equal(story, "abc");
	assert_true(clock_ms() >= start + 30);
	assert_false(loop_timer_armed(timers[0]));
}

static void
moves_a_timer_that_is_armed_again(void **state)
{
	(void)state;
	timers[0] = letter_timer("a", 60000);
	timers[1] = letter_timer("b", 10);
	loop_timer_arm(timers[0], 1);
	loop_run(loop);
	assert_string_equal(story, "ab");
}

static void
forgets_a_stopped_timer(void **state)
{
	(void)state;
	timers[0] = letter_timer("a", 0);
	timers[1] = letter_timer("b", 1);
	loop_timer_stop(timers[0]);
	loop_timer_stop(timers[0]);
	assert_false(loop_timer_armed(timers[0]));
	loop_run(loop);
	assert_string_equal(story, "b");
	loop_timer_arm(timers[0], 0);
	loop_run(loop);
	assert_string_equal(story, "ba");
}

static void
free_all_timers(void *arg)
{
	size_t i;

	(void)arg;
	tell('!');
	for (i = 0; i < 4; i++)
		loop_timer_free(&timers[i]);
}

static void
may_free_itself_and_others_that_are_due(void **state)
{
	(void)state;
	timers[0] = loop_timer_new(loop, free_all_timers, NULL);
	loop_timer_arm(timers[0], 0);
	timers[1] = letter_timer("x", 0);
	timers[2] = letter_timer("y", 1);
	loop_run(loop);
	assert_string_equal(story, "!");
}

static void
again(void *arg)
{
	(void)arg;
	tell('a');
	assert_false(loop_timer_armed(timers[0]));
	if (strlen(story) < 3)
		loop_timer_arm(timers[0], 0);
}

static void
may_arm_itself_for_the_next_round(void **state)
{
	(void)state;
	timers[0] = loop_timer_new(loop, again, NULL);
	loop_timer_arm(timers[0], 0);
	loop_run(loop);
	assert_string_equal(story, "aaa");
}

static uint64_t armed_at;

static void
arm_after_a_while(void *arg)
{
	uint64_t start = clock_ms();

	(void)arg;
	while (clock_ms() < start + 40)
		;
	armed_at = clock_ms();
	loop_timer_arm(timers[1], 20);
	loop_timer_arm(timers[2], 1); /* wakes the loop up in between */
}

static void
counts_from_the_call_that_arms(void **state)
{
	(void)state;
	timers[0] = loop_timer_new(loop, arm_after_a_while, NULL);
	loop_timer_arm(timers[0], 0);
	timers[1] = letter_timer("b", 60000);
	timers[2] = letter_timer("a", 60000);
	loop_run(loop);
	assert_string_equal(story, "ab");
	assert_true(clock_ms() >= armed_at + 20);
}

static void
stop(void *arg)
{
	(void)arg;
	tell('s');
	loop_stop(loop);
}

static void
stops_and_runs_again(void **state)
{
	(void)state;
	timers[0] = loop_timer_new(loop, stop, NULL);
	loop_timer_arm(timers[0], 0);
	timers[1] = letter_timer("a", 20);
	loop_run(loop);
	assert_string_equal(story, "s");
	loop_run(loop);
	assert_string_equal(story, "sa");
}

/* ---- descriptors ---- */

static void
on_fd(void *arg, bool readable, bool writable)
{
	const int *fd = arg;
	char c;

	if (writable) {
		tell('w');
		loop_fd_want(watches[0], true, false);
		assert_int_equal(write(fd[1], "x", 1), 1);
	}
	if (readable) {
		ssize_t n = read(fd[0], &c, 1);

		tell(n == 1 ? 'r' : 'e');
		if (n == 1)
			close(fd[1]);
		else
			loop_fd_want(watches[0], false, false);
	}
}

static void
tells_what_a_descriptor_is_ready_for(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	watches[0] = loop_fd_new(loop, fd[0], on_fd, fd);
	loop_run(loop); /* nothing is wanted: nothing is watched */
	assert_string_equal(story, "");
	loop_fd_want(watches[0], true, true);
	loop_run(loop);
	assert_string_equal(story, "wre"); /* the end is readable too */
	close(fd[0]);
}

static void
free_watches(void *arg, bool readable, bool writable)
{
	(void)arg;
	(void)readable;
	(void)writable;
	tell('f');
	loop_fd_free(&watches[0]);
	loop_fd_free(&watches[1]);
}

static void
may_free_all_watches_inside_a_callback(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(write(fd[0], "x", 1), 1);
	assert_int_equal(write(fd[1], "x", 1), 1);
	watches[0] = loop_fd_new(loop, fd[0], free_watches, NULL);
	watches[1] = loop_fd_new(loop, fd[1], free_watches, NULL);
	loop_fd_want(watches[0], true, true);
	loop_fd_want(watches[1], true, true);
	loop_run(loop);
	assert_string_equal(story, "f");
	close(fd[0]);
	close(fd[1]);
}

/* ---- signals ---- */

static struct loop_signal *watched;

static void
on_signal(void *arg, int signo)
{
	assert_ptr_equal(arg, story);
	tell(signo == SIGUSR1 ? 'u' : '?');
	loop_signal_free(&watched);
}

static void
hands_over_signals(void **state)
{
	(void)state;
	watched = loop_signal_new(loop, SIGUSR1, on_signal, story);
	raise(SIGUSR1);
	assert_string_equal(story, "");
	loop_run(loop);
	assert_string_equal(story, "u");
	loop_signal_free(&watched);
}

/* ---- what the library says ---- */

static void
on_line(enum log_level level, const char *line)
{
	tell(level == LOG_LEVEL_WARNING ? 'w' : '?');
	assert_int_equal(strncmp(line, "loop: ", 6), 0);
}

static void
nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
says_in_the_log_what_the_library_complains_of(void **state)
{
	int closed = dup(STDIN_FILENO);
	struct event *ev;

	(void)state;
	close(closed);
	ev = event_new(loop_base(loop), closed, EV_READ, nothing, NULL);
	log_set_sink(on_line);
	assert_int_equal(event_add(ev, NULL), -1);
	log_set_sink(NULL);
	event_free(ev);
	assert_string_equal(story, "w");
}

static void
frees_nothing_gladly(void **state)
{
	struct loop *none = NULL;

	(void)state;
	loop_free(&none);
	assert_non_null(loop_base(loop));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fires_timers_in_order_and_never_early),
		TEST(moves_a_timer_that_is_armed_again),
		TEST(forgets_a_stopped_timer),
		TEST(may_free_itself_and_others_that_are_due),
		TEST(may_arm_itself_for_the_next_round),
		TEST(counts_from_the_call_that_arms),
		TEST(stops_and_runs_again),
		TEST(tells_what_a_descriptor_is_ready_for),
		TEST(may_free_all_watches_inside_a_callback),
		TEST(hands_over_signals),
		TEST(says_in_the_log_what_the_library_complains_of),
		TEST(frees_nothing_gladly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
