/* SPDX-License-Identifier: ISC */
#include "ledger/ledger.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "ledger/db.h"
#include "unit/ledger/folder.h"

/* ---- a disk that fails when told ---- */

static int syncs_until_eio = -1; /* -1: never */
static int syncs;

/* In place of libc's: SQLite syncs by these. */
static int
sync_or_fail(long call, int fd)
{
	syncs++;
	if (syncs_until_eio > 0)
		syncs_until_eio--;
	if (syncs_until_eio == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(call, fd);
}

int
fdatasync(int fd)
{
	return sync_or_fail(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return sync_or_fail(SYS_fsync, fd);
}

static void
limit_files(rlim_t octets)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = octets == 0 ? r.rlim_max : octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* ---- one box ---- */

struct world {
	struct folder f;
	struct ledger *l;
	int64_t box;
	struct err e;
};

static struct world w;

static void
reopen(const char *path)
{
	ledger_close(&w.l);
	w.l = ledger_open(path, &w.e);
	if (w.l == NULL)
		fail_msg("%s", w.e.text);
}

static void
enter(const char *mailbox, uint32_t uidvalidity)
{
	enum ledger_state state;
	uint32_t was;

	assert_int_equal(ledger_box(w.l, "work", mailbox, uidvalidity, &w.box,
			     &state, &was, &w.e),
	    0);
}

static int
setup(void **state)
{
	(void)state;
	syncs_until_eio = -1;
	limit_files(0);
	folder_make(&w.f);
	reopen(w.f.path);
	enter("INBOX", 7);
	return 0;
}

static int
setup_pop3(void **state)
{
	setup(state);
	enter("", 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ledger_close(&w.l);
	folder_remove(&w.f);
	return 0;
}

static struct ledger_entry
entry(uint32_t number)
{
	struct ledger_entry m = { .box = w.box,
		.number = number,
		.owes = true,
		.dir = "/home/bob/Maildir",
		.file = "1.M2P3.host,S=4" };

	memset(m.fingerprint, (int)(number & 0xff), sizeof(m.fingerprint));
	return m;
}

static struct ledger_entry
prepare(uint32_t number)
{
	struct ledger_entry m = entry(number);

	if (ledger_prepare(w.l, &m, 1, &w.e) < 0)
		fail_msg("%s", w.e.text);
	return m;
}

static void
gone(const char *numbers)
{
	struct set s = set_of(numbers);

	assert_int_equal(ledger_gone(w.l, w.box, &s, &w.e), 0);
	set_deinit(&s);
}

static void
flush(void)
{
	assert_int_equal(ledger_flush(w.l, &w.e), 0);
}

static int
count_row(void *arg, const struct ledger_entry *m, struct err *e)
{
	(void)m;
	(void)e;
	++*(int *)arg;
	return 0;
}

static int
journal_rows(struct ledger *l)
{
	int n = 0;

	assert_int_equal(ledger_journal(l, count_row, &n, &w.e), 0);
	return n;
}

static void
assert_all_sets(const char *handled, const char *owed, const char *settled)
{
	struct set h, o, s;

	set_init(&h);
	set_init(&o);
	set_init(&s);
	assert_int_equal(ledger_sets(w.l, w.box, &h, &o, &s, &w.e), 0);
	assert_set(&h, handled);
	assert_set(&o, owed);
	assert_set(&s, settled);
	set_deinit(&h);
	set_deinit(&o);
	set_deinit(&s);
}

static void
assert_sets(const char *handled, const char *owed)
{
	assert_all_sets(handled, owed, "");
}

static bool
has_fingerprint(uint32_t number)
{
	uint8_t fingerprint[LEDGER_FINGERPRINT];
	bool found;

	assert_int_equal(
	    ledger_fingerprint(w.l, w.box, number, fingerprint, &found, &w.e),
	    0);
	if (found)
		assert_int_equal(fingerprint[15], number & 0xff);
	return found;
}

/* Goes on with what a crash would leave. */
static void
crash(void)
{
	struct folder left;

	folder_crash(&w.f, &left);
	ledger_close(&w.l);
	folder_remove(&w.f);
	w.f = left;
	reopen(w.f.path);
}

/* ---- the file ---- */

static void
makes_files_that_only_the_owner_may_read(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	mode_t old = umask(0);
	struct folder f;
	struct ledger *l;
	size_t i;

	(void)state;
	folder_make(&f);
	l = ledger_open(f.path, &w.e);
	umask(old);
	assert_non_null(l);
	for (i = 0; i < 3; i++) {
		char name[FOLDER_PATH + 16];
		struct stat st;

		folder_beside(name, f.path, names[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	ledger_close(&l);
	folder_remove(&f);
}

static void
keeps_its_token(void **state)
{
	char token[17];

	(void)state;
	assert_int_equal(strlen(ledger_token(w.l)), 16);
	snprintf(token, sizeof(token), "%s", ledger_token(w.l));
	reopen(w.f.path);
	assert_string_equal(ledger_token(w.l), token);
}

static void
closes_nothing_gladly(void **state)
{
	struct ledger *l = NULL;

	(void)state;
	ledger_close(&l);
	assert_null(l);
}

/* ---- boxes ---- */

static void
tells_new_known_and_changed_boxes_apart(void **state)
{
	enum ledger_state s;
	int64_t first, again;
	uint32_t was;

	(void)state;
	ledger_box(w.l, "a", "b", 5, &first, &s, &was, &w.e);
	assert_int_equal(s, LEDGER_NEW);
	assert_true(first != 0 && first != w.box);
	crash();
	ledger_box(w.l, "a", "b", 5, &again, &s, &was, &w.e);
	assert_int_equal(s, LEDGER_KNOWN);
	assert_int_equal(again, first);
	ledger_box(w.l, "a", "b", UINT32_MAX, &again, &s, &was, &w.e);
	assert_int_equal(s, LEDGER_CHANGED);
	assert_int_equal(again, 0);
	assert_int_equal(was, 5);
	ledger_box(w.l, "a", "b", 5, &again, &s, &was, &w.e);
	assert_int_equal(s, LEDGER_KNOWN);
}

static void
keeps_boxes_apart(void **state)
{
	int64_t inbox = w.box;

	(void)state;
	prepare(3);
	enter("Lists", 7);
	assert_sets("", "");
	assert_false(has_fingerprint(3));
	prepare(9);
	w.box = inbox;
	assert_sets("3", "3");
}

static void
refuses_a_box_that_is_not_there(void **state)
{
	struct ledger_entry m;
	struct set s = set_of("1");

	(void)state;
	w.box = 99;
	m = entry(1);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_int_equal(w.e.kind, ERR_DELIVER);
	assert_int_equal(ledger_gone(w.l, 99, &s, &w.e), -1);
	assert_int_equal(ledger_list_begin(w.l, 99, &w.e), -1);
	set_deinit(&s);
}

static void
settles_durably(void **state)
{
	struct set s = set_of("1:10,20");

	(void)state;
	assert_int_equal(ledger_settle(w.l, w.box, &s, &w.e), 0);
	crash();
	assert_all_sets("", "", "1:10,20");
	assert_false(has_fingerprint(5));
	set_deinit(&s);
}

static void
delivers_what_was_settled_and_comes_all_the_same(void **state)
{
	struct set s = set_of("1:10");

	(void)state;
	assert_int_equal(ledger_settle(w.l, w.box, &s, &w.e), 0);
	assert_false(prepare(5).known);
	assert_all_sets("5", "5", "1:4,6:10");
	assert_true(prepare(5).known);
	assert_int_equal(ledger_settle(w.l, w.box, &s, &w.e), 0);
	assert_all_sets("5", "5", "1:4,6:10");
	crash();
	assert_all_sets("5", "5", "1:4,6:10");
	assert_int_equal(journal_rows(w.l), 1);
	set_deinit(&s);
}

/* ---- the life of a message ---- */

static void
remembers_each_step_of_a_life(void **state)
{
	struct ledger_entry m;

	(void)state;
	m = prepare(5);
	assert_false(m.known);
	assert_true(m.row > 0);
	crash();
	assert_int_equal(journal_rows(w.l), 1);
	assert_sets("5", "5");
	assert_true(has_fingerprint(5));

	ledger_published(w.l, &m, 1);
	gone("5");
	assert_sets("5", "");
	crash(); /* nothing of that was on the disk */
	assert_int_equal(journal_rows(w.l), 1);
	assert_sets("5", "5");

	ledger_published(w.l, &m, 1);
	gone("5");
	flush();
	crash();
	assert_int_equal(journal_rows(w.l), 0);
	assert_sets("5", "");
	assert_true(has_fingerprint(5));
}

static void
carries_what_rides_in_the_next_group(void **state)
{
	struct ledger_entry m;

	(void)state;
	m = prepare(5);
	ledger_published(w.l, &m, 1);
	gone("5");
	prepare(6);
	crash();
	assert_int_equal(journal_rows(w.l), 1);
	assert_sets("5:6", "6");
}

static void
flushes_what_rides_when_closed(void **state)
{
	struct ledger_entry m;

	(void)state;
	m = prepare(5);
	ledger_published(w.l, &m, 1);
	gone("5");
	reopen(w.f.path);
	assert_int_equal(journal_rows(w.l), 0);
	assert_sets("5", "");
}

static void
prepares_nothing_twice(void **state)
{
	struct ledger_entry group[3];

	(void)state;
	prepare(5);
	group[0] = entry(5);
	group[1] = entry(6);
	group[2] = entry(6);
	assert_int_equal(ledger_prepare(w.l, group, 3, &w.e), 0);
	assert_true(group[0].known);
	assert_false(group[1].known);
	assert_true(group[2].known);
	assert_int_equal(group[0].row, 0);
	assert_int_equal(journal_rows(w.l), 2);
	ledger_published(w.l, group, 3);
	assert_int_equal(ledger_unprepare(w.l, group, 1, &w.e), 0);
	assert_sets("5:6", "5:6");
}

static void
records_only_what_is_owed_as_owed(void **state)
{
	struct ledger_entry group[2];

	(void)state;
	group[0] = entry(5);
	group[1] = entry(6);
	group[0].owes = false;
	assert_int_equal(ledger_prepare(w.l, group, 2, &w.e), 0);
	assert_sets("5:6", "6");
}

static void
takes_back_a_preparation(void **state)
{
	struct ledger_entry group[3];
	struct ledger_entry m;

	(void)state;
	prepare(4);
	group[0] = entry(5);
	group[1] = entry(6);
	group[2] = entry(7);
	assert_int_equal(ledger_prepare(w.l, group, 3, &w.e), 0);
	assert_sets("4:7", "4:7");
	assert_int_equal(ledger_unprepare(w.l, &group[1], 1, &w.e), 0);
	crash();
	assert_sets("4:5,7", "4:5,7");
	assert_int_equal(journal_rows(w.l), 3);
	assert_false(has_fingerprint(6));
	assert_true(has_fingerprint(7));
	m = prepare(6);
	assert_false(m.known);
	assert_int_equal(ledger_unprepare(w.l, &group[1], 1, &w.e), -1);
	assert_sets("4:7", "4:7");
}

static void
never_gives_a_journal_row_twice(void **state)
{
	struct ledger_entry a, b;

	(void)state;
	a = prepare(1);
	assert_int_equal(ledger_unprepare(w.l, &a, 1, &w.e), 0);
	b = prepare(2);
	assert_true(b.row > a.row);
	ledger_published(w.l, &a, 1); /* too late, and harmless */
	flush();
	assert_int_equal(journal_rows(w.l), 1);
}

struct seen {
	uint32_t numbers[4];
	int n;
};

static int
publish_all(void *arg, const struct ledger_entry *m, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	assert_int_equal(m->box, w.box);
	assert_string_equal(m->dir, "/home/bob/Maildir");
	assert_string_equal(m->file, "1.M2P3.host,S=4");
	assert_true(m->owes);
	assert_int_equal(m->fingerprint[0], m->number);
	s->numbers[s->n++] = m->number;
	if (s->n == 2)
		return ledger_unprepare(w.l, m, 1, e);
	ledger_published(w.l, m, 1);
	return 0;
}

static int
stop_at_once(void *arg, const struct ledger_entry *m, struct err *e)
{
	(void)arg;
	(void)m;
	return err_set(e, ERR_CANCEL, 0, "enough");
}

static void
shows_the_journal_oldest_first(void **state)
{
	struct seen s = { .n = 0 };

	(void)state;
	prepare(9);
	prepare(2);
	prepare(5);
	crash();
	assert_int_equal(ledger_journal(w.l, stop_at_once, NULL, &w.e), -1);
	assert_string_equal(w.e.text, "enough");
	assert_int_equal(ledger_journal(w.l, publish_all, &s, &w.e), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.numbers[0], 9);
	assert_int_equal(s.numbers[1], 2);
	assert_int_equal(s.numbers[2], 5);
	flush();
	assert_int_equal(journal_rows(w.l), 0);
	assert_sets("5,9", "5,9");
}

static void
takes_the_largest_uid(void **state)
{
	(void)state;
	prepare(UINT32_MAX);
	prepare(1);
	prepare(UINT32_MAX - 1);
	assert_sets("1,4294967294:4294967295", "1,4294967294:4294967295");
	gone("4294967295");
	flush();
	assert_sets("1,4294967294:4294967295", "1,4294967294");
}

static void
stays_small(void **state)
{
	struct ledger_entry *group = mem_array(1000, sizeof(*group));
	struct stat st;
	uint32_t i, k;

	(void)state;
	for (i = 0; i < 20; i++) {
		for (k = 0; k < 1000; k++)
			group[k] = entry(i * 1000 + k + 1);
		assert_int_equal(ledger_prepare(w.l, group, 1000, &w.e), 0);
		ledger_published(w.l, group, 1000);
	}
	free(group);
	assert_sets("1:20000", "1:20000");
	reopen(w.f.path);
	assert_int_equal(stat(w.f.path, &st), 0);
	/* the journal's pages are used again, and count once */
	assert_true(st.st_size < 20000 * 40 + 1000 * 200);
}

/* ---- POP3 ---- */

/* "1 a 100/2 b 200": number, UIDL ("-": empty), size */
static void
list_lines(const char *lines)
{
	while (*lines != '\0') {
		char uidl[300];
		unsigned int number;
		size_t n = 0;
		char *end;

		number = (unsigned int)strtoul(lines, &end, 10);
		lines = end + 1;
		while (*lines != ' ')
			uidl[n++] = *lines++;
		if (n == 1 && uidl[0] == '-')
			n = 0;
		assert_int_equal(
		    ledger_list_add(w.l, w.box, number, span_make(uidl, n),
			strtoul(lines, &end, 10), &w.e),
		    0);
		lines = *end == '/' ? end + 1 : end;
	}
}

static void
assert_listing(
    const char *lines, const char *fresh, const char *owed, uint32_t repeated)
{
	struct set f, o, full;
	uint32_t n, barred;

	set_init(&f);
	set_init(&o);
	set_init(&full);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	list_lines(lines);
	if (ledger_list_end(w.l, w.box, &f, &o, &n, &full, &barred, &w.e) < 0)
		fail_msg("%s", w.e.text);
	assert_set(&f, fresh);
	assert_set(&o, owed);
	assert_int_equal(n, repeated);
	set_deinit(&f);
	set_deinit(&o);
	set_deinit(&full);
}

static void
knows_a_listed_message_by_its_uidl(void **state)
{
	struct ledger_entry m;

	(void)state;
	assert_listing("1 a 10/2 b 20/3 c 30", "1:3", "", 0);
	m = prepare(2);
	assert_true(has_fingerprint(2));
	assert_false(has_fingerprint(1));
	assert_true(prepare(2).known);
	crash();
	assert_int_equal(journal_rows(w.l), 1);
	ledger_published(w.l, &m, 1);
	assert_listing("1 b 20/2 c 30", "2", "1", 0);
	m.number = 1;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_true(m.known);
	assert_int_equal(m.row, 0);
	crash();
	assert_int_equal(journal_rows(w.l), 0);
}

static void
assert_name(uint32_t number, const char *name)
{
	char text[LEDGER_UID_TEXT];

	assert_int_equal(ledger_name(w.l, w.box, number, text, &w.e), 0);
	assert_string_equal(text, name);
}

/* For people: cut, printable, and without what tells equal ones apart. */
static void
names_the_messages_of_the_present_listing(void **state)
{
	char text[LEDGER_UID_TEXT], longest[300], line[320];

	(void)state;
	assert_int_equal(ledger_name(w.l, w.box, 1, text, &w.e), -1);
	assert_listing("1 a 10/2 b 20", "1:2", "", 0);
	assert_name(2, "b");
	assert_int_equal(ledger_name(w.l, w.box, 3, text, &w.e), -1);
	assert_int_equal(w.e.kind, ERR_DELIVER);
	assert_listing("1 b 20/2 same 5/3 same 6/4 a\x1b\xff 7", "1:4", "", 2);
	assert_name(1, "b");
	assert_name(2, "same");
	assert_name(3, "same");
	assert_int_equal(ledger_name(w.l, w.box, 4, text, &w.e), 0);
	for (size_t i = 0; text[i] != '\0'; i++)
		assert_true(text[i] >= ' ' && text[i] <= '~');
	memset(longest, 'x', sizeof(longest));
	snprintf(line, sizeof(line), "1 %.200s 1", longest);
	assert_listing(line, "1", "", 0);
	assert_int_equal(ledger_name(w.l, w.box, 1, text, &w.e), 0);
	assert_true(strlen(text) < LEDGER_UID_TEXT);
	assert_int_equal(strncmp(text, longest, 40), 0);
}

/* A server that counts: the UIDL is that of another message now. */
static void
publishes_another_message_under_an_old_uidl(void **state)
{
	struct ledger_entry m;

	(void)state;
	assert_listing("1 1 10/2 2 20", "1:2", "", 0);
	prepare(2);
	flush();
	crash();
	assert_listing("1 1 10/2 2 20", "1", "2", 0);
	assert_true(has_fingerprint(2));
	m = entry(2);
	m.fingerprint[0] = 99;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_false(m.known);
	assert_int_equal(journal_rows(w.l), 2);
	crash();
	assert_int_equal(journal_rows(w.l), 2);
	assert_listing("1 1 10/2 2 20", "1", "2", 0);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_true(m.known);
	m.fingerprint[0] = 98;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_false(m.known);
	assert_int_equal(ledger_unprepare(w.l, &m, 1, &w.e), 0);
	assert_listing("1 1 10/2 2 20", "1:2", "", 0);
}

static void
publishes_anew_what_comes_under_a_removed_uidl(void **state)
{
	struct ledger_entry m;

	(void)state;
	assert_listing("1 1 10", "1", "", 0);
	prepare(1);
	gone("1");
	assert_listing("1 1 0", "1", "", 0);
	assert_true(prepare(1).known); /* the server lied about QUIT */
	gone("1");
	assert_listing("1 1 10", "1", "", 0);
	m = entry(1);
	m.fingerprint[0] = 99;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_false(m.known);
	assert_listing("1 1 10", "", "1", 0);
}

static void
forgets_equal_uidls_that_were_removed(void **state)
{
	(void)state;
	assert_listing("1 x 10/2 x 10", "1:2", "", 2);
	prepare(1);
	prepare(2);
	gone("1:2");
	assert_listing("1 x 10", "1", "", 0);
	assert_false(prepare(1).known);
	gone("1");
	assert_listing("1 x 10/2 x 10", "1:2", "", 2);
}

static void
prepares_nothing_by_repeated_uidls_without_sizes(void **state)
{
	struct ledger_entry m = entry(1);

	(void)state;
	assert_listing("1 x 0/2 x 0", "", "", 2);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_listing("1 x 10/2 x 20", "1:2", "", 2);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_listing("1 x 0/2 x 0", "", "", 2);
	assert_listing("1 x 20/2 x 10", "1", "", 2);
}

static void
remembers_that_uidls_were_given(void **state)
{
	bool listed;

	(void)state;
	assert_int_equal(ledger_listed(w.l, w.box, &listed, &w.e), 0);
	assert_false(listed);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	assert_int_equal(ledger_listed(w.l, w.box, &listed, &w.e), 0);
	assert_false(listed);
	assert_listing("", "", "", 0);
	crash();
	assert_int_equal(ledger_listed(w.l, w.box, &listed, &w.e), 0);
	assert_true(listed);
}

static void
forgets_a_uidl_that_was_removed_by_us(void **state)
{
	(void)state;
	assert_listing("1 a 10/2 b 20", "1:2", "", 0);
	prepare(1);
	prepare(2);
	gone("1");
	assert_listing("1 a 10/2 b 20", "1", "2", 0); /* it did not go */
	assert_true(prepare(1).known);
	assert_listing("1 a 10/2 b 20", "", "1:2", 0);
	gone("1");
	assert_listing("1 b 20", "", "1", 0);
	assert_listing("1 a 10/2 b 20", "1", "2", 0); /* another a */
	assert_listing("1 a 10", "1", "", 0);
	assert_listing("1 a 10/2 b 20", "1", "2", 0); /* b only hid */
}

static void
takes_gone_numbers_by_the_listing_they_belong_to(void **state)
{
	(void)state;
	assert_listing("1 a 10/2 b 20/3 c 30", "1:3", "", 0);
	prepare(1);
	prepare(2);
	prepare(3);
	gone("2");
	assert_listing("1 b 20/2 c 30/3 d 40", "1,3", "2", 0);
	gone("2");
	flush();
	crash();
	assert_listing("1 a 10/2 b 20/3 c 30", "2:3", "1", 0);
	gone("1:4294967295");
	assert_listing("1 a 10", "1", "", 0);
}

static void
takes_back_a_listed_message(void **state)
{
	struct ledger_entry m;

	(void)state;
	assert_listing("1 a 10/2 b 20", "1:2", "", 0);
	m = prepare(2);
	assert_int_equal(ledger_unprepare(w.l, &m, 1, &w.e), 0);
	assert_int_equal(journal_rows(w.l), 0);
	assert_false(has_fingerprint(2));
	m = prepare(2);
	assert_false(m.known);
	assert_listing("1 a 10/2 b 20", "1", "2", 0);
	crash(); /* the number is one of an earlier listing */
	assert_listing("1 b 20/2 a 10", "2", "1", 0);
	prepare(2);
	assert_int_equal(ledger_unprepare(w.l, &m, 1, &w.e), 0);
	assert_true(prepare(2).known);
	assert_listing("1 b 20/2 a 10", "1", "2", 0);
}

static void
keeps_to_a_listing_that_ended(void **state)
{
	struct ledger_entry m = entry(1);
	struct set s;
	uint32_t n;

	(void)state;
	set_init(&s);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_int_equal(
	    ledger_list_add(w.l, w.box, 1, SPAN("a"), 1, &w.e), -1);
	assert_int_equal(
	    ledger_list_end(w.l, w.box, &s, &s, &n, &s, &n, &w.e), -1);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	list_lines("1 a 10");
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_listing("1 b 10/2 a 10", "1:2", "", 0); /* begun again */
	prepare(2);
	m = entry(3);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_listing("1 b 10/2 a 10", "1", "2", 0);
	set_deinit(&s);
}

static void
lists_two_boxes_at_a_time(void **state)
{
	int64_t work = w.box;
	int64_t home;
	enum ledger_state s;
	uint32_t was;

	(void)state;
	ledger_box(w.l, "home", "", 0, &home, &s, &was, &w.e);
	assert_listing("1 a 10/2 b 20", "1:2", "", 0);
	prepare(1);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	list_lines("1 b 20");
	w.box = home;
	assert_listing("1 a 10/2 c 20", "1:2", "", 0);
	prepare(2);
	w.box = work;
	list_lines("2 a 10");
	{
		struct set fresh, owed, full;
		uint32_t n;

		set_init(&fresh);
		set_init(&owed);
		set_init(&full);
		assert_int_equal(ledger_list_end(w.l, work, &fresh, &owed, &n,
				     &full, &n, &w.e),
		    0);
		assert_set(&fresh, "1");
		assert_set(&owed, "2");
		set_deinit(&fresh);
		set_deinit(&owed);
		set_deinit(&full);
	}
}

/* ---- POP3 without UIDL ---- */

static struct ledger_entry
by_content(uint32_t number, uint8_t content)
{
	struct ledger_entry m = entry(number);

	m.by_content = true;
	memset(m.fingerprint, content, sizeof(m.fingerprint));
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	return m;
}

static void
knows_a_message_by_what_it_holds(void **state)
{
	struct ledger_entry m;

	(void)state;
	m = by_content(1, 0xaa);
	assert_false(m.known);
	assert_true(by_content(2, 0xaa).known);
	crash();
	assert_true(by_content(7, 0xaa).known);
	assert_int_equal(journal_rows(w.l), 1);
	gone("7");
	flush();
	crash();
	m = by_content(7, 0xaa);
	assert_false(m.known);
	assert_int_equal(ledger_unprepare(w.l, &m, 1, &w.e), 0);
	assert_false(by_content(7, 0xaa).known);
}

static void
forgets_contents_of_this_session_alone(void **state)
{
	(void)state;
	by_content(1, 0xaa); /* the connection ends before it is removed */
	by_content(1, 0xbb);
	gone("1");
	flush();
	assert_true(by_content(2, 0xaa).known);
	assert_false(by_content(3, 0xbb).known);
}

/* ---- a disk that fails ---- */

static void
records_nothing_when_the_disk_is_full(void **state)
{
	struct ledger_entry m;

	(void)state;
	m = prepare(1);
	ledger_published(w.l, &m, 1);
	gone("1");
	limit_files(1000);
	m = entry(2);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_int_equal(w.e.kind, ERR_DELIVER);
	assert_int_equal(w.e.sys, EFBIG);
	assert_non_null(strstr(w.e.text, w.f.path));
	assert_non_null(strstr(w.e.text, strerror(EFBIG)));
	assert_int_equal(ledger_flush(w.l, &w.e), -1);
	limit_files(0);
	assert_sets("1", "");
	assert_false(has_fingerprint(2));
	assert_int_equal(journal_rows(w.l), 1);
	assert_false(prepare(2).known); /* what rode rides */
	crash();
	assert_sets("1:2", "2");
	assert_int_equal(journal_rows(w.l), 1);
}

static void
says_whether_anything_can_be_recorded(void **state)
{
	struct ledger_entry m;
	struct stat st;
	char log[300];

	(void)state;
	m = prepare(1);
	ledger_published(w.l, &m, 1);
	syncs = 0;
	assert_int_equal(ledger_reserve(w.l, &w.e), 0);
	assert_true(syncs > 0);
	assert_int_equal(journal_rows(w.l), 0); /* what rides, too */
	snprintf(log, sizeof(log), "%s-wal", w.f.path);
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_blocks * 512 >= st.st_size + 256 * 1024);
	limit_files(1000);
	assert_int_equal(ledger_reserve(w.l, &w.e), -1);
	assert_int_equal(w.e.sys, EFBIG);
	limit_files(0);
	assert_int_equal(ledger_reserve(w.l, &w.e), 0);
}

static void
records_nothing_when_the_sync_fails(void **state)
{
	struct ledger_entry m;

	(void)state;
	prepare(1);
	m = entry(2);
	syncs_until_eio = 1;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_int_equal(w.e.sys, EIO);
	syncs_until_eio = -1;
	crash(); /* a commit mark was written before that sync */
	assert_sets("1", "1");
	assert_int_equal(journal_rows(w.l), 1);
	assert_false(prepare(2).known);
}

static void
goes_on_after_a_failed_sync(void **state)
{
	struct ledger_entry m;

	(void)state;
	prepare(1);
	m = entry(2);
	syncs_until_eio = 1;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	syncs_until_eio = -1;
	assert_false(prepare(3).known);
	crash();
	assert_sets("1,3", "1,3");
}

static void
trusts_no_listing_that_it_could_not_keep(void **state)
{
	struct ledger_entry m = entry(1);
	struct set s;
	uint32_t i, n;
	int r = 0;

	(void)state;
	set_init(&s);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	limit_files(1000);
	for (i = 1; r == 0 && i < 100000; i++) {
		char uidl[64];

		memset(uidl, 'u', sizeof(uidl));
		memcpy(uidl, &i, sizeof(i));
		r = ledger_list_add(
		    w.l, w.box, i, span_make(uidl, sizeof(uidl)), 1, &w.e);
	}
	limit_files(0);
	assert_int_equal(r, -1);
	assert_non_null(strstr(w.e.text, strerror(EFBIG)));
	assert_int_equal(
	    ledger_list_add(w.l, w.box, i, SPAN("a"), 1, &w.e), -1);
	assert_int_equal(
	    ledger_list_end(w.l, w.box, &s, &s, &n, &s, &n, &w.e), -1);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_listing("1 a 10", "1", "", 0);
	prepare(1);
	assert_listing("1 a 10", "", "1", 0);
	set_deinit(&s);
}

static void
trusts_no_listing_that_it_could_not_end(void **state)
{
	struct ledger_entry m = entry(1);
	struct set s;
	uint32_t n;

	(void)state;
	set_init(&s);
	assert_listing("1 a 10/2 b 20", "1:2", "", 0);
	prepare(1);
	prepare(2);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	list_lines("1 b 20/2 c 30"); /* a is absent: something to write */
	limit_files(1000);
	assert_int_equal(
	    ledger_list_end(w.l, w.box, &s, &s, &n, &s, &n, &w.e), -1);
	limit_files(0);
	assert_int_equal(
	    ledger_list_end(w.l, w.box, &s, &s, &n, &s, &n, &w.e), -1);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), -1);
	assert_listing("1 b 20/2 c 30", "2", "1", 0);
	assert_listing("1 a 10/2 b 20", "", "1:2", 0);
	set_deinit(&s);
}

/* ---- before it is handed over ---- */

static struct ledger_asked asked;

static void
ask(uint32_t number, bool by_content)
{
	struct ledger_entry m = entry(number);

	m.by_content = by_content;
	m.dir = NULL;
	if (ledger_ask(w.l, &m, &asked, &w.e) < 0)
		fail_msg("%s", w.e.text);
}

static int
setup_asked(void **state)
{
	ledger_asked_init(&asked);
	return setup(state);
}

static int
setup_asked_pop3(void **state)
{
	ledger_asked_init(&asked);
	return setup_pop3(state);
}

static int
teardown_asked(void **state)
{
	ledger_asked_deinit(&asked);
	return teardown(state);
}

static struct ledger_note
note_with(uint32_t number, enum ledger_trouble_state state)
{
	struct ledger_note n = { .box = w.box,
		.number = number,
		.state = state,
		.size = 1234,
		.reason = "mailbox full",
		.about = "From bob" };

	memset(n.fingerprint, (int)(number & 0xff), sizeof(n.fingerprint));
	return n;
}

static void
note(uint32_t number, enum ledger_trouble_state state)
{
	struct ledger_note n = note_with(number, state);

	if (ledger_note(w.l, &n, 1, &w.e) < 0)
		fail_msg("%s", w.e.text);
	assert_int_equal(n.held, state == LEDGER_HELD);
}

static void
records_what_has_no_file(void **state)
{
	struct ledger_entry m = entry(5);

	(void)state;
	m.dir = m.file = NULL;
	ask(5, false);
	assert_false(asked.known);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_false(m.known);
	assert_int_equal(m.row, 0);
	crash();
	assert_int_equal(journal_rows(w.l), 0);
	assert_sets("5", "5");
	assert_true(has_fingerprint(5));
	ask(5, false);
	assert_true(asked.known);
}

static void
names_a_message_for_ever(void **state)
{
	(void)state;
	ask(5, false);
	assert_true(
	    span_eq(buf_span(&asked.name), SPAN("work\0INBOX\0007\0u5")));
	assert_string_equal(asked.uid, "5");
	prepare(5);
	crash();
	ask(5, false);
	assert_true(
	    span_eq(buf_span(&asked.name), SPAN("work\0INBOX\0007\0u5")));
}

static void
names_what_has_a_uidl(void **state)
{
	(void)state;
	assert_listing("1 a 10/2 b 20/3 x 5/4 x 6", "1:4", "", 2);
	ask(2, false);
	assert_true(span_eq(buf_span(&asked.name), SPAN("work\0\0000\0lb")));
	assert_string_equal(asked.uid, "b");
	ask(4, false);
	assert_true(
	    span_eq(buf_span(&asked.name), SPAN("work\0\0000\0d6/1/x")));
	assert_string_equal(asked.uid, "x");
	prepare(2);
	assert_listing("1 b 20", "", "1", 0);
	ask(1, false);
	assert_true(span_eq(buf_span(&asked.name), SPAN("work\0\0000\0lb")));
	ask(65, true);
	assert_true(span_eq(
	    buf_span(&asked.name), SPAN("work\0\0000\0cAAAAAAAAAAAAAAAA")));
	assert_string_equal(asked.uid, "");
}

static void
says_before_what_prepare_says(void **state)
{
	struct ledger_entry m;

	(void)state;
	assert_listing("1 1 10/2 2 20", "1:2", "", 0);
	prepare(2);
	ask(2, false);
	assert_true(asked.known);
	m = entry(2); /* the UIDL is that of another message now */
	m.fingerprint[0] = 99;
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), 0);
	assert_false(asked.known);
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), 0);
	assert_false(asked.known);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_false(m.known);
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), 0);
	assert_true(asked.known);
	crash();
	assert_listing("1 1 10/2 2 20", "1", "2", 0);
	m.number = 9;
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), -1);
	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	m.number = 1;
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), -1);
}

