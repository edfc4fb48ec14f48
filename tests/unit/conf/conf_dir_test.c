/* SPDX-License-Identifier: ISC */
#include "conf/conf_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "unit/conf/tmp.h"

#include "conf/conf_list.h"
#include "util/mem.h"

/* A user's directory, in place of the one that was there. */
static void
new_dir(void)
{
	if (access("d", F_OK) == 0)
		assert_int_equal(
		    nftw("d", tmp_remove, 8, FTW_PHYS | FTW_DEPTH), 0);
	assert_int_equal(mkdir("d", 0700), 0);
}

static void
put(const char *name, const char *title, const char *text)
{
	char *path = mem_printf("d/%s", name);
	char *all = mem_printf("account %s { host = h user = u maildir = "
			       "\"~/M\" %s }",
	    title, text);

	tmp_write(path, 0600, all);
	free(all);
	free(path);
}

static void
dir_says(const char *want)
{
	char **errors;
	size_t n;
	struct conf *c = conf_load_dir("d", &errors, &n);

	assert_null(c);
	assert_int_equal(n, 1);
	assert_string_equal(errors[0], want);
	conf_errors_free(&errors, &n);
}

static struct conf *
load_dir(void)
{
	char **errors;
	size_t n;
	struct conf *c = conf_load_dir("d", &errors, &n);

	if (n > 0)
		print_error("%s\n", errors[0]);
	assert_int_equal(n, 0);
	conf_errors_free(&errors, &n);
	assert_non_null(c);
	return c;
}

static void
names_the_files_in_order(void **state)
{
	struct conf_list paths = { 0 };

	(void)state;
	new_dir();
	put("b.conf", "b", "");
	put("a.conf", "a", "");
	put("B.conf", "B", "");
	put(".hidden.conf", "h", "");
	put(".conf", "c", "");
	put("a.conf~", "old", "");
	put("README", "r", "");
	assert_int_equal(conf_dir_paths(&paths, "d"), 0);
	assert_int_equal(paths.n, 3);
	assert_string_equal(paths.v[0], "d/B.conf");
	assert_string_equal(paths.v[1], "d/a.conf");
	assert_string_equal(paths.v[2], "d/b.conf");
	conf_list_free(&paths);
}

static void
finds_nothing_where_nothing_is(void **state)
{
	struct conf_list paths = { 0 };

	(void)state;
	assert_int_equal(conf_dir_paths(&paths, "none"), 0);
	assert_int_equal(paths.n, 0);
	tmp_write("file", 0600, "");
	assert_int_equal(conf_dir_paths(&paths, "file"), -1);
	assert_int_equal(errno, ENOTDIR);
}

static void
reads_the_files_as_one_configuration(void **state)
{
	struct conf *c;

	(void)state;
	new_dir();
	setenv("HOME", "/home/alice", 1);
	put("2.conf", "b", "");
	tmp_write("d/1.conf", 0600,
	    "log-level = debug\n"
	    "defaults { port = 7 }\n");
	put("0.conf", "a", "");
	c = load_dir();
	assert_string_equal(c->path, "d");
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->n, 2);
	assert_string_equal(c->accounts[0].name, "a");
	assert_int_equal(c->accounts[0].port, 7);
	assert_string_equal(c->accounts[1].where, "d/2.conf:1");
	assert_string_equal(c->accounts[1].maildir, "/home/alice/M");
	assert_null(c->accounts[1].owner);
	conf_free(&c);
}

static void
is_content_without_accounts(void **state)
{
	struct conf *c;

	(void)state;
	new_dir();
	c = load_dir();
	assert_int_equal(c->n, 0);
	conf_free(&c);
	assert_int_equal(rmdir("d"), 0);
	c = load_dir();
	assert_int_equal(c->n, 0);
	conf_free(&c);
}

static void
tells_errors_with_their_file(void **state)
{
	(void)state;
	new_dir();
	put("a.conf", "a", "");
	put("b.conf", "b", "port = 0");
	dir_says("d/b.conf:1: account b: port = \"0\": it must be a number "
		 "from 1 to 65535");
	put("b.conf", "a", "");
	dir_says("d/b.conf:1: account \"a\" is there already, in line 1 of "
		 "d/a.conf: give one of them another name");
}

