/* SPDX-License-Identifier: ISC */
#include "io/launch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* tests/unit/io/child_test.c has what is the same for all; here is what is
 * different when the child becomes somebody. */

#define ARGV(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define SHELL(script) ARGV("/bin/sh", "-c", script)

static struct loop *loop;
static struct child *child;
static struct child_params params;
static struct child_result result;
static struct err error;
static char out[65537], err[4097], verdict[64];
static unsigned int told, fds_before;

/* Somebody else, or who runs this test. */
static struct user user;
static char uid[24], gid[24];

static void
choose_user(void)
{
	static const struct user alice = { .uid = 54321,
		.gid = 54322,
		.name = "alice",
		.home = "/home/alice",
		.shell = "/bin/alices-shell",
		.n_groups = 2,
		.groups = { 54322, 54323 } };

	if (geteuid() == 0)
		user = alice;
	else if (user_find_uid(geteuid(), &user, NULL) < 0)
		abort();
	snprintf(uid, sizeof(uid), "%u\n", user.uid);
	snprintf(gid, sizeof(gid), "%u\n", user.gid);
}

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
	(void)state;
	fds_before = count_fds();
	loop = loop_new();
	told = 0;
	params = (struct child_params){ .user = &user,
		.stdin_fd = -1,
		.out_max = sizeof(out) - 1,
		.err_max = sizeof(err) - 1,
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
copy(char *to, struct span s)
{
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static void
on_end(void *arg, const struct child_result *r, const struct err *e)
{
	(void)arg;
	told++;
	result = *r;
	copy(out, r->out);
	copy(err, r->err);
	err_clear(&error);
	if (e != NULL)
		error = *e;
	child_verdict(r, verdict, sizeof(verdict));
	child = NULL;
}

static void
run(const char *const *argv)
{
	told = 0;
	params.argv = argv;
	child = child_start(loop, &params, on_end, NULL);
	assert_int_equal(told, 0); /* never from inside the start */
	loop_run(loop);            /* ends, for nothing is left to watch */
	assert_int_equal(told, 1);
}

static void
runs_as_the_user(void **state)
{
	(void)state;
	run(ARGV("id", "-u"));
	assert_int_equal(error.kind, ERR_NONE);
	assert_string_equal(out, uid);
	run(ARGV("id", "-ru"));
	assert_string_equal(out, uid);
	run(ARGV("id", "-g"));
	assert_string_equal(out, gid);
	if (geteuid() != 0)
		return;
	run(ARGV("id", "-G"));
	assert_string_equal(out, "54322 54323\n");
	run(SHELL("cat /etc/shadow"));
	assert_string_equal(out, "");
	assert_true(WEXITSTATUS(result.status) != 0);
}

static void
captures_what_it_prints_and_how_it_ends(void **state)
{
	(void)state;
	run(SHELL("echo good; echo bad >&2; exit 127"));
	assert_int_equal(error.kind, ERR_NONE);
	assert_string_equal(out, "good\n");
	assert_string_equal(err, "bad\n");
	assert_string_equal(verdict, "exited with status 127");
	run(SHELL("kill -SEGV $$"));
	assert_string_equal(verdict, "was killed by SIGSEGV");
}

static bool
has_line(const char *name, const char *value)
{
	char line[2000];

	snprintf(line, sizeof(line), "\n%s=%s\n", name, value);
	return strstr(out, line) != NULL;
}

static void
expect_his_home(void)
{
	assert_true(has_line("HOME", user.home));
	assert_true(has_line("USER", user.name));
	assert_true(has_line("LOGNAME", user.name));
	assert_true(has_line("SHELL", user.shell));
}

static void
has_his_environment_and_not_ours(void **state)
{
	static const char *const env[] = { "A=b", "HOME=/root", "USER=root",
		"SHELL=", "LOGNAME=x", "USERS=y", "HOME_=z", NULL };
	/* in front of the first line as of the others: a newline */
	const char *const *show = SHELL("echo; env");

	(void)state;
	setenv("SSH_AUTH_SOCK", "/root/agent", 1);
	setenv("GNUPGHOME", "/root/gnupg", 1);
	setenv("MAILHAUL_TEST_VARIABLE", "x", 1);
	setenv("LANG", "C.UTF-8", 1);
	run(show);
	expect_his_home();
	assert_non_null(strstr(out, "\nPATH="));
	assert_true(has_line("LANG", "C.UTF-8"));
	assert_null(strstr(out, "SSH_AUTH_SOCK"));
	assert_null(strstr(out, "GNUPGHOME"));
	assert_null(strstr(out, "MAILHAUL_TEST_VARIABLE"));
	params.env = env;
	run(show);
	expect_his_home();
	assert_true(has_line("A", "b"));
	assert_true(has_line("USERS", "y"));
	assert_true(has_line("HOME_", "z"));
	assert_null(strstr(out, "HOME=/root\n"));
	assert_null(strstr(out, "USER=root\n"));
	assert_null(strstr(out, "LANG="));
}

static void
has_three_descriptors_only(void **state)
{
	int extra = open("/dev/null", O_RDONLY), ends[2];

	(void)state;
	run(ARGV("ls", "/proc/self/fd"));
	assert_string_equal(out, "0\n1\n2\n3\n"); /* 3 is the listing itself */
	close(extra);
	run(ARGV("cat"));
	assert_string_equal(out, "");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "input", 5), 5);
	close(ends[1]);
	params.stdin_fd = ends[0];
	run(ARGV("cat"));
	assert_string_equal(out, "input");
	close(ends[0]); /* it stayed ours */
}

