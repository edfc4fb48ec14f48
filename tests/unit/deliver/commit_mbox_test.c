/* SPDX-License-Identifier: ISC */
#include "deliver/commit_mbox.h"

#include "office.h"

#include <sys/syscall.h>

#define GROUP 12
#define LENGTH 40 /* octets of each message */

/* ---- what reaches the kernel, noted and made to fail ---- */

static char noted[1024]; /* one letter for each step, in order */
static const char *broken;
static bool ftruncate_fails, link_fails;
static unsigned int append_limit; /* so many can be appended */

static void
note(char step)
{
	size_t n = strlen(noted);

	if (n + 1 < sizeof(noted))
		noted[n] = step;
}

static bool
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

static void
path_of(int fd, char path[512])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, 511);
	path[n < 0 ? 0 : n] = '\0';
}

/* f: a file, t: the spool, m: an mbox, l: the ledger */
static int
note_sync(int fd)
{
	char path[512];

	path_of(fd, path);
	if (strstr(path, "/ledger") != NULL)
		note('l');
	else if (ends_in(path, "/spool/tmp"))
		note('t');
	else if (strstr(path, "/spool/tmp/") != NULL)
		note('f');
	else if (ends_in(path, "/bob"))
		note('m');
	errno = EIO;
	return broken != NULL && ends_in(path, broken) ? -1 : 0;
}

int
fsync(int fd)
{
	return note_sync(fd);
}

int
fdatasync(int fd)
{
	return note_sync(fd);
}

int
unlinkat(int dir, const char *name, int flags)
{
	note('u');
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

int
link(const char *from, const char *to)
{
	errno = EPERM;
	if (link_fails)
		return -1;
	return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
ftruncate(int fd, off_t size)
{
	char path[512];

	path_of(fd, path);
	errno = EIO;
	if (ftruncate_fails && ends_in(path, "/bob"))
		return -1;
	return (int)syscall(SYS_ftruncate, fd, size);
}

ssize_t
pwrite(int fd, const void *octets, size_t n, off_t at)
{
	char path[512];

	path_of(fd, path);
	if (ends_in(path, "/bob")) {
		note('a');
		if (append_limit-- == 0) { /* a part of it */
			(void)!syscall(SYS_pwrite64, fd, octets, n / 2, at);
			errno = ENOSPC;
			return -1;
		}
	}
	return syscall(SYS_pwrite64, fd, octets, n, at);
}

/* ---- a group ---- */

struct table {
	struct office o;
	struct commit_tools tools;
	struct places places;
	struct maildir_names names;
	int64_t box;
	struct commit commits[GROUP], *group[GROUP];
};

static unsigned int notices;

static void
count_notices(enum log_level level, const char *line)
{
	notices += level == LOG_LEVEL_NOTICE && strstr(line, ".lock") != NULL;
}

static void
open_table(struct table *t)
{
	enum ledger_state known;
	uint32_t was;
	struct err e = { 0 };

	t->tools.ledger = ledger_open(office_path(&t->o, "ledger"), &e);
	assert_non_null(t->tools.ledger);
	maildir_names_init(&t->names, ledger_token(t->tools.ledger));
	places_init(&t->places, t->tools.ledger, &t->names,
	    office_path(&t->o, "spool"));
	assert_int_equal(ledger_box(t->tools.ledger, "a", "INBOX", 1, &t->box,
			     &known, &was, &e),
	    0);
}

static void
close_table(struct table *t)
{
	places_deinit(&t->places);
	ledger_close(&t->tools.ledger);
}

static int
setup(void **state)
{
	struct table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	broken = NULL;
	ftruncate_fails = link_fails = false;
	append_limit = UINT32_MAX;
	notices = 0;
	log_set_sink(count_notices);
	office_make_dir(&t->o);
	t->tools.sync = sync_new();
	open_table(t);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct table *t = *state;

	broken = NULL;
	close_table(t);
	sync_free(&t->tools.sync);
	office_remove_dir(&t->o);
	free(t);
	return 0;
}

static struct place *
place_of(struct table *t, const char *path)
{
	char full[600];

	snprintf(full, sizeof(full), PLACE_MBOX "%s", office_path(&t->o, path));
	return places_find(&t->places, full);
}

static const char *
message(uint32_t number)
{
	static char text[64];

	snprintf(text, sizeof(text), "From a Thu\nSubject: %018u\n\n\n",
	    (unsigned int)number);
	assert_int_equal(strlen(text), LENGTH + 1);
	memmove(text + LENGTH - 2, "\n\n", 3);
	return text;
}

static void
write_message(
    struct table *t, unsigned int i, struct place *place, uint32_t number)
{
	struct commit *c = &t->commits[i];
	struct err e = { 0 };

	*c = (struct commit){ .octets = LENGTH, .place = place };
	assert_int_equal(place_ready(&t->places, place, &e), 0);
	c->maildir = maildir_ref(place->maildir);
	maildir_names_next(&t->names, c->name);
	c->fd = maildir_create(c->maildir, c->name, &e);
	assert_int_equal(write(c->fd, message(number), LENGTH), LENGTH);
	c->entry.box = t->box;
	c->entry.number = number;
	c->entry.fingerprint[0] = (uint8_t)number;
	t->group[i] = c;
}

static void
write_messages(struct table *t, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		write_message(t, i, place_of(t, "bob"), i + 1);
	memset(noted, 0, sizeof(noted));
}

static unsigned int
count_failed(const struct table *t, unsigned int n)
{
	unsigned int failed = 0;

	for (unsigned int i = 0; i < n; i++) {
		assert_null(t->commits[i].maildir);
		assert_int_equal(t->commits[i].fd, -1);
		failed += t->commits[i].e.kind != ERR_NONE;
	}
	return failed;
}

static int
count_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	(void)e;
	assert_memory_equal(entry->dir, PLACE_MBOX "/", 6);
	++*(unsigned int *)arg;
	return 0;
}

static unsigned int
count_rows(const struct table *t)
{
	struct err e = { 0 };
	unsigned int rows = 0;

	assert_int_equal(ledger_flush(t->tools.ledger, &e), 0);
	ledger_journal(t->tools.ledger, count_row, &rows, &e);
	return rows;
}

static unsigned int
count_handled(const struct table *t)
{
	struct set handled, owed, settled;
	struct err e;
	unsigned int n;

	set_init(&handled);
	set_init(&owed);
	set_init(&settled);
	assert_int_equal(
	    ledger_sets(t->tools.ledger, t->box, &handled, &owed, &settled, &e),
	    0);
	n = (unsigned int)set_count(&handled);
	set_deinit(&handled);
	set_deinit(&owed);
	set_deinit(&settled);
	return n;
}

static unsigned int
spooled(const struct table *t)
{
	return office_count(&t->o, "spool/tmp", NULL);
}

/* These numbers, in this order, and nothing else. */
static void
expect_mbox(
    const struct table *t, const char *name, const uint32_t *numbers, size_t n)
{
	size_t octets;
	char *got = office_read(office_path(&t->o, name), &octets);

	assert_int_equal(octets, n * LENGTH);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(
		    got + i * LENGTH, message(numbers[i]), LENGTH);
	free(got);
}

static const uint32_t in_order[GROUP] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
	12 };