static void
asks_by_content(void **state)
{
	struct ledger_note n = note_with(0xaa, LEDGER_HELD);

	(void)state;
	ask(0xaa, true);
	assert_false(asked.known || asked.barred);
	n.by_content = true;
	n.number = 3;
	assert_int_equal(ledger_note(w.l, &n, 1, &w.e), 0);
	ask(0xaa, true);
	assert_true(asked.barred);
	assert_false(by_content(3, 0xaa).known);
	ask(0xaa, true);
	assert_true(asked.known);
	assert_false(asked.barred);
	gone("170"); /* known by this number too, since it was asked for */
	ask(0xaa, true);
	assert_false(asked.known);
}

/* No listing shows which of these the server still has. */
static void
forgets_contents_in_trouble_that_do_not_come(void **state)
{
	struct ledger_note n[3] = { note_with(0xa1, LEDGER_HELD),
		note_with(0xa2, LEDGER_HELD), note_with(0xa3, LEDGER_HELD) };
	struct db *d;

	(void)state;
	for (int i = 0; i < 3; i++)
		n[i].by_content = true;
	assert_int_equal(ledger_note(w.l, n, 2, &w.e), 0);
	ledger_close(&w.l);
	d = db_open(w.f.path, &w.e);
	assert_non_null(d);
	assert_int_equal(
	    db_script(d, "UPDATE trouble SET seen = 5000", &w.e), 0);
	db_close(&d);
	reopen(w.f.path);
	ask(0xa1, true);
	assert_true(asked.barred);
	assert_int_equal(ledger_note(w.l, &n[2], 1, &w.e), 0);
	ask(0xa1, true);
	assert_true(asked.barred);
	ask(0xa2, true);
	assert_false(asked.barred);
}

