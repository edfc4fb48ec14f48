/* SPDX-License-Identifier: ISC */
#include "deliver/maildir.h"

#include "office.h"

#include <sys/syscall.h>

#define TOKEN "0123456789abcdef"

/* ---- a file system with manners of its own ---- */

static bool without_noreplace, without_unlink, says_no_after_link;

int
renameat2(
    int from, const char *name, int to, const char *final, unsigned int flags)
{
	if (!without_noreplace)
		return (int)syscall(
		    SYS_renameat2, from, name, to, final, flags);
	errno = EINVAL;
	return -1;
}

int
linkat(int from, const char *name, int to, const char *final, int flags)
{
	int r = (int)syscall(SYS_linkat, from, name, to, final, flags);

	if (!says_no_after_link)
		return r;
	errno = EEXIST; /* asked twice, since the first answer was lost */
	return -1;
}

int
unlinkat(int dir, const char *name, int flags)
{
	if (!without_unlink)
		return (int)syscall(SYS_unlinkat, dir, name, flags);
	errno = EIO;
	return -1;
}

static unsigned int syncs;

int
fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

/* ---- */

static struct maildir_names names;

static int
setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	without_noreplace = without_unlink = says_no_after_link = false;
	office_make_dir(o);
	maildir_names_init(&names, TOKEN);
	*state = o;
	return 0;
}

static int
teardown(void **state)
{
	struct office *o = *state;

	without_unlink = false;
	office_remove_dir(o);
	free(o);
	return 0;
}

static struct maildir *
opened(const struct office *o, const char *path)
{
	struct err e = { 0 };
	struct maildir *m = maildir_open(office_path(o, path), true, false, &e);

	assert_non_null(m);
	return m;
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

	assert_null(maildir_open(office_path(o, "no"), false, false, &e));
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
	assert_int_equal(fsync(maildir_part_fd(m, MAILDIR_TMP)), 0);
	assert_int_equal(maildir_publish(m, "one", "one,S=1", &e), 0);
	assert_int_equal(maildir_sync_published(m, true, false, &e), 0);
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
publishes_without_the_newest_of_renames(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	without_noreplace = true;
	close(maildir_create(m, "a", &e));
	assert_int_equal(maildir_publish(m, "a", "a,S=0", &e), 0);
	assert_int_equal(office_count(o, "M/new", NULL), 1);
	assert_int_equal(office_count(o, "M/tmp", NULL), 0);
	close(maildir_create(m, "a", &e));
	assert_int_equal(maildir_publish(m, "a", "a,S=0", &e), -1);
	assert_int_equal(e.sys, EEXIST);
	assert_true(maildir_is_unpublished(m, "a", "a,S=0"));
	maildir_unref(&m);
}

static void
has_published_what_only_cannot_be_removed_from_tmp(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	without_noreplace = without_unlink = true;
	close(maildir_create(m, "a", &e));
	assert_int_equal(maildir_publish(m, "a", "a,S=0", &e), 0);
	assert_int_equal(office_count(o, "M/new", NULL), 1);
	assert_false(maildir_is_unpublished(m, "a", "a,S=0"));
	without_unlink = false;
	says_no_after_link = true;
	close(maildir_create(m, "b", &e));
	assert_int_equal(maildir_publish(m, "b", "b,S=0", &e), 0);
	assert_int_equal(office_count(o, "M/new", NULL), 2);
	maildir_unref(&m);
}

/* We died between link and unlink, and somebody has read it since. */
static void
does_not_publish_again_what_was_moved_to_cur(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	without_noreplace = true;
	close(maildir_create(m, "a", &e));
	assert_int_equal(
	    link(office_path(o, "M/tmp/a"), office_path(o, "M/cur/a,S=0:2,S")),
	    0);
	assert_int_equal(maildir_publish(m, "a", "a,S=0", &e), 0);
	assert_int_equal(office_count(o, "M/new", NULL), 0);
	assert_int_equal(office_count(o, "M/cur", NULL), 1);
	assert_int_equal(office_count(o, "M/tmp", NULL), 0);
	maildir_unref(&m);
}

/* A copy by hard links is no message of the Maildir. */
static void
publishes_what_has_another_name_elsewhere(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	without_noreplace = true;
	close(maildir_create(m, "a", &e));
	assert_int_equal(
	    link(office_path(o, "M/tmp/a"), office_path(o, "copy")), 0);
	assert_int_equal(maildir_publish(m, "a", "a,S=0", &e), 0);
	assert_int_equal(office_count(o, "M/new", NULL), 1);
	maildir_unref(&m);
}

static void
knows_when_nothing_was_published(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	close(maildir_create(m, "a", &e));
	assert_true(maildir_is_unpublished(m, "a", "a,S=0"));
	assert_int_equal(
	    link(office_path(o, "M/tmp/a"), office_path(o, "M/cur/x")), 0);
	assert_false(maildir_is_unpublished(m, "a", "a,S=0"));
	assert_false(maildir_is_unpublished(m, "none", "none,S=0"));
	maildir_unref(&m);
}

/* ---- flags ---- */

static void
publishes_what_has_flags_into_cur(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };
	char name[256];

	for (int i = 0; i < 2; i++) {
		without_noreplace = i == 1;
		close(maildir_create(m, "a", &e));
		assert_true(maildir_is_unpublished(m, "a", "a,S=0:2,FS"));
		assert_int_equal(maildir_publish(m, "a", "a,S=0:2,FS", &e), 0);
		assert_int_equal(maildir_sync_published(m, true, true, &e), 0);
		assert_int_equal(office_count(o, "M/new", NULL), 0);
		assert_int_equal(office_count(o, "M/cur", name), 1);
		assert_string_equal(name, "a,S=0:2,FS");
		close(maildir_create(m, "a", &e));
		assert_int_equal(maildir_publish(m, "a", "a,S=0:2,FS", &e), -1);
		assert_int_equal(e.sys, EEXIST);
		assert_non_null(strstr(e.text, "/cur/a,S=0:2,FS"));
		assert_int_equal(maildir_discard(m, "a", &e), 0);
		assert_int_equal(unlink(office_path(o, "M/cur/a,S=0:2,FS")), 0);
	}
	maildir_unref(&m);
}

