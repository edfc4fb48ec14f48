/* SPDX-License-Identifier: ISC */

/*
 * Root and others get different answers. Run by root, each test of what
 * others are told leaves root for a while; run by others, what root is told
 * cannot be seen.
 */

#include "conf/conf_user_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_list.h"
#include "util/mem.h"

static uid_t began_as;

static int
remember_who_we_are(void **state)
{
	(void)state;
	began_as = geteuid();
	return 0;
}

static void
be_root(void)
{
	if (began_as != 0)
		skip();
}

static void
leave_root(void)
{
	if (began_as == 0)
		assert_int_equal(seteuid(65534), 0);
}

static int
come_back(void **state)
{
	(void)state;
	return seteuid(began_as);
}

/* A user of this system that is not root, and his home. */
static char *
some_user(char **home)
{
	const struct passwd *pw;
	char *name = NULL;

	*home = NULL;
	setpwent();
	while (name == NULL && (pw = getpwent()) != NULL) {
		if (pw->pw_uid == 0 || pw->pw_dir[0] != '/')
			continue;
		name = mem_strdup(pw->pw_name);
		*home = mem_strdup(pw->pw_dir);
	}
	endpwent();
	assert_non_null(name);
	return name;
}

static char *
some_group(void)
{
	const struct group *g;
	char *name;

	setgrent();
	g = getgrent();
	assert_non_null(g);
	name = mem_strdup(g->gr_name);
	endgrent();
	return name;
}

typedef void (*kind_fn)(struct conf_reader *, const struct conf_option *,
    const struct conf_setting *, void *);

/* One value (two, if second is given); error: "f:3: name " and this. */
static void
read_value(kind_fn read, bool own, const char *value, const char *second,
    void *field, char **home, const char *error)
{
	char name[] = "name";
	struct conf_setting s = { .name = name, .at = { "f", 0, 3 } };
	struct conf_tree tree = { .own = own };
	struct conf_report report;
	struct conf_reader r = { .tree = &tree, .report = &report };
	char **v;
	size_t n;

	conf_report_init(&report);
	conf_list_add(&s.values, value);
	if (second != NULL)
		conf_list_add(&s.values, second);
	read(&r, NULL, &s, field);
	conf_list_free(&s.values);
	v = conf_report_take(&report, &n);
	if (error != NULL) {
		char *want = mem_printf("f:3: name %s", error);

		assert_int_equal(n, 1);
		assert_string_equal(v[0], want);
		free(want);
	}
	assert_int_equal(n, error == NULL ? 0 : 1);
	conf_errors_free(&v, &n);
	if (home != NULL)
		*home = r.home;
	else
		free(r.home);
}

static void
expect_text(kind_fn read, const char *value, const char *error)
{
	char *field = NULL;

	read_value(read, false, value, NULL, &field, NULL, error);
	assert_string_equal(field, value); /* it is there, though wrong */
	free(field);
}

static void
takes_a_user_for_the_engine(void **state)
{
	char *home, *name;

	(void)state;
	be_root();
	name = some_user(&home);
	expect_text(conf_read_engine_user, name, NULL);
	expect_text(conf_read_engine_user, "no.such",
	    "= \"no.such\": there is no such user");
	expect_text(conf_read_engine_user, "root",
	    "= \"root\": that is root: choose a user without privileges");
	expect_text(conf_read_engine_user, "a/b",
	    "= \"a/b\": that is no name of a user");
	free(home);
	free(name);
}

#define ENGINE                                                                 \
	": outside an account it is whom root's daemon talks to servers as: "  \
	"remove it, or put it into account NAME { }"

static void
knows_a_login_that_has_lost_its_account(void **state)
{
	(void)state;
	expect_text(conf_read_engine_user, "alice@example.org",
	    "= \"alice@example.org\"" ENGINE);
	leave_root();
	expect_text(conf_read_engine_user, "bin", "= \"bin\"" ENGINE);
}