/* ---- */

static void
keeps_the_commit_order(void **state)
{
	struct table *t = *state;
	char *l;

	write_messages(t, GROUP);
	assert_int_equal(spooled(t), GROUP);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 0);
	assert_int_equal(strspn(noted, "f"), GROUP);
	assert_memory_equal(noted + GROUP, "tl", 2);
	l = noted + GROUP + 1;
	l += strspn(l, "l");
	assert_int_equal(strspn(l, "a"), GROUP);
	assert_int_equal(l[GROUP], 'm');
	assert_int_equal(strspn(l + GROUP + 1, "u"), GROUP);
	assert_int_equal(l[2 * GROUP + 1], '\0');
	expect_mbox(t, "bob", in_order, GROUP);
	assert_int_equal(spooled(t), 0);
	assert_int_equal(count_handled(t), GROUP);
	assert_int_equal(count_rows(t), 0);
	assert_int_equal(access(office_path(&t->o, "bob.lock"), F_OK), -1);
}

static void
records_where_each_begins(void **state)
{
	struct table *t = *state;
	int fd = open(office_path(&t->o, "bob"), O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	write_messages(t, 3);
	commit_group(&t->tools, t->group, 3);
	assert_int_equal(count_failed(t, 3), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(t->commits[i].entry.has_offset);
		assert_int_equal(
		    t->commits[i].entry.offset, 4 + 2 + i * LENGTH);
		assert_string_equal(
		    t->commits[i].entry.file, t->commits[i].name);
	}
}

/* Of one spool: one sync of its tmp/. */
static void
serves_mboxes_and_maildirs_in_one_group(void **state)
{
	static const uint32_t bobs[] = { 1, 4 }, anns[] = { 2, 5 };
	struct table *t = *state;
	const char *tmp;

	for (unsigned int i = 0; i < 6; i++)
		write_message(t, i,
		    i % 3 == 0 ? place_of(t, "bob")
			: i % 3 == 1
			? place_of(t, "ann")
			: places_find(&t->places, office_path(&t->o, "M")),
		    i + 1);
	memset(noted, 0, sizeof(noted));
	commit_group(&t->tools, t->group, 6);
	assert_int_equal(count_failed(t, 6), 0);
	expect_mbox(t, "bob", bobs, 2);
	expect_mbox(t, "ann", anns, 2);
	assert_int_equal(office_count(&t->o, "M/new", NULL), 2);
	assert_int_equal(spooled(t), 0);
	tmp = strchr(noted, 't');
	assert_non_null(tmp);
	assert_null(strchr(tmp + 1, 't'));
	assert_int_equal(count_handled(t), 6);
	assert_int_equal(count_rows(t), 0);
}

static void
is_busy_before_the_ledger_hears_of_it(void **state)
{
	struct table *t = *state;
	unsigned int i;

	write_messages(t, 3);
	close(open(office_path(&t->o, "bob.lock"), O_WRONLY | O_CREAT, 0600));
	commit_group(&t->tools, t->group, 3);
	assert_int_equal(t->commits[1].e.kind, ERR_DELIVER);
	assert_int_equal(t->commits[1].e.sys, EBUSY);
	assert_null(strchr(noted, 'l'));
	assert_int_equal(count_handled(t), 0);
	assert_false(t->commits[0].place->stuck);
	/* each keeps its file, and may come again */
	assert_int_equal(spooled(t), 3);
	for (i = 0; i < 3; i++) {
		assert_true(t->commits[i].busy);
		assert_int_equal(t->commits[i].fd, -1);
		assert_non_null(t->commits[i].maildir);
		err_clear(&t->commits[i].e);
	}
	commit_group(&t->tools, t->group, 3);
	assert_true(t->commits[2].busy);
	assert_int_equal(unlink(office_path(&t->o, "bob.lock")), 0);
	for (i = 0; i < 3; i++)
		err_clear(&t->commits[i].e);
	commit_group(&t->tools, t->group, 3);
	assert_int_equal(count_failed(t, 3), 0);
	assert_false(t->commits[0].busy);
	assert_int_equal(spooled(t), 0);
	expect_mbox(t, "bob", in_order, 3);
}

/* When it does not come again. */
static void
can_be_discarded_when_it_was_busy(void **state)
{
	struct table *t = *state;

	write_messages(t, 1);
	close(open(office_path(&t->o, "bob.lock"), O_WRONLY | O_CREAT, 0600));
	commit_group(&t->tools, t->group, 1);
	assert_true(t->commits[0].busy);
	commit_discard(&t->commits[0]);
	assert_false(t->commits[0].busy);
	assert_int_equal(count_failed(t, 1), 1);
	assert_int_equal(spooled(t), 0);
	assert_int_equal(count_handled(t), 0);
}

static void
appends_what_is_known_not_again(void **state)
{
	static const uint32_t want[] = { 3, 1, 2 };
	struct table *t = *state;

	write_message(t, 0, place_of(t, "bob"), 3);
	commit_group(&t->tools, t->group, 1);
	write_messages(t, 4);
	t->commits[3].entry.number = 2; /* twice in a group */
	commit_group(&t->tools, t->group, 2);
	commit_group(&t->tools, t->group + 2, 2);
	assert_int_equal(count_failed(t, 4), 0);
	expect_mbox(t, "bob", want, 3);
	assert_true(t->commits[2].entry.known);
	assert_true(t->commits[3].entry.known);
	assert_int_equal(spooled(t), 0);
	assert_int_equal(count_rows(t), 0);
}

static void
leaves_no_gap_for_what_is_known(void **state)
{
	static const uint32_t want[] = { 2, 1, 3, 4 };
	struct table *t = *state;

	write_message(t, 0, place_of(t, "bob"), 2);
	commit_group(&t->tools, t->group, 1);
	write_messages(t, 4);
	commit_group(&t->tools, t->group, 4);
	assert_int_equal(count_failed(t, 4), 0);
	expect_mbox(t, "bob", want, 4);
	assert_true(t->commits[1].entry.known);
	assert_int_equal(t->commits[0].entry.offset, LENGTH);
	assert_int_equal(t->commits[2].entry.offset, 2 * LENGTH);
	assert_int_equal(t->commits[3].entry.offset, 3 * LENGTH);
	assert_int_equal(count_handled(t), 4);
	assert_int_equal(count_rows(t), 0);
}

static void
takes_back_what_cannot_be_appended(void **state)
{
	struct table *t = *state;

	write_messages(t, GROUP);
	append_limit = 5;
	commit_group(&t->tools, t->group, GROUP);
	append_limit = UINT32_MAX;
	assert_int_equal(count_failed(t, GROUP), GROUP - 5);
	assert_int_equal(t->commits[GROUP - 1].e.sys, ENOSPC);
	expect_mbox(t, "bob", in_order, 5);
	assert_int_equal(count_handled(t), 5);
	assert_int_equal(count_rows(t), 0);
	assert_int_equal(spooled(t), 0);
	assert_false(t->commits[0].place->stuck);
	write_messages(t, GROUP);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 0);
	expect_mbox(t, "bob", in_order, GROUP);
}