static void
asks_without_a_write(void **state)
{
	int before;

	(void)state;
	note(7, LEDGER_HELD);
	before = syncs;
	ask(5, false);
	ask(7, false);
	assert_int_equal(syncs, before);
	prepare(6);
	assert_true(syncs > before);
}

/* ---- messages in trouble ---- */

static void
assert_troubles(const char *barred, const char *due, const char *full)
{
	struct set b = set_of("9"), d = set_of("9"), f = set_of("9");

	if (ledger_troubles_of(w.l, w.box, &b, &d, &f, &w.e) < 0)
		fail_msg("%s", w.e.text);
	assert_set(&b, barred);
	assert_set(&d, due);
	assert_set(&f, full);
	set_deinit(&b);
	set_deinit(&d);
	set_deinit(&f);
}

static int
find_trouble(void *arg, const struct ledger_trouble *tr, struct err *e)
{
	struct ledger_trouble *found = arg;

	(void)e;
	if (tr->uid == found->uid || found->uid == 0)
		*found = *tr;
	return 0;
}

/* The last one, or that of a UID; its strings are not for use. */
static struct ledger_trouble
trouble_of(uint32_t uid)
{
	struct ledger_trouble found = { .uid = uid };

	assert_int_equal(
	    ledger_troubles(w.l, NULL, find_trouble, &found, &w.e), 0);
	return found;
}

