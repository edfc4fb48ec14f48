/* SPDX-License-Identifier: ISC */
#include "deliver/local.h"

#include "office.h"

#include <sys/socket.h>
#include <sys/un.h>

struct street {
	struct office o;
	char path[128];
	int listener;
};

static int
setup(void **state)
{
	struct street *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	office_make_dir(&s->o);
	snprintf(s->path, sizeof(s->path), "%s/s", s->o.dir);
	s->listener = -1;
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct street *s = *state;

	if (s->listener >= 0)
		close(s->listener);
	office_remove_dir(&s->o);
	free(s);
	return 0;
}

static void
open_shop(struct street *s, int type, int backlog)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	memcpy(sa.sun_path, s->path, strlen(s->path));
	s->listener = socket(AF_UNIX, type, 0);
	assert_int_equal(
	    bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(s->listener, backlog), 0);
}

static void
connects_without_waiting(void **state)
{
	struct street *s = *state;
	struct err e;
	int fd;

	open_shop(s, SOCK_STREAM, 1);
	fd = local_dial(s->path, &e);
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void
expect_failure(const char *path, int why)
{
	struct err e = { 0 };

	assert_int_equal(local_dial(path, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(e.sys, why);
	assert_non_null(strstr(e.text, "unix:/"));
}

static void
says_why_nobody_answers(void **state)
{
	struct street *s = *state;
	char path[256];

	expect_failure(s->path, ENOENT);
	expect_failure(s->o.dir, ECONNREFUSED);
	open_shop(s, SOCK_STREAM, 1);
	close(s->listener);
	s->listener = -1;
	expect_failure(s->path, ECONNREFUSED);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(((struct sockaddr_un *)0)->sun_path)] = '\0';
	expect_failure(path, ENAMETOOLONG);
}

static void
says_that_it_is_no_stream(void **state)
{
	struct street *s = *state;

	open_shop(s, SOCK_DGRAM, 0);
	expect_failure(s->path, EPROTOTYPE);
}

/* A queue that is full is not waited for. */
static void
does_not_wait_for_a_server_that_is_too_busy(void **state)
{
	struct street *s = *state;
	struct err e = { 0 };
	int fds[8], n = 0;

	open_shop(s, SOCK_STREAM, 0);
	while (n < 8 && (fds[n] = local_dial(s->path, &e)) >= 0)
		n++;
	assert_true(n > 0 && n < 8);
	assert_int_equal(e.sys, EAGAIN);
	assert_non_null(strstr(e.text, "busy"));
	while (n > 0)
		close(fds[--n]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connects_without_waiting),
		TEST(says_why_nobody_answers),
		TEST(says_that_it_is_no_stream),
		TEST(does_not_wait_for_a_server_that_is_too_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
