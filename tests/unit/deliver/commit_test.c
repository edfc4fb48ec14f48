/* SPDX-License-Identifier: ISC */
#include "deliver/commit.h"

#include "office.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define GROUP 20

/* ---- what reaches the kernel, noted and made to fail ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char noted[4096];       /* one letter for each step, in order */
static const char *broken;     /* what cannot be made durable */
static int broken_why;         /* EIO, if not told otherwise */
static bool renames_lie;       /* they are done, and said to have failed */
static const char *lazy;       /* what complains when it is closed */
static unsigned int n_renames; /* and after how many they fail */
static unsigned int rename_limit;

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

static bool
path_of(int fd, char path[512])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, 511);
	if (n < 0)
		return false;
	path[n] = '\0';
	return true;
}

/* f: a file, t: a tmp/, n: a new/, c: a cur/, l: the ledger */
static int
note_sync(int fd, long call)
{
	char path[512];
	bool fails;

	if (!path_of(fd, path))
		return -1;
	pthread_mutex_lock(&lock);
	if (strstr(path, "ledger") != NULL)
		note('l');
	else if (ends_in(path, "/tmp"))
		note('t');
	else if (ends_in(path, "/new"))
		note('n');
	else if (ends_in(path, "/cur"))
		note('c');
	else if (strstr(path, "/tmp/") != NULL && strstr(path, ".M") != NULL)
		note('f');
	fails = broken != NULL && ends_in(path, broken);
	pthread_mutex_unlock(&lock);
	if (!fails)
		return (int)syscall(call, fd);
	errno = broken_why;
	return -1;
}

int
fsync(int fd)
{
	return note_sync(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return note_sync(fd, SYS_fdatasync);
}

int
close(int fd)
{
	char path[512];
	bool fails = lazy != NULL && path_of(fd, path) && ends_in(path, lazy);
	int r = (int)syscall(SYS_close, fd);

	if (!fails)
		return r;
	errno = EDQUOT;
	return -1;
}

int
renameat2(
    int from, const char *name, int to, const char *final, unsigned int flags)
{
	note('r');
	if (rename_limit > 0 && ++n_renames > rename_limit) {
		if (renames_lie)
			syscall(SYS_renameat2, from, name, to, final, flags);
		errno = EDQUOT;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from, name, to, final, flags);
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

static int
setup(void **state)
{
	struct table *t = calloc(1, sizeof(*t));
	enum ledger_state known;
	uint32_t was;
	struct err e = { 0 };

	assert_non_null(t);
	log_set_sink(office_drop_line);
	office_make_dir(&t->o);
	t->tools.ledger = ledger_open(office_path(&t->o, "ledger"), &e);
	assert_non_null(t->tools.ledger);
	t->tools.sync = sync_new();
	maildir_names_init(&t->names, ledger_token(t->tools.ledger));
	places_init(&t->places, t->tools.ledger, &t->names,
	    office_path(&t->o, "spool"));
	assert_int_equal(ledger_box(t->tools.ledger, "a", "INBOX", 1, &t->box,
			     &known, &was, &e),
	    0);
	broken = NULL;
	broken_why = EIO;
	renames_lie = false;
	rename_limit = n_renames = 0;
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct table *t = *state;

	broken = lazy = NULL;
	places_deinit(&t->places);
	sync_free(&t->tools.sync);
	ledger_close(&t->tools.ledger);
	office_remove_dir(&t->o);
	free(t);
	return 0;
}

/* A message of one octet for one of two Maildirs in turn. */
static void
write_message(struct table *t, unsigned int i, uint32_t number)
{
	struct commit *c = &t->commits[i];
	struct err e = { 0 };

	*c = (struct commit){ .octets = 1 };
	c->place =
	    places_find(&t->places, office_path(&t->o, i % 2 == 0 ? "A" : "B"));
	assert_int_equal(place_ready(&t->places, c->place, &e), 0);
	c->maildir = maildir_ref(c->place->maildir);
	maildir_names_next(&t->names, c->name);
	c->fd = maildir_create(c->maildir, c->name, &e);
	assert_int_equal(write(c->fd, "x", 1), 1);
	c->entry.box = t->box;
	c->entry.number = number;
	c->entry.fingerprint[0] = (uint8_t)number;
	t->group[i] = c;
}

static void
write_messages(struct table *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		write_message(t, i, i + 1);
	memset(noted, 0, sizeof(noted));
}

static unsigned int
count_failed(const struct table *t, unsigned int n)
{
	unsigned int failed = 0, i;

	for (i = 0; i < n; i++) {
		assert_null(t->commits[i].maildir);
		assert_int_equal(t->commits[i].fd, -1);
		if (t->commits[i].e.kind == ERR_NONE)
			continue;
		assert_int_equal(t->commits[i].e.kind, ERR_DELIVER);
		failed++;
	}
	return failed;
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

static void
expect_files(const struct table *t, unsigned int new, unsigned int tmp)
{
	assert_int_equal(office_count(&t->o, "A/new", NULL) +
		office_count(&t->o, "B/new", NULL),
	    new);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL) +
		office_count(&t->o, "B/tmp", NULL),
	    tmp);
}

/* ---- */

static void
keeps_the_commit_order(void **state)
{
	struct table *t = *state;
	char want[64] = "", *l;

	write_messages(t, GROUP);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 0);
	expect_files(t, GROUP, 0);
	assert_int_equal(count_handled(t), GROUP);
	/* however often the ledger syncs for its one transaction */
	memset(want, 'f', GROUP);
	memcpy(want + GROUP, "tt", 3);
	assert_memory_equal(noted, want, GROUP + 2);
	l = noted + GROUP + 2;
	assert_true(strspn(l, "l") >= 1);
	l += strspn(l, "l");
	assert_int_equal(strspn(l, "r"), GROUP);
	assert_string_equal(l + GROUP, "nn");
}