static void
starts_with_clean_signals_in_its_own_group(void **state)
{
	sigset_t usr1, old, now;

	(void)state;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	signal(SIGPIPE, SIG_IGN);
	/* "SigIgn: 0000000180000000": the C library's own two do not count */
	run(SHELL("sed -n 's/^Sig[BI][lg][kn].*\\(.\\{8\\}\\)$/\\1/p' "
		  "/proc/self/status"));
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, &now);
	assert_int_equal(sigismember(&now, SIGUSR1), 1); /* ours is as before */
	assert_int_equal(sigismember(&now, SIGTERM), 0);
	assert_true(strcmp(out, "00000000\n00000000\n") == 0 ||
	    strcmp(out, "00000000\n80000000\n") == 0);
	run(SHELL("set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo $5"));
	assert_int_equal(result.status, 0);
	assert_true(strtol(out, NULL, 10) != getpgrp());
}

static void
enters_the_directory_as_the_user(void **state)
{
	char dir[] = "/tmp/mailhaul-launch-XXXXXX";

	(void)state;
	params.cwd = "/usr/bin";
	run(SHELL("pwd -P"));
	assert_string_equal(out, "/usr/bin\n");
	params.cwd = "/x/y";
	run(ARGV("true"));
	assert_int_equal(error.sys, ENOENT);
	assert_non_null(mkdtemp(dir));
	if (geteuid() == 0) {
		params.cwd = dir;
		run(ARGV("true"));
		assert_int_equal(error.kind, ERR_DELIVER);
		assert_int_equal(error.sys, EACCES);
	}
	rmdir(dir);
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
	run(ARGV("/etc/passwd"));
	assert_int_equal(error.sys, EACCES);
}

static void
never_runs_a_program_as_somebody_else(void **state)
{
	struct user other = user;
	char path[] = "/tmp/mailhaul-launch-XXXXXX";
	int fd = mkstemp(path);
	struct stat st;

	(void)state;
	fchmod(fd, 0666);
	if (geteuid() == 0)
		other.n_groups = 70000; /* more than the kernel has */
	else
		other.uid = 0;
	params.user = &other;
	params.stdin_fd = fd;
	run(SHELL("echo it ran >&0"));
	assert_int_equal(error.kind, ERR_CONFIG);
	assert_memory_equal(
	    error.text, "cannot run /bin/sh: cannot become the user \"", 44);
	assert_non_null(strstr(error.text, ": setgroups: "));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(fd);
	unlink(path);
}

static void
ends_it_at_the_deadline(void **state)
{
	(void)state;
	params.timeout_ms = 300;
	run(SHELL("sleep 100 & sleep 100"));
	assert_true(result.timed_out);
	assert_int_equal(WTERMSIG(result.status), SIGTERM);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(runs_as_the_user),
		TEST(captures_what_it_prints_and_how_it_ends),
		TEST(has_his_environment_and_not_ours),
		TEST(has_three_descriptors_only),
		TEST(starts_with_clean_signals_in_its_own_group),
		TEST(enters_the_directory_as_the_user),
		TEST(says_why_a_program_cannot_run),
		TEST(never_runs_a_program_as_somebody_else),
		TEST(ends_it_at_the_deadline),
	};

	choose_user();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
