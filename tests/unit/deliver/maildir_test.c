/* SPDX-License-Identifier: ISC */
#include "deliver/maildir.h"

#include "office.h"

#define TOKEN "0123456789abcdef"

static struct maildir_names names;

static int
setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	office_make_dir(o);
	maildir_names_init(&names, TOKEN);
	*state = o;
	return 0;
}

static int
teardown(void **state)
{
	struct office *o = *state;

	office_remove_dir(o);
	free(o);
	return 0;
}

static struct maildir *
opened(const struct office *o, const char *path)
{
	struct err e = { 0 };
	struct maildir *m = maildir_open(office_path(o, path), true, &e);

	assert_non_null(m);
	return m;
}

static void
makes_names_that_are_unique_and_ours(void **state)
{
	char a[MAILDIR_NAME_MAX], b[MAILDIR_NAME_MAX], host[256];

	(void)state;
	maildir_names_next(&names, a);
	maildir_names_next(&names, b);
	assert_string_not_equal(a, b);
	assert_null(strpbrk(a, "/:,"));
	assert_non_null(strstr(a, "R" TOKEN "."));
	assert_non_null(strstr(a, "Q1R"));
	assert_non_null(strstr(b, "Q2R"));
	assert_int_equal(strspn(a, "0123456789"), 10);
	assert_memory_equal(a + 10, ".M", 2);
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	if (strlen(host) < 60 && strpbrk(host, "/:") == NULL)
		assert_string_equal(strstr(a, TOKEN) + 17, host);
}

static void
puts_the_size_into_the_name_and_takes_it_off(void **state)
{
	char final[MAILDIR_NAME_MAX], name[MAILDIR_NAME_MAX];

	(void)state;
	maildir_final(final, "1.x.host", 18446744073709551615ull);
	assert_string_equal(final, "1.x.host,S=18446744073709551615");
	assert_true(maildir_unfinal(name, final));
	assert_string_equal(name, "1.x.host");
	assert_false(maildir_unfinal(name, "1.x.host"));
	assert_false(maildir_unfinal(name, "1.x.host,W=1"));
	assert_false(maildir_unfinal(name, ",S=1"));
	assert_false(maildir_unfinal(name, "../1.x.host,S=1"));
}