/* Of one Maildir only new/ is used, of the other only cur/. */
static void
syncs_only_the_directories_that_it_used(void **state)
{
	struct table *t = *state;
	char name[256];
	struct stat st;

	write_messages(t, 4);
	t->commits[1].flags = MAILDIR_SEEN;
	t->commits[1].time = 1000000000;
	t->commits[3].flags = MAILDIR_SEEN | MAILDIR_REPLIED;
	commit_group(&t->tools, t->group, 4);
	assert_int_equal(count_failed(t, 4), 0);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 2);
	assert_int_equal(office_count(&t->o, "A/cur", NULL), 0);
	assert_int_equal(office_count(&t->o, "B/new", NULL), 0);
	assert_int_equal(office_count(&t->o, "B/cur", name), 2);
	assert_string_equal(noted + strlen(noted) - 3, "rnc");
	assert_non_null(strstr(name, ",S=1:2,"));
	snprintf(name, sizeof(name), "B/cur/%s", t->commits[1].final);
	assert_int_equal(stat(office_path(&t->o, name), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	snprintf(name, sizeof(name), "B/cur/%s", t->commits[3].final);
	assert_int_equal(stat(office_path(&t->o, name), &st), 0);
	assert_true(st.st_mtim.tv_sec > 1000000000);
}

static void
is_broken_where_cur_cannot_be_synced(void **state)
{
	struct table *t = *state;
	struct err e = { 0 };

	write_messages(t, 4);
	t->commits[1].flags = MAILDIR_SEEN;
	broken = "/B/cur";
	commit_group(&t->tools, t->group, 4);
	assert_int_equal(count_failed(t, 4), 2);
	broken = NULL;
	assert_int_equal(place_ready(&t->places, t->commits[1].place, &e), -1);
	assert_int_equal(e.sys, EIO);
}

static void
fails_a_file_of_another_size(void **state)
{
	struct table *t = *state;

	write_messages(t, 3);
	t->commits[1].octets = 2;
	commit_group(&t->tools, t->group, 3);
	assert_int_equal(count_failed(t, 3), 1);
	assert_int_equal(t->commits[1].e.kind, ERR_DELIVER);
	expect_files(t, 2, 0);
	assert_int_equal(count_handled(t), 2);
}

static void
fails_a_file_that_cannot_be_synced_once_and_alone(void **state)
{
	struct table *t = *state;

	write_messages(t, GROUP);
	broken = t->commits[7].name;
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(strspn(noted, "f"), GROUP);
	assert_int_equal(count_failed(t, GROUP), 1);
	assert_int_equal(t->commits[7].e.sys, EIO);
	assert_non_null(strstr(t->commits[7].e.text, t->commits[7].name));
	expect_files(t, GROUP - 1, 0);
	assert_int_equal(count_handled(t), GROUP - 1);
}

static void
fails_a_file_that_cannot_be_closed(void **state)
{
	struct table *t = *state;

	write_messages(t, GROUP);
	lazy = t->commits[3].name;
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 1);
	assert_int_equal(t->commits[3].e.sys, EDQUOT);
	expect_files(t, GROUP - 1, 0);
}

static void
fails_all_of_a_tmp_that_cannot_be_synced(void **state)
{
	struct table *t = *state;
	struct err e = { 0 };

	write_messages(t, GROUP);
	broken = "/A/tmp";
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), GROUP / 2);
	expect_files(t, GROUP / 2, 0);
	assert_int_equal(count_handled(t), GROUP / 2);
	broken = NULL; /* but it was: never again in this process */
	assert_int_equal(place_ready(&t->places, t->commits[0].place, &e), -1);
	assert_int_equal(e.sys, EIO);
}

