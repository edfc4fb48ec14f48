/* SPDX-License-Identifier: ISC */
#include "proc/tokens.h"

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
#include <unistd.h>

#include "sys/clock.h"
#include "util/mem.h"

static char dir[64];
static struct tokens got;
static struct err error;

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-tokens-XXXXXX");
	error = (struct err){ 0 };
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
discard(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	tokens_deinit(&got);
	return nftw(dir, discard, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
path_of(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static unsigned int
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(path_of(name), &st), 0);
	return st.st_mode & 07777;
}

static struct tokens
some(struct span access, struct span refresh)
{
	return (struct tokens){ .access = secret_new(access),
		.refresh = secret_new(refresh),
		.expires = 1800000000,
		.client = mem_strdup("our \"client\""),
		.token_url = mem_strdup("https://idp.example/token") };
}

static void
save(const char *account, struct span access)
{
	struct tokens t = some(access, SPAN("refresh"));

	if (tokens_write(dir, account, &t, &error) != 0)
		fail_msg("%s", error.text);
	tokens_deinit(&t);
}

static void
put(const char *text)
{
	int fd;

	save("work", SPAN("access"));
	fd = open(path_of("tokens/work.json"), O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int
get(void)
{
	tokens_deinit(&got);
	return tokens_read(dir, "work", &got, &error);
}

static void
assert_is(const struct secret *s, struct span want)
{
	assert_non_null(s);
	assert_true(span_eq(secret_span(s), want));
}

/* ---- to the disk and back ---- */

static void
keeps_what_it_is_given(void **state)
{
	struct tokens t = some(SPAN("a\"\\\n\xc3\xa4"), SPAN("r"));

	(void)state;
	t.obtained = 1700000000;
	t.breaker = (struct breaker){ 3, 77, 1750000000 };
	t.why = mem_strdup("no \"more\"");
	assert_int_equal(tokens_write(dir, "work", &t, &error), 0);
	tokens_deinit(&t);
	assert_int_equal(get(), 1);
	assert_is(got.access, SPAN("a\"\\\n\xc3\xa4"));
	assert_is(got.refresh, SPAN("r"));
	assert_int_equal(got.expires, 1800000000);
	assert_int_equal(got.obtained, 1700000000);
	assert_string_equal(got.client, "our \"client\"");
	assert_string_equal(got.token_url, "https://idp.example/token");
	assert_int_equal(got.breaker.refused, 3);
	assert_int_equal(got.breaker.mark, 77);
	assert_int_equal(got.breaker.last, 1750000000);
	assert_string_equal(got.why, "no \"more\"");
}

static void
knows_what_was_not_said(void **state)
{
	struct tokens t = { .access = secret_new(SPAN("a")) };
	int64_t now = clock_wall_s();

	(void)state;
	t.client = mem_strdup("c");
	t.token_url = mem_strdup("u");
	assert_int_equal(tokens_write(dir, "work", &t, &error), 0);
	tokens_deinit(&t);
	assert_int_equal(get(), 1);
	assert_null(got.refresh);
	assert_null(got.why);
	assert_int_equal(got.expires, 0);
	assert_int_equal(got.breaker.refused, 0);
	assert_true(got.obtained >= now && got.obtained <= now + 60);
}

static void
is_for_nobody_elses_eyes(void **state)
{
	mode_t before = umask(0);

	(void)state;
	save("work", SPAN("access"));
	assert_int_equal(mode_of("tokens"), 0700);
	assert_int_equal(mode_of("tokens/work.json"), 0600);
	assert_int_equal(chmod(path_of("tokens"), 0755), 0);
	save("work", SPAN("access"));
	assert_int_equal(mode_of("tokens"), 0700);
	umask(before);
}

static void
leaves_nothing_beside(void **state)
{
	(void)state;
	save("work", SPAN("one"));
	save("work", SPAN("two"));
	assert_int_equal(access(path_of("tokens/work.new"), F_OK), -1);
	assert_int_equal(get(), 1);
	assert_is(got.access, SPAN("two"));
}

static void
goes_on_where_one_was_killed(void **state)
{
	(void)state;
	save("work", SPAN("one"));
	assert_int_equal(symlink("/etc/passwd", path_of("tokens/work.new")), 0);
	save("work", SPAN("two"));
	assert_int_equal(get(), 1);
	assert_is(got.access, SPAN("two"));
}

static void
keeps_the_longest(void **state)
{
	char *text = calloc(1, SECRET_MAX);
	struct tokens t;

	(void)state;
	memset(text, 'x', SECRET_MAX);
	t = some(span_make(text, SECRET_MAX), span_make(text, SECRET_MAX));
	assert_int_equal(tokens_write(dir, "work", &t, &error), 0);
	tokens_deinit(&t);
	assert_int_equal(get(), 1);
	assert_is(got.refresh, span_make(text, SECRET_MAX));
	memset(text, 1, SECRET_MAX);
	t = some(span_make(text, SECRET_MAX), span_make(text, SECRET_MAX));
	assert_int_equal(tokens_write(dir, "work", &t, &error), -1);
	assert_int_equal(error.kind, ERR_PROTO);
	tokens_deinit(&t);
	free(text);
	assert_int_equal(get(), 1); /* those before are still there */
}

/* ---- names ---- */

static void
finds_a_file_for_each_account(void **state)
{
	static const struct {
		const char *account, *file;
	} all[] = { { "work", "work.json" }, { "a@b.c", "a@b.c.json" },
		{ "alice/work", "alice%2Fwork.json" }, { "..", "%2E..json" },
		{ ".x", "%2Ex.json" }, { "\xc3\xa4", "%C3%A4.json" },
		{ "50%", "50%25.json" }, { "%2Fx", "%252Fx.json" } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char name[64];

		save(all[i].account, span_of(all[i].account));
		snprintf(name, sizeof(name), "tokens/%s", all[i].file);
		assert_int_equal(access(path_of(name), F_OK), 0);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		tokens_deinit(&got);
		assert_int_equal(
		    tokens_read(dir, all[i].account, &got, &error), 1);
		assert_is(got.access, span_of(all[i].account));
	}
}

/* ---- what cannot be read ---- */

static void
says_that_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(get(), 0);
	save("home", SPAN("access"));
	assert_int_equal(get(), 0);
	assert_int_equal(
	    tokens_read("/no/such/place", "work", &got, &error), 0);
}

static void
takes_no_nonsense(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}", "null",
		"{\"access_token\": 5}",
		("{\"access_token\": \"\", \"client_id\": \"c\", "
		 "\"token_url\": \"u\"}"),
		"{\"access_token\": \"a\", \"token_url\": \"u\"}",
		"{\"access_token\": \"a\", \"client_id\": \"c\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put(bad[i]);
		assert_int_equal(get(), -1);
		assert_int_equal(error.kind, ERR_CONFIG);
		assert_non_null(
		    strstr(error.text, "run \"mailhaul login work\" again"));
	}
}