static void
notes_durably(void **state)
{
	struct ledger_trouble found;

	(void)state;
	note(5, LEDGER_LATER);
	note(6, LEDGER_HELD);
	note(5, LEDGER_LATER);
	crash();
	assert_troubles("5:6", "", "");
	assert_sets("", "");
	found = trouble_of(5);
	assert_int_equal(found.tries, 2);
	assert_int_equal(found.size, 1234);
	assert_true(found.next >= found.since + 120);
	ask(5, false);
	assert_true(asked.barred);
	assert_int_equal(ledger_trouble_retry(w.l, found.id, false, &w.e), 0);
	crash();
	assert_troubles("6", "5", "");
	ask(5, false);
	assert_false(asked.barred);
	assert_int_equal(
	    ledger_trouble_retry(w.l, trouble_of(6).id, true, &w.e), 0);
	assert_troubles("", "5:6", "6");
	assert_int_equal(ledger_trouble_drop(w.l, found.id, &w.e), 0);
	crash();
	assert_troubles("5", "6", "6");
	assert_int_equal(trouble_of(5).id, 0);
	assert_int_equal(ledger_trouble_drop(w.l, 99, &w.e), -1);
	assert_int_equal(w.e.sys, ENOENT);
}

static void
delays_more_and_more(void **state)
{
	(void)state;
	assert_int_equal(ledger_delay_s(1), 60);
	assert_int_equal(ledger_delay_s(2), 120);
	assert_int_equal(ledger_delay_s(1000), 4 * 3600);
}

