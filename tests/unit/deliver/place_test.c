/* SPDX-License-Identifier: ISC */
#include "deliver/place.h"

#include "office.h"

struct town {
	struct office o;
	struct ledger *ledger;
	struct places places;
	struct maildir_names names;
	int64_t box;
};

static unsigned int errors;
static const char *sick; /* cannot be made durable; the kernel says so once */

int
fsync(int fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (sick == NULL || n < 4 || memcmp(path + n - 4, sick, 4) != 0)
		return fdatasync(fd);
	sick = NULL;
	errno = EIO;
	return -1;
}

static void
count_errors(enum log_level level, const char *line)
{
	(void)line;
	errors += level == LOG_LEVEL_ERROR;
}

static void
open_town(struct town *t)
{
	struct err e = { 0 };
	enum ledger_state known;
	uint32_t was;

	t->ledger = ledger_open(office_path(&t->o, "ledger"), &e);
	assert_non_null(t->ledger);
	maildir_names_init(&t->names, ledger_token(t->ledger));
	places_init(
	    &t->places, t->ledger, &t->names, office_path(&t->o, "spool"));
	assert_int_equal(
	    ledger_box(t->ledger, "a", "INBOX", 1, &t->box, &known, &was, &e),
	    0);
}

static void
close_town(struct town *t)
{
	places_deinit(&t->places);
	ledger_close(&t->ledger);
}

static int
setup(void **state)
{
	struct town *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	errors = 0;
	sick = NULL;
	log_set_sink(count_errors);
	office_make_dir(&t->o);
	open_town(t);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct town *t = *state;

	close_town(t);
	office_remove_dir(&t->o);
	free(t);
	return 0;
}

static struct place *
place(struct town *t, const char *path)
{
	return places_find(&t->places, office_path(&t->o, path));
}

/* What a crash leaves between "prepared" and the renaming. */
static void
prepare_flagged(
    struct town *t, const char *path, uint32_t number, unsigned int flags)
{
	char name[MAILDIR_NAME_MAX], final[MAILDIR_NAME_MAX];
	struct place *p = place(t, path);
	struct ledger_entry entry = {
		.box = t->box, .number = number, .file = final
	};
	struct err e = { 0 };

	assert_int_equal(place_ready(&t->places, p, &e), 0);
	entry.dir = maildir_mark(p->maildir);
	maildir_names_next(&t->names, name);
	close(maildir_create(p->maildir, name, &e));
	maildir_final(final, name, 0, flags);
	entry.fingerprint[0] = (uint8_t)number;
	assert_int_equal(ledger_prepare(t->ledger, &entry, 1, &e), 0);
}

static void
prepare(struct town *t, const char *path, uint32_t number)
{
	prepare_flagged(t, path, number, 0);
}

/* The same, for an mbox. */
static void
prepare_mbox(struct town *t, struct place *p, uint32_t number)
{
	char name[MAILDIR_NAME_MAX];
	struct ledger_entry entry = { .box = t->box,
		.number = number,
		.dir = p->path,
		.file = name,
		.has_offset = true };
	struct err e = { 0 };
	int fd;

	assert_int_equal(place_ready(&t->places, p, &e), 0);
	maildir_names_next(&t->names, name);
	fd = maildir_create(p->maildir, name, &e);
	assert_int_equal(write(fd, "From a\n\n", 8), 8);
	close(fd);
	entry.fingerprint[0] = (uint8_t)number;
	assert_int_equal(ledger_prepare(t->ledger, &entry, 1, &e), 0);
}

static struct place *
mbox(struct town *t, const char *path)
{
	char full[600];

	snprintf(full, sizeof(full), PLACE_MBOX "%s", office_path(&t->o, path));
	return places_find(&t->places, full);
}

static void
expect_mbox(const struct town *t, const char *path, const char *want)
{
	size_t n;
	char *got = office_read(office_path(&t->o, path), &n);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, n);
	free(got);
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
rows(struct town *t)
{
	struct err e = { 0 };
	unsigned int n = 0;

	assert_int_equal(ledger_flush(t->ledger, &e), 0);
	assert_int_equal(ledger_journal(t->ledger, count_row, &n, &e), 0);
	return n;
}

