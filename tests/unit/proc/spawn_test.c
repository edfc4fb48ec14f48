/* SPDX-License-Identifier: ISC */
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/wire.h"

#define SECRET_NAME "TEST_TOKEN"
#define ROLE_OF_USER "mailhaul: of a user"

/* ---- spawn_reap() ---- */

static void
sleep_for_ever(void)
{
	for (;;)
		pause();
}

/* A child that exits so, or is killed by a signal, or does neither. */
static pid_t
child(int status, int signo)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (signo != 0) {
		signal(signo, SIG_DFL);
		raise(signo);
	}
	if (status < 0)
		sleep_for_ever();
	_exit(status);
}

static void
finds_nothing_to_say_of_a_good_end(void **state)
{
	char why[100] = "untouched";

	(void)state;
	assert_true(spawn_reap(child(0, 0), 10000, why, sizeof(why)));
	assert_string_equal(why, "untouched");
}

static void
tells_the_status_or_the_signal(void **state)
{
	char why[100];

	(void)state;
	assert_false(spawn_reap(child(71, 0), 10000, why, sizeof(why)));
	assert_string_equal(why, "exited with status 71");
	assert_false(spawn_reap(child(0, SIGTERM), 10000, why, sizeof(why)));
	assert_non_null(strstr(why, "was killed by signal 15"));
}

static void
kills_what_does_not_end(void **state)
{
	char why[100];
	pid_t pid = child(-1, 0);

	(void)state;
	assert_false(spawn_reap(pid, 20, why, sizeof(why)));
	assert_non_null(strstr(why, "signal 9"));
	assert_int_equal(waitpid(pid, NULL, 0), -1); /* it is reaped */
	assert_int_equal(errno, ECHILD);
}

static void
do_nothing(int signo)
{
	(void)signo;
}

/* Or a second Ctrl-C would make us wait for a stuck child for ever. */
static void
kills_what_does_not_end_although_signals_come(void **state)
{
	struct sigaction sa = { .sa_handler = do_nothing };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	char why[100];

	(void)state;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_false(spawn_reap(child(-1, 0), 100, why, sizeof(why)));
	assert_non_null(strstr(why, "signal 9"));
}

static int hold[2]; /* a pipe: the child ends when it does */

static void
let_go(int signo)
{
	(void)signo;
	close(hold[1]);
}

static void
waits_on_for_a_good_end_when_a_signal_comes(void **state)
{
	struct sigaction sa = { .sa_handler = let_go };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	char why[100];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) == 0 ? 0 : 1);
	}
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_true(spawn_reap(pid, 10000, why, sizeof(why)));
	close(hold[0]);
}

/* ---- spawn_role(): this program again, see main() ---- */

