/* SPDX-License-Identifier: ISC */
#include "deliver/mbox.h"

#include "office.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define ONE "From a Thu Jan  1 00:00:00 1970\nSubject: 1\n\nx\n\n"
#define TWO "From b Thu Jan  1 00:00:00 1970\nSubject: 2\n\nyy\n\n"

/* ---- a file system with manners of its own ---- */

static int link_fails;
static const char *removed; /* while it is being locked */
static bool ftruncate_fails;
static unsigned int syncs, dirs; /* of files, of directories */
static bool fsync_fails;

int
link(const char *from, const char *to)
{
	if (removed != NULL)
		unlink(removed);
	errno = link_fails;
	if (link_fails != 0)
		return -1;
	return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
ftruncate(int fd, off_t size)
{
	if (!ftruncate_fails)
		return (int)syscall(SYS_ftruncate, fd, size);
	errno = EIO;
	return -1;
}

int
fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		dirs++;
	else
		syncs++;
	errno = EIO;
	return fsync_fails ? -1 : 0;
}

/* ---- */

static int
setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	link_fails = 0;
	removed = NULL;
	ftruncate_fails = fsync_fails = false;
	syncs = dirs = 0;
	signal(SIGXFSZ, SIG_IGN);
	office_make_dir(o);
	*state = o;
	return 0;
}

static int
teardown(void **state)
{
	office_remove_dir(*state);
	free(*state);
	return 0;
}

static struct mbox *
opened(const struct office *o)
{
	struct err e = { 0 };
	bool busy = true;
	struct mbox *m = mbox_open(office_path(o, "bob"), &busy, &e);

	if (m == NULL)
		fail_msg("%s", e.text);
	assert_false(busy);
	return m;
}

static void
expect_refused(const struct office *o, int why, bool is_busy)
{
	struct err e = { 0 };
	bool busy;

	assert_null(mbox_open(office_path(o, "bob"), &busy, &e));
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(e.sys, why);
	assert_int_equal(busy, is_busy);
	assert_non_null(strstr(e.text, "/bob"));
}

static void
write_file(const struct office *o, const char *name, struct span s)
{
	int fd = open(office_path(o, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, s.p, s.n), s.n);
	close(fd);
}

static void
expect_content(const struct office *o, struct span want)
{
	size_t n;
	char *got = office_read(office_path(o, "bob"), &n);

	assert_int_equal(n, want.n);
	assert_memory_equal(got, want.p, n);
	free(got);
}

/* A file that holds s, and stands anywhere. */
static int
source(const struct office *o, struct span s)
{
	int fd;

	write_file(o, "source", s);
	fd = open(office_path(o, "source"), O_RDONLY);
	lseek(fd, 3, SEEK_SET);
	return fd;
}

static int
append(const struct office *o, struct mbox *m, struct span s, struct err *e)
{
	int fd = source(o, s), r;

	r = mbox_append(m, fd, s.n, e);
	close(fd);
	return r;
}

