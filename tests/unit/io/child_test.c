/* SPDX-License-Identifier: ISC */
#include "io/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"

#define ARGV(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define SHELL(script) ARGV("/bin/sh", "-c", script)

#define FULL_PIPE 600000 /* more than is read in one round */

static struct loop *loop;
static struct child *child;
static struct child_params params;
static unsigned int fds_before;

/* What fn was told. */
static unsigned int told;
static struct child_result result;
static struct err error;
static char out[FULL_PIPE + 1], err[FULL_PIPE + 1], verdict[64];

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

static void
copy(char *to, struct span s)
{
	assert_true(s.n < sizeof(out));
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static void
on_end(void *arg, const struct child_result *r, const struct err *e)
{
	assert_ptr_equal(arg, &told);
	told++;
	result = *r;
	copy(out, r->out);
	copy(err, r->err);
	err_clear(&error);
	if (e != NULL)
		error = *e;
	child_verdict(r, verdict, sizeof(verdict));
	child_free(&child); /* it is freed after us anyway */
	assert_null(child);
}

static int
set_up(void **state)
{
	(void)state;
	fds_before = count_fds();
	loop = loop_new();
	told = 0;
	params = (struct child_params){ .stdin_fd = -1,
		.out_max = 65536,
		.err_max = 4096,
		.timeout_ms = 60000 };
	return 0;
}

/* Nothing is left: no descriptor, no zombie. */
static int
tear_down(void **state)
{
	(void)state;
	child_free(&child);
	loop_free(&loop);
	assert_int_equal(count_fds(), fds_before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

static void
run(const char *const *argv)
{
	params.argv = argv;
	child = child_start(loop, &params, on_end, &told);
	assert_int_equal(told, 0); /* never from inside the start */
	loop_run(loop);            /* ends, for nothing is left to watch */
	assert_int_equal(told, 1);
}

/* ---- how it starts ---- */

static void
captures_what_it_prints_and_how_it_ends(void **state)
{
	(void)state;
	run(SHELL("echo good; echo bad >&2; exit 3"));
	assert_int_equal(error.kind, ERR_NONE);
	assert_string_equal(out, "good\n");
	assert_string_equal(err, "bad\n");
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 3);
	assert_string_equal(verdict, "exited with status 3");
	assert_false(result.timed_out || result.overflow);
}

static void
uses_no_shell_and_finds_the_program_by_path(void **state)
{
	(void)state;
	run(ARGV("printf", "%s", "$HOME; * `id`"));
	assert_string_equal(out, "$HOME; * `id`");
	assert_int_equal(result.status, 0);
}

static void
says_why_a_program_cannot_run(void **state)
{
	(void)state;
	run(ARGV("/x/y", "z"));
	assert_int_equal(error.kind, ERR_DELIVER);
	assert_int_equal(error.sys, ENOENT);
	assert_string_equal(
	    error.text, "cannot run /x/y: No such file or directory");
	told = 0;
	run(ARGV("/etc/passwd"));
	assert_int_equal(error.sys, EACCES);
	told = 0;
	run(ARGV("no-such-program-anywhere"));
	/* EACCES where PATH names what we may not read */
	assert_true(error.sys == ENOENT || error.sys == EACCES);
}

static void
may_be_freed_before_the_news_of_a_failed_start(void **state)
{
	(void)state;
	params.argv = ARGV("/x/y");
	child = child_start(loop, &params, on_end, &told);
	child_free(&child);
	loop_run(loop);
	assert_int_equal(told, 0);
}

static void
reads_nothing_or_what_it_is_given(void **state)
{
	int ends[2];

	(void)state;
	run(ARGV("cat"));
	assert_string_equal(out, "");
	assert_int_equal(result.status, 0);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "input", 5), 5);
	close(ends[1]);
	params.stdin_fd = ends[0];
	told = 0;
	run(ARGV("cat"));
	assert_string_equal(out, "input");
	close(ends[0]); /* it stayed ours */
}

static void
has_three_descriptors_only(void **state)
{
	int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	run(ARGV("ls", "/proc/self/fd"));
	assert_string_equal(out, "0\n1\n2\n3\n"); /* 3 is the listing itself */
	close(extra);
}

