/* SPDX-License-Identifier: ISC */
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the C library between the file module and the kernel ---- */

static unsigned int syncs;
static int sync_error;
static unsigned int write_calls;
static bool bad_writes; /* EINTR, then three octets at a time */
static int write_error;

int
fsync(int fd)
{
	(void)fd;
	syncs++;
	errno = sync_error;
	return sync_error == 0 ? 0 : -1;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (write_error != 0) {
		errno = write_error;
		return -1;
	}
	if (bad_writes && ++write_calls % 2 == 1) {
		errno = EINTR;
		return -1;
	}
	if (bad_writes && n > 3)
		n = 3;
	return syscall(SYS_write, fd, p, n);
}

/* ---- a directory for each test ---- */

static char dir[64], path[512];

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-file-XXXXXX");
	syncs = 0;
	sync_error = write_error = 0;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
drop(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int
tear_down(void **state)
{
	(void)state;
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put_file(const char *name, const char *content)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static void
expect_error(const struct err *e, enum err_kind kind, int sys, const char *text)
{
	assert_int_equal(e->kind, kind);
	assert_int_equal(e->sys, sys);
	if (strstr(e->text, text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e->text, text);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_mode & 07777;
}

/* ---- directories ---- */

static void
opens_a_directory_and_follows_the_users_links(void **state)
{
	struct err e = { 0 };
	int fd = file_open_dir(dir, &e);

	(void)state;
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(symlinkat(".", fd, "link"), 0);
	close(fd);
	fd = file_open_dir(in_dir("link"), &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_open_dir(in_dir("missing"), &e), -1);
	expect_error(&e, ERR_DELIVER, ENOENT, "missing: No such file");
	put_file("plain", "x");
	assert_int_equal(file_open_dir(in_dir("plain"), &e), -1);
	expect_error(&e, ERR_DELIVER, ENOTDIR, "plain: Not a directory");
}

static void
makes_parents_private_and_durable(void **state)
{
	struct err e = { 0 };
	int fd = file_make_dir(in_dir("a/b//c/"), &e);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(mode_of("a/b/c"), 0700);
	assert_int_equal(syncs, 3);
	fd = file_make_dir(in_dir("a/b/c"), &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(syncs, 3);
}

static void
makes_no_directory_where_none_can_be(void **state)
{
	struct err e = { 0 };

	(void)state;
	put_file("plain", "x");
	assert_int_equal(file_make_dir(in_dir("plain"), &e), -1);
	expect_error(&e, ERR_DELIVER, ENOTDIR, "plain");
	assert_int_equal(file_make_dir(in_dir("plain/sub"), &e), -1);
	expect_error(&e, ERR_DELIVER, ENOTDIR, "plain/sub");
	assert_int_equal(file_make_dir("", &e), -1);
	expect_error(&e, ERR_DELIVER, ENOENT, "No such file");
	sync_error = EIO;
	assert_int_equal(file_make_dir(in_dir("new"), &e), -1);
	expect_error(&e, ERR_DELIVER, EIO, dir);
}

static void
opens_what_it_may_not_make(void **state)
{
	struct err e = { 0 };
	int fd = file_make_dir("/proc/self", &e);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	fd = file_make_dir("/", &e);
	assert_true(fd >= 0);
	close(fd);
}

/* In a child, since it changes the working directory. */
static void
ends_in_a_removed_directory(void **state)
{
	struct err e = { 0 };
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (mkdir(in_dir("gone"), 0700) < 0 || chdir(path) < 0 ||
		    rmdir(path) < 0)
			_exit(1);
		_exit(file_make_dir("sub/sub", &e) == -1 && e.sys == ENOENT
			? 0
			: 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
makes_a_sub_directory_only_when_asked(void **state)
{
	struct err e = { 0 };
	int top = file_open_dir(dir, &e), fd;

	(void)state;
	assert_int_equal(file_sub_dir(top, "tmp", false, dir, &e), -1);
	expect_error(&e, ERR_DELIVER, ENOENT, "/tmp: No such file");
	fd = file_sub_dir(top, "tmp", true, dir, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(mode_of("tmp"), 0700);
	assert_int_equal(syncs, 1);
	fd = file_sub_dir(top, "tmp", false, dir, &e);
	assert_true(fd >= 0);
	close(fd);
	sync_error = ENOSPC;
	assert_int_equal(file_sub_dir(top, "new", true, dir, &e), -1);
	expect_error(&e, ERR_DELIVER, ENOSPC, dir);
	close(top);
}

static void
never_follows_a_link_to_a_sub_directory(void **state)
{
	struct err e = { 0 };
	int top = file_open_dir(dir, &e);

	(void)state;
	assert_int_equal(symlinkat("/", top, "good"), 0);
	assert_int_equal(symlinkat("nowhere", top, "bad"), 0);
	assert_int_equal(file_sub_dir(top, "good", true, dir, &e), -1);
	expect_error(&e, ERR_DELIVER, ELOOP, "/good: is a symbolic link");
	assert_int_equal(file_sub_dir(top, "bad", true, dir, &e), -1);
	expect_error(&e, ERR_DELIVER, ELOOP, "/bad: is a symbolic link");
	assert_int_equal(faccessat(top, "nowhere", F_OK, 0), -1);
	close(top);
}

static void
takes_plain_names_only(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/tmp" };
	struct err e = { 0 };
	int top = file_open_dir(dir, &e);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(file_sub_dir(top, bad[i], true, dir, &e), -1);
	close(top);
}

/* ---- files ---- */

static void
reads_a_file_up_to_the_maximum(void **state)
{
	struct err e = { 0 };
	struct buf b;

	(void)state;
	put_file("f", "12345");
	buf_init(&b, 100);
	assert_int_equal(file_read(in_dir("f"), 5, &b, &e), 0);
	assert_true(span_eq(buf_span(&b), SPAN("12345")));
	buf_clear(&b);
	assert_int_equal(file_read(in_dir("f"), 4, &b, &e), -1);
	expect_error(&e, ERR_DELIVER, EFBIG, "larger than 4 octets");
	buf_clear(&b);
	put_file("f", "");
	assert_int_equal(file_read(in_dir("f"), 0, &b, &e), 0);
	assert_int_equal(b.n, 0);
	/* the size of these is said to be 0 */
	assert_int_equal(file_read("/proc/self/stat", 100, &b, &e), -1);
	buf_clear(&b);
	assert_int_equal(file_read("/proc/self/comm", 100, &b, &e), 0);
	assert_true(b.n > 0);
	buf_deinit(&b);
}

static void
reads_large_files_whole(void **state)
{
	struct err e = { 0 };
	struct buf b;
	size_t i;
	FILE *f = fopen(in_dir("f"), "w");

	(void)state;
	for (i = 0; i < 100000; i++)
		fputc((int)(i % 251), f);
	fclose(f);
	buf_init(&b, 1000000);
	assert_int_equal(file_read(path, 1000000, &b, &e), 0);
	assert_int_equal(b.n, 100000);
	for (i = 0; i < 100000; i++)
		assert_int_equal((unsigned char)buf_span(&b).p[i], i % 251);
	buf_deinit(&b);
}

static void
reads_regular_files_only(void **state)
{
	struct err e = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_read(in_dir("missing"), 10, &b, &e), -1);
	expect_error(&e, ERR_DELIVER, ENOENT, "missing: No such file");
	assert_int_equal(file_read(dir, 10, &b, &e), -1);
	expect_error(&e, ERR_DELIVER, EINVAL, "not a regular file");
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(file_read(path, 10, &b, &e), -1);
	expect_error(&e, ERR_DELIVER, EINVAL, "not a regular file");
	buf_deinit(&b);
}

static void
writes_all_whatever_short_writes_there_are(void **state)
{
	struct err e = { 0 };
	struct buf b;
	int fd = open(in_dir("f"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	bad_writes = true;
	assert_int_equal(
	    file_write_all(fd, SPAN("twelve octets"), path, &e), 0);
	bad_writes = false;
	buf_init(&b, 100);
	assert_int_equal(file_read(path, 100, &b, &e), 0);
	assert_true(span_eq(buf_span(&b), SPAN("twelve octets")));
	buf_deinit(&b);
	write_error = ENOSPC;
	assert_int_equal(file_write_all(fd, SPAN("x"), path, &e), -1);
	expect_error(&e, ERR_DELIVER, ENOSPC, path);
	close(fd);
}

static void
syncs_once_and_never_again(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EINTR };
	struct err e = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(file_sync(0, "x", &e), 0);
	for (i = 0; i < 3; i++) {
		syncs = 0;
		sync_error = errors[i];
		assert_int_equal(file_sync(0, "some/path", &e), -1);
		assert_int_equal(syncs, 1);
		expect_error(&e, ERR_DELIVER, errors[i], "some/path: ");
	}
}

/* ---- names and locks ---- */

static void
expect_path(const char *from, const char *to)
{
	struct err e = { 0 };
	char *got = file_expand(from, &e);

	assert_string_equal(got, to);
	free(got);
}

static void
expands_the_home_directory(void **state)
{
	const char *home = getenv("HOME");
	char *kept = home == NULL ? NULL : strdup(home), *s;
	struct err e = { 0 };

	(void)state;
	setenv("HOME", "/home/ann", 1);
	expect_path("~", "/home/ann");
	expect_path("~/Maildir", "/home/ann/Maildir");
	expect_path("/a/~/b", "/a/~/b");
	expect_path("a", "a");
	assert_null(file_expand("~bob/x", &e));
	expect_error(&e, ERR_CONFIG, 0, "~bob/x");
	setenv("HOME", "relative", 1);
	s = file_expand("~", &e); /* the user's entry decides */
	assert_true(s == NULL || s[0] == '/');
	free(s);
	if (kept != NULL)
		setenv("HOME", kept, 1);
	free(kept);
}

static void
knows_who_may_read(void **state)
{
	(void)state;
	assert_false(file_others_may_read(S_IFREG | 0600));
	assert_false(file_others_may_read(S_IFREG | 0711));
	assert_true(file_others_may_read(S_IFREG | 0640));
	assert_true(file_others_may_read(S_IFREG | 0604));
}

static void
locks_for_one_holder_at_a_time(void **state)
{
	struct err e = { 0 };
	bool busy = true;
	int a = file_lock(in_dir("lock"), &busy, &e), b;

	(void)state;
	assert_true(a >= 0);
	assert_false(busy);
	assert_int_equal(mode_of("lock"), 0600);
	assert_true((fcntl(a, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(file_lock(path, &busy, &e), -1);
	assert_true(busy);
	expect_error(&e, ERR_DELIVER, EAGAIN, "held by another process");
	close(a);
	b = file_lock(path, &busy, &e);
	assert_true(b >= 0);
	assert_false(busy);
	close(b);
	assert_int_equal(file_lock(in_dir("no/lock"), &busy, &e), -1);
	assert_false(busy);
	expect_error(&e, ERR_DELIVER, ENOENT, "no/lock");
}

/* The kernel frees the lock however the holder ends. */
static void
leaves_no_lock_behind_a_killed_holder(void **state)
{
	struct err e = { 0 };
	bool busy;
	char c = 0;
	int ends[2], fd;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	in_dir("lock");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		if (file_lock(path, &busy, &e) < 0 ||
		    write(ends[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(file_lock(path, &busy, &e), -1);
	assert_true(busy);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd = file_lock(path, &busy, &e);
	assert_true(fd >= 0);
	close(fd);
	close(ends[0]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_a_directory_and_follows_the_users_links),
		TEST(makes_parents_private_and_durable),
		TEST(makes_no_directory_where_none_can_be),
		TEST(opens_what_it_may_not_make),
		TEST(ends_in_a_removed_directory),
		TEST(makes_a_sub_directory_only_when_asked),
		TEST(never_follows_a_link_to_a_sub_directory),
		TEST(takes_plain_names_only),
		TEST(reads_a_file_up_to_the_maximum),
		TEST(reads_large_files_whole),
		TEST(reads_regular_files_only),
		TEST(writes_all_whatever_short_writes_there_are),
		TEST(syncs_once_and_never_again),
		TEST(expands_the_home_directory),
		TEST(knows_who_may_read),
		TEST(locks_for_one_holder_at_a_time),
		TEST(leaves_no_lock_behind_a_killed_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