static unsigned int
entries(const struct office *o)
{
	DIR *d = opendir(o->dir);
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

/* ---- locks ---- */

/* Whether another process could take the classic lock. */
static bool
is_free(const struct office *o)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct flock all = { .l_type = F_WRLCK };
		int fd = open(office_path(o, "bob"), O_RDWR);

		_exit(fcntl(fd, F_SETLK, &all) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void
holds_both_locks_while_it_is_open(void **state)
{
	const struct office *o = *state;
	struct mbox *m = opened(o);

	assert_true(mbox_is_dotlocked(m));
	assert_false(is_free(o));
	assert_int_equal(access(office_path(o, "bob.lock"), F_OK), 0);
	assert_int_equal(entries(o), 2);
	mbox_close(&m);
	mbox_close(&m);
	assert_true(is_free(o));
	assert_int_equal(entries(o), 1);
}

static void
is_busy_while_another_process_has_the_lock(void **state)
{
	const struct office *o = *state;
	int ready[2], end[2];
	char c = 'x';
	pid_t pid;
	struct mbox *m;

	write_file(o, "bob", SPAN(ONE));
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		struct flock all = { .l_type = F_RDLCK };
		int fd = open(office_path(o, "bob"), O_RDWR);

		close(end[1]);
		if (fcntl(fd, F_SETLK, &all) < 0 || write(ready[1], &c, 1) != 1)
			_exit(1);
		_exit(read(end[0], &c, 1) == 0 ? 0 : 1);
	}
	close(end[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	expect_refused(o, EBUSY, true);
	assert_int_equal(entries(o), 1);
	close(end[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
	m = opened(o);
	mbox_close(&m);
}

static void
is_busy_while_there_is_a_dotlock_and_gives_all_back(void **state)
{
	const struct office *o = *state;

	write_file(o, "bob", SPAN(ONE));
	write_file(o, "bob.lock", SPAN("0"));
	expect_refused(o, EBUSY, true);
	assert_true(is_free(o));
	assert_int_equal(entries(o), 2);
	expect_content(o, SPAN(ONE));
}

static void
does_with_fcntl_where_no_dotlock_can_be_made(void **state)
{
	const struct office *o = *state;
	struct mbox *m;

	link_fails = EPERM;
	m = opened(o);
	assert_false(mbox_is_dotlocked(m));
	assert_false(is_free(o));
	mbox_close(&m);
	assert_int_equal(entries(o), 1);
	link_fails = ENOSPC;
	expect_refused(o, ENOSPC, false);
}

static void
is_busy_when_the_file_is_replaced_meanwhile(void **state)
{
	const struct office *o = *state;
	char path[512];

	snprintf(path, sizeof(path), "%s", office_path(o, "bob"));
	removed = path;
	expect_refused(o, EBUSY, true);
	assert_int_equal(entries(o), 0);
}

/* ---- what it opens ---- */

static void
makes_it_for_its_owner_and_durably(void **state)
{
	const struct office *o = *state;
	struct mbox *m = opened(o);
	struct stat st;

	assert_int_equal(dirs, 1);
	assert_int_equal(stat(office_path(o, "bob"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	mbox_close(&m);
	/* by us, perhaps, who died before it was durable */
	m = opened(o);
	assert_int_equal(dirs, 2);
	mbox_close(&m);
	write_file(o, "bob", SPAN(ONE));
	m = opened(o);
	assert_int_equal(dirs, 2);
	mbox_close(&m);
	assert_int_equal(unlink(office_path(o, "bob")), 0);
	fsync_fails = true;
	expect_refused(o, EIO, false);
}

static void
takes_only_a_file_with_one_name(void **state)
{
	const struct office *o = *state;
	const char *bob = office_path(o, "bob");

	write_file(o, "else", SPAN("secret"));
	assert_int_equal(symlink("else", bob), 0);
	expect_refused(o, ELOOP, false);
	assert_int_equal(unlink(bob), 0);
	assert_int_equal(link(office_path(o, "else"), bob), 0);
	expect_refused(o, EMLINK, false);
	expect_content(o, SPAN("secret"));
	assert_int_equal(unlink(bob), 0);
	assert_int_equal(mkfifo(bob, 0600), 0);
	expect_refused(o, EINVAL, false);
	assert_int_equal(unlink(bob), 0);
	assert_int_equal(mkdir(bob, 0700), 0);
	expect_refused(o, EISDIR, false);
}

/* ---- appending ---- */

static const struct {
	const char *before, *between;
} ends[] = {
	{ "", "" },
	{ ONE, "" },
	{ "From x\n\nno empty line\n", "\n" },
	{ "From x\n\nhalf a li", "\n\n" },
	{ "x", "\n\n" },
	{ "\n", "" },
	{ "\n\n", "" },
	{ "x\n", "\n" },
};

static void
puts_an_empty_line_where_there_is_none(void **state)
{
	const struct office *o = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t n = strlen(ends[i].before);
		size_t gap = strlen(ends[i].between);
		struct err e = { 0 };
		struct mbox *m;
		char want[512];

		write_file(o, "bob", span_of(ends[i].before));
		m = opened(o);
		assert_int_equal(mbox_size(m), n);
		assert_int_equal(mbox_next(m), n + gap);
		assert_int_equal(append(o, m, SPAN(ONE), &e), 0);
		assert_int_equal(mbox_size(m), n + gap + strlen(ONE));
		assert_int_equal(mbox_next(m), mbox_size(m));
		assert_int_equal(append(o, m, SPAN(TWO), &e), 0);
		assert_int_equal(mbox_sync(m, &e), 0);
		mbox_close(&m);
		snprintf(want, sizeof(want), "%s%s%s%s", ends[i].before,
		    ends[i].between, ONE, TWO);
		expect_content(o, span_of(want));
	}
}

static struct span
much(size_t n)
{
	static char octets[300000];

	assert_true(n <= sizeof(octets));
	for (size_t i = 0; i < n; i++)
		octets[i] = (char)(i * 7 + i / 251);
	memcpy(octets + n - 2, "\n\n", 2);
	return span_make(octets, n);
}

static void
appends_any_octets_and_as_many_as_told(void **state)
{
	static const size_t sizes[] = { 65535, 65536, 65537, 300000, 2 };
	const struct office *o = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct span s = much(sizes[i]);
		struct err e = { 0 };
		struct mbox *m;
		int fd;

		write_file(o, "bob", SPAN(""));
		m = opened(o);
		assert_int_equal(append(o, m, s, &e), 0);
		fd = source(o, s);
		assert_int_equal(mbox_append(m, fd, 1, &e), 0);
		assert_int_equal(mbox_size(m), s.n + 1);
		assert_int_equal(mbox_truncate(m, s.n, &e), 0);
		assert_int_equal(mbox_next(m), s.n);
		close(fd);
		mbox_close(&m);
		expect_content(o, s);
	}
}

static void
is_what_it_was_when_the_disk_is_full(void **state)
{
	const struct office *o = *state;
	struct rlimit before, little;
	struct err e = { 0 };
	struct mbox *m;
	struct span s = much(300000);
	int fd = source(o, s), r;

	write_file(o, "bob", SPAN("half a li"));
	m = opened(o);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 100000;
	syncs = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	r = mbox_append(m, fd, s.n, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -1);
	assert_int_equal(e.sys, EFBIG);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(syncs, 1);
	assert_false(mbox_is_torn(m));
	assert_int_equal(mbox_size(m), 9);
	assert_int_equal(mbox_next(m), 11);
	expect_content(o, SPAN("half a li"));
	assert_int_equal(mbox_append(m, fd, s.n, &e), 0);
	close(fd);
	mbox_close(&m);
}

static void
is_what_it_was_when_the_source_is_too_short(void **state)
{
	const struct office *o = *state;
	struct err e = { 0 };
	struct mbox *m;
	struct span s = much(100000);
	int fd = source(o, s);

	write_file(o, "bob", SPAN(ONE));
	m = opened(o);
	assert_int_equal(mbox_append(m, fd, s.n + 1, &e), -1);
	assert_non_null(strstr(e.text, "too short"));
	assert_false(mbox_is_torn(m));
	close(fd);
	mbox_close(&m);
	expect_content(o, SPAN(ONE));
}

static void
knows_when_a_part_could_not_be_taken_back(void **state)
{
	const struct office *o = *state;
	struct err e = { 0 };
	struct mbox *m = opened(o);
	int fd = source(o, SPAN(ONE));

	ftruncate_fails = true;
	assert_int_equal(mbox_append(m, fd, 1000, &e), -1);
	assert_true(mbox_is_torn(m));
	assert_non_null(strstr(e.text, "too short"));
	mbox_close(&m);
	ftruncate_fails = false;
	fsync_fails = true;
	write_file(o, "bob", SPAN(ONE));
	m = opened(o);
	assert_int_equal(mbox_append(m, fd, 1000, &e), -1);
	assert_true(mbox_is_torn(m));
	assert_int_equal(mbox_sync(m, &e), -1);
	assert_int_equal(e.sys, EIO);
	close(fd);
	mbox_close(&m);
}

/* ---- comparing ---- */

static void
expect_same(const struct office *o, struct mbox *m, uint64_t offset,
    struct span s, uint64_t want)
{
	struct err e = { 0 };
	uint64_t same = 77;
	int fd = source(o, s);

	assert_int_equal(mbox_compare(m, offset, fd, s.n, &same, &e), 0);
	assert_int_equal(same, want);
	close(fd);
}

static void
compares_from_an_offset_on(void **state)
{
	const struct office *o = *state;
	struct mbox *m;

	write_file(o, "bob", SPAN("01234567"));
	m = opened(o);
	expect_same(o, m, 0, SPAN("01234567"), 8);
	expect_same(o, m, 3, SPAN("345"), 3);
	expect_same(o, m, 3, SPAN("345678"), 5);
	expect_same(o, m, 3, SPAN("34x67"), 2);
	expect_same(o, m, 3, SPAN("x"), 0);
	expect_same(o, m, 3, SPAN(""), 0);
	expect_same(o, m, 8, SPAN("0"), 0);
	expect_same(o, m, 9, SPAN("0"), 0);
	expect_same(o, m, UINT64_MAX, SPAN("0"), 0);
	mbox_close(&m);
}

static void
compares_what_is_large(void **state)
{
	static const size_t at[] = { 0, 1, 65535, 65536, 65537, 131071, 131072,
		199990, 199999 };
	const struct office *o = *state;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct span s = much(200000);
		char *other = malloc(s.n + 7);
		struct mbox *m;

		assert_non_null(other);
		memcpy(other, "before\n", 7);
		memcpy(other + 7, s.p, s.n);
		write_file(o, "bob", span_make(other, s.n + 7));
		m = opened(o);
		expect_same(o, m, 7, s, s.n);
		mbox_close(&m);
		other[7 + at[i]] ^= 1;
		write_file(o, "bob", span_make(other, s.n + 7));
		m = opened(o);
		expect_same(o, m, 7, s, at[i]);
		mbox_close(&m);
		write_file(o, "bob", span_make(other, at[i] + 7));
		m = opened(o);
		expect_same(o, m, 7, s, at[i]);
		mbox_close(&m);
		free(other);
	}
}

/* ---- times ---- */

static void
set_times(const struct office *o, time_t read, time_t written)
{
	struct timespec t[2] = { { .tv_sec = read }, { .tv_sec = written } };

	assert_int_equal(utimensat(AT_FDCWD, office_path(o, "bob"), t, 0), 0);
}

static void
shows_new_mail_as_unread(void **state)
{
	const struct office *o = *state;
	const time_t reads[] = { 1000, time(NULL), time(NULL) + 100000 };

	for (size_t i = 0; i < 3; i++) {
		struct err e = { 0 };
		struct mbox *m;
		struct stat st;

		write_file(o, "bob", SPAN(ONE));
		set_times(o, reads[i], 999);
		m = opened(o);
		assert_int_equal(append(o, m, SPAN(TWO), &e), 0);
		mbox_close(&m);
		assert_int_equal(stat(office_path(o, "bob"), &st), 0);
		assert_true(st.st_atim.tv_sec < st.st_mtim.tv_sec);
		if (reads[i] == 1000)
			assert_int_equal(st.st_atim.tv_sec, 1000);
	}
}

static void
leaves_the_times_when_nothing_was_written(void **state)
{
	const struct office *o = *state;
	struct stat st;
	struct mbox *m;

	write_file(o, "bob", SPAN(ONE));
	set_times(o, 2000, 3000);
	m = opened(o);
	expect_same(o, m, 0, SPAN(ONE), strlen(ONE));
	mbox_close(&m);
	assert_int_equal(stat(office_path(o, "bob"), &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 2000);
	assert_int_equal(st.st_mtim.tv_sec, 3000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_both_locks_while_it_is_open),
		TEST(is_busy_while_another_process_has_the_lock),
		TEST(is_busy_while_there_is_a_dotlock_and_gives_all_back),
		TEST(does_with_fcntl_where_no_dotlock_can_be_made),
		TEST(is_busy_when_the_file_is_replaced_meanwhile),
		TEST(makes_it_for_its_owner_and_durably),
		TEST(takes_only_a_file_with_one_name),
		TEST(puts_an_empty_line_where_there_is_none),
		TEST(appends_any_octets_and_as_many_as_told),
		TEST(is_what_it_was_when_the_disk_is_full),
		TEST(is_what_it_was_when_the_source_is_too_short),
		TEST(knows_when_a_part_could_not_be_taken_back),
		TEST(compares_from_an_offset_on),
		TEST(compares_what_is_large),
		TEST(shows_new_mail_as_unread),
		TEST(leaves_the_times_when_nothing_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