/* The part that stands there, and what is before it, is for the next start. */
static void
keeps_the_record_of_what_may_stand_there_in_part(void **state)
{
	struct table *t = *state;
	struct err e = { 0 };

	write_messages(t, 5);
	append_limit = 2;
	ftruncate_fails = true;
	commit_group(&t->tools, t->group, 5);
	ftruncate_fails = false;
	append_limit = UINT32_MAX;
	assert_int_equal(count_failed(t, 5), 5);
	assert_int_equal(count_handled(t), 3);
	assert_int_equal(count_rows(t), 3);
	assert_int_equal(spooled(t), 3);
	assert_int_equal(place_ready(&t->places, t->commits[0].place, &e), -1);
	assert_int_equal(e.sys, ENOSPC);
}

static void
is_broken_when_it_cannot_be_synced(void **state)
{
	struct table *t = *state;
	struct place *bob = place_of(t, "bob"), *ann = place_of(t, "ann");
	struct err e = { 0 };

	write_messages(t, 3);
	broken = "/bob";
	commit_group(&t->tools, t->group, 3);
	broken = NULL;
	assert_int_equal(count_failed(t, 3), 3);
	assert_int_equal(t->commits[0].e.sys, EIO);
	assert_int_equal(count_rows(t), 3);
	assert_int_equal(spooled(t), 3);
	assert_int_equal(place_ready(&t->places, bob, &e), -1);
	assert_int_equal(e.sys, EIO);
	/* the spool of others is not */
	write_message(t, 0, ann, 9);
	commit_group(&t->tools, t->group, 1);
	assert_int_equal(count_failed(t, 1), 0);
	assert_int_equal(spooled(t), 3);
}

