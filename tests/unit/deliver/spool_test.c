/* SPDX-License-Identifier: ISC */
#include "deliver/spool.h"

#include "office.h"

static bool no_tmpfile, no_proc;

/* As on a file system without O_TMPFILE, and without /proc. */
int
open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	errno = EOPNOTSUPP;
	if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE)
		return -1;
	errno = ENOENT;
	if (no_proc && strncmp(path, "/proc/", 6) == 0)
		return -1;
	return openat(AT_FDCWD, path, flags, mode);
}

static int
setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	no_tmpfile = no_proc = false;
	office_make_dir(o);
	*state = o;
	return 0;
}

static int
teardown(void **state)
{
	struct office *o = *state;

	no_tmpfile = no_proc = false;
	office_remove_dir(o);
	free(o);
	return 0;
}

static void
expect_nameless(const struct office *o, int fd)
{
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(office_count(o, "", NULL), 0);
}

static void
makes_a_file_without_a_name(void **state)
{
	struct office *o = *state;
	struct err e;

	for (int i = 0; i < 2; i++) {
		int fd;

		no_tmpfile = i == 1;
		fd = spool_open(o->dir, &e);
		expect_nameless(o, fd);
		assert_int_equal(write(fd, "abc", 3), 3);
		close(fd);
	}
}

static void
says_where_no_file_can_be_made(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };

	for (int i = 0; i < 2; i++) {
		no_tmpfile = i == 1;
		assert_int_equal(spool_open(office_path(o, "no/such"), &e), -1);
		assert_int_equal(e.kind, ERR_DELIVER);
		assert_int_equal(e.sys, ENOENT);
		assert_non_null(strstr(e.text, "/no/such"));
		assert_int_equal(spool_open("/proc", &e), -1);
		assert_int_equal(e.kind, ERR_DELIVER);
	}
}

/* Wherever the first stands. */
static void
reads_it_again_from_its_beginning(void **state)
{
	struct office *o = *state;
	char octets[8];
	struct err e;

	for (int i = 0; i < 2; i++) {
		int fd = spool_open(o->dir, &e), again;

		assert_int_equal(write(fd, "abc", 3), 3);
		no_proc = i == 1;
		again = spool_reopen(fd, &e);
		no_proc = false;
		assert_true(again >= 0 && again != fd);
		assert_int_equal(
		    fcntl(again, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(fd);
		assert_int_equal(read(again, octets, sizeof(octets)), 3);
		assert_memory_equal(octets, "abc", 3);
		if (i == 0)
			assert_int_equal(write(again, "x", 1), -1);
		close(again);
	}
}

static void
says_that_it_cannot_be_read(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spool_reopen(-1, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	no_proc = true;
	assert_int_equal(spool_reopen(-1, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(e.sys, EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_file_without_a_name),
		TEST(says_where_no_file_can_be_made),
		TEST(reads_it_again_from_its_beginning),
		TEST(says_that_it_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