static void
makes_a_maildir_for_its_owner_only(void **state)
{
	static const char *const parts[] = { "a", "a/Maildir", "a/Maildir/tmp",
		"a/Maildir/new", "a/Maildir/cur" };
	struct office *o = *state;
	struct maildir *m = opened(o, "a/Maildir");
	struct stat st;
	size_t i;

	for (i = 0; i < 5; i++) {
		assert_int_equal(stat(office_path(o, parts[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_true(maildir_is_current(m));
	maildir_unref(&m);
	assert_null(m);
}

static void
makes_nothing_when_told_so(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };

	assert_null(maildir_open(office_path(o, "no"), false, &e));
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(access(office_path(o, "no"), F_OK), -1);
}

static void
publishes_and_discards(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };
	char name[256];
	int fd = maildir_create(m, "one", &e);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(maildir_create(m, "one", &e), -1);
	assert_int_equal(e.sys, EEXIST);
	assert_int_equal(maildir_has(m, "one", &e), 1);
	assert_int_equal(maildir_sync_tmp(m, &e), 0);
	assert_int_equal(maildir_publish(m, "one", "one,S=1", &e), 0);
	assert_int_equal(maildir_sync_new(m, &e), 0);
	assert_int_equal(maildir_has(m, "one", &e), 0);
	assert_int_equal(office_count(o, "M/new", name), 1);
	assert_string_equal(name, "one,S=1");
	assert_int_equal(maildir_publish(m, "one", "one,S=1", &e), -1);
	assert_int_equal(e.sys, ENOENT);
	fd = maildir_create(m, "two", &e);
	close(fd);
	assert_int_equal(maildir_discard(m, "two", &e), 0);
	assert_int_equal(maildir_discard(m, "two", &e), 0);
	assert_int_equal(office_count(o, "M/tmp", NULL), 0);
	maildir_unref(&m);
}

static void
never_replaces_a_message(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };
	char *octets;
	size_t n;
	int fd;

	fd = open(office_path(o, "M/new/a,S=1"), O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "old", 3), 3);
	close(fd);
	close(maildir_create(m, "a", &e));
	assert_int_equal(maildir_publish(m, "a", "a,S=1", &e), -1);
	assert_int_equal(e.sys, EEXIST);
	assert_int_equal(maildir_has(m, "a", &e), 1);
	octets = office_read(office_path(o, "M/new/a,S=1"), &n);
	assert_int_equal(n, 3);
	free(octets);
	maildir_unref(&m);
}

/* Without RENAME_NOREPLACE it is link and unlink, and we may die between. */
static void
finishes_a_publication_that_was_cut_in_half(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	close(maildir_create(m, "a", &e));
	assert_int_equal(
	    link(office_path(o, "M/tmp/a"), office_path(o, "M/new/a,S=0")), 0);
	assert_int_equal(maildir_publish(m, "a", "a,S=0", &e), 0);
	assert_int_equal(office_count(o, "M/new", NULL), 1);
	assert_int_equal(office_count(o, "M/tmp", NULL), 0);
	maildir_unref(&m);
}

static void
follows_no_link_below_the_maildir(void **state)
{
	static const char *const parts[] = { "M/tmp", "M/new", "M/cur" };
	struct office *o = *state;
	struct err e;
	size_t i;

	assert_int_equal(mkdir(office_path(o, "else"), 0700), 0);
	assert_int_equal(mkdir(office_path(o, "M"), 0700), 0);
	for (i = 0; i < 3; i++) {
		const char *part = office_path(o, parts[i]);

		rmdir(part);
		assert_int_equal(symlink(office_path(o, "else"), part), 0);
		assert_null(maildir_open(office_path(o, "M"), true, &e));
		assert_int_equal(e.kind, ERR_DELIVER);
		assert_int_equal(unlink(part), 0);
		assert_int_equal(mkfifo(part, 0600), 0);
		assert_null(maildir_open(office_path(o, "M"), true, &e));
		assert_int_equal(unlink(part), 0);
	}
	assert_int_equal(office_count(o, "else", NULL), 0);
}

static void
follows_no_link_in_tmp(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	assert_int_equal(
	    symlink(office_path(o, "else"), office_path(o, "M/tmp/a")), 0);
	assert_int_equal(maildir_create(m, "a", &e), -1);
	assert_int_equal(maildir_read(m, "a", &e), -1);
	assert_int_equal(access(office_path(o, "else"), F_OK), -1);
	maildir_unref(&m);
}

/* The link may be to the Maildir itself: that is the user's own affair. */
static void
follows_a_link_to_the_maildir(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");

	maildir_unref(&m);
	assert_int_equal(symlink("M", office_path(o, "L")), 0);
	m = opened(o, "L");
	assert_true(maildir_is_current(m));
	maildir_unref(&m);
}

static void
notices_that_it_was_replaced(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M"), *again = maildir_ref(m);
	struct err e = { 0 };

	assert_int_equal(rename(office_path(o, "M"), office_path(o, "was")), 0);
	assert_false(maildir_is_current(m));
	maildir_unref(&m);
	m = opened(o, "M");
	assert_true(maildir_is_current(m));
	close(maildir_create(again, "a", &e));
	assert_int_equal(office_count(o, "was/tmp", NULL), 1);
	assert_int_equal(office_count(o, "M/tmp", NULL), 0);
	maildir_unref(&m);
	maildir_unref(&again);
}

static void
says_which_file_it_was(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	assert_int_equal(rmdir(office_path(o, "M/tmp")), 0);
	assert_int_equal(maildir_create(m, "name", &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_non_null(strstr(e.text, "M/tmp/name: No such file"));
	maildir_unref(&m);
}

static void
sweeps_what_is_ours_alone(void **state)
{
	static const char *const foreign[] = { "1.M2P3Q1R1111.host", "R" TOKEN,
		TOKEN ".host", "x" TOKEN ".host", "1.foreign" };
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };
	char name[MAILDIR_NAME_MAX];
	size_t i;

	for (i = 0; i < 300; i++) {
		maildir_names_next(&names, name);
		close(maildir_create(m, name, &e));
	}
	for (i = 0; i < 5; i++)
		close(maildir_create(m, foreign[i], &e));
	assert_int_equal(office_count(o, "M/tmp", NULL), 305);
	assert_int_equal(maildir_sweep(m, TOKEN, &e), 0);
	assert_int_equal(office_count(o, "M/tmp", NULL), 5);
	maildir_unref(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_names_that_are_unique_and_ours),
		TEST(puts_the_size_into_the_name_and_takes_it_off),
		TEST(makes_a_maildir_for_its_owner_only),
		TEST(makes_nothing_when_told_so),
		TEST(publishes_and_discards),
		TEST(never_replaces_a_message),
		TEST(finishes_a_publication_that_was_cut_in_half),
		TEST(follows_no_link_below_the_maildir),
		TEST(follows_no_link_in_tmp),
		TEST(follows_a_link_to_the_maildir),
		TEST(notices_that_it_was_replaced),
		TEST(says_which_file_it_was),
		TEST(sweeps_what_is_ours_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