static void
leaves_to_the_administrator_what_is_his(void **state)
{
	static const char *const names[] = { "state-dir", "control", "user",
		"users", "notify-command", "metrics", "stop-timeout",
		"max-connections-per-host", "log-format" };
	size_t i;

	(void)state;
	new_dir();
	put("a.conf", "a", "");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *text = mem_printf("%s = /x\n", names[i]);
		char *want = mem_printf("d/b.conf:1: %s is the "
					"administrator's: remove it",
		    names[i]);

		tmp_write("d/b.conf", 0600, text);
		dir_says(want);
		free(want);
		free(text);
	}
	tmp_write("d/b.conf", 0600, "defaults { run-as = x }");
	dir_says("d/b.conf:1: defaults: run-as = \"x\": is the "
		 "administrator's: mail is delivered as you, remove it");
	tmp_write("d/b.conf", 0600, "");
	put("a.conf", "a", "run-as = bin");
	dir_says("d/a.conf:1: account a: run-as = \"bin\": is the "
		 "administrator's: mail is delivered as you, remove it");
}

static void
reads_no_file_of_somebody_else(void **state)
{
	(void)state;
	new_dir();
	put("a.conf", "a", "");
	if (geteuid() == 0)
		assert_int_equal(chown("d/a.conf", 1, 1), 0);
	else
		assert_int_equal(rename("d/a.conf", "d/.a") |
			symlink("/etc/passwd", "d/a.conf"),
		    0);
	dir_says("d/a.conf: belongs to another user: copy it");
}

static void
reads_no_file_of_somebody_else_by_an_include(void **state)
{
	(void)state;
	new_dir();
	if (geteuid() != 0)
		skip();
	put("a.inc", "a", "");
	tmp_write("d/a.conf", 0600, "include(\"a.inc\")");
	assert_int_equal(chown("d/a.inc", 1, 1), 0);
	dir_says("d/a.conf:1: d/a.inc: belongs to another user: copy it");
}

static void
reads_no_file_that_anybody_can_write(void **state)
{
	struct conf *c;

	(void)state;
	new_dir();
	put("a.conf", "a", "");
	assert_int_equal(chmod("d/a.conf", 0664), 0);
	c = load_dir();
	conf_free(&c);
	assert_int_equal(chmod("d/a.conf", 0666), 0);
	dir_says("d/a.conf: can be written by others: chmod o-w it");
}

static void
follows_links_to_his_own_files(void **state)
{
	struct conf *c;

	(void)state;
	new_dir();
	put("dotfile", "a", "");
	assert_int_equal(symlink("dotfile", "d/a.conf"), 0);
	c = load_dir();
	assert_int_equal(c->n, 1);
	conf_free(&c);
}

static void
hangs_on_nothing_that_is_no_file(void **state)
{
	(void)state;
	new_dir();
	assert_int_equal(mkfifo("d/a.conf", 0600), 0);
	dir_says("d/a.conf: not a regular file");
	new_dir();
	assert_int_equal(mkdir("d/a.conf", 0700), 0);
	dir_says("d/a.conf: not a regular file");
	new_dir();
	assert_int_equal(symlink("/dev/zero", "d/a.conf"), 0);
	dir_says("d/a.conf: not a regular file");
	new_dir();
	assert_int_equal(symlink("a.conf", "d/a.conf"), 0);
	dir_says("d/a.conf: Too many levels of symbolic links");
	new_dir();
	tmp_write("d/a.conf", 0600, "");
	assert_int_equal(truncate("d/a.conf", (off_t)1 << 40), 0);
	dir_says("d/a.conf: larger than the 1048576 octets allowed");
	new_dir();
	tmp_write("d/a.conf", 0600, "include(\"a.conf\")");
	dir_says("d/a.conf:1: d/a.conf: a file cannot include itself, directly "
		 "or by others");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_files_in_order),
		cmocka_unit_test(finds_nothing_where_nothing_is),
		cmocka_unit_test(reads_the_files_as_one_configuration),
		cmocka_unit_test(is_content_without_accounts),
		cmocka_unit_test(tells_errors_with_their_file),
		cmocka_unit_test(leaves_to_the_administrator_what_is_his),
		cmocka_unit_test(reads_no_file_of_somebody_else),
		cmocka_unit_test(reads_no_file_of_somebody_else_by_an_include),
		cmocka_unit_test(reads_no_file_that_anybody_can_write),
		cmocka_unit_test(follows_links_to_his_own_files),
		cmocka_unit_test(hangs_on_nothing_that_is_no_file),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