static void
note_dir(void *arg, const char *dir)
{
	char *said = arg;
	size_t n = strlen(said);

	snprintf(said + n, 2000 - n, "%s ", dir);
}

static void
tells_where_a_crash_left_mail(void **state)
{
	struct town *t = *state;
	char said[2000] = "", want[2000];
	struct err e = { 0 };

	prepare(t, "A", 1);
	prepare_mbox(t, mbox(t, "bob"), 2);
	prepare(t, "B/.C", 3);
	assert_int_equal(ledger_flush(t->ledger, &e), 0);
	assert_int_equal(places_owed(t->ledger, note_dir, said, &e), 0);
	snprintf(want, sizeof(want), "%s/A %s %s/B/.C ", t->o.dir, t->o.dir,
	    t->o.dir);
	assert_string_equal(said, want);
}

static void
publishes_what_a_crash_left(void **state)
{
	struct town *t = *state;

	prepare(t, "A", 1);
	prepare(t, "A", 2);
	prepare(t, "B", 3);
	close_town(t);
	open_town(t);
	places_roll_forward(&t->places);
	assert_int_equal(errors, 0);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 2);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 0);
	assert_int_equal(office_count(&t->o, "B/new", NULL), 1);
	assert_int_equal(rows(t), 0);
	assert_false(place(t, "A")->stuck);
}

static void
publishes_into_cur_what_has_flags(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare(t, "A", 1);
	prepare_flagged(t, "A", 2, MAILDIR_SEEN);
	close_town(t);
	open_town(t);
	sick = "/cur";
	places_roll_forward(&t->places);
	assert_null(sick);
	assert_int_equal(errors, 1);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 1);
	assert_int_equal(office_count(&t->o, "A/cur", NULL), 1);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 0);
	assert_int_equal(rows(t), 2);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), -1);
	close_town(t);
	open_town(t); /* another process */
	places_roll_forward(&t->places);
	assert_int_equal(rows(t), 0);
}

static void
makes_folders_known_as_folders(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	place(t, "A/.f")->folder = true;
	assert_int_equal(place_ready(&t->places, place(t, "A/.f"), &e), 0);
	assert_int_equal(
	    access(office_path(&t->o, "A/.f/maildirfolder"), F_OK), 0);
	assert_int_equal(place_ready(&t->places, place(t, "B"), &e), 0);
	assert_int_equal(
	    access(office_path(&t->o, "B/maildirfolder"), F_OK), -1);
}

static void
takes_a_missing_file_for_published(void **state)
{
	struct town *t = *state;
	char name[256], from[1024], to[1024];

	prepare(t, "A", 1);
	assert_int_equal(office_count(&t->o, "A/tmp", name), 1);
	snprintf(from, sizeof(from), "%s/A/tmp/%s", t->o.dir, name);
	snprintf(to, sizeof(to), "%s/A/cur/%s,S=0:2,S", t->o.dir, name);
	assert_int_equal(rename(from, to), 0); /* and read, since */
	places_roll_forward(&t->places);
	assert_int_equal(errors, 0);
	assert_int_equal(rows(t), 0);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 0);
}

static void
is_stuck_while_the_maildir_is_away(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare(t, "A", 1);
	prepare(t, "B", 2);
	close_town(t);
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "away")), 0);
	open_town(t);
	places_roll_forward(&t->places);
	assert_int_equal(errors, 1);
	assert_int_equal(rows(t), 1);
	assert_int_equal(office_count(&t->o, "B/new", NULL), 1);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_non_null(strstr(e.text, "1 message"));
	assert_int_equal(access(office_path(&t->o, "A"), F_OK), -1);
	assert_int_equal(
	    rename(office_path(&t->o, "away"), office_path(&t->o, "A")), 0);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 1);
	assert_int_equal(rows(t), 0);
}

/* As when its disk is not mounted: somebody made an empty one there, perhaps
 * we ourselves, by another spelling of the path. */