static void
survives_strange_numbers(void **state)
{
	(void)state;
	put("{\"access_token\": \"a\", \"client_id\": \"c\", \"token_url\": "
	    "\"u\", \"expires\": -5, \"obtained\": 1e300, \"refused\": "
	    "99999999999, \"refused_at\": \"x\", \"mark\": 70000}");
	assert_int_equal(get(), 1);
	assert_int_equal(got.expires, 0);
	assert_true(got.obtained > 0);
	assert_int_equal(got.breaker.refused, UINT32_MAX);
	assert_int_equal(got.breaker.last, 0);
}

static void
follows_no_link(void **state)
{
	char moved[400];

	(void)state;
	save("home", SPAN("access"));
	assert_int_equal(symlink("home.json", path_of("tokens/work.json")), 0);
	assert_int_equal(get(), -1);
	save("work", SPAN("access")); /* in place of the link */
	assert_int_equal(get(), 1);
	snprintf(moved, sizeof(moved), "%s", path_of("elsewhere"));
	assert_int_equal(rename(path_of("tokens"), moved), 0);
	assert_int_equal(symlink("elsewhere", path_of("tokens")), 0);
	assert_int_equal(get(), -1);
}

static void
reads_nothing_that_others_may_read(void **state)
{
	(void)state;
	save("work", SPAN("access"));
	assert_int_equal(chmod(path_of("tokens/work.json"), 0640), 0);
	assert_int_equal(get(), -1);
	assert_int_equal(error.kind, ERR_CONFIG);
	assert_non_null(strstr(error.text, "chmod 600"));
}