static void
starts_with_clean_signals(void **state)
{
	sigset_t usr1, old;

	(void)state;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	signal(SIGPIPE, SIG_IGN);
	/* "SigIgn: 0000000180000000": the C library's own two do not count */
	run(SHELL("sed -n 's/^Sig[BI][lg][kn].*\\(.\\{8\\}\\)$/\\1/p' "
		  "/proc/self/status"));
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_true(strcmp(out, "00000000\n00000000\n") == 0 ||
	    strcmp(out, "00000000\n80000000\n") == 0);
}

static void
leads_its_own_process_group(void **state)
{
	(void)state;
	run(SHELL("set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo $5"));
	assert_int_equal(result.status, 0);
	assert_true(strtol(out, NULL, 10) != getpgrp());
}

static void
passes_a_small_environment_on(void **state)
{
	static const char *const env[] = { "A=b", "C=", NULL };

	(void)state;
	setenv("MAILHAUL_TEST_VARIABLE", "x", 1);
	setenv("GNUPGHOME", "/some/where", 1);
	run(ARGV("env"));
	assert_non_null(strstr(out, "PATH="));
	assert_non_null(strstr(out, "GNUPGHOME=/some/where\n"));
	assert_null(strstr(out, "MAILHAUL_TEST_VARIABLE"));
	params.env = env;
	told = 0;
	run(ARGV("env"));
	assert_string_equal(out, "A=b\nC=\n");
}

static void
works_in_the_directory_it_is_given(void **state)
{
	(void)state;
	params.cwd = "/usr/bin";
	run(SHELL("pwd -P"));
	assert_string_equal(out, "/usr/bin\n");
	params.cwd = "/x/y";
	told = 0;
	run(ARGV("true"));
	assert_int_equal(error.kind, ERR_DELIVER);
	assert_int_equal(error.sys, ENOENT);
}

/* The limit comes an instant after the start. */
#define SHOW_LIMITS SHELL("sleep 0.3; ulimit -Sn; ulimit -Hn")

static void
has_the_limit_of_descriptors_it_is_given(void **state)
{
	struct rlimit before, ours;
	char want[64];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(before.rlim_max > 100 && before.rlim_cur != 99);
	snprintf(want, sizeof(want), "99\n%lu\n", before.rlim_max);
	params.max_files = 99;
	run(SHOW_LIMITS);
	assert_string_equal(out, want);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &ours), 0);
	assert_true(ours.rlim_cur == before.rlim_cur);
	told = 0;
	params.max_files = before.rlim_max + 1; /* not ours to give */
	run(SHOW_LIMITS);
	snprintf(
	    want, sizeof(want), "%lu\n%lu\n", before.rlim_cur, before.rlim_max);
	assert_string_equal(out, want);
}

/* ---- what it prints ---- */

static void
keeps_the_front_of_the_output_and_the_end_of_the_errors(void **state)
{
	(void)state;
	params.out_max = 10;
	params.err_max = 10;
	run(SHELL("seq 1 50000; seq 1 50000 >&2"));
	assert_string_equal(out, "1\n2\n3\n4\n5\n");
	assert_string_equal(err, "999\n50000\n");
	assert_true(result.overflow);
	assert_int_equal(result.status, 0);
}

static void
tells_full_from_too_much(void **state)
{
	(void)state;
	params.out_max = 3;
	run(ARGV("printf", "abc"));
	assert_string_equal(out, "abc");
	assert_false(result.overflow);
	told = 0;
	params.out_max = 0;
	params.err_max = 0;
	run(SHELL("echo x >&2"));
	assert_string_equal(out, "");
	assert_string_equal(err, "");
	assert_false(result.overflow);
}

static void
reads_and_drops_all_of_an_output_nobody_wants(void **state)
{
	(void)state;
	params.out_max = 0;
	run(SHELL("seq 1 200000 && echo done >&2"));
	assert_string_equal(out, "");
	assert_string_equal(err, "done\n");
	assert_true(result.overflow);
	assert_int_equal(result.status, 0);
}

/* The work of this program when it is its own child. */
static int
fill_pipe(void)
{
	static char octets[FULL_PIPE];

	if (fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20) < 0)
		return 1;
	memset(octets, 'x', sizeof(octets));
	return write(STDOUT_FILENO, octets, sizeof(octets)) != FULL_PIPE;
}

static void
reads_what_is_in_the_pipe_after_the_exit(void **state)
{
	siginfo_t info;

	(void)state;
	params.argv = ARGV("/proc/self/exe", "fill");
	params.out_max = FULL_PIPE;
	child = child_start(loop, &params, on_end, &told);
	/* it is over before the first octet is read */
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	loop_run(loop);
	assert_int_equal(result.status, 0);
	assert_int_equal(strlen(out), FULL_PIPE);
}

