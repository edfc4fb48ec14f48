/* SPDX-License-Identifier: ISC */
#include "io/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whoever becomes somebody does so in a child: this says how it ended. */
static int
in_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The child's asserts: the line that failed is on standard error. */
#define EXPECT(what)                                                           \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%d: not so: %s: %s\n", __LINE__,      \
			    #what, strerror(errno));                           \
			_exit(99);                                             \
		}                                                              \
	} while (0)

/* In no list of users: only the numbers matter. */
static const struct user alice = {
	.uid = 54321,
	.gid = 54322,
	.name = "alice",
	.home = "/home/alice",
	.shell = "/bin/sh",
	.n_groups = 3,
	.groups = { 54400, 54322, 54323 },
};

static const struct user root = { .name = "root", .n_groups = 1 };

static bool
privileged(void)
{
	return geteuid() == 0;
}

/* ---- the list of users ---- */

static void
finds_a_user_by_name_and_number(void **state)
{
	struct user u, same;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(user_find("root", &u, &e), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.gid, 0);
	assert_string_equal(u.name, "root");
	assert_string_equal(u.home, "/root");
	assert_non_null(strstr(u.shell, "/bin/"));
	assert_true(u.n_groups >= 1);
	assert_int_equal(user_find_uid(0, &same, &e), 0);
	assert_string_equal(same.name, "root");
	assert_int_equal(user_find("daemon", &u, NULL), 0);
	assert_true(u.uid != 0 && u.gid != 0);
}

static void
knows_all_groups_of_a_user(void **state)
{
	struct user u;
	gid_t gid = 0;

	(void)state;
	assert_int_equal(user_find("daemon", &u, NULL), 0);
	assert_int_equal(user_find_group("daemon", &gid, NULL), 0);
	assert_true(user_in_group(&u, gid));
	assert_false(user_in_group(&u, 0));
	assert_true(user_in_group(&alice, 54400));
	assert_true(user_in_group(&alice, 54322));
	assert_false(user_in_group(&alice, 54321));
}

static void
says_whom_it_does_not_find(void **state)
{
	struct user u;
	struct err e = { 0 };
	gid_t gid;

	(void)state;
	assert_int_equal(user_find("no such one", &u, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.text, "there is no user \"no such one\"");
	assert_int_equal(user_find_uid(4000000001, &u, &e), -1);
	assert_string_equal(e.text, "there is no user \"4000000001\"");
	assert_int_equal(user_find_group("no such", &gid, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.text, "there is no group \"no such\"");
	assert_int_equal(user_find("", &u, NULL), -1);
}

/* ---- the change ---- */

static void
become(const struct user *u)
{
	struct err e = { 0 };

	if (user_become(u, &e) == 0)
		return;
	fprintf(stderr, "%s\n", e.text);
	_exit(98);
}

/* "CapPrm:\t0000000000000000" */
static bool
has_no_capability(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	bool none = f != NULL;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "CapBnd", 6) == 0)
			continue;
		if (strncmp(line, "Cap", 3) == 0 &&
		    strtoull(line + 7, NULL, 16) != 0)
			none = false;
	}
	if (f != NULL)
		fclose(f);
	return none;
}

static void
expect_alice(void)
{
	gid_t groups[16], gids[3];
	uid_t uids[3];

	EXPECT(getresuid(&uids[0], &uids[1], &uids[2]) == 0);
	EXPECT(uids[0] == 54321 && uids[1] == 54321 && uids[2] == 54321);
	EXPECT(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	EXPECT(gids[0] == 54322 && gids[1] == 54322 && gids[2] == 54322);
	EXPECT(getgroups(16, groups) == 3);
	EXPECT(groups[0] == 54322 && groups[1] == 54323 && groups[2] == 54400);
	EXPECT(has_no_capability());
	EXPECT(setuid(0) < 0 && seteuid(0) < 0 && setgid(0) < 0);
	EXPECT(access("/etc/shadow", R_OK) < 0);
}

static void
be_alice(void)
{
	become(&alice);
	expect_alice();
}

/* Root with a user's groups, and a saved user to go back to. */
static void
be_alice_after_somebody(void)
{
	static const gid_t others[] = { 0, 4, 54999 };

	EXPECT(setgroups(3, others) == 0);
	EXPECT(setresgid(7, 8, 9) == 0 && setresuid(7, 0, 0) == 0);
	become(&alice);
	expect_alice();
}

static void
keep_what_can_be_kept(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct set[2];

	EXPECT(syscall(SYS_capget, &head, set) == 0);
	set[0].inheritable |= 1U << CAP_NET_BIND_SERVICE;
	EXPECT(syscall(SYS_capset, &head, set) == 0);
	EXPECT(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE,
		   0, 0) == 0);
	EXPECT(prctl(PR_SET_SECUREBITS,
		   SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS) == 0);
}

