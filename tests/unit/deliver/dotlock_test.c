/* SPDX-License-Identifier: ISC */
#include "deliver/dotlock.h"

#include "office.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* ---- a file system with manners of its own ---- */

static int link_fails;            /* with this */
static bool link_lies;            /* it is done, and said to have failed */
static const char *meanwhile_for; /* this lock somebody else takes first */

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

int
link(const char *from, const char *to)
{
	int r;

	errno = link_fails;
	if (link_fails != 0)
		return -1;
	r = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (!link_lies)
		return r;
	errno = EEXIST;
	return -1;
}

int
rename(const char *from, const char *to)
{
	if (meanwhile_for != NULL) {
		unlink(meanwhile_for);
		write_file(meanwhile_for, "faster");
		meanwhile_for = NULL;
	}
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- */

static int
setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	link_fails = 0;
	link_lies = false;
	meanwhile_for = NULL;
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

/* What there is, those with a dot in front, too. */
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

static enum dotlock_result
take(const struct office *o, struct dotlock **l, struct err *e)
{
	err_clear(e);
	return dotlock_take(office_path(o, "bob"), l, e);
}

static void
expect_taken(const struct office *o)
{
	struct dotlock *l;
	struct err e;

	assert_int_equal(take(o, &l, &e), DOTLOCK_TAKEN);
	assert_int_equal(access(office_path(o, "bob.lock"), F_OK), 0);
	dotlock_release(&l);
	assert_null(l);
	assert_int_equal(entries(o), 0);
}

static void
expect_busy(const struct office *o)
{
	struct dotlock *l;
	struct err e;

	assert_int_equal(take(o, &l, &e), DOTLOCK_BUSY);
	assert_null(l);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(e.sys, EBUSY);
	assert_non_null(strstr(e.text, "/bob.lock: "));
	assert_int_equal(entries(o), 1);
}

static void
make_lock(const struct office *o, const char *owner, int age_s)
{
	struct timespec t[2];

	write_file(office_path(o, "bob.lock"), owner);
	clock_gettime(CLOCK_REALTIME, &t[0]);
	t[0].tv_sec -= age_s;
	t[1] = t[0];
	assert_int_equal(
	    utimensat(AT_FDCWD, office_path(o, "bob.lock"), t, 0), 0);
}

static const char *
owner_of(long pid, const char *host)
{
	static char owner[400];

	snprintf(owner, sizeof(owner), "%ld:%s", pid, host);
	return owner;
}

static const char *
our_host(void)
{
	static char host[256];

	assert_int_equal(gethostname(host, sizeof(host)), 0);
	return host;
}

static long
dead_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void
says_who_has_it_and_leaves_nothing(void **state)
{
	const struct office *o = *state;
	struct dotlock *l;
	struct err e;
	struct stat st;
	char *owner;
	size_t n;

	umask(077);
	assert_int_equal(take(o, &l, &e), DOTLOCK_TAKEN);
	assert_int_equal(entries(o), 1);
	owner = office_read(office_path(o, "bob.lock"), &n);
	assert_int_equal(n, strlen(owner_of(getpid(), our_host())));
	assert_memory_equal(owner, owner_of(getpid(), our_host()), n);
	free(owner);
	assert_int_equal(stat(office_path(o, "bob.lock"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_nlink, 1);
	dotlock_release(&l);
	dotlock_release(&l);
	assert_int_equal(entries(o), 0);
}

static void
is_busy_while_somebody_has_it(void **state)
{
	const struct office *o = *state;
	static const char *const owners[] = { "", "0", "garbage", "1\n",
		"99999999999999999999:x", "-1:x" };

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		make_lock(o, owners[i], 0);
		expect_busy(o);
	}
	make_lock(o, owner_of(getpid(), our_host()), 0);
	expect_busy(o);
	make_lock(o, "0", DOTLOCK_STALE_S - 10);
	expect_busy(o);
	make_lock(o, "0", -1000); /* by a clock that is ahead */
	expect_busy(o);
}

static void
takes_the_lock_of_a_zombie(void **state)
{
	const struct office *o = *state;
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	make_lock(o, owner_of(pid, our_host()), 0);
	expect_taken(o);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
takes_the_lock_of_the_dead_of_this_host_only(void **state)
{
	const struct office *o = *state;
	long dead = dead_process();
	char foreign[300], bare[32];

	make_lock(o, owner_of(dead, our_host()), 0);
	expect_taken(o);
	snprintf(foreign, sizeof(foreign), "%s.example", our_host());
	make_lock(o, owner_of(dead, foreign), 0);
	expect_busy(o);
	snprintf(bare, sizeof(bare), "%ld\n", dead); /* it is from anywhere */
	make_lock(o, bare, 0);
	expect_busy(o);
}

static void
takes_a_lock_that_is_too_old(void **state)
{
	const struct office *o = *state;

	make_lock(o, "0", DOTLOCK_STALE_S + 10);
	expect_taken(o);
	make_lock(o, "1:elsewhere", DOTLOCK_STALE_S + 10);
	expect_taken(o);
}

static void
gives_back_what_was_not_stale_any_more(void **state)
{
	const struct office *o = *state;
	char lock[512], *text;
	size_t n;

	snprintf(lock, sizeof(lock), "%s", office_path(o, "bob.lock"));
	make_lock(o, "0", DOTLOCK_STALE_S + 10);
	meanwhile_for = lock;
	expect_busy(o);
	text = office_read(lock, &n);
	assert_int_equal(n, 6);
	assert_memory_equal(text, "faster", 6);
	free(text);
}

static void
follows_no_link_and_takes_no_directory_away(void **state)
{
	const struct office *o = *state;

	assert_int_equal(mkdir(office_path(o, "bob.lock"), 0700), 0);
	expect_busy(o);
	assert_int_equal(rmdir(office_path(o, "bob.lock")), 0);
	assert_int_equal(
	    symlink(office_path(o, "else"), office_path(o, "bob.lock")), 0);
	expect_busy(o);
	assert_int_equal(access(office_path(o, "else"), F_OK), -1);
}

static void
releases_only_what_is_its_own(void **state)
{
	const struct office *o = *state;
	struct dotlock *l;
	struct err e;

	assert_int_equal(take(o, &l, &e), DOTLOCK_TAKEN);
	assert_int_equal(unlink(office_path(o, "bob.lock")), 0);
	make_lock(o, "0", 0);
	dotlock_release(&l);
	assert_int_equal(access(office_path(o, "bob.lock"), F_OK), 0);
}

static void
believes_what_is_there_and_not_the_answer(void **state)
{
	const struct office *o = *state;

	link_lies = true;
	expect_taken(o);
}

static void
tells_unable_from_failed(void **state)
{
	static const int unable[] = { EPERM, EROFS, EACCES };
	const struct office *o = *state;
	struct dotlock *l;
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		link_fails = unable[i];
		assert_int_equal(take(o, &l, &e), DOTLOCK_UNABLE);
		assert_null(l);
	}
	link_fails = EIO;
	assert_int_equal(take(o, &l, &e), DOTLOCK_FAILED);
	assert_int_equal(e.sys, EIO);
	assert_int_equal(entries(o), 0);
	assert_int_equal(
	    dotlock_take(office_path(o, "no/bob"), &l, &e), DOTLOCK_FAILED);
	assert_int_equal(e.sys, ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_who_has_it_and_leaves_nothing),
		TEST(is_busy_while_somebody_has_it),
		TEST(takes_the_lock_of_the_dead_of_this_host_only),
		TEST(takes_the_lock_of_a_zombie),
		TEST(takes_a_lock_that_is_too_old),
		TEST(gives_back_what_was_not_stale_any_more),
		TEST(follows_no_link_and_takes_no_directory_away),
		TEST(releases_only_what_is_its_own),
		TEST(believes_what_is_there_and_not_the_answer),
		TEST(tells_unable_from_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