static void
does_not_wait_for_a_grandchild_with_its_pipes(void **state)
{
	uint64_t start = clock_ms();
	pid_t pid;

	(void)state;
	run(SHELL("sleep 100 & echo $!"));
	assert_true(clock_ms() < start + 50000);
	assert_int_equal(result.status, 0);
	pid = (pid_t)strtol(out, NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0); /* it was let live */
}

/* As a tunnel: one socket is all that it has. */
static void
prints_where_it_is_told(void **state)
{
	int ends[2];
	char got[16] = "";

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(send(ends[0], "hello\n", 6, 0), 6);
	params.stdin_fd = params.stdout_fd = ends[1];
	run(SHELL("read x; echo $x; echo bad >&2"));
	assert_string_equal(out, "");
	assert_string_equal(err, "bad\n");
	assert_true(fcntl(ends[1], F_GETFD) >= 0); /* still ours */
	close(ends[1]);
	assert_int_equal(recv(ends[0], got, sizeof(got), 0), 6);
	assert_string_equal(got, "hello\n");
	assert_int_equal(recv(ends[0], got, sizeof(got), 0), 0);
	close(ends[0]);
}

/* ---- how it ends ---- */

static void
names_the_signal_that_killed_it(void **state)
{
	(void)state;
	run(SHELL("kill -SEGV $$"));
	assert_string_equal(verdict, "was killed by SIGSEGV");
}

/* A pipe that is at its end when no process of the child's is left: all of
 * them hold it as descriptor 3. */
static void
holding(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	params.stdin_fd = ends[1];
}

static void
expect_all_gone(int ends[2])
{
	struct pollfd p = { .fd = ends[0] };

	close(ends[1]);
	assert_int_equal(poll(&p, 1, 50000), 1);
	assert_true((p.revents & POLLHUP) != 0);
	close(ends[0]);
}

static void
kills_who_is_left_of_its_group_if_told_so(void **state)
{
	int ends[2];

	(void)state;
	holding(ends);
	params.whole_group = true;
	run(SHELL("exec 3>&0; sleep 100 & exit 3"));
	assert_false(result.timed_out);
	assert_string_equal(verdict, "exited with status 3");
	expect_all_gone(ends);
}

static void
ends_the_group_at_the_deadline(void **state)
{
	int ends[2];

	(void)state;
	holding(ends);
	params.timeout_ms = 150;
	run(SHELL("exec 3>&0; sleep 100 & sleep 100"));
	assert_true(result.timed_out);
	assert_string_equal(verdict, "took longer than 150 ms");
	assert_int_equal(WTERMSIG(result.status), SIGTERM);
	expect_all_gone(ends);
}

static void
sleep_a_while(void *arg)
{
	(void)arg;
	usleep(300000);
}

/* The loop is late: at first for both of the timers that follow, and then the
 * child exits before its own is looked at. */
static void
counts_an_exit_before_a_deadline_that_is_noticed_late(void **state)
{
	struct loop_timer *first = loop_timer_new(loop, sleep_a_while, NULL);
	struct loop_timer *second = loop_timer_new(loop, sleep_a_while, NULL);

	(void)state;
	loop_timer_arm(first, 10);
	loop_timer_arm(second, 100);
	params.timeout_ms = 150;
	run(SHELL("sleep 0.45; exit 3"));
	loop_timer_free(&first);
	loop_timer_free(&second);
	assert_false(result.timed_out);
	assert_string_equal(verdict, "exited with status 3");
}

static void
kills_what_ignores_the_deadline(void **state)
{
	uint64_t start = clock_ms();
	int ends[2];

	(void)state;
	holding(ends);
	params.timeout_ms = 1000; /* time to set the trap */
	run(SHELL("trap '' TERM; exec 3>&0; sleep 100 & sleep 100; sleep 100"));
	assert_true(result.timed_out);
	assert_int_equal(WTERMSIG(result.status), SIGKILL);
	assert_in_range(clock_ms() - start, 3000, 30000);
	expect_all_gone(ends);
}

static void
kills_what_a_finished_child_left_after_the_deadline(void **state)
{
	int ends[2];

	(void)state;
	holding(ends);
	params.timeout_ms = 300;
	run(SHELL("exec 3>&0; (trap '' TERM; sleep 100) & "
		  "trap 'exit 0' TERM; wait"));
	assert_true(result.timed_out);
	expect_all_gone(ends);
}

