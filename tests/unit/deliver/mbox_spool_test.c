/* SPDX-License-Identifier: ISC */
#include "deliver/mbox_spool.h"

#include "office.h"

#include <signal.h>
#include <sys/resource.h>

#define BEFORE "From o Thu Jan  1 00:00:00 1970\n\nold\n"
#define ONE "From a Thu Jan  1 00:00:00 1970\nSubject: 1\n\nx\n\n"
#define TWO "From b Thu Jan  1 00:00:00 1970\nSubject: 2\n\nyy\n\n"
#define OTHER "From z Thu Jan  1 00:00:00 1970\n\nz\n\n"

struct post {
	struct office o;
	struct maildir *spool;
	struct ledger_entry rows[2];
};

static unsigned int warnings;
static bool fsync_fails;

int
fsync(int fd)
{
	errno = EIO;
	return fsync_fails ? -1 : fdatasync(fd);
}

static void
count_warnings(enum log_level level, const char *line)
{
	(void)line;
	warnings += level <= LOG_LEVEL_WARNING;
}

static int
setup(void **state)
{
	struct post *p = calloc(1, sizeof(*p));
	struct err e = { 0 };

	assert_non_null(p);
	warnings = 0;
	fsync_fails = false;
	signal(SIGXFSZ, SIG_IGN);
	log_set_sink(count_warnings);
	office_make_dir(&p->o);
	p->spool = maildir_open(office_path(&p->o, "spool"), true, false, &e);
	assert_non_null(p->spool);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct post *p = *state;

	maildir_unref(&p->spool);
	office_remove_dir(&p->o);
	free(p);
	return 0;
}

static void
write_file(const struct post *p, const char *name, struct span s)
{
	int fd =
	    open(office_path(&p->o, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, s.p, s.n), s.n);
	close(fd);
}

static void
expect_content(const struct post *p, const char *want)
{
	size_t n;
	char *got = office_read(office_path(&p->o, "bob"), &n);

	got[n] = '\0';
	assert_string_equal(got, want);
	free(got);
}

/* Both in the spool, and in the journal as behind BEFORE and its gap. */
static void
spool_both(struct post *p)
{
	write_file(p, "spool/tmp/1", SPAN(ONE));
	write_file(p, "spool/tmp/2", SPAN(TWO));
	p->rows[0] = (struct ledger_entry){ .dir = "mbox:",
		.file = "1",
		.offset = strlen(BEFORE) + 1,
		.has_offset = true };
	p->rows[1] = (struct ledger_entry){ .dir = "mbox:",
		.file = "2",
		.offset = strlen(BEFORE) + 1 + strlen(ONE),
		.has_offset = true };
}

static int
roll(struct post *p, bool *broken, struct err *e)
{
	return mbox_spool_roll(
	    p->spool, office_path(&p->o, "bob"), p->rows, 2, broken, e);
}

static void
expect_rolled(struct post *p, const char *content, unsigned int warned)
{
	struct err e = { 0 };
	bool broken;

	warnings = 0;
	if (roll(p, &broken, &e) < 0)
		fail_msg("%s", e.text);
	assert_false(broken);
	expect_content(p, content);
	assert_int_equal(warnings, warned);
	assert_int_equal(office_count(&p->o, "spool/tmp", NULL), 0);
}

static void
knows_what_an_mbox_takes(void **state)
{
	static const struct {
		const char *text;
		int want;
	} texts[] = { { ONE, 0 }, { "From x\n\n", 0 }, { "From \n\n", 0 },
		{ "From \n", -1 }, { "", -1 }, { "\n\n", -1 },
		{ "From a\nx\n", -1 }, { "from a\n\n", -1 },
		{ "Subject: 1\n\nx\n\n", -1 }, { "From a\n\nx", -1 } };
	struct post *p = *state;
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i].text);

		write_file(p, "spool/tmp/x", span_make(texts[i].text, n));
		assert_int_equal(
		    mbox_spool_check(p->spool, "x", n, &e), texts[i].want);
	}
	assert_int_equal(mbox_spool_check(p->spool, "no", 9, &e), -1);
	assert_int_equal(e.sys, ENOENT);
}