static void
be_alice_with_capabilities(void)
{
	keep_what_can_be_kept();
	become(&alice);
	expect_alice();
}

static void
expect_refused(const struct user *u, const char *text)
{
	struct err e = { 0 };

	EXPECT(user_become(u, &e) == -1);
	EXPECT(e.kind == ERR_CONFIG);
	if (strcmp(e.text, text) != 0)
		fprintf(stderr, "%s\n", e.text);
	EXPECT(strcmp(e.text, text) == 0);
	EXPECT(user_become(u, NULL) == -1);
}

/* Alice, or who runs this test. */
static void
be_refused(void)
{
	if (privileged())
		become(&alice);
	expect_refused(&root,
	    "cannot become the user \"root\": setgroups: Operation not "
	    "permitted");
}

static void
be_too_many(void)
{
	struct user u = alice;

	u.n_groups = 70000; /* more than the kernel has */
	expect_refused(&u,
	    "cannot become the user \"alice\": setgroups: Invalid argument");
}

static void
be_oneself(void)
{
	static struct user u;
	struct err e;

	EXPECT(user_find_uid(geteuid(), &u, &e) == 0);
	become(&u);
	become(&u);
	EXPECT(getuid() == u.uid && getegid() == u.gid);
}

static void
be_alice_again(void)
{
	become(&alice);
	become(&alice);
	expect_alice();
}

/* Root of all groups and capabilities, or the refusal. */
static void
becomes_a_user_for_good(void **state)
{
	(void)state;
	if (!privileged()) {
		assert_int_equal(in_child(be_refused), 0);
		return;
	}
	assert_int_equal(in_child(be_alice), 0);
	assert_int_equal(in_child(be_alice_after_somebody), 0);
	assert_int_equal(in_child(be_alice_with_capabilities), 0);
}

static void
may_become_who_it_is(void **state)
{
	(void)state;
	assert_int_equal(in_child(be_oneself), 0);
	if (privileged())
		assert_int_equal(in_child(be_alice_again), 0);
}

static void
says_what_failed(void **state)
{
	(void)state;
	assert_int_equal(in_child(be_refused), 0);
	if (privileged())
		assert_int_equal(in_child(be_too_many), 0);
}

/* No longer root, but able to be it again. */
static void
be_alice_with_a_way_back(void)
{
	keep_what_can_be_kept();
	EXPECT(setresuid(0, alice.uid, 0) == 0);
	become(&alice);
	expect_alice();
}

static void
leaves_no_saved_user_to_go_back_to(void **state)
{
	(void)state;
	assert_int_equal(
	    in_child(privileged() ? be_alice_with_a_way_back : be_refused), 0);
}

/* The kernel's answer is yes, but nothing is done. */
static void
pretend(int call)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	EXPECT(ctx != NULL);
	EXPECT(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), call, 0) == 0);
	EXPECT(seccomp_load(ctx) == 0);
	seccomp_release(ctx);
}

#define CANNOT "cannot become the user \"alice\": "

/* clang-format off */
static const struct lie {
	int call;
	const char *text;
} lies[] = {
	{ SCMP_SYS(setgroups), CANNOT "the groups are not his" },
	{ SCMP_SYS(setresgid), CANNOT "the user or group is not his" },
	{ SCMP_SYS(setresuid), CANNOT "the user or group is not his" },
	{ SCMP_SYS(capset), CANNOT "some capability is left" },
	{ SCMP_SYS(setuid), CANNOT "there is a way back to root" },
	{ SCMP_SYS(setgid), CANNOT "there is a way back to root" },
};
/* clang-format on */

static const struct lie *lie;

static void
be_lied_to(void)
{
	struct err e = { 0 };

	keep_what_can_be_kept();
	pretend(lie->call);
	EXPECT(user_become(&alice, &e) == -1);
	if (strcmp(e.text, lie->text) != 0)
		fprintf(stderr, "%s\n", e.text);
	EXPECT(strcmp(e.text, lie->text) == 0);
}

static void
believes_no_answer_it_has_not_verified(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		lie = &lies[i];
		assert_int_equal(
		    in_child(privileged() ? be_lied_to : be_refused), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_user_by_name_and_number),
		cmocka_unit_test(knows_all_groups_of_a_user),
		cmocka_unit_test(says_whom_it_does_not_find),
		cmocka_unit_test(becomes_a_user_for_good),
		cmocka_unit_test(may_become_who_it_is),
		cmocka_unit_test(says_what_failed),
		cmocka_unit_test(leaves_no_saved_user_to_go_back_to),
		cmocka_unit_test(believes_no_answer_it_has_not_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