static void
breaks_all_mboxes_with_the_spool(void **state)
{
	struct table *t = *state;
	struct err e = { 0 };

	write_messages(t, 2);
	write_message(t, 2, place_of(t, "ann"), 3);
	write_message(t, 3, place_of(t, "ann"), 4);
	broken = "/spool/tmp";
	commit_group(&t->tools, t->group, 3);
	broken = NULL;
	assert_int_equal(count_failed(t, 3), 3);
	assert_int_equal(count_handled(t), 0);
	commit_group(&t->tools, t->group + 3, 1);
	assert_int_equal(t->commits[3].e.sys, EIO);
	assert_int_equal(place_ready(&t->places, place_of(t, "ann"), &e), -1);
	assert_int_equal(e.sys, EIO);
}

static void
refuses_what_is_no_message_of_an_mbox(void **state)
{
	static const uint32_t want[] = { 1, 3 };
	struct table *t = *state;

	write_messages(t, 3);
	assert_int_equal(pwrite(t->commits[1].fd, "x", 1, LENGTH - 1), 1);
	commit_group(&t->tools, t->group, 3);
	assert_int_equal(count_failed(t, 3), 1);
	expect_mbox(t, "bob", want, 2);
	assert_int_equal(count_handled(t), 2);
	assert_int_equal(spooled(t), 0);
}

static void
says_once_that_there_can_be_no_dotlock(void **state)
{
	struct table *t = *state;

	link_fails = true;
	for (int i = 0; i < 2; i++) {
		write_messages(t, 2);
		commit_group(&t->tools, t->group, 2);
		assert_int_equal(count_failed(t, 2), 0);
		assert_int_equal(notices, 1);
	}
	expect_mbox(t, "bob", in_order, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_commit_order),
		TEST(records_where_each_begins),
		TEST(serves_mboxes_and_maildirs_in_one_group),
		TEST(is_busy_before_the_ledger_hears_of_it),
		TEST(can_be_discarded_when_it_was_busy),
		TEST(appends_what_is_known_not_again),
		TEST(leaves_no_gap_for_what_is_known),
		TEST(takes_back_what_cannot_be_appended),
		TEST(keeps_the_record_of_what_may_stand_there_in_part),
		TEST(is_broken_when_it_cannot_be_synced),
		TEST(breaks_all_mboxes_with_the_spool),
		TEST(refuses_what_is_no_message_of_an_mbox),
		TEST(says_once_that_there_can_be_no_dotlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
