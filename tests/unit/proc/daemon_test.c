/* SPDX-License-Identifier: ISC */
#include "proc/daemon.h"

#include <fcntl.h>
#include <poll.h>
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
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_team.h"
#include "proc/commands.h"
#include "util/mem.h"

#define LIMIT_MS 10000

/* A daemon in a process of its own, with a team that has no processes. Its
 * log comes through a pipe. */
static char *dir, *path;
static struct conf *conf; /* as a command reads it */
static pid_t pid;
static int log_fd;
static bool stubborn; /* its accounts never leave */
static struct buf logged;

static char *
in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static void
write_conf(const char *globals, const char *accounts)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "state-dir = \"%s/state\"\n%s%s", dir, globals, accounts);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

#define ACCOUNT(name, port)                                                    \
	"account " name " {\n host = \"127.0.0.1\"\n port = " port             \
	"\n user = \"u\"\n password = \"hunter2\"\n maildir = "                \
	"\"/nowhere\"\n}\n"

static struct conf *
load(void)
{
	char **errors;
	size_t n;
	struct conf *c = conf_load(path, &errors, &n);

	for (size_t i = 0; i < n; i++)
		print_message("%s\n", errors[i]);
	conf_errors_free(&errors, &n);
	assert_non_null(c);
	return c;
}

static int
set_up(void **state)
{
	(void)state;
	dir = mem_strdup("/tmp/mailhaul-daemon-XXXXXX");
	assert_non_null(mkdtemp(dir));
	path = in_dir("mailhaul.conf");
	buf_init(&logged, 1 << 20);
	pid = 0;
	log_fd = -1;
	stubborn = false;
	return 0;
}

static int
tear_down(void **state)
{
	char *remove = mem_printf("rm -rf %s", dir);
	char *argv[] = { "/bin/sh", "-c", remove, NULL };
	pid_t rm;

	(void)state;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (log_fd >= 0)
		close(log_fd);
	conf_free(&conf);
	rm = fork();
	if (rm == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(rm, NULL, 0);
	buf_deinit(&logged);
	free(remove);
	free(path);
	free(dir);
	return 0;
}

static void
be_the_daemon(int out)
{
	struct daemon_options options = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDERR_FILENO);
	fake_team_init();
	fake_team.stubborn = stubborn;
	_exit(daemon_run(load(), &options));
}

/* Reads the log until text is in it. */
static void
wait_log(const char *text)
{
	while (!span_has(buf_span(&logged), span_of(text))) {
		struct pollfd p = { .fd = log_fd, .events = POLLIN };
		char octets[512];
		ssize_t n = 0;

		if (poll(&p, 1, LIMIT_MS) > 0)
			n = read(log_fd, octets, sizeof(octets));
		if (n <= 0)
			fail_msg("no \"%s\" in: %.*s", text,
			    (int)buf_span(&logged).n, buf_span(&logged).p);
		buf_add(&logged, span_make(octets, (size_t)n));
	}
	buf_clear(&logged);
}

static void
start(void)
{
	int fds[2];

	conf = load();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		be_the_daemon(fds[1]);
	close(fds[1]);
	log_fd = fds[0];
}

static void
start_ready(void)
{
	write_conf("", ACCOUNT("work", "1") ACCOUNT("home", "2"));
	start();
	wait_log("ready: 2 accounts");
}

static int
end(void)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- */

static void
starts_and_ends_in_order(void **state)
{
	char *control = in_dir("state/control");

	(void)state;
	start_ready();
	assert_int_equal(access(control, F_OK), 0);
	kill(pid, SIGTERM);
	wait_log("Terminated: ending");
	assert_int_equal(end(), EX_OK);
	assert_int_equal(access(control, F_OK), -1);
	assert_int_equal(command_order(conf->control, CONTROL_POLL, NULL, 0),
	    EX_UNAVAILABLE);
	free(control);
}

static void
a_second_one_on_the_same_state_is_refused(void **state)
{
	struct daemon_options options = { 0 };

	(void)state;
	start_ready();
	assert_int_equal(daemon_run(load(), &options), EX_TEMPFAIL);
	assert_int_equal(
	    command_order(conf->control, CONTROL_POLL, NULL, 0), EX_OK);
}