static void
notes_nothing_of_what_is_handled(void **state)
{
	struct ledger_note n = note_with(5, LEDGER_HELD);

	(void)state;
	prepare(5);
	assert_int_equal(ledger_note(w.l, &n, 1, &w.e), 0);
	assert_false(n.held);
	assert_troubles("", "", "");
}

static void
notes_all_or_nothing(void **state)
{
	struct ledger_note group[2] = { note_with(5, LEDGER_HELD),
		note_with(0, LEDGER_HELD) };

	(void)state;
	assert_int_equal(ledger_note(w.l, group, 2, &w.e), -1);
	assert_troubles("", "", "");
	syncs_until_eio = 1;
	assert_int_equal(ledger_note(w.l, group, 1, &w.e), -1);
	syncs_until_eio = -1;
	crash();
	assert_troubles("", "", "");
}

static void
forgets_the_trouble_of_what_got_through(void **state)
{
	struct ledger_entry m;

	(void)state;
	note(5, LEDGER_LATER);
	note(6, LEDGER_HELD);
	m = prepare(5);
	assert_troubles("6", "", "");
	crash();
	assert_troubles("6", "", "");
	assert_int_equal(ledger_unprepare(w.l, &m, 1, &w.e), 0);
	assert_troubles("6", "", "");
}