/* We died between link and unlink, and somebody has answered it since. */
static void
does_not_publish_again_what_has_other_flags_now(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct err e = { 0 };

	without_noreplace = true;
	close(maildir_create(m, "a", &e));
	assert_int_equal(
	    link(office_path(o, "M/tmp/a"), office_path(o, "M/cur/a,S=0:2,RS")),
	    0);
	assert_int_equal(maildir_publish(m, "a", "a,S=0:2,S", &e), 0);
	assert_int_equal(office_count(o, "M/cur", NULL), 1);
	assert_int_equal(office_count(o, "M/tmp", NULL), 0);
	maildir_unref(&m);
}

static void
sets_the_time_of_a_file(void **state)
{
	static const int64_t times[] = { 1, 1000000000, 4102444800, -86400 };
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	int fd;
	struct err e = { 0 };
	struct stat st;

	fd = maildir_create(m, "a", &e);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(maildir_set_time(fd, times[i], &e), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mtim.tv_sec, times[i]);
		assert_int_equal(st.st_atim.tv_sec, times[i]);
	}
	close(fd);
	assert_int_equal(maildir_set_time(fd, 1, &e), -1);
	assert_int_equal(e.sys, EBADF);
	maildir_unref(&m);
}

/* ---- folders ---- */

static void
says_of_a_folder_that_it_is_one(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };
	struct stat st;
	struct maildir *m = opened(o, "M");

	assert_int_equal(access(office_path(o, "M/maildirfolder"), F_OK), -1);
	maildir_unref(&m);
	for (int i = 0; i < 2; i++) {
		m = maildir_open(office_path(o, "M/.a"), true, true, &e);
		assert_non_null(m);
		assert_int_equal(
		    stat(office_path(o, "M/.a/maildirfolder"), &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		assert_int_equal(st.st_size, 0);
		maildir_unref(&m);
	}
	assert_int_equal(unlink(office_path(o, "M/.a/maildirfolder")), 0);
	m = maildir_open(office_path(o, "M/.a"), false, true, &e);
	assert_int_equal(
	    access(office_path(o, "M/.a/maildirfolder"), F_OK), -1);
	maildir_unref(&m);
}

/* ---- the mark ---- */

static unsigned int
marks(const struct office *o, const char *below)
{
	DIR *d = opendir(office_path(o, below));
	const struct dirent *e;
	unsigned int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, ".mailhaul-", 10) == 0;
	closedir(d);
	return n;
}