static int
count_row(void *arg, const struct ledger_entry *entry, struct err *e)
{
	(void)entry;
	(void)e;
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

/* As another process. */
static void
begin_again(struct table *t)
{
	struct err e = { 0 };

	places_deinit(&t->places);
	ledger_close(&t->tools.ledger);
	t->tools.ledger = ledger_open(office_path(&t->o, "ledger"), &e);
	assert_non_null(t->tools.ledger);
	maildir_names_init(&t->names, ledger_token(t->tools.ledger));
	places_init(&t->places, t->tools.ledger, &t->names,
	    office_path(&t->o, "spool"));
	places_roll_forward(&t->places);
}

/* It is in new/, but perhaps not for ever: nobody is told that it is
 * delivered, and nothing more goes there, whatever the kernel says when it is
 * asked again. */
static void
is_broken_where_new_cannot_be_synced(void **state)
{
	struct table *t = *state;
	struct err e = { 0 };

	write_messages(t, GROUP);
	broken = "/A/new";
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), GROUP / 2);
	assert_int_equal(t->commits[0].e.sys, EIO);
	expect_files(t, GROUP, 0);
	assert_int_equal(count_handled(t), GROUP);
	assert_int_equal(count_rows(t), GROUP / 2);
	broken = NULL;
	assert_true(t->commits[0].place->stuck);
	assert_int_equal(place_ready(&t->places, t->commits[0].place, &e), -1);
	assert_int_equal(e.sys, EIO);
	assert_int_equal(count_rows(t), GROUP / 2);
	begin_again(t);
	assert_int_equal(count_rows(t), 0);
	/* number 1 is known: no second copy */
	write_messages(t, 1);
	commit_group(&t->tools, t->group, 1);
	assert_int_equal(count_failed(t, 1), 0);
	expect_files(t, GROUP, 0);
}

/* What is in new/ perhaps must neither be removed nor come again. */
static void
keeps_the_record_of_what_may_be_published(void **state)
{
	struct table *t = *state;
	struct err e = { 0 };

	write_messages(t, 3); /* one of them for B */
	rename_limit = 2;
	renames_lie = true;
	commit_group(&t->tools, t->group, 3);
	assert_int_equal(count_failed(t, 3), 1);
	assert_int_equal(t->commits[2].e.sys, EDQUOT);
	expect_files(t, 3, 0);
	assert_int_equal(count_handled(t), 3);
	assert_true(t->commits[2].place->stuck);
	assert_int_equal(count_rows(t), 1);
	assert_int_equal(place_ready(&t->places, t->commits[2].place, &e), 0);
	assert_int_equal(count_rows(t), 0);
	expect_files(t, 3, 0);
}

static void
refuses_a_place_that_is_stuck(void **state)
{
	struct table *t = *state;
	struct err why = { .kind = ERR_DELIVER, .sys = EIO, .text = "stuck" };

	write_messages(t, 4);
	place_stick(t->commits[0].place, &why);
	commit_group(&t->tools, t->group, 4);
	assert_int_equal(count_failed(t, 4), 2);
	assert_string_equal(t->commits[2].e.text, "stuck");
	expect_files(t, 2, 0);
}

static void
takes_back_what_cannot_be_renamed(void **state)
{
	struct table *t = *state;

	write_messages(t, GROUP);
	rename_limit = 5;
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), GROUP - 5);
	assert_int_equal(t->commits[5].e.sys, EDQUOT);
	expect_files(t, 5, 0);
	assert_int_equal(count_handled(t), 5);
	rename_limit = n_renames = 0;
	write_messages(t, GROUP);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 0);
	expect_files(t, GROUP, 0);
}

static void
fails_all_when_the_ledger_is_full(void **state)
{
	struct table *t = *state;
	struct rlimit before, none;

	write_messages(t, GROUP);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(count_failed(t, GROUP), GROUP);
	assert_non_null(strstr(t->commits[0].e.text, "ledger"));
	expect_files(t, 0, 0);
	assert_int_equal(count_handled(t), 0);
	write_messages(t, GROUP);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 0);
	expect_files(t, GROUP, 0);
}

/* The record may be on the disk or not: the files stay until the next start
 * sees which. */