/* What the child says over its link, in words. */
static void
converse(const char *role, int stderr_fd, char *said, size_t size)
{
	char why[100];
	struct err e;
	int fd = -1;
	pid_t pid = spawn_role(role, NULL, stderr_fd, &fd, &e);
	ssize_t n;

	assert_true(pid > 0);
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	fcntl(fd, F_SETFL, 0); /* wait for it */
	n = recv(fd, said, size - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	close(fd);
	if (!spawn_reap(pid, 10000, why, sizeof(why)))
		fail_msg("%s %s", role, why);
}

static void
starts_itself_in_a_role_with_a_link_and_nothing_else(void **state)
{
	int open_fd = open("/dev/null", O_RDONLY); /* not close-on-exec */
	char said[256];

	(void)state;
	setenv(SECRET_NAME, "hunter2", 1);
	setenv("MAILHAUL_TEST", "yes", 1);
	setenv("LD_LIBRARY_PATH", "/no/such/place", 1);
	setenv("OPENSSL_CONF", "/no/such/file", 1);
	converse(SPAWN_ENGINE, -1, said, sizeof(said));
	assert_string_equal(said,
	    SPAWN_ENGINE " fds:0 token:no test:yes libraries:yes "
			 "comm:mailhaul-engine");
	converse(SPAWN_DELIVERER, -1, said, sizeof(said));
	assert_string_equal(said,
	    SPAWN_DELIVERER " fds:0 token:no test:yes libraries:yes "
			    "comm:mailhaul-delive");
	unsetenv(SECRET_NAME);
	unsetenv("MAILHAUL_TEST");
	unsetenv("LD_LIBRARY_PATH");
	unsetenv("OPENSSL_CONF");
	close(open_fd);
}

static void
gives_it_another_standard_error(void **state)
{
	char said[256];
	char line[64] = "";
	int ends[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	converse(SPAWN_ENGINE, ends[1], said, sizeof(said));
	close(ends[1]);
	n = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	assert_true(n > 0);
	assert_string_equal(line, "on standard error\n");
}

static void
does_not_inherit_blocked_signals(void **state)
{
	char said[256];
	sigset_t all, before;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	converse(SPAWN_ENGINE, -1, said, sizeof(said));
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_null(strstr(said, "blocked"));
	assert_non_null(strstr(said, "fds:0"));
}

/* Who is not root can only stay who he is. */
static void
becomes_the_user_first(void **state)
{
	struct user *user = calloc(1, sizeof(*user));
	char why[100], said[512], wanted[400];
	struct err e;
	int fd;
	pid_t pid;
	ssize_t n;

	(void)state;
	assert_int_equal(geteuid() == 0 ? user_find("daemon", user, &e)
					: user_find_uid(geteuid(), user, &e),
	    0);
	pid = spawn_role(ROLE_OF_USER, user, -1, &fd, &e);
	assert_true(pid > 0);
	fcntl(fd, F_SETFL, 0);
	n = recv(fd, said, sizeof(said) - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	close(fd);
	if (!spawn_reap(pid, 10000, why, sizeof(why)))
		fail_msg("%s: %s", why, said + 1);
	snprintf(wanted, sizeof(wanted), "%s uid:%lu cwd:/ session:own",
	    user->name, (unsigned long)user->uid);
	assert_string_equal(said, wanted);
	free(user);
}

static void
does_not_run_as_anybody_else(void **state)
{
	struct user *user = calloc(1, sizeof(*user));
	char why[100], said[256];
	struct unpack u;
	struct err e;
	int fd;
	pid_t pid;
	ssize_t n;

	(void)state;
	user->uid = (uid_t)-1; /* which means "leave it" to the kernel */
	user->gid = (gid_t)-1;
	snprintf(user->name, sizeof(user->name), "nobody at all");
	pid = spawn_role(ROLE_OF_USER, user, -1, &fd, &e);
	assert_true(pid > 0);
	fcntl(fd, F_SETFL, 0);
	n = recv(fd, said, sizeof(said), 0);
	assert_true(n > 1);
	assert_int_equal(said[0], WIRE_REFUSE);
	u = unpack_of(span_make(said + 1, (size_t)n - 1));
	wire_unpack_err(&u, &e);
	assert_non_null(strstr(e.text, "nobody at all"));
	close(fd);
	assert_false(spawn_reap(pid, 10000, why, sizeof(why)));
	free(user);
}

static unsigned int
open_above_the_link(void)
{
	unsigned int n = 0;

	for (int fd = WIRE_FD + 1; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int
play_user(const char *name)
{
	char said[256], cwd[64];

	snprintf(said, sizeof(said), "%s uid:%lu cwd:%s session:%s", name,
	    (unsigned long)geteuid(),
	    getcwd(cwd, sizeof(cwd)) == NULL ? "?" : cwd,
	    getsid(0) == getpid() ? "own" : "not own");
	return send(WIRE_FD, said, strlen(said), 0) < 0;
}

/* The child. */
static int
play(const char *role)
{
	unsigned int fds = open_above_the_link();
	const char *test = getenv("MAILHAUL_TEST");
	bool libraries =
	    getenv("LD_LIBRARY_PATH") != NULL && getenv("OPENSSL_CONF") != NULL;
	char comm[16];
	char said[256];
	sigset_t mask;

	spawn_name(role);
	prctl(PR_GET_NAME, comm);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	snprintf(said, sizeof(said),
	    "%s fds:%u token:%s test:%s libraries:%s comm:%s%s", role, fds,
	    getenv(SECRET_NAME) == NULL ? "no" : "yes",
	    test == NULL ? "no" : test, libraries ? "yes" : "no", comm,
	    sigismember(&mask, SIGTERM) == 1 ? " blocked" : "");
	fputs("on standard error\n", stderr);
	return send(WIRE_FD, said, strlen(said), 0) < 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_nothing_to_say_of_a_good_end),
		cmocka_unit_test(tells_the_status_or_the_signal),
		cmocka_unit_test(kills_what_does_not_end),
		cmocka_unit_test(kills_what_does_not_end_although_signals_come),
		cmocka_unit_test(waits_on_for_a_good_end_when_a_signal_comes),
		cmocka_unit_test(
		    starts_itself_in_a_role_with_a_link_and_nothing_else),
		cmocka_unit_test(gives_it_another_standard_error),
		cmocka_unit_test(does_not_inherit_blocked_signals),
		cmocka_unit_test(becomes_the_user_first),
		cmocka_unit_test(does_not_run_as_anybody_else),
	};

	if (argc == 2 && strcmp(argv[0], ROLE_OF_USER) == 0)
		return play_user(argv[1]);
	if (argc == 1 && strncmp(argv[0], "mailhaul: ", 10) == 0)
		return play(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
