/* SPDX-License-Identifier: ISC */
#include "deliver/mda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"

#define ARGV(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
/* "$0" is the file that the test looks into afterwards */
#define SHELL(script) ARGV("/bin/sh", "-c", script, out_path)
#define MAIL "From: x\n\nbody\n"
#define OUT_MAX 8192

static struct loop *loop;
static struct mda *mda;
static uint8_t exits[256];
static struct mda_program program;
static struct mda_mail mail;
static char out_path[64], out[OUT_MAX];
static size_t out_n;

/* What fn and the log were told. */
static unsigned int told, lines;
static enum mda_verdict verdict;
static struct err error;
static enum log_level level;
static char last_line[4096];

static void
sink(enum log_level l, const char *line)
{
	lines++;
	level = l;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

static void
on_end(void *arg, enum mda_verdict v, const struct err *e)
{
	assert_ptr_equal(arg, &told);
	told++;
	verdict = v;
	assert_true((e == NULL) == (v == MDA_ACCEPTED));
	err_clear(&error);
	if (e != NULL)
		error = *e;
	mda_free(&mda); /* it is freed after us anyway */
	assert_null(mda);
}

static void
open_mail(void)
{
	char path[] = "/tmp/mailhaul-mda-XXXXXX";

	mail.fd = mkostemp(path, O_CLOEXEC);
	assert_true(mail.fd >= 0);
	unlink(path);
	assert_int_equal(write(mail.fd, MAIL, strlen(MAIL)), strlen(MAIL));
}

static int
set_up(void **state)
{
	static const int later[] = { 71, 73, 74, 75 };
	int fd;

	(void)state;
	memset(exits, MDA_HOLD, sizeof(exits));
	exits[0] = MDA_ACCEPTED;
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		exits[later[i]] = MDA_LATER;
	program = (struct mda_program){ .timeout_ms = 60000, .exits = exits };
	mail = (struct mda_mail){ .account = "work", .uid = "7" };
	open_mail();
	snprintf(out_path, sizeof(out_path), "/tmp/mailhaul-out-XXXXXX");
	fd = mkstemp(out_path);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	close(fd);
	loop = loop_new();
	told = lines = 0;
	log_set_level(LOG_LEVEL_INFO);
	log_set_sink(sink);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mda_free(&mda);
	loop_free(&loop);
	log_set_sink(NULL);
	close(mail.fd);
	unlink(out_path);
	return 0;
}

static void
run(const char *const *argv)
{
	told = 0;
	program.argv = argv;
	mda = mda_start(loop, &program, &mail, on_end, &told);
	assert_int_equal(told, 0); /* never from inside the start */
	loop_run(loop);
	assert_int_equal(told, 1);
}

static void
read_out(void)
{
	int fd = open(out_path, O_RDONLY);
	ssize_t n = read(fd, out, sizeof(out) - 1);

	assert_true(fd >= 0 && n >= 0);
	close(fd);
	out_n = (size_t)n;
	out[n] = '\0';
}

static void
expect_out(const char *want)
{
	read_out();
	assert_string_equal(out, want);
}

/* ---- the verdict ---- */

static void
judges_by_every_exit_status(void **state)
{
	char script[16], want[64];
	int i;

	(void)state;
	for (i = 0; i < 256; i++) {
		snprintf(script, sizeof(script), "exit %d", i);
		run(SHELL(script));
		assert_int_equal(verdict, exits[i]);
		assert_int_equal(error.kind, i == 0 ? ERR_NONE : ERR_MESSAGE);
		snprintf(want, sizeof(want), "sh exited with status %d", i);
		assert_string_equal(error.text, i == 0 ? "" : want);
	}
}

static void
believes_the_table_of_the_account(void **state)
{
	(void)state;
	exits[0] = MDA_HOLD;
	exits[99] = MDA_ACCEPTED;
	run(SHELL("exit 99"));
	assert_int_equal(verdict, MDA_ACCEPTED);
	run(SHELL("exit 0"));
	assert_int_equal(verdict, MDA_HOLD);
	assert_string_equal(error.text, "sh exited with status 0");
}

static bool
kills(int signo)
{
	return signo != SIGCHLD && signo != SIGCONT && signo != SIGURG &&
	    signo != SIGWINCH && signo != SIGSTOP && signo != SIGTSTP &&
	    signo != SIGTTIN && signo != SIGTTOU;
}

static void
waits_after_every_signal(void **state)
{
	struct rlimit no_core = { 0, 0 };
	char script[32];
	int i;

	(void)state;
	setrlimit(RLIMIT_CORE, &no_core);
	for (i = 1; i < 32; i++) {
		if (!kills(i))
			continue;
		snprintf(script, sizeof(script), "kill -%d $$", i);
		run(SHELL(script));
		assert_int_equal(verdict, MDA_LATER);
		assert_int_equal(error.kind, ERR_MESSAGE);
	}
	run(SHELL("kill -KILL $$"));
	assert_string_equal(error.text, "sh was killed by SIGKILL");
}

static void
waits_after_the_deadline_whatever_the_status(void **state)
{
	(void)state;
	program.timeout_ms = 300;
	run(SHELL("trap 'exit 0' TERM; exec 2>/dev/null;"
		  "while :; do sleep 0.01; done"));
	assert_int_equal(verdict, MDA_LATER);
	assert_int_equal(error.kind, ERR_MESSAGE);
	assert_string_equal(error.text, "sh took longer than 300 ms");
}

static void
ends_what_ignores_the_deadline(void **state)
{
	uint64_t begin = clock_ms();

	(void)state;
	program.timeout_ms = 300;
	run(SHELL("trap '' TERM; sleep 100; sleep 100"));
	assert_int_equal(verdict, MDA_LATER);
	assert_true(clock_ms() < begin + 50000);
}

static void
holds_nothing_against_mail_that_it_was_stopped_for(void **state)
{
	(void)state;
	program.argv = SHELL("echo half >&2; exec sleep 100");
	mda = mda_start(loop, &program, &mail, on_end, &told);
	mda_stop(mda);
	loop_run(loop);
	assert_int_equal(told, 1);
	assert_int_equal(verdict, MDA_LATER);
	assert_int_equal(error.kind, ERR_CANCEL);
	assert_memory_equal(error.text, "sh was stopped", 14);
}

static void
accepts_from_a_program_that_ended_before_it_was_stopped(void **state)
{
	siginfo_t info;

	(void)state;
	program.argv = ARGV("true");
	mda = mda_start(loop, &program, &mail, on_end, &told);
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	mda_stop(mda);
	loop_run(loop);
	assert_int_equal(verdict, MDA_ACCEPTED);
}

static void
blames_the_account_for_what_cannot_be_run(void **state)
{
	(void)state;
	run(ARGV("/x/y", "z"));
	assert_int_equal(verdict, MDA_BROKEN);
	assert_int_equal(error.kind, ERR_DELIVER);
	assert_string_equal(
	    error.text, "cannot run /x/y: No such file or directory");
	run(ARGV("/etc/passwd"));
	assert_int_equal(verdict, MDA_BROKEN);
}

static void
never_runs_for_a_file_without_a_start(void **state)
{
	int ends[2], fd = mail.fd;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	mail.fd = ends[0];
	run(SHELL("echo ran >$0"));
	mail.fd = fd;
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(verdict, MDA_BROKEN);
	assert_int_equal(error.kind, ERR_DELIVER);
	assert_int_equal(error.sys, ESPIPE);
	expect_out("");
}

static void
kills_the_program_when_freed(void **state)
{
	(void)state;
	program.argv = ARGV("sleep", "100");
	mda = mda_start(loop, &program, &mail, on_end, &told);
	mda_free(&mda);
	assert_null(mda);
	mda_free(&mda);
	loop_run(loop);
	assert_int_equal(told, 0);
}

/* ---- what it reads ---- */

static void
gives_the_whole_message_each_time(void **state)
{
	(void)state;
	run(SHELL("cat >$0"));
	assert_int_equal(verdict, MDA_ACCEPTED);
	expect_out(MAIL);
	run(SHELL("cat >>$0")); /* the file is at its end now */
	expect_out(MAIL MAIL);
}

static void
accepts_from_a_program_that_reads_nothing(void **state)
{
	static char octets[1 << 20];

	(void)state;
	assert_int_equal(
	    write(mail.fd, octets, sizeof(octets)), sizeof(octets));
	run(ARGV("true"));
	assert_int_equal(verdict, MDA_ACCEPTED);
	run(SHELL("exec <&-; exit 0"));
	assert_int_equal(verdict, MDA_ACCEPTED);
	run(ARGV("head", "-c", "1"));
	assert_int_equal(verdict, MDA_ACCEPTED);
}

static void
waits_for_no_grandchild(void **state)
{
	uint64_t begin = clock_ms();
	pid_t pid;

	(void)state;
	run(SHELL("sleep 100 & echo $! >$0"));
	assert_int_equal(verdict, MDA_ACCEPTED);
	assert_true(clock_ms() < begin + 50000);
	read_out();
	pid = (pid_t)strtol(out, NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

/* ---- what it is told ---- */

static void
expands_arguments_but_not_the_name(void **state)
{
	(void)state;
	mail.mailbox = "a b;c";
	mail.user = "alice";
	mail.sender = "x@example.org\n-f";
	mail.recipient = NULL;
	run(ARGV("sh", "-c", "printf '<%s>' \"$@\" >$0", out_path, "%{mailbox}",
	    "-f%{sender}", "%{recipient}", "%{account}/%{uid}", "%{user}"));
	expect_out("<a_b_c><-fx@example.org_-f><><work/7><alice>");
	run(ARGV("%{user}"));
	/* EACCES where PATH names what we may not read */
	assert_non_null(strstr(error.text, "cannot run %{user}: "));
}

static void
holds_mail_that_would_bring_an_option(void **state)
{
	(void)state;
	mail.sender = "-x@example.org";
	run(ARGV("sh", "-c", "echo ran >$0", out_path, "%{sender}"));
	assert_int_equal(verdict, MDA_HOLD);
	assert_int_equal(error.kind, ERR_MESSAGE);
	assert_string_equal(
	    error.text, "%{sender} would begin an argument with \"-\"");
	expect_out("");
}

static char *
environment_of(const char *home, const char *name, const char *shell)
{
	static char want[OUT_MAX];

	snprintf(want, sizeof(want),
	    "PATH=/usr/local/bin:/usr/bin:/bin|HOME=%s|USER=%s|LOGNAME=%s|"
	    "SHELL=%s|MAILHAUL_ACCOUNT=work|MAILHAUL_MAILBOX=INBOX|"
	    "MAILHAUL_UID=7|MAILHAUL_SENDER=a\\x0A\\x1Bb\xc3\xa4|"
	    "MAILHAUL_RECIPIENT=|MAILHAUL_KEY=0123|",
	    home, name, name, shell);
	return want;
}

static void
expect_environment(const char *home, const char *name, const char *shell)
{
	size_t i;

	mail.mailbox = "INBOX";
	mail.sender = "a\n\x1b"
		      "b\xc3\xa4";
	mail.key = "0123";
	run(ARGV("cp", "/proc/self/environ", out_path));
	assert_int_equal(verdict, MDA_ACCEPTED);
	read_out();
	for (i = 0; i < out_n; i++)
		out[i] = out[i] == '\0' ? '|' : out[i];
	assert_string_equal(out, environment_of(home, name, shell));
}

static void
has_a_small_environment(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());

	(void)state;
	if (pw == NULL)
		skip();
	setenv("MAILHAUL_TEST_SECRET", "x", 1);
	expect_environment(pw->pw_dir, pw->pw_name, pw->pw_shell);
	unsetenv("MAILHAUL_TEST_SECRET");
}

static void
cuts_long_values(void **state)
{
	static char value[100000];

	(void)state;
	memset(value, 's', sizeof(value) - 1);
	mail.sender = value;
	run(SHELL("printf %s \"$MAILHAUL_SENDER\" >$0"));
	read_out();
	assert_int_equal(out_n, MDA_VALUE_MAX);
}

static void
works_at_home(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());
	char want[PATH_MAX];

	(void)state;
	if (pw == NULL || realpath(pw->pw_dir, want) == NULL)
		skip();
	run(SHELL("pwd -P >$0"));
	read_out();
	out[strcspn(out, "\n")] = '\0';
	assert_string_equal(out, want);
}

/* A user without an entry: only root can become one. */
#define NOBODY 54321

static void
helps_a_user_without_an_entry(void **state)
{
	const char *home = getenv("HOME");
	char *before = strdup(home != NULL ? home : "/");

	(void)state;
	if (geteuid() != 0 || getpwuid(NOBODY) != NULL) {
		free(before);
		skip();
	}
	setenv("HOME", "/no/such/home", 1);
	/* both, or /proc/self/environ would be closed to it */
	assert_int_equal(setresuid(NOBODY, NOBODY, 0), 0);
	expect_environment("/no/such/home", "54321", "/bin/sh");
	run(SHELL("pwd -P >$0"));
	expect_out("/\n");
	unsetenv("HOME");
	expect_environment("/", "54321", "/bin/sh");
	assert_int_equal(setresuid(0, 0, 0), 0);
	setenv("HOME", before, 1);
	free(before);
}

static void
has_three_descriptors_and_its_limit(void **state)
{
	int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	program.max_files = 99;
	run(SHELL("sleep 0.3; ulimit -n >$0; ls /proc/self/fd | cat >>$0"));
	close(extra);
	expect_out("99\n0\n1\n2\n3\n"); /* 3 is the listing itself */
}

/* ---- what it complains of ---- */

static void
logs_what_it_said(void **state)
{
	(void)state;
	run(SHELL("echo one >&2; echo >&2; echo '  two  ' >&2"));
	assert_int_equal(verdict, MDA_ACCEPTED);
	assert_int_equal(lines, 2);
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_string_equal(last_line, "work: sh: two");
	lines = 0;
	run(SHELL("seq 1 50 >&2; exit 75"));
	assert_int_equal(lines, 10);
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_string_equal(last_line, "work: warning: sh: 50");
}

static void
gives_the_last_lines_as_the_reason(void **state)
{
	(void)state;
	run(SHELL("echo one >&2; echo; printf 'two\\r\\nthree' >&2; exit 77"));
	assert_int_equal(verdict, MDA_HOLD);
	assert_string_equal(
	    error.text, "sh exited with status 77: one; two; three");
	run(SHELL("printf '\\033]0;x\\007\\377' >&2; exit 77"));
	assert_string_equal(
	    error.text, "sh exited with status 77: \\x1B]0;x\\x07\\xFF");
	assert_string_equal(
	    last_line, "work: warning: sh: \\x1B]0;x\\x07\\xFF");
}

static void
cuts_the_reason_to_fit(void **state)
{
	(void)state;
	run(SHELL("printf '%0500d\\n' 0 >&2; echo end >&2; exit 1"));
	assert_string_equal(error.text, "sh exited with status 1: end");
	run(SHELL("echo begin >&2; printf '%0500d\\n' 0 >&2; exit 1"));
	assert_int_equal(strlen(error.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(error.text, "sh exited with status 1: 000", 28);
	assert_string_equal(error.text + ERR_TEXT_MAX - 4, "...");
}

static void
survives_a_flood(void **state)
{
	struct rusage before, after;

	(void)state;
	getrusage(RUSAGE_SELF, &before);
	run(SHELL("head -c 100000000 /dev/zero >&2;"
		  "head -c 100000000 /dev/zero; echo; echo full >&2; exit 73"));
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(verdict, MDA_LATER);
	assert_int_equal(lines, 1);
	assert_true(after.ru_maxrss - before.ru_maxrss < 20000);
	run(SHELL("yes 'no room' | head -c 10000000 >&2; exit 73"));
	assert_int_equal(lines, 11);
	assert_non_null(strstr(error.text, "; no room; no room"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(judges_by_every_exit_status),
		TEST(believes_the_table_of_the_account),
		TEST(waits_after_every_signal),
		TEST(waits_after_the_deadline_whatever_the_status),
		TEST(ends_what_ignores_the_deadline),
		TEST(holds_nothing_against_mail_that_it_was_stopped_for),
		TEST(accepts_from_a_program_that_ended_before_it_was_stopped),
		TEST(blames_the_account_for_what_cannot_be_run),
		TEST(never_runs_for_a_file_without_a_start),
		TEST(kills_the_program_when_freed),
		TEST(gives_the_whole_message_each_time),
		TEST(accepts_from_a_program_that_reads_nothing),
		TEST(waits_for_no_grandchild),
		TEST(expands_arguments_but_not_the_name),
		TEST(holds_mail_that_would_bring_an_option),
		TEST(has_a_small_environment),
		TEST(cuts_long_values),
		TEST(works_at_home),
		TEST(helps_a_user_without_an_entry),
		TEST(has_three_descriptors_and_its_limit),
		TEST(logs_what_it_said),
		TEST(gives_the_last_lines_as_the_reason),
		TEST(cuts_the_reason_to_fit),
		TEST(survives_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