static void
remembers_recipients_across_restarts(void **state)
{
	static const char *const some[] = { "bob@example.org",
		"al@example.org" };
	struct ledger_note n = note_with(5, LEDGER_LATER);

	(void)state;
	n.reached = some;
	n.n_reached = 2;
	assert_int_equal(ledger_note(w.l, &n, 1, &w.e), 0);
	crash();
	assert_int_equal(trouble_of(5).n_reached, 2);
	ask(5, false);
	assert_int_equal(asked.n_reached, 2);
	assert_string_equal(asked.reached[0], "al@example.org");
	assert_string_equal(asked.reached[1], "bob@example.org");
	prepare(5);
	ask(5, false);
	assert_int_equal(asked.n_reached, 0);
}

static void
has_no_trouble_with_what_the_server_lost(void **state)
{
	struct set s = set_of("1:6");

	(void)state;
	note(5, LEDGER_LATER);
	note(6, LEDGER_HELD);
	note(7, LEDGER_HELD);
	assert_int_equal(ledger_missing(w.l, w.box, &s, &w.e), 0);
	crash();
	assert_troubles("7", "", "");
	set_deinit(&s);
}

static void
delivers_a_stub_once(void **state)
{
	struct ledger_note about = note_with(5, LEDGER_LATER);
	struct ledger_entry m = entry(5);
	struct ledger_trouble found;

	(void)state;
	m.stub = true;
	m.note = &about;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_false(m.known);
	crash();
	assert_int_equal(journal_rows(w.l), 1);
	assert_sets("", "");
	assert_troubles("5", "", "");
	found = trouble_of(5);
	assert_true(found.stub);
	assert_int_equal(found.why, LEDGER_WHY_SIZE);
	assert_int_equal(found.state, LEDGER_HELD);
	ledger_published(w.l, &m, 1);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_true(m.known);
	assert_int_equal(ledger_trouble_retry(w.l, found.id, true, &w.e), 0);
	assert_troubles("", "5", "5");
	assert_false(prepare(5).known);
	assert_troubles("", "", "");
	assert_sets("5", "5");
}

