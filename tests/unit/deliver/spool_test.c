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
		struct spool *s = spool_new(o->dir);
		int fd;

		no_tmpfile = i == 1;
		fd = spool_take(s, &e);
		expect_nameless(o, fd);
		assert_int_equal(write(fd, "abc", 3), 3);
		close(fd);
		spool_free(&s);
		assert_null(s);
	}
}

static ino_t
inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void
uses_a_file_again_empty_and_at_its_beginning(void **state)
{
	struct office *o = *state;
	struct spool *s = spool_new(o->dir);
	struct err e;
	int fd = spool_take(s, &e), again;
	ino_t inode = inode_of(fd);

	assert_int_equal(write(fd, "abc", 3), 3);
	spool_give(s, fd);
	again = spool_take(s, &e);
	assert_int_equal(inode_of(again), inode);
	assert_int_equal(lseek(again, 0, SEEK_CUR), 0);
	assert_int_equal(lseek(again, 0, SEEK_END), 0);
	spool_give(s, again);
	spool_free(&s);
}

/* A program may have left somebody behind who still reads it. */
static void
keeps_no_file_that_is_open_besides(void **state)
{
	struct office *o = *state;
	struct spool *s = spool_new(o->dir);
	struct err e;
	int fd = spool_take(s, &e), reader, other;
	char octets[4];

	assert_int_equal(write(fd, "abc", 3), 3);
	reader = spool_reopen(fd, &e);
	assert_true(reader >= 0);
	spool_give(s, fd);
	other = spool_take(s, &e);
	assert_int_not_equal(inode_of(other), inode_of(reader));
	assert_int_equal(read(reader, octets, sizeof(octets)), 3);
	close(reader);
	close(other);
	spool_free(&s);
	spool_free(&s);
}

static void
says_where_no_file_can_be_made(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };

	for (int i = 0; i < 2; i++) {
		struct spool *s = spool_new(office_path(o, "no/such"));
		struct spool *proc = spool_new("/proc");

		no_tmpfile = i == 1;
		assert_int_equal(spool_take(s, &e), -1);
		assert_int_equal(e.kind, ERR_DELIVER);
		assert_int_equal(e.sys, ENOENT);
		assert_non_null(strstr(e.text, "/no/such"));
		assert_int_equal(spool_take(proc, &e), -1);
		assert_int_equal(e.kind, ERR_DELIVER);
		spool_free(&s);
		spool_free(&proc);
	}
}

/* Wherever the first stands. */
static void
reads_it_again_from_its_beginning(void **state)
{
	struct office *o = *state;
	struct spool *s = spool_new(o->dir);
	char octets[8];
	struct err e;

	for (int i = 0; i < 2; i++) {
		int fd = spool_take(s, &e), again;

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
	spool_free(&s);
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

static void
sees_that_a_file_has_another_size(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };
	struct spool *s = spool_new(o->dir);
	int fd = spool_take(s, &e);

	assert_int_equal(spool_check(fd, 0, &e), 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(spool_check(fd, 3, &e), 0);
	assert_int_equal(spool_check(fd, 4, &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	spool_give(s, fd);
	spool_free(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_file_without_a_name),
		TEST(uses_a_file_again_empty_and_at_its_beginning),
		TEST(keeps_no_file_that_is_open_besides),
		TEST(says_where_no_file_can_be_made),
		TEST(reads_it_again_from_its_beginning),
		TEST(says_that_it_cannot_be_read),
		TEST(sees_that_a_file_has_another_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