static void
marks_a_maildir_once_and_for_ever(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	char *mark = strdup(maildir_mark(m)), *path = maildir_of_mark(mark);
	struct err e = { 0 };
	struct stat st;

	assert_string_equal(path, office_path(o, "M"));
	assert_int_equal(strlen(mark), strlen(path) + 1 + 26);
	assert_int_equal(stat(mark, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	maildir_unref(&m);
	m = opened(o, "M");
	assert_string_equal(maildir_mark(m), mark);
	assert_int_equal(maildir_has_mark(m, mark, &e), 1);
	assert_int_equal(marks(o, "M"), 1);
	maildir_unref(&m);
	m = opened(o, "M/"); /* as spelled, so that it is found again */
	free(path);
	path = maildir_of_mark(maildir_mark(m));
	assert_string_equal(path, office_path(o, "M/"));
	assert_int_equal(maildir_has_mark(m, mark, &e), 1);
	maildir_unref(&m);
	m = opened(o, "N");
	assert_int_equal(maildir_has_mark(m, mark, &e), 0);
	assert_int_equal(maildir_has_mark(m, office_path(o, "M"), &e), 0);
	maildir_unref(&m);
	free(path);
	free(mark);
}

static void
makes_a_mark_durable_once(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };
	struct maildir *m = maildir_open(office_path(o, "M"), true, false, &e);
	char *mark = strdup(maildir_mark(m));

	maildir_unref(&m);
	syncs = 0;
	m = maildir_open_again(office_path(o, "M"), false, mark, &e);
	assert_non_null(m);
	assert_string_equal(maildir_mark(m), mark);
	maildir_unref(&m);
	assert_int_equal(syncs, 0);
	/* another process left it, or another Maildir stands there */
	m = maildir_open_again(office_path(o, "M"), false, NULL, &e);
	maildir_unref(&m);
	assert_int_equal(syncs, 1);
	m = maildir_open_again(
	    office_path(o, "M"), false, "/x/.mailhaul-0", &e);
	maildir_unref(&m);
	assert_int_equal(syncs, 2);
	free(mark);
}

static void
takes_no_other_file_for_a_mark(void **state)
{
	static const char *const others[] = { "M/.mailhaul-", "M/.mailhaul-1",
		"M/.mailhaul-0123456789abcdeg",
		"M/.mailhaul-0123456789abcdef0" };
	struct office *o = *state;
	struct maildir *m;
	size_t i;

	assert_int_equal(mkdir(office_path(o, "M"), 0700), 0);
	for (i = 0; i < 4; i++)
		close(
		    open(office_path(o, others[i]), O_CREAT | O_WRONLY, 0600));
	m = opened(o, "M");
	assert_int_equal(marks(o, "M"), 5);
	maildir_unref(&m);
}

/* A server may call its mailboxes what it likes. */
static void
takes_no_folder_for_a_mark(void **state)
{
	struct office *o = *state;
	struct err e = { 0 };
	struct maildir *m;
	const char *folder;

	assert_int_equal(mkdir(office_path(o, "M"), 0700), 0);
	folder = office_path(o, "M/.mailhaul-0123456789abcdef");
	assert_int_equal(mkdir(folder, 0700), 0);
	m = opened(o, "M");
	assert_string_not_equal(maildir_mark(m), folder);
	assert_int_equal(maildir_has_mark(m, folder, &e), 0);
	assert_int_equal(marks(o, "M"), 2);
	maildir_unref(&m);
}

static void
knows_the_same_directories_by_another_path(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M"), *n = opened(o, "N"), *l;

	assert_int_equal(symlink("M", office_path(o, "L")), 0);
	l = opened(o, "L");
	assert_true(maildir_is_same(m, l));
	assert_false(maildir_is_same(m, n));
	maildir_unref(&m);
	maildir_unref(&n);
	maildir_unref(&l);
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
		assert_null(maildir_open(office_path(o, "M"), true, false, &e));
		assert_int_equal(e.kind, ERR_DELIVER);
		assert_int_equal(unlink(part), 0);
		assert_int_equal(mkfifo(part, 0600), 0);
		assert_null(maildir_open(office_path(o, "M"), true, false, &e));
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
sweeps_what_an_earlier_process_left(void **state)
{
	struct office *o = *state;
	struct maildir *m = opened(o, "M");
	struct maildir_names later;
	struct err e = { 0 };
	char name[MAILDIR_NAME_MAX];
	size_t i;

	for (i = 0; i < 300; i++) {
		maildir_names_next(&names, name);
		close(maildir_create(m, name, &e));
	}
	close(maildir_create(m, "1.foreign", &e));
	assert_int_equal(maildir_sweep(m, &names, &e), 0);
	assert_int_equal(office_count(o, "M/tmp", NULL), 301);
	maildir_names_init(&later, TOKEN);
	maildir_names_next(&later, name);
	close(maildir_create(m, name, &e));
	assert_int_equal(maildir_sweep(m, &later, &e), 0);
	assert_int_equal(office_count(o, "M/tmp", NULL), 2);
	without_unlink = true;
	assert_int_equal(maildir_sweep(m, &names, &e), -1);
	assert_int_equal(e.sys, EIO);
	maildir_unref(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_maildir_for_its_owner_only),
		TEST(makes_nothing_when_told_so),
		TEST(publishes_and_discards),
		TEST(never_replaces_a_message),
		TEST(finishes_a_publication_that_was_cut_in_half),
		TEST(publishes_without_the_newest_of_renames),
		TEST(has_published_what_only_cannot_be_removed_from_tmp),
		TEST(does_not_publish_again_what_was_moved_to_cur),
		TEST(publishes_what_has_another_name_elsewhere),
		TEST(knows_when_nothing_was_published),
		TEST(publishes_what_has_flags_into_cur),
		TEST(does_not_publish_again_what_has_other_flags_now),
		TEST(sets_the_time_of_a_file),
		TEST(says_of_a_folder_that_it_is_one),
		TEST(marks_a_maildir_once_and_for_ever),
		TEST(makes_a_mark_durable_once),
		TEST(takes_no_other_file_for_a_mark),
		TEST(takes_no_folder_for_a_mark),
		TEST(knows_the_same_directories_by_another_path),
		TEST(follows_no_link_below_the_maildir),
		TEST(follows_no_link_in_tmp),
		TEST(follows_a_link_to_the_maildir),
		TEST(notices_that_it_was_replaced),
		TEST(says_which_file_it_was),
		TEST(sweeps_what_an_earlier_process_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