static void
knows_a_stub_before_it_is_handed_over(void **state)
{
	struct ledger_entry m = entry(5);

	(void)state;
	m.stub = true;
	m.dir = m.file = NULL;
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), 0);
	assert_false(asked.known);
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	assert_int_equal(
	    ledger_trouble_retry(w.l, trouble_of(5).id, false, &w.e), 0);
	assert_troubles("", "5", "");
	assert_int_equal(ledger_ask(w.l, &m, &asked, &w.e), 0);
	assert_true(asked.known);
	assert_troubles("5", "", "");
	ask(5, false); /* the message itself is not */
	assert_false(asked.known);
}

static void
takes_back_a_stub(void **state)
{
	struct ledger_entry m = entry(5);

	(void)state;
	m.stub = true;
	assert_int_equal(ledger_prepare(w.l, &m, 1, &w.e), 0);
	crash();
	assert_int_equal(ledger_unprepare(w.l, &m, 1, &w.e), 0);
	assert_troubles("", "", "");
	assert_int_equal(journal_rows(w.l), 0);
}

static void
assert_listed(
    const char *lines, const char *fresh, const char *full, uint32_t barred)
{
	struct set f = set_of(""), o = set_of(""), whole = set_of("9");
	uint32_t n, count;

	assert_int_equal(ledger_list_begin(w.l, w.box, &w.e), 0);
	list_lines(lines);
	if (ledger_list_end(w.l, w.box, &f, &o, &n, &whole, &count, &w.e) < 0)
		fail_msg("%s", w.e.text);
	assert_set(&f, fresh);
	assert_set(&whole, full);
	assert_int_equal(count, barred);
	set_deinit(&f);
	set_deinit(&o);
	set_deinit(&whole);
}

static void
lists_no_message_that_is_held(void **state)
{
	struct ledger_note n;

	(void)state;
	assert_listed("1 a 10/2 b 20/3 c 30", "1:3", "", 0);
	note(1, LEDGER_LATER);
	note(3, LEDGER_HELD);
	n = note_with(4, LEDGER_HELD);
	assert_int_equal(ledger_note(w.l, &n, 1, &w.e), -1);
	crash();
	assert_listed("1 x 5/2 b 20/3 c 30/4 a 10", "1:2", "", 2);
	assert_int_equal(
	    ledger_trouble_retry(w.l, trouble_of(0).id, true, &w.e), 0);
	assert_listed("1 c 30/2 b 20/3 a 10", "1:2", "1", 1);
	prepare(1);
	assert_listed("1 c 30/2 b 20/3 a 10", "2", "", 1);
}

/* ---- with another process ---- */

/* Runs work in a process that knows nothing of what this one has open; it
 * begins with *go, a pipe. */
static pid_t
start(int go[2], int (*work)(void))
{
	pid_t child;
	char c;

	ledger_close(&w.l);
	assert_int_equal(pipe(go), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) == 1 ? work() : 99);
	}
	close(go[0]);
	reopen(w.f.path);
	return child;
}

