/* SPDX-License-Identifier: ISC */
#include "sys/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/clock.h"

static int manager;
static char path[64], heard[4096];

/* A manager that hears at path, or at the abstract name behind its '@'. */
static void
listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	memcpy(at.sun_path, name, n);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(manager, (const struct sockaddr *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* What was said, or NULL. */
static const char *
hear(void)
{
	ssize_t n = recv(manager, heard, sizeof(heard) - 1, MSG_DONTWAIT);

	if (n < 0)
		return NULL;
	heard[n] = '\0';
	return heard;
}

static int
set_up(void **state)
{
	(void)state;
	manager = -1;
	snprintf(path, sizeof(path), "/tmp/mailhaul-notify-%d", (int)getpid());
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (manager >= 0)
		close(manager);
	unlink(path);
	return 0;
}

static void
says_nothing_when_nobody_asked(void **state)
{
	(void)state;
	assert_false(notify_wanted());
	notify_say("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	assert_false(notify_wanted());
	notify_say("READY=1");
}

static void
tells_the_manager_at_a_path(void **state)
{
	(void)state;
	listen_at(path);
	assert_true(notify_wanted());
	notify_say("READY=1\nSTATUS=%d accounts: %s", 12, "all well");
	assert_string_equal(hear(), "READY=1\nSTATUS=12 accounts: all well");
	notify_say("WATCHDOG=1");
	assert_string_equal(hear(), "WATCHDOG=1");
	assert_null(hear());
}

static void
tells_the_manager_at_an_abstract_name(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@mailhaul/notify/%d", (int)getpid());
	listen_at(name);
	notify_say("STOPPING=1");
	assert_string_equal(hear(), "STOPPING=1");
}

static void
says_when_a_reload_began(void **state)
{
	uint64_t before = clock_us(), us;

	(void)state;
	listen_at(path);
	notify_reloading();
	assert_memory_equal(hear(), "RELOADING=1\nMONOTONIC_USEC=", 27);
	us = strtoull(heard + 27, NULL, 10);
	assert_in_range(us, before, clock_us());
	assert_null(strchr(heard + 27, '\n'));
}

static void
cuts_what_is_too_long(void **state)
{
	(void)state;
	listen_at(path);
	notify_say("STATUS=%05000d", 1);
	assert_int_equal(strlen(hear()), 2047);
}

static unsigned int
count_fds(void)
{
	unsigned int n = 0;
	int fd;

	for (fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
lives_without_a_manager(void **state)
{
	static const char *const places[] = { "/no/such/place", "relative",
		"vsock:2:1234", "@nobody-is-here", "/tmp" };
	unsigned int before = count_fds();
	char longer[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		setenv("NOTIFY_SOCKET", places[i], 1);
		notify_say("READY=1");
	}
	snprintf(longer, sizeof(longer), "/%0150d", 0);
	setenv("NOTIFY_SOCKET", longer, 1);
	notify_say("READY=1");
	assert_int_equal(count_fds(), before);
}

static void
waits_a_second_at_most_for_a_manager_that_hears_nothing(void **state)
{
	uint64_t start;
	int i;

	(void)state;
	listen_at(path);
	start = clock_ms();
	/* the kernel keeps ten or so; only one more is tried after that */
	for (i = 0; i < 5000 && clock_ms() - start < 500; i++)
		notify_say("STATUS=%d", i);
	assert_true(i < 5000);
	assert_in_range(clock_ms() - start, 900, 20000);
	assert_string_equal(hear(), "STATUS=0");
}

static void
knows_the_watchdog_of_this_process_only(void **state)
{
	char pid[24];

	(void)state;
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "x", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "500", 1);
	assert_int_equal(notify_watchdog_ms(), 1);
	setenv("WATCHDOG_USEC", "0", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "5s", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "99999999999999999999", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_nothing_when_nobody_asked),
		TEST(tells_the_manager_at_a_path),
		TEST(tells_the_manager_at_an_abstract_name),
		TEST(says_when_a_reload_began),
		TEST(cuts_what_is_too_long),
		TEST(lives_without_a_manager),
		TEST(waits_a_second_at_most_for_a_manager_that_hears_nothing),
		TEST(knows_the_watchdog_of_this_process_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