static void
reads_nothing_but_files(void **state)
{
	(void)state;
	save("home", SPAN("access"));
	assert_int_equal(mkfifo(path_of("tokens/work.json"), 0600), 0);
	assert_int_equal(get(), -1);
	assert_int_equal(unlink(path_of("tokens/work.json")), 0);
	assert_int_equal(mkdir(path_of("tokens/work.json"), 0700), 0);
	assert_int_equal(get(), -1);
}

static void
says_what_keeps_it_from_writing(void **state)
{
	struct tokens t = some(SPAN("a"), SPAN("r"));
	int fd = open(path_of("tokens"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	close(fd);
	assert_int_equal(tokens_write(dir, "work", &t, &error), -1);
	assert_int_equal(error.kind, ERR_DELIVER);
	assert_non_null(strstr(error.text, "tokens"));
	tokens_deinit(&t);
}

/* ---- whose ---- */

static void
belongs_to_whom_the_state_belongs(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(dir, 54321, 54322), 0);
	save("work", SPAN("access"));
	close(tokens_lock(dir, "work", &error));
	assert_int_equal(stat(path_of("tokens/work.json"), &st), 0);
	assert_int_equal(st.st_uid, 54321);
	assert_int_equal(stat(path_of("tokens"), &st), 0);
	assert_int_equal(st.st_uid, 54321);
	assert_int_equal(stat(path_of("tokens/work.lock"), &st), 0);
	assert_int_equal(st.st_uid, 54321);
	assert_int_equal(get(), 1);
	assert_int_equal(chown(path_of("tokens/work.json"), 7, 7), 0);
	assert_int_equal(get(), -1);
	assert_int_equal(error.kind, ERR_CONFIG);
}

/* ---- the lock ---- */

static void
locks_one_account_for_one_of_us(void **state)
{
	int work = tokens_lock(dir, "work", &error);
	int home = tokens_lock(dir, "home", &error);
	int again;

	(void)state;
	assert_true(work >= 0 && home >= 0);
	assert_int_equal(tokens_lock(dir, "work", &error), -1);
	assert_int_equal(error.sys, EAGAIN);
	close(work);
	again = tokens_lock(dir, "work", &error);
	assert_true(again >= 0);
	close(again);
	close(home);
}

static void
cannot_lock_what_is_no_file(void **state)
{
	(void)state;
	save("work", SPAN("access"));
	assert_int_equal(symlink("work.json", path_of("tokens/work.lock")), 0);
	assert_int_equal(tokens_lock(dir, "work", &error), -1);
	assert_int_not_equal(error.sys, EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_it_is_given),
		TEST(knows_what_was_not_said),
		TEST(is_for_nobody_elses_eyes),
		TEST(leaves_nothing_beside),
		TEST(goes_on_where_one_was_killed),
		TEST(keeps_the_longest),
		TEST(finds_a_file_for_each_account),
		TEST(says_that_there_is_none),
		TEST(takes_no_nonsense),
		TEST(survives_strange_numbers),
		TEST(follows_no_link),
		TEST(reads_nothing_that_others_may_read),
		TEST(reads_nothing_but_files),
		TEST(says_what_keeps_it_from_writing),
		TEST(belongs_to_whom_the_state_belongs),
		TEST(locks_one_account_for_one_of_us),
		TEST(cannot_lock_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
