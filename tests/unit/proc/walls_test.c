/* SPDX-License-Identifier: ISC */
#include "proc/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[128];
static long landlock_version;

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-walls-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static const char *
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "in/x", "in", "a/b", "a", "away",
		"" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (unlink(in_dir(names[i])) != 0)
			(void)rmdir(in_dir(names[i]));
	return 0;
}

/* Walls are for a whole process: each test has one of its own. */
static void
in_child(void (*fn)(struct walls *w))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct walls *w = walls_new();

		fn(w);
		walls_free(&w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define EXPECT(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%d: not so: %s: %s\n", __LINE__,      \
			    #what, strerror(errno));                           \
			_exit(99);                                             \
		}                                                              \
	} while (0)

static void
use_places(struct walls *w)
{
	EXPECT(mkdir(in_dir("in"), 0700) == 0);
	walls_add(w, in_dir("in"), false);
	walls_put_up(w, false);
	EXPECT(open(in_dir("in/x"), O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(open("/dev/urandom", O_RDONLY) >= 0);
	EXPECT(open("/proc/self/stat", O_RDONLY) >= 0);
	EXPECT(open(in_dir("y"), O_WRONLY | O_CREAT, 0600) < 0);
	EXPECT(open("/etc/passwd", O_RDONLY) < 0);
	EXPECT(open("/dev/urandom", O_WRONLY) < 0);
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) < 0);
	EXPECT(walls_outdated(w) == NULL);
}

static void
leaves_the_places_of_mail(void **state)
{
	(void)state;
	if (landlock_version < 2)
		skip();
	in_child(use_places);
}

static void
make_places(struct walls *w)
{
	walls_add(w, in_dir("a/b"), true);
	walls_add(w, in_dir("in"), false);
	walls_put_up(w, true);
	EXPECT(access(in_dir("a/b"), F_OK) == 0);
	EXPECT(access(in_dir("in"), F_OK) < 0);
	EXPECT(walls_outdated(w) == NULL);
}

static void
makes_what_is_missing_if_it_shall(void **state)
{
	(void)state;
	in_child(make_places);
}

static void
change_the_word(struct walls *w)
{
	walls_add(w, in_dir("in"), true);
	walls_add(w, in_dir("in"), false);
	walls_put_up(w, true);
	EXPECT(access(in_dir("in"), F_OK) < 0);
}

static void
takes_the_last_word_on_a_place(void **state)
{
	(void)state;
	in_child(change_the_word);
}

/* The change is another process's: this one could not make it. */
static void
change_outside(const char *from, const char *to)
{
	char full[300];

	snprintf(full, sizeof(full), "%s/%s", dir, to);
	if (from == NULL)
		assert_int_equal(mkdir(full, 0700), 0);
	else
		assert_int_equal(rename(in_dir(from), full), 0);
}

static int told[2], answer[2];

static void
wait_for_it(struct walls *w)
{
	char c;
	const char *old;

	walls_add(w, in_dir("in"), false);
	walls_add(w, in_dir("a"), false);
	EXPECT(walls_outdated(w) == NULL);
	walls_put_up(w, true);
	while (read(told[0], &c, 1) == 1) {
		old = walls_outdated(w);
		c = old == NULL ? '-' : old[strlen(old) - 1];
		EXPECT(write(answer[1], &c, 1) == 1);
	}
}

static char
ask(void)
{
	char c = '?';

	assert_int_equal(write(told[1], &c, 1), 1);
	assert_int_equal(read(answer[0], &c, 1), 1);
	return c;
}

static void
knows_a_place_that_was_exchanged(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(told) | pipe(answer), 0);
	assert_int_equal(mkdir(in_dir("in"), 0700), 0);
	pid = fork();
	if (pid == 0) {
		struct walls *w = walls_new();

		close(told[1]);
		wait_for_it(w);
		walls_free(&w);
		_exit(0);
	}
	close(told[0]);
	assert_int_equal(ask(), '-');
	change_outside("in", "away");
	assert_int_equal(ask(), '-'); /* gone: nothing to have a way to */
	change_outside(NULL, "in");
	assert_int_equal(ask(), 'n');
	assert_int_equal(rmdir(in_dir("in")), 0);
	change_outside("away", "in");
	assert_int_equal(ask(), '-'); /* the old one again */
	/* a file system gives out numbers twice, but not that one */
	assert_int_equal(rmdir(in_dir("in")), 0);
	change_outside(NULL, "in");
	assert_int_equal(ask(), 'n');
	assert_int_equal(rmdir(in_dir("in")), 0);
	change_outside(NULL, "a");
	assert_int_equal(ask(), 'a'); /* was not there */
	close(told[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(answer[0]);
	close(answer[1]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaves_the_places_of_mail),
		TEST(makes_what_is_missing_if_it_shall),
		TEST(takes_the_last_word_on_a_place),
		TEST(knows_a_place_that_was_exchanged),
	};

	landlock_version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