static void
does_what_commands_ask_for(void **state)
{
	static const char *const work[] = { "work" };
	static const char *const wrong[] = { "wrk" };
	struct supervisor_options options = { .quiet = true };

	(void)state;
	start_ready();
	assert_int_equal(
	    command_order(conf->control, CONTROL_PAUSE, work, 1), EX_OK);
	assert_int_equal(
	    command_order(conf->control, CONTROL_POLL, work, 1), EX_TEMPFAIL);
	assert_int_equal(
	    command_order(conf->control, CONTROL_RESUME, work, 1), EX_OK);
	assert_int_equal(
	    command_order(conf->control, CONTROL_POLL, wrong, 1), EX_USAGE);
	assert_int_equal(
	    command_status(conf->control, NULL, 0, true, false), EX_OK);
	assert_int_equal(
	    command_fetch(conf->control, NULL, 0, &options), EX_OK);
	assert_int_equal(
	    command_fetch(conf->control, wrong, 1, &options), EX_USAGE);
}

static void
reloads_by_command_and_by_signal(void **state)
{
	(void)state;
	start_ready();
	write_conf("", ACCOUNT("work", "3") ACCOUNT("late", "2"));
	assert_int_equal(
	    command_order(conf->control, CONTROL_RELOAD, NULL, 0), EX_OK);
	wait_log("reloaded: 2 accounts, 1 new, 1 changed, 1 removed");
	kill(pid, SIGHUP);
	wait_log("reloaded: 2 accounts, 0 new, 0 changed, 0 removed");
	write_conf("metrics = \"127.0.0.1:9\"\n", ACCOUNT("work", "3"));
	kill(pid, SIGHUP);
	wait_log("needs a restart to take effect: metrics");
}

static void
keeps_what_runs_when_the_new_file_is_wrong(void **state)
{
	(void)state;
	start_ready();
	write_conf("nonsense = 1\n", ACCOUNT("work", "1"));
	assert_int_equal(
	    command_order(conf->control, CONTROL_RELOAD, NULL, 0), EX_CONFIG);
	wait_log("the running configuration is kept");
	assert_int_equal(
	    command_order(conf->control, CONTROL_POLL, NULL, 0), EX_OK);
}

/* A service manager's socket, in $NOTIFY_SOCKET. */
static int
listen_as_manager(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	return fd;
}

/* The next message that begins like this; others are passed over. */
static void
wait_manager(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[512];
	ssize_t n;

	do {
		if (poll(&p, 1, LIMIT_MS) <= 0)
			fail_msg("the service manager did not hear %s", text);
		n = recv(fd, got, sizeof(got) - 1, 0);
		assert_true(n > 0);
		got[n] = '\0';
	} while (strncmp(got, text, strlen(text)) != 0);
}

static void
tells_the_service_manager(void **state)
{
	int fd = listen_as_manager();

	(void)state;
	setenv("WATCHDOG_USEC", "600000", 1);
	start_ready();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	wait_manager(fd, "READY=1");
	wait_manager(fd, "STATUS=2 accounts: 2 watching, 0 failing");
	wait_manager(fd, "WATCHDOG=1");
	wait_manager(fd, "WATCHDOG=1");
	kill(pid, SIGHUP);
	wait_manager(fd, "RELOADING=1\nMONOTONIC_USEC=");
	wait_manager(fd, "READY=1");
	kill(pid, SIGINT);
	wait_manager(fd, "STOPPING=1");
	assert_int_equal(end(), EX_OK);
	close(fd);
}

static void
ends_in_time_when_an_account_does_not_leave(void **state)
{
	(void)state;
	stubborn = true;
	write_conf("stop-timeout = 1s\n", ACCOUNT("work", "1"));
	start();
	wait_log("ready: 1 account");
	kill(pid, SIGTERM);
	wait_log("not all has ended in 1 s");
	assert_int_equal(end(), EX_OK);
}

static void
a_second_signal_ends_it_at_once(void **state)
{
	(void)state;
	stubborn = true;
	start_ready();
	kill(pid, SIGTERM);
	wait_log("ending");
	kill(pid, SIGTERM);
	assert_int_equal(end(), 128 + SIGTERM);
}

static void
looks_at_all_accounts_on_a_signal(void **state)
{
	(void)state;
	write_conf("log-level = info\n", ACCOUNT("work", "1"));
	start();
	wait_log("ready: 1 account");
	kill(pid, SIGUSR1);
	wait_log("looking at all accounts");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_and_ends_in_order),
		TEST(a_second_one_on_the_same_state_is_refused),
		TEST(does_what_commands_ask_for),
		TEST(reloads_by_command_and_by_signal),
		TEST(keeps_what_runs_when_the_new_file_is_wrong),
		TEST(tells_the_service_manager),
		TEST(ends_in_time_when_an_account_does_not_leave),
		TEST(a_second_signal_ends_it_at_once),
		TEST(looks_at_all_accounts_on_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
