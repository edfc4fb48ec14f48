/* SPDX-License-Identifier: ISC */
#include "deliver/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void
copies_all_of_it(void **state)
{
	char name[] = "work", user[] = "bob", path[] = "/M", a0[] = "prog",
	     a1[] = "%sender", socket[] = "/run/lmtp";
	char *argv[] = { a0, a1, NULL };
	struct target t = { .way = TARGET_MDA,
		.name = name,
		.user = user,
		.path = path,
		.folders = true,
		.argv = argv,
		.timeout_ms = 5,
		.parallel = 6,
		.max_files = 7,
		.socket = socket };
	struct target *copy;

	(void)state;
	t.exits[75] = 1;
	t.exits[255] = 2;
	copy = target_copy(&t);
	memset(name, 'x', sizeof(name));
	memset(user, 'x', sizeof(user));
	memset(path, 'x', sizeof(path));
	memset(a0, 'x', sizeof(a0));
	memset(a1, 'x', sizeof(a1));
	memset(socket, 'x', sizeof(socket));
	argv[0] = NULL;
	assert_int_equal(copy->way, TARGET_MDA);
	assert_string_equal(copy->name, "work");
	assert_string_equal(copy->user, "bob");
	assert_string_equal(copy->path, "/M");
	assert_true(copy->folders);
	assert_string_equal(copy->argv[0], "prog");
	assert_string_equal(copy->argv[1], "%sender");
	assert_null(copy->argv[2]);
	assert_int_equal(copy->timeout_ms, 5);
	assert_int_equal(copy->parallel, 6);
	assert_int_equal(copy->max_files, 7);
	assert_int_equal(copy->exits[75], 1);
	assert_int_equal(copy->exits[255], 2);
	assert_string_equal(copy->socket, "/run/lmtp");
	target_free(&copy);
	assert_null(copy);
}

static void
copies_what_is_not_there(void **state)
{
	char *none[] = { NULL };
	struct target t = { .way = TARGET_RELAY }, *copy = target_copy(&t);

	(void)state;
	assert_null(copy->name);
	assert_null(copy->user);
	assert_null(copy->path);
	assert_null(copy->argv);
	assert_null(copy->socket);
	target_free(&copy);
	t.argv = none;
	copy = target_copy(&t);
	assert_null(copy->argv[0]);
	target_free(&copy);
	target_free(&copy); /* of nothing */
}

static void
expect_text(const struct target *t, const char *path, const char *text)
{
	char *found = target_text(t, path);

	assert_string_equal(found, text);
	free(found);
}

static void
says_where_mail_goes(void **state)
{
	char prog[] = "/usr/bin/procmail", *argv[] = { prog, NULL };
	char maildir[] = "/home/bob/Maildir", out[] = "/var/bobby";
	struct target t = { .way = TARGET_MAILDIR, .path = maildir };

	(void)state;
	setenv("HOME", "/home/bob", 1);
	expect_text(&t, NULL, "~/Maildir");
	expect_text(&t, "/home/bob", "~");
	expect_text(&t, "/home/bobby/M", "/home/bobby/M");
	expect_text(&t, "/home/bob/Maildir/.a", "~/Maildir/.a");
	t.way = TARGET_MBOX;
	t.path = out;
	setenv("HOME", "/var/bob", 1);
	expect_text(&t, NULL, "mbox /var/bobby");
	setenv("HOME", "/", 1);
	expect_text(&t, NULL, "mbox /var/bobby");
	t.way = TARGET_MDA;
	t.argv = argv;
	expect_text(&t, NULL, "mda procmail");
	t.way = TARGET_RELAY;
	expect_text(&t, NULL, "");
	t.socket = out;
	unsetenv("HOME");
	expect_text(&t, NULL, "unix:/var/bobby");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_all_of_it),
		cmocka_unit_test(copies_what_is_not_there),
		cmocka_unit_test(says_where_mail_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