static void
stop_it(void *arg)
{
	(void)arg;
	child_stop(child);
}

static void
ends_the_group_when_stopped(void **state)
{
	struct loop_timer *again = loop_timer_new(loop, stop_it, NULL);
	uint64_t start = clock_ms();
	int ends[2];
	char c;

	(void)state;
	holding(ends);
	params.argv = SHELL("trap '' TERM; exec 3>&0; echo >&3; sleep 100");
	child = child_start(loop, &params, on_end, &told);
	assert_int_equal(read(ends[0], &c, 1), 1); /* the trap is set */
	child_stop(child);
	loop_timer_arm(again, 300); /* no reason to send SIGKILL earlier */
	loop_run(loop);
	loop_timer_free(&again);
	assert_int_equal(told, 1);
	assert_true(result.timed_out);
	assert_int_equal(WTERMSIG(result.status), SIGKILL);
	assert_in_range(clock_ms() - start, 2000, 30000);
	expect_all_gone(ends);
}

static void
stops_nothing_that_never_started(void **state)
{
	(void)state;
	params.argv = ARGV("/x/y");
	child = child_start(loop, &params, on_end, &told);
	child_stop(child);
	loop_run(loop);
	assert_int_equal(told, 1);
	assert_int_equal(error.sys, ENOENT);
}

static void
kills_the_group_when_freed(void **state)
{
	int ends[2];
	char c;

	(void)state;
	holding(ends);
	params.argv = SHELL("exec 3>&0; sleep 100 & echo >&3; sleep 100");
	child = child_start(loop, &params, on_end, &told);
	assert_int_equal(read(ends[0], &c, 1), 1); /* it is well on its way */
	child_free(&child);
	assert_null(child);
	child_free(&child);
	loop_run(loop);
	assert_int_equal(told, 0);
	expect_all_gone(ends);
}

static void
reports_no_success_when_somebody_else_reaped_it(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	run(ARGV("true"));
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(error.kind, ERR_DELIVER);
	/* gone before it could be watched, or before its status was asked */
	assert_true(error.sys == ESRCH || error.sys == ECHILD);
}

static void
words_the_verdict(void **state)
{
	struct child_result r = { .timed_out = true, .timeout_ms = 30000 };
	char s[64];

	(void)state;
	assert_string_equal(
	    child_verdict(&r, s, sizeof(s)), "took longer than 30 s");
	r.timed_out = false;
	assert_string_equal(
	    child_verdict(&r, s, sizeof(s)), "exited with status 0");
	r.status = 63; /* a real-time signal has no name */
	assert_string_equal(
	    child_verdict(&r, s, sizeof(s)), "was killed by signal 63");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(captures_what_it_prints_and_how_it_ends),
		TEST(uses_no_shell_and_finds_the_program_by_path),
		TEST(says_why_a_program_cannot_run),
		TEST(may_be_freed_before_the_news_of_a_failed_start),
		TEST(reads_nothing_or_what_it_is_given),
		TEST(has_three_descriptors_only),
		TEST(starts_with_clean_signals),
		TEST(leads_its_own_process_group),
		TEST(passes_a_small_environment_on),
		TEST(works_in_the_directory_it_is_given),
		TEST(has_the_limit_of_descriptors_it_is_given),
		TEST(keeps_the_front_of_the_output_and_the_end_of_the_errors),
		TEST(tells_full_from_too_much),
		TEST(reads_and_drops_all_of_an_output_nobody_wants),
		TEST(reads_what_is_in_the_pipe_after_the_exit),
		TEST(does_not_wait_for_a_grandchild_with_its_pipes),
		TEST(prints_where_it_is_told),
		TEST(kills_who_is_left_of_its_group_if_told_so),
		TEST(names_the_signal_that_killed_it),
		TEST(ends_the_group_at_the_deadline),
		TEST(counts_an_exit_before_a_deadline_that_is_noticed_late),
		TEST(kills_what_ignores_the_deadline),
		TEST(kills_what_a_finished_child_left_after_the_deadline),
		TEST(ends_the_group_when_stopped),
		TEST(stops_nothing_that_never_started),
		TEST(kills_the_group_when_freed),
		TEST(reports_no_success_when_somebody_else_reaped_it),
		cmocka_unit_test(words_the_verdict),
	};

	if (argc == 2 && strcmp(argv[1], "fill") == 0)
		return fill_pipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