static void
takes_no_other_maildir_for_the_one_that_is_away(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare(t, "A", 1);
	prepare(t, "A", 2);
	close_town(t);
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "away")), 0);
	open_town(t);
	assert_int_equal(place_ready(&t->places, place(t, "A/"), &e), 0);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	places_roll_forward(&t->places);
	assert_int_equal(errors, 1);
	assert_int_equal(rows(t), 2);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), -1);
	assert_non_null(strstr(e.text, "2 messages"));
	assert_non_null(strstr(e.text, "/A/.mailhaul-"));
	assert_non_null(strstr(e.text, "mounted"));
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "B")), 0);
	assert_int_equal(
	    rename(office_path(&t->o, "away"), office_path(&t->o, "A")), 0);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	assert_int_equal(rows(t), 0);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 2);
}

/* Else those of one would wait for those of the other for ever. */
static void
publishes_what_is_of_the_maildir_that_is_there(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare(t, "A", 1);
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "away")), 0);
	prepare(t, "A", 2);
	prepare(t, "A", 3);
	close_town(t);
	open_town(t);
	places_roll_forward(&t->places);
	assert_int_equal(rows(t), 1);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 2);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), -1);
	assert_non_null(strstr(e.text, "1 messages"));
	assert_int_equal(office_count(&t->o, "away/tmp", NULL), 1);
}

/* The way out when the other Maildir is gone for good. */
static void
gives_up_what_its_user_gives_up(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };
	char *mark;

	prepare(t, "A", 1);
	mark = strdup(maildir_mark(place(t, "A")->maildir));
	close_town(t);
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "away")), 0);
	open_town(t);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	places_roll_forward(&t->places);
	assert_int_equal(rows(t), 1);
	close(open(mark, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	assert_int_equal(rows(t), 0);
	free(mark);
}

static void
believes_no_second_answer_about_new(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare(t, "A", 1);
	prepare(t, "A//", 2);
	close_town(t);
	open_town(t);
	sick = "/new";
	places_roll_forward(&t->places);
	assert_null(sick);
	assert_int_equal(errors, 2);
	assert_int_equal(rows(t), 2);
	assert_true(place(t, "A")->stuck);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), -1);
	assert_int_equal(e.sys, EIO);
	assert_int_equal(place_ready(&t->places, place(t, "A/"), &e), -1);
	assert_int_equal(e.sys, EIO);
	assert_int_equal(place_ready(&t->places, place(t, "B"), &e), 0);
	close_town(t);
	open_town(t); /* another process */
	places_roll_forward(&t->places);
	assert_int_equal(rows(t), 0);
}

static void
stays_broken_whatever_stands_there_now(void **state)
{
	struct town *t = *state;
	struct place *p = place(t, "A");
	struct err e = { 0 },
		   why = { .kind = ERR_DELIVER, .sys = EIO, .text = "broken" };

	assert_int_equal(place_ready(&t->places, p, &e), 0);
	place_break(p, &why);
	assert_int_equal(place_ready(&t->places, p, &e), -1);
	assert_string_equal(e.text, "broken");
	assert_true(p->stuck);
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "was")), 0);
	assert_int_equal(place_ready(&t->places, p, &e), -1);
	assert_int_equal(e.sys, EIO);
}

/* The same directory by another path must not be swept meanwhile. */
static void
sweeps_nothing_while_anything_is_stuck(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare(t, "A", 1);
	close_town(t);
	assert_int_equal(rmdir(office_path(&t->o, "A/new")), 0);
	assert_int_equal(symlink("A", office_path(&t->o, "L")), 0);
	open_town(t);
	places_roll_forward(&t->places);
	assert_int_equal(errors, 1);
	assert_int_equal(place_ready(&t->places, place(t, "L"), &e), 0);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 1);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	assert_int_equal(office_count(&t->o, "A/new", NULL), 1);
}

static void
sweeps_once_and_before_use(void **state)
{
	struct town *t = *state;
	struct place *p = place(t, "A");
	char name[MAILDIR_NAME_MAX];
	struct err e = { 0 };

	assert_int_equal(place_ready(&t->places, p, &e), 0);
	maildir_names_next(&t->names, name);
	close(maildir_create(p->maildir, name, &e));
	assert_int_equal(place_ready(&t->places, p, &e), 0);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 1);
	close_town(t);
	open_town(t);
	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 0);
}