static void
expect_doubt(struct table *t, int why)
{
	unsigned int n;

	write_messages(t, GROUP);
	broken = "ledger-wal";
	broken_why = why;
	commit_group(&t->tools, t->group, GROUP);
	broken = NULL;
	assert_int_equal(count_failed(t, GROUP), GROUP);
	expect_files(t, 0, GROUP);
	begin_again(t);
	n = count_handled(t);
	assert_true(n == 0 || n == GROUP);
	write_messages(t, GROUP);
	commit_group(&t->tools, t->group, GROUP);
	assert_int_equal(count_failed(t, GROUP), 0);
	expect_files(t, GROUP, 0);
	assert_int_equal(count_handled(t), GROUP);
}

static void
leaves_all_to_the_next_start_when_the_ledger_cannot_be_synced(void **state)
{
	expect_doubt(*state, EIO);
}

static void
leaves_all_to_the_next_start_when_the_disk_is_full_so_late(void **state)
{
	expect_doubt(*state, ENOSPC);
}

static void
leaves_all_to_the_next_start_when_the_quota_ends_so_late(void **state)
{
	expect_doubt(*state, EDQUOT);
}

/* They were handed on already, and have no file. */
static void
make_record(struct table *t, unsigned int i, uint32_t number)
{
	struct commit *c = &t->commits[i];

	*c = (struct commit){ .fd = -1 };
	c->entry.box = t->box;
	c->entry.number = number;
	c->entry.fingerprint[0] = (uint8_t)number;
	t->group[i] = c;
}

static void
records_what_has_no_place_beside_what_has(void **state)
{
	struct table *t = *state;

	write_messages(t, 5);
	commit_discard(t->group[1]);
	commit_discard(t->group[4]);
	make_record(t, 1, 2);
	make_record(t, 4, 5);
	commit_group(&t->tools, t->group, 5);
	assert_int_equal(count_failed(t, 5), 0);
	expect_files(t, 3, 0);
	assert_int_equal(count_handled(t), 5);
	/* known the next time, each for itself */
	make_record(t, 0, 2);
	make_record(t, 1, 9);
	commit_group(&t->tools, t->group, 2);
	assert_true(t->commits[0].entry.known);
	assert_false(t->commits[1].entry.known);
	assert_int_equal(count_failed(t, 2), 0);
	assert_int_equal(count_handled(t), 6);
}

static void
fails_records_with_the_ledger_alone(void **state)
{
	struct table *t = *state;

	write_messages(t, 2);
	commit_discard(t->group[0]);
	make_record(t, 0, 1);
	t->commits[1].place->stuck = true;
	err_set(&t->commits[1].place->why, ERR_DELIVER, 0, "stuck");
	commit_group(&t->tools, t->group, 2);
	assert_int_equal(t->commits[0].e.kind, ERR_NONE);
	assert_string_equal(t->commits[1].e.text, "stuck");
	make_record(t, 0, 3);
	broken = "ledger-wal";
	commit_group(&t->tools, t->group, 1);
	broken = NULL;
	assert_int_equal(count_failed(t, 1), 1);
	assert_false(t->commits[0].entry.known);
}

static void
drops_one_that_comes_twice_in_a_group(void **state)
{
	struct table *t = *state;

	write_messages(t, 4);
	t->commits[3].entry.number = 1;
	commit_group(&t->tools, t->group, 4);
	assert_int_equal(count_failed(t, 4), 0);
	expect_files(t, 3, 0);
	assert_int_equal(count_handled(t), 3);
}

static void
discards(void **state)
{
	struct table *t = *state;

	write_messages(t, 2);
	commit_discard(t->group[0]);
	commit_discard(t->group[1]);
	assert_int_equal(count_failed(t, 2), 0);
	expect_files(t, 0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_commit_order),
		TEST(syncs_only_the_directories_that_it_used),
		TEST(is_broken_where_cur_cannot_be_synced),
		TEST(fails_a_file_of_another_size),
		TEST(fails_a_file_that_cannot_be_synced_once_and_alone),
		TEST(fails_a_file_that_cannot_be_closed),
		TEST(fails_all_of_a_tmp_that_cannot_be_synced),
		TEST(is_broken_where_new_cannot_be_synced),
		TEST(keeps_the_record_of_what_may_be_published),
		TEST(refuses_a_place_that_is_stuck),
		TEST(takes_back_what_cannot_be_renamed),
		TEST(fails_all_when_the_ledger_is_full),
		TEST(
		    leaves_all_to_the_next_start_when_the_ledger_cannot_be_synced),
		TEST(
		    leaves_all_to_the_next_start_when_the_disk_is_full_so_late),
		TEST(leaves_all_to_the_next_start_when_the_quota_ends_so_late),
		TEST(records_what_has_no_place_beside_what_has),
		TEST(fails_records_with_the_ledger_alone),
		TEST(drops_one_that_comes_twice_in_a_group),
		TEST(discards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