static void
join(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
retry_and_drop(void)
{
	struct ledger_trouble five = { .uid = 5 }, six = { .uid = 6 };

	w.l = ledger_open_existing(w.f.path, &w.e);
	if (w.l == NULL ||
	    ledger_troubles(w.l, "work", find_trouble, &five, &w.e) < 0 ||
	    ledger_troubles(w.l, "work", find_trouble, &six, &w.e) < 0)
		return 1;
	if (ledger_trouble_retry(w.l, five.id, true, &w.e) < 0 ||
	    ledger_trouble_drop(w.l, six.id, &w.e) < 0)
		return 2;
	ledger_close(&w.l);
	return 0;
}

static void
sees_what_another_process_changed(void **state)
{
	pid_t child;
	int go[2];

	(void)state;
	child = start(go, retry_and_drop);
	note(5, LEDGER_HELD);
	note(6, LEDGER_HELD);
	assert_troubles("5:6", "", "");
	assert_int_equal(write(go[1], "x", 1), 1);
	join(child);
	close(go[1]);
	assert_troubles("6", "5", "5");
	note(6, LEDGER_LATER); /* it was on its way */
	assert_troubles("6", "5", "5");
	prepare(5);
	crash();
	assert_sets("5", "5");
	assert_troubles("6", "", "");
}

static int held_up[2];

static int
hold_up(void)
{
	struct timespec wait = { .tv_nsec = 400000000 };
	struct db *d = db_open(w.f.path, &w.e);

	if (d == NULL || db_begin(d, &w.e) < 0 ||
	    write(held_up[1], "x", 1) != 1)
		return 1;
	nanosleep(&wait, NULL);
	if (db_run(d, "UPDATE undone SET n = 5", NULL, &w.e) < 0 ||
	    db_commit(d, &w.e) < 0)
		return 2;
	db_close(&d);
	return 0;
}

static void
waits_for_another_process(void **state)
{
	pid_t child;
	int go[2];
	char c;

	(void)state;
	assert_int_equal(pipe(held_up), 0);
	child = start(go, hold_up);
	prepare(4);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(read(held_up[0], &c, 1), 1);
	assert_troubles("", "", "");
	note(5, LEDGER_HELD);
	prepare(6);
	join(child);
	close(go[1]);
	close(held_up[0]);
	close(held_up[1]);
	assert_troubles("5", "", "");
}

static void
says_that_there_is_no_ledger_to_look_at(void **state)
{
	struct folder f;

	(void)state;
	folder_make(&f);
	assert_null(ledger_open_existing(f.path, &w.e));
	assert_int_equal(w.e.sys, ENOENT);
	assert_int_equal(access(f.path, F_OK), -1);
	folder_remove(&f);
}

/* ---- killed anywhere ---- */

#define LIFE 6

static void
live(void)
{
	uint32_t i;

	reopen(w.f.path);
	enter("INBOX", 7);
	for (i = 1; i <= LIFE; i++) {
		struct ledger_entry m = prepare(i);

		if (i == 4) {
			ledger_unprepare(w.l, &m, 1, &w.e);
			continue;
		}
		ledger_published(w.l, &m, 1);
		if (i % 2 == 0)
			ledger_flush(w.l, &w.e);
	}
	ledger_close(&w.l);
}

static bool
dies_at(int n)
{
	char number[16];
	pid_t child;
	int status;

	snprintf(number, sizeof(number), "%d", n);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("MAILHAUL_DIE_AT", number, 1);
		live();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static int
must_be_handled(void *arg, const struct ledger_entry *m, struct err *e)
{
	(void)e;
	assert_true(set_has(arg, m->number));
	return 0;
}

static void
survives_a_kill_at_every_commit(void **state)
{
	int n;
	bool died = true;

	(void)state;
	ledger_close(&w.l);
	for (n = 1; died; n++) {
		struct set handled, owed, settled;

		folder_empty(&w.f);
		died = dies_at(n);
		reopen(w.f.path);
		enter("INBOX", 7);
		set_init(&handled);
		set_init(&owed);
		set_init(&settled);
		assert_int_equal(
		    ledger_sets(w.l, w.box, &handled, &owed, &settled, &w.e),
		    0);
		assert_true(set_eq(&handled, &owed));
		assert_true(set_count(&handled) == set_last(&handled) ||
		    (!set_has(&handled, 4) && set_last(&handled) > 4));
		assert_int_equal(
		    ledger_journal(w.l, must_be_handled, &handled, &w.e), 0);
		if (!died)
			assert_set(&handled, "1:3,5:6");
		set_deinit(&handled);
		set_deinit(&owed);
		set_deinit(&settled);
		ledger_close(&w.l);
	}
#ifdef MAILHAUL_CRASH_POINTS
	assert_true(n > 20);
#endif
	reopen(w.f.path);
}

/* ---- accounts ---- */

static void
remembers_an_account_durably(void **state)
{
	struct ledger_account a = { .refused = 2, .refused_at = 99, .mark = 7 };
	struct ledger_account before, out;
	struct folder left;
	int synced;

	(void)state;
	assert_int_equal(ledger_account(w.l, "work", &before, &w.e), 0);
	assert_int_equal(ledger_account_note(w.l, "work", &a, &w.e), 0);
	folder_crash(&w.f, &left);
	synced = syncs;
	assert_int_equal(ledger_account_note(w.l, "work", &a, &w.e), 0);
	assert_int_equal(syncs, synced); /* it is there already */
	a.mark = 8;
	assert_int_equal(ledger_account_note(w.l, "work", &a, &w.e), 0);
	assert_true(syncs > synced);
	reopen(left.path);
	assert_int_equal(ledger_account(w.l, "work", &out, &w.e), 0);
	assert_int_equal(out.refused, 2);
	assert_int_equal(out.refused_at, 99);
	assert_int_equal(out.mark, 7);
	assert_memory_equal(out.salt, before.salt, LEDGER_SALT);
	reopen(w.f.path);
	folder_remove(&left);
}

/* clang-format off */
#define IMAP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define POP3(test) cmocka_unit_test_setup_teardown(test, setup_pop3, teardown)
#define ASK(test) cmocka_unit_test_setup_teardown(test, setup_asked, teardown_asked)
#define ASK_POP3(test) cmocka_unit_test_setup_teardown(test, setup_asked_pop3, teardown_asked)

/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IMAP(makes_files_that_only_the_owner_may_read),
		IMAP(keeps_its_token),
		IMAP(closes_nothing_gladly),
		IMAP(tells_new_known_and_changed_boxes_apart),
		IMAP(keeps_boxes_apart),
		IMAP(refuses_a_box_that_is_not_there),
		IMAP(settles_durably),
		IMAP(delivers_what_was_settled_and_comes_all_the_same),
		IMAP(remembers_each_step_of_a_life),
		IMAP(carries_what_rides_in_the_next_group),
		IMAP(flushes_what_rides_when_closed),
		IMAP(prepares_nothing_twice),
		IMAP(records_only_what_is_owed_as_owed),
		IMAP(takes_back_a_preparation),
		IMAP(never_gives_a_journal_row_twice),
		IMAP(shows_the_journal_oldest_first),
		IMAP(takes_the_largest_uid),
		IMAP(stays_small),
		POP3(knows_a_listed_message_by_its_uidl),
		POP3(names_the_messages_of_the_present_listing),
		POP3(publishes_another_message_under_an_old_uidl),
		POP3(publishes_anew_what_comes_under_a_removed_uidl),
		POP3(forgets_equal_uidls_that_were_removed),
		POP3(prepares_nothing_by_repeated_uidls_without_sizes),
		POP3(remembers_that_uidls_were_given),
		POP3(forgets_a_uidl_that_was_removed_by_us),
		POP3(takes_gone_numbers_by_the_listing_they_belong_to),
		POP3(takes_back_a_listed_message),
		POP3(keeps_to_a_listing_that_ended),
		POP3(lists_two_boxes_at_a_time),
		POP3(knows_a_message_by_what_it_holds),
		POP3(forgets_contents_of_this_session_alone),
		IMAP(records_nothing_when_the_disk_is_full),
		IMAP(says_whether_anything_can_be_recorded),
		IMAP(records_nothing_when_the_sync_fails),
		IMAP(goes_on_after_a_failed_sync),
		POP3(trusts_no_listing_that_it_could_not_keep),
		POP3(trusts_no_listing_that_it_could_not_end),
		ASK(records_what_has_no_file),
		ASK(names_a_message_for_ever),
		ASK_POP3(names_what_has_a_uidl),
		ASK_POP3(says_before_what_prepare_says),
		ASK_POP3(asks_by_content),
		ASK_POP3(forgets_contents_in_trouble_that_do_not_come),
		ASK(asks_without_a_write),
		ASK(notes_durably),
		IMAP(delays_more_and_more),
		IMAP(notes_nothing_of_what_is_handled),
		IMAP(notes_all_or_nothing),
		IMAP(forgets_the_trouble_of_what_got_through),
		ASK(remembers_recipients_across_restarts),
		IMAP(has_no_trouble_with_what_the_server_lost),
		IMAP(delivers_a_stub_once),
		ASK(knows_a_stub_before_it_is_handed_over),
		IMAP(takes_back_a_stub),
		POP3(lists_no_message_that_is_held),
		IMAP(sees_what_another_process_changed),
		IMAP(waits_for_another_process),
		IMAP(says_that_there_is_no_ledger_to_look_at),
		IMAP(survives_a_kill_at_every_commit),
		IMAP(remembers_an_account_durably),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