static void
takes_a_group_that_is_there(void **state)
{
	char *name = some_group();

	(void)state;
	expect_text(conf_read_group, name, NULL);
	expect_text(conf_read_group, "no.such",
	    "= \"no.such\": there is no such group");
	expect_text(conf_read_group, "", "= \"\": there is no such group");
	free(name);
}

static void
takes_users_and_groups_whether_there_or_not(void **state)
{
	struct conf_list users = { 0 };

	(void)state;
	be_root();
	read_value(
	    conf_read_users, false, "no.such", "@none", &users, NULL, NULL);
	assert_int_equal(users.n, 2);
	assert_string_equal(users.v[1], "@none");
	conf_list_free(&users);
}

static void
refuses_what_names_no_users(void **state)
{
#define WRITE ": write names of users, and \"@group\""

	static const struct {
		const char *value, *want;
	} t[] = {
		{ "", "= \"\": an empty name is nobody's" WRITE },
		{ "@", "= \"@\": an empty name is nobody's" WRITE },
		{ "root",
		    "= \"root\": that is root, whose accounts stand "
		    "here" WRITE },
		{ "..", "= \"..\": that is no name of a user" WRITE },
		{ "a/b", "= \"a/b\": that is no name of a user" WRITE },
		{ "-a", "= \"-a\": that is no name of a user" WRITE },
		{ "@@a", "= \"@@a\": that is no name of a user" WRITE },
		{ "a\nb", "= \"a\\x0Ab\": that is no name of a user" WRITE },
	};

	size_t i;

	(void)state;
	be_root();
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf_list users = { 0 };

		read_value(conf_read_users, false, t[i].value, NULL, &users,
		    NULL, t[i].want);
		conf_list_free(&users);
	}
}

static void
lets_root_alone_choose_users(void **state)
{
	struct conf_list users = { 0 };

	(void)state;
	leave_root();
	read_value(conf_read_users, false, "a", NULL, &users, NULL,
	    "is for root, who alone can be other users: remove it");
	conf_list_free(&users);
	expect_text(conf_read_run_as, "a",
	    "= \"a\": is for root, who alone can be other users: remove it");
}

static void
delivers_as_a_user_in_his_home(void **state)
{
	char *want, *home, *field = NULL, *name;

	(void)state;
	be_root();
	name = some_user(&want);
	read_value(conf_read_run_as, false, name, NULL, &field, &home, NULL);
	assert_string_equal(field, name);
	assert_string_equal(home, want);
	free(field);
	free(home);
	free(want);
	free(name);
}

static void
delivers_as_nobody_who_is_not_there_or_root(void **state)
{
	(void)state;
	be_root();
	expect_text(conf_read_run_as, "no.such",
	    "= \"no.such\": there is no such user");
	expect_text(conf_read_run_as, "root",
	    "= \"root\": that is root: choose a user without privileges");
}

static void
lets_no_user_choose_for_others_in_his_own_file(void **state)
{
	char *field = NULL;

	(void)state;
	read_value(conf_read_run_as, true, "bin", NULL, &field, NULL,
	    "= \"bin\": is the administrator's: mail is delivered as you, "
	    "remove it");
	free(field);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_user_for_the_engine),
		cmocka_unit_test_teardown(
		    knows_a_login_that_has_lost_its_account, come_back),
		cmocka_unit_test(takes_a_group_that_is_there),
		cmocka_unit_test(takes_users_and_groups_whether_there_or_not),
		cmocka_unit_test(refuses_what_names_no_users),
		cmocka_unit_test_teardown(
		    lets_root_alone_choose_users, come_back),
		cmocka_unit_test(delivers_as_a_user_in_his_home),
		cmocka_unit_test(delivers_as_nobody_who_is_not_there_or_root),
		cmocka_unit_test(
		    lets_no_user_choose_for_others_in_his_own_file),
	};

	return cmocka_run_group_tests(tests, remember_who_we_are, NULL);
}