/* One Maildir of two accounts, and a sweep that was put off. */
static void
sweeps_nothing_that_is_in_use(void **state)
{
	struct town *t = *state;
	struct err e = { 0 },
		   why = { .kind = ERR_DELIVER, .sys = 0, .text = "stuck" };
	char name[MAILDIR_NAME_MAX];

	assert_int_equal(place_ready(&t->places, place(t, "A"), &e), 0);
	place_stick(place(t, "B"), &why);
	assert_int_equal(place_ready(&t->places, place(t, "C"), &e), 0);
	maildir_names_next(&t->names, name);
	close(maildir_create(place(t, "A")->maildir, name, &e));
	close(maildir_create(place(t, "C")->maildir, name, &e));
	assert_int_equal(place_ready(&t->places, place(t, "B"), &e), 0);
	assert_int_equal(place_ready(&t->places, place(t, "A/"), &e), 0);
	assert_int_equal(place_ready(&t->places, place(t, "C"), &e), 0);
	assert_true(place(t, "C")->swept);
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 1);
	assert_int_equal(office_count(&t->o, "C/tmp", NULL), 1);
}

static void
opens_anew_what_was_replaced(void **state)
{
	struct town *t = *state;
	struct place *p = place(t, "A");
	struct err e = { 0 };
	struct maildir *m;

	assert_int_equal(place_ready(&t->places, p, &e), 0);
	m = p->maildir;
	assert_int_equal(place_ready(&t->places, p, &e), 0);
	assert_ptr_equal(p->maildir, m);
	assert_int_equal(
	    rename(office_path(&t->o, "A"), office_path(&t->o, "was")), 0);
	assert_int_equal(place_ready(&t->places, p, &e), 0);
	close(maildir_create(p->maildir, "x", &e));
	assert_int_equal(office_count(&t->o, "A/tmp", NULL), 1);
}

/* ---- mboxes ---- */

static unsigned int
open_files(void)
{
	struct office fds = { .dir = "/proc/self" };

	return office_count(&fds, "fd", NULL);
}

/* Ten thousand mailboxes of a server are ten thousand Maildirs. */
static void
keeps_few_maildirs_open_that_nobody_uses(void **state)
{
	struct town *t = *state;
	struct maildir *used = NULL;
	unsigned int before = open_files();
	struct err e = { 0 };

	for (unsigned int i = 0; i < 400; i++) {
		char name[16];
		struct place *p;

		snprintf(name, sizeof(name), "m%u", i);
		p = places_find(&t->places, office_path(&t->o, name));
		assert_int_equal(place_ready(&t->places, p, &e), 0);
		assert_non_null(p->maildir);
		if (i == 0)
			used = maildir_ref(p->maildir);
	}
	assert_true(open_files() <= before + 4 * (64 + 1 + 1));
	assert_true(maildir_is_current(used));
	assert_false(maildir_is_idle(used));
	maildir_unref(&used);
	places_rest(&t->places); /* the first, too, from now on */
	assert_true(open_files() <= before + 4 * 64);
	assert_int_equal(place_ready(&t->places, place(t, "m0"), &e), 0);
	assert_true(maildir_is_current(place(t, "m0")->maildir));
}

static void
knows_an_mbox_by_its_prefix(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };
	struct place *bob = mbox(t, "bob"), *ann = mbox(t, "ann");

	assert_string_equal(bob->mbox, office_path(&t->o, "bob"));
	assert_null(place(t, "bob")->mbox);
	assert_ptr_equal(place_home(place(t, "A")), place(t, "A"));
	assert_int_equal(place_ready(&t->places, bob, &e), 0);
	assert_int_equal(place_ready(&t->places, ann, &e), 0);
	assert_ptr_equal(place_home(bob), place(t, "spool"));
	assert_ptr_equal(place_home(ann), place(t, "spool"));
	assert_ptr_equal(bob->maildir, ann->maildir);
	/* it is made when there is something for it */
	assert_int_equal(access(office_path(&t->o, "bob"), F_OK), -1);
	assert_int_equal(office_count(&t->o, "spool", NULL), 3);
}

