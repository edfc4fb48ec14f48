/* SPDX-License-Identifier: ISC */
#include "proc/user_state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Root hands the directory to somebody else; who is not root, to himself. */
struct place {
	char dir[64];
	struct user user;
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/user_state.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->user.name, sizeof(p->user.name), "alice");
	p->user.uid = geteuid() == 0 ? 4321 : geteuid();
	p->user.gid = geteuid() == 0 ? 4322 : getegid();
	*state = p;
	return 0;
}

static char *
path_of(const struct place *p, const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	return path;
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "users/.alice.lock",
		"users/.bob.lock" };
	static const char *const dirs[] = { "users/alice", "users/bob", "users",
		"elsewhere", "" };
	struct place *p = *state;

	for (size_t i = 0; i < 2; i++)
		(void)unlink(path_of(p, files[i]));
	for (size_t i = 0; i < 5; i++)
		if (rmdir(path_of(p, dirs[i])) != 0)
			(void)unlink(path_of(p, dirs[i]));
	free(p);
	return 0;
}

static int
open_it(const struct place *p, struct err *e)
{
	char *ledger;
	int fd = user_state_open(p->dir, &p->user, &ledger, e);

	free(ledger);
	return fd;
}

static void
assert_refused(const struct place *p, const char *why)
{
	struct err e;

	assert_int_equal(open_it(p, &e), -1);
	if (strstr(e.text, why) == NULL)
		fail_msg("not \"%s\" but \"%s\"", why, e.text);
}

static void
assert_mode(const struct place *p, const char *name, uid_t uid, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(path_of(p, name), &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void
makes_a_directory_that_is_the_user_s_alone(void **state)
{
	struct place *p = *state;
	struct err e;
	char *ledger;
	int fd = user_state_open(p->dir, &p->user, &ledger, &e);

	if (fd < 0)
		fail_msg("%s", e.text);
	assert_string_equal(ledger, path_of(p, "users/alice/ledger.sqlite"));
	assert_mode(p, "", geteuid(), 0711);
	assert_mode(p, "users", geteuid(), 0711);
	assert_mode(p, "users/alice", p->user.uid, 0700);
	assert_mode(p, "users/.alice.lock", geteuid(), 0600);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	free(ledger);
	close(fd);
}

static void
lets_one_at_a_time_work_on_it(void **state)
{
	struct place *p = *state;
	struct err e;
	int fd = open_it(p, &e);

	assert_true(fd >= 0);
	assert_int_equal(open_it(p, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	snprintf(p->user.name, sizeof(p->user.name), "bob");
	close(open_it(p, &e));
	snprintf(p->user.name, sizeof(p->user.name), "alice");
	close(fd);
	fd = open_it(p, &e);
	assert_true(fd >= 0);
	close(fd);
}

static void
narrows_what_the_user_opened_to_others(void **state)
{
	struct place *p = *state;
	struct err e;

	close(open_it(p, &e));
	assert_int_equal(chmod(path_of(p, "users/alice"), 0777), 0);
	close(open_it(p, &e));
	assert_mode(p, "users/alice", p->user.uid, 0700);
}

static void
follows_no_link(void **state)
{
	struct place *p = *state;
	struct err e;

	close(open_it(p, &e));
	assert_int_equal(mkdir(path_of(p, "elsewhere"), 0700), 0);
	assert_int_equal(rmdir(path_of(p, "users/alice")), 0);
	assert_int_equal(symlink("../elsewhere", path_of(p, "users/alice")), 0);
	assert_refused(p, "is a symbolic link");
	assert_mode(p, "elsewhere", geteuid(), 0700);
}

static void
takes_no_directory_that_others_may_change(void **state)
{
	struct place *p = *state;
	struct err e;

	close(open_it(p, &e));
	assert_int_equal(chmod(path_of(p, "users"), 0777), 0);
	assert_refused(p, "others may write");
	assert_int_equal(chmod(path_of(p, "users"), 0711), 0);
	assert_int_equal(chmod(p->dir, 01777), 0);
	assert_refused(p, "others may write");
}

static void
takes_no_directory_of_another_user(void **state)
{
	struct place *p = *state;
	struct err e;

	close(open_it(p, &e));
	if (geteuid() != 0) { /* he cannot hand anything to another */
		p->user.uid++;
		assert_refused(p, "chown");
		return;
	}
	p->user.uid++;
	assert_refused(p, "belongs to the user 4321, and not to alice");
	p->user.uid--;
	assert_int_equal(chown(path_of(p, "users"), 4321, 4321), 0);
	assert_refused(p, "belongs to the user 4321, and not to us");
}

static void
takes_no_name_that_is_none(void **state)
{
	static const char *const names[] = { "..", ".alice.lock", "", "a/b",
		"." };
	struct place *p = *state;
	struct err e;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(p->user.name, sizeof(p->user.name), "%s", names[i]);
		assert_int_equal(open_it(p, &e), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(makes_a_directory_that_is_the_user_s_alone),
		T(lets_one_at_a_time_work_on_it),
		T(narrows_what_the_user_opened_to_others),
		T(follows_no_link),
		T(takes_no_directory_that_others_may_change),
		T(takes_no_directory_of_another_user),
		T(takes_no_name_that_is_none),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