static void
appends_from_the_spool(void **state)
{
	struct post *p = *state;
	struct err e = { 0 };
	struct mbox *m;
	bool busy;

	write_file(p, "spool/tmp/1", SPAN(ONE));
	m = mbox_open(office_path(&p->o, "bob"), &busy, &e);
	assert_non_null(m);
	assert_int_equal(
	    mbox_spool_append(m, p->spool, "1", strlen(ONE), &e), 0);
	assert_int_equal(mbox_spool_append(m, p->spool, "2", 1, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	mbox_close(&m);
	expect_content(p, ONE);
}

/* It ends anywhere: in the empty line before, in one of them, or in none. */
static void
completes_what_a_crash_left_at_any_octet(void **state)
{
	static const char all[] = BEFORE "\n" ONE TWO;
	struct post *p = *state;

	for (size_t n = strlen(BEFORE); n <= strlen(all); n++) {
		write_file(p, "bob", span_make(all, n));
		spool_both(p);
		expect_rolled(p, all, 0);
	}
}

static void
takes_what_is_not_in_the_spool_for_done(void **state)
{
	static const char all[] = BEFORE "\n" ONE TWO;
	struct post *p = *state;

	write_file(p, "bob", SPAN(BEFORE "\n" ONE "From b Thu"));
	spool_both(p);
	assert_int_equal(unlink(office_path(&p->o, "spool/tmp/1")), 0);
	expect_rolled(p, all, 0);
	/* of none of them: the mbox is not even looked at */
	assert_int_equal(unlink(office_path(&p->o, "bob")), 0);
	write_file(p, "bob.lock", SPAN("0"));
	write_file(p, "bob", SPAN("read and gone"));
	expect_rolled(p, "read and gone", 0);
}

static void
leaves_what_others_wrote_behind_it(void **state)
{
	struct post *p = *state;

	write_file(p, "bob", SPAN(BEFORE "\n" ONE TWO OTHER));
	spool_both(p);
	expect_rolled(p, BEFORE "\n" ONE TWO OTHER, 0);
	/* behind a part of it: no loss comes before no repeat */
	write_file(p, "bob", SPAN(BEFORE "\n" ONE "From b Thu\n\n" OTHER));
	spool_both(p);
	expect_rolled(p, BEFORE "\n" ONE "From b Thu\n\n" OTHER TWO, 1);
	/* in its place */
	write_file(p, "bob", SPAN(BEFORE "\n" OTHER));
	spool_both(p);
	expect_rolled(p, BEFORE "\n" OTHER ONE TWO, 2);
}

static void
appends_to_what_was_rewritten_or_removed(void **state)
{
	struct post *p = *state;

	write_file(p, "bob", SPAN(OTHER));
	spool_both(p);
	expect_rolled(p, OTHER ONE TWO, 2);
	assert_int_equal(unlink(office_path(&p->o, "bob")), 0);
	spool_both(p);
	expect_rolled(p, ONE TWO, 2);
	write_file(p, "bob", SPAN(BEFORE "\n"));
	spool_both(p);
	p->rows[0].has_offset = false;
	expect_rolled(p, BEFORE "\n" ONE TWO, 1);
}

static void
leaves_all_for_later_while_it_is_locked(void **state)
{
	struct post *p = *state;
	struct err e = { 0 };
	bool broken;

	write_file(p, "bob", SPAN(BEFORE));
	write_file(p, "bob.lock", SPAN("0"));
	spool_both(p);
	assert_int_equal(roll(p, &broken, &e), -1);
	assert_false(broken);
	assert_int_equal(e.sys, EBUSY);
	expect_content(p, BEFORE);
	assert_int_equal(office_count(&p->o, "spool/tmp", NULL), 2);
	assert_int_equal(unlink(office_path(&p->o, "bob.lock")), 0);
	expect_rolled(p, BEFORE "\n" ONE TWO, 0);
}

static void
leaves_all_for_later_when_the_disk_is_full(void **state)
{
	struct post *p = *state;
	struct rlimit before, little;
	struct err e = { 0 };
	bool broken;
	int r;

	write_file(p, "bob", SPAN(BEFORE));
	spool_both(p);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = strlen(BEFORE ONE) + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	r = roll(p, &broken, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -1);
	assert_false(broken);
	assert_int_equal(office_count(&p->o, "spool/tmp", NULL), 2);
	expect_content(p, BEFORE "\n" ONE);
	expect_rolled(p, BEFORE "\n" ONE TWO, 0);
}

static void
says_when_it_cannot_be_made_durable(void **state)
{
	struct post *p = *state;
	struct err e = { 0 };
	bool broken;

	write_file(p, "bob", SPAN(BEFORE));
	spool_both(p);
	fsync_fails = true;
	assert_int_equal(roll(p, &broken, &e), -1);
	assert_true(broken);
	assert_int_equal(e.sys, EIO);
	assert_int_equal(office_count(&p->o, "spool/tmp", NULL), 2);
}

static void
takes_no_path_for_a_name_in_the_spool(void **state)
{
	struct post *p = *state;
	struct err e = { 0 };
	bool broken;

	spool_both(p);
	p->rows[1].file = "../../bob";
	assert_int_equal(roll(p, &broken, &e), -1);
	assert_int_equal(office_count(&p->o, "spool/tmp", NULL), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_what_an_mbox_takes),
		TEST(appends_from_the_spool),
		TEST(completes_what_a_crash_left_at_any_octet),
		TEST(takes_what_is_not_in_the_spool_for_done),
		TEST(leaves_what_others_wrote_behind_it),
		TEST(appends_to_what_was_rewritten_or_removed),
		TEST(leaves_all_for_later_while_it_is_locked),
		TEST(leaves_all_for_later_when_the_disk_is_full),
		TEST(says_when_it_cannot_be_made_durable),
		TEST(takes_no_path_for_a_name_in_the_spool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