static void
has_no_mbox_without_a_spool(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	places_deinit(&t->places);
	places_init(&t->places, t->ledger, &t->names, NULL);
	assert_int_equal(place_ready(&t->places, mbox(t, "bob"), &e), -1);
	assert_non_null(strstr(e.text, "/bob: "));
}

static void
appends_what_a_crash_left(void **state)
{
	struct town *t = *state;

	prepare_mbox(t, mbox(t, "bob"), 1);
	prepare_mbox(t, mbox(t, "ann"), 2);
	prepare(t, "A", 3);
	close_town(t);
	open_town(t);
	places_roll_forward(&t->places);
	assert_int_equal(errors, 0);
	expect_mbox(t, "bob", "From a\n\n");
	expect_mbox(t, "ann", "From a\n\n");
	assert_int_equal(office_count(&t->o, "A/new", NULL), 1);
	assert_int_equal(office_count(&t->o, "spool/tmp", NULL), 0);
	assert_int_equal(rows(t), 0);
	assert_false(mbox(t, "bob")->stuck);
}

/* Not an error of anybody's; and what waits is not swept. */
static void
is_stuck_while_the_mbox_is_locked(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare_mbox(t, mbox(t, "bob"), 1);
	close_town(t);
	close(open(office_path(&t->o, "bob.lock"), O_WRONLY | O_CREAT, 0600));
	open_town(t);
	places_roll_forward(&t->places);
	assert_int_equal(errors, 0);
	assert_int_equal(rows(t), 1);
	assert_int_equal(place_ready(&t->places, mbox(t, "bob"), &e), -1);
	assert_int_equal(e.sys, EBUSY);
	assert_int_equal(place_ready(&t->places, mbox(t, "ann"), &e), 0);
	assert_int_equal(office_count(&t->o, "spool/tmp", NULL), 1);
	assert_int_equal(unlink(office_path(&t->o, "bob.lock")), 0);
	assert_int_equal(place_ready(&t->places, mbox(t, "bob"), &e), 0);
	assert_int_equal(rows(t), 0);
	expect_mbox(t, "bob", "From a\n\n");
}

static void
breaks_the_mbox_and_not_the_spool(void **state)
{
	struct town *t = *state;
	struct err e = { 0 };

	prepare_mbox(t, mbox(t, "bob"), 1);
	close(open(office_path(&t->o, "bob"), O_WRONLY | O_CREAT, 0600));
	close_town(t);
	open_town(t);
	sick = "/bob";
	places_roll_forward(&t->places);
	assert_null(sick);
	assert_int_equal(errors, 1);
	assert_int_equal(rows(t), 1);
	assert_int_equal(place_ready(&t->places, mbox(t, "bob"), &e), -1);
	assert_int_equal(e.sys, EIO);
	assert_int_equal(place_ready(&t->places, mbox(t, "ann"), &e), 0);
	close_town(t);
	open_town(t); /* another process */
	places_roll_forward(&t->places);
	assert_int_equal(rows(t), 0);
	assert_int_equal(office_count(&t->o, "spool/tmp", NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_where_a_crash_left_mail),
		TEST(publishes_what_a_crash_left),
		TEST(publishes_into_cur_what_has_flags),
		TEST(makes_folders_known_as_folders),
		TEST(takes_a_missing_file_for_published),
		TEST(is_stuck_while_the_maildir_is_away),
		TEST(takes_no_other_maildir_for_the_one_that_is_away),
		TEST(publishes_what_is_of_the_maildir_that_is_there),
		TEST(gives_up_what_its_user_gives_up),
		TEST(believes_no_second_answer_about_new),
		TEST(stays_broken_whatever_stands_there_now),
		TEST(sweeps_nothing_while_anything_is_stuck),
		TEST(sweeps_once_and_before_use),
		TEST(sweeps_nothing_that_is_in_use),
		TEST(opens_anew_what_was_replaced),
		TEST(keeps_few_maildirs_open_that_nobody_uses),
		TEST(knows_an_mbox_by_its_prefix),
		TEST(has_no_mbox_without_a_spool),
		TEST(appends_what_a_crash_left),
		TEST(is_stuck_while_the_mbox_is_locked),
		TEST(breaks_the_mbox_and_not_the_spool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
