/* SPDX-License-Identifier: ISC */
#include "deliver/outlet.h"

#include "office.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "deliver/spool.h"
#include "util/mem.h"

#define LETTER "Subject: x\n\nbody\n"

/* ---- what reaches the kernel, made to fail, and the clock ---- */

static bool ledger_fails; /* it cannot be made durable */
static time_t ahead_s;    /* so far is the clock ahead */

static int
sync_file(int fd, long call)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	if (!ledger_fails || strstr(path, "/ledger") == NULL)
		return (int)syscall(call, fd);
	errno = EIO;
	return -1;
}

int
fsync(int fd)
{
	return sync_file(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync);
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	if (r == 0)
		ts->tv_sec += ahead_s;
	return r;
}

/* ---- a yard ---- */

struct yard {
	struct office o;
	struct worker *worker;
	struct outlet *outlet;
	struct maildir_names names;
	struct job_account account; /* the one of this test */
	int64_t box;
	struct place *place;
	struct maildir *maildir;
	unsigned int boxes, ended, delivered, known, stopped, over;
	struct err e; /* of the last that ended */
	enum job_kind kind;
};

static void
end(struct yard *y, struct job *j)
{
	if (j->kind == JOB_BOX) {
		assert_int_equal(j->e.kind, ERR_NONE);
		y->boxes++;
		y->box = j->ledger_box;
		y->place = j->place;
		maildir_unref(&y->maildir);
		y->maildir = j->maildir;
		j->maildir = NULL;
	} else {
		y->ended++;
		y->delivered += j->commit.e.kind == ERR_NONE;
		y->known += j->commit.entry.known;
		y->e = j->commit.e;
		y->kind = j->kind;
	}
	job_free(&j);
	loop_stop(y->o.loop);
}

static void
on_done(void *arg, struct job_list *done)
{
	struct yard *y = arg;
	struct job *j;

	while ((j = STAILQ_FIRST(done)) != NULL) {
		STAILQ_REMOVE_HEAD(done, next);
		if (!outlet_goes_on(y->outlet, j))
			end(y, j);
	}
}

static void
on_outlet(void *arg, struct job *j)
{
	end(arg, j);
}

static void
open_yard(struct yard *y)
{
	struct err e = { 0 };
	struct ledger *l = ledger_open(office_path(&y->o, "ledger"), &e);

	assert_non_null(l);
	maildir_names_init(&y->names, ledger_token(l));
	y->worker = worker_new(y->o.loop, l, &y->names,
	    office_path(&y->o, "spool"), on_done, y, &e);
	assert_non_null(y->worker);
	y->outlet = outlet_new(y->o.loop, y->worker, on_outlet, y);
}

static void
close_yard(struct yard *y)
{
	outlet_forget(&y->account);
	worker_free(&y->worker);
	outlet_free(&y->outlet);
	assert_null(y->outlet);
	maildir_unref(&y->maildir);
}

static int
setup(void **state)
{
	struct yard *y = calloc(1, sizeof(*y));

	assert_non_null(y);
	ledger_fails = false;
	ahead_s = 0;
	log_set_sink(office_drop_line);
	office_make_dir(&y->o);
	office_make_loop(&y->o);
	open_yard(y);
	*state = y;
	return 0;
}

static int
teardown(void **state)
{
	struct yard *y = *state;

	ledger_fails = false;
	ahead_s = 0;
	close_yard(y);
	target_free(&y->account.target);
	office_free_loop(&y->o);
	office_remove_dir(&y->o);
	free(y);
	return 0;
}

static void
open_box(struct yard *y)
{
	struct job *j = job_new(JOB_BOX);
	unsigned int before = y->boxes;

	j->account = &y->account;
	j->text = mem_strdup("INBOX");
	j->n = 5;
	j->uidvalidity = 1;
	worker_push(y->worker, j);
	office_wait(&y->o, &y->boxes, before + 1);
}

static void
begin(struct yard *y, enum target_way way, const char *below)
{
	y->account.target = office_target(&y->o, way, "a", below, NULL);
	open_box(y);
}

/* A program that runs in our directory. */
static void
begin_program(struct yard *y, const char *script)
{
	char whole[1024];

	snprintf(whole, sizeof(whole), "cd %s && %s", y->o.dir, script);
	y->account.target = office_target(&y->o, TARGET_MDA, "a", NULL, whole);
	open_box(y);
}

static int
take_file(const struct yard *y, struct err *e)
{
	struct spool *s = spool_new(y->o.dir);
	int fd = spool_take(s, e);

	spool_free(&s);
	return fd;
}

static struct job *
letter(struct yard *y, uint32_t number, const char *text)
{
	struct job *j = job_new(JOB_COMMIT);
	struct commit *c = &j->commit;
	struct err e = { 0 };

	j->letter = true;
	j->account = &y->account;
	c->octets = strlen(text);
	c->entry.box = y->box;
	c->entry.number = number;
	if (y->place == NULL) {
		j->mail = letter_text_new("INBOX");
		c->fd = take_file(y, &e);
	} else {
		c->place = y->place;
		c->maildir = maildir_ref(y->maildir);
		maildir_names_next(&y->names, c->name);
		c->fd = maildir_create(y->maildir, c->name, &e);
	}
	assert_true(c->fd >= 0);
	assert_int_equal(write(c->fd, text, c->octets), c->octets);
	return j;
}

static void
push(struct yard *y, uint32_t number)
{
	outlet_commit(y->outlet, letter(y, number, LETTER));
}

/* And waits for its end. */
static void
deliver(struct yard *y, uint32_t number)
{
	unsigned int before = y->ended;

	push(y, number);
	office_wait(&y->o, &y->ended, before + 1);
}

static void
expect_file(const struct yard *y, const char *below, const char *text)
{
	size_t n;
	char *octets = office_read(office_path(&y->o, below), &n);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(octets, text, n);
	free(octets);
}

static void
wait_for_file(struct yard *y, const char *below)
{
	unsigned int tries = 2000;

	while (access(office_path(&y->o, below), F_OK) < 0 && tries-- > 0)
		office_turn(&y->o, 5);
	assert_int_equal(access(office_path(&y->o, below), F_OK), 0);
}

/* ---- programs ---- */

static void
records_what_a_program_accepts(void **state)
{
	struct yard *y = *state;

	begin_program(y, "cat >> got");
	deliver(y, 1);
	assert_int_equal(y->delivered, 1);
	assert_int_equal(y->known, 0);
	expect_file(y, "got", LETTER);
	assert_int_equal(y->account.unrecorded, 0);
	/* it is known now, and not run for again, after a restart either */
	deliver(y, 1);
	assert_int_equal(y->delivered, 2);
	assert_int_equal(y->known, 1);
	close_yard(y);
	open_yard(y);
	open_box(y);
	deliver(y, 1);
	assert_int_equal(y->known, 2);
	expect_file(y, "got", LETTER);
	deliver(y, 2);
	expect_file(y, "got", LETTER LETTER);
}

static void
tells_a_program_what_the_message_is(void **state)
{
	struct wire_commit w = { .sender = SPAN("al@x"),
		.recipient = SPAN("bob@y") };
	struct yard *y = *state;
	struct job *j;
	char first[33], again[33];
	FILE *f;

	begin_program(y,
	    "echo $MAILHAUL_ACCOUNT $MAILHAUL_MAILBOX $MAILHAUL_UID "
	    "$MAILHAUL_SENDER $MAILHAUL_RECIPIENT > got; "
	    "echo $MAILHAUL_KEY >> keys; exit 75");
	j = letter(y, 7, LETTER);
	letter_text_take(j->mail, &w);
	outlet_commit(y->outlet, j);
	office_wait(&y->o, &y->ended, 1);
	expect_file(y, "got", "a INBOX 7 al@x bob@y\n");
	deliver(y, 8);
	f = fopen(office_path(&y->o, "keys"), "r");
	assert_int_equal(fscanf(f, "%32s %32s", first, again), 2);
	fclose(f);
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789abcdef"), 32);
	assert_string_not_equal(first, again);
}

static void
notes_what_a_program_refuses(void **state)
{
	struct yard *y = *state;

	begin_program(y, "echo run >> got; echo full >&2; exit 75");
	deliver(y, 1);
	assert_int_equal(y->e.kind, ERR_MESSAGE);
	assert_int_equal(y->kind, JOB_NOTE);
	assert_int_equal(strncmp(y->e.text, "later: ", 7), 0);
	assert_non_null(strstr(y->e.text, "full"));
	/* not due yet: it is left alone */
	deliver(y, 1);
	assert_int_equal(y->e.kind, ERR_MESSAGE);
	assert_int_equal(y->e.sys, EALREADY);
	expect_file(y, "got", "run\n");
	assert_int_equal(y->delivered, 0);
}

static void
holds_what_a_program_says_so_of(void **state)
{
	struct yard *y = *state;

	begin_program(y, "exit 100");
	deliver(y, 1);
	assert_int_equal(y->e.kind, ERR_MESSAGE);
	assert_int_equal(strncmp(y->e.text, "held: ", 6), 0);
}

/* It is the account's trouble, and not the message's. */
static void
notes_nothing_when_there_is_no_program(void **state)
{
	struct yard *y = *state;

	begin_program(y, "true");
	free(y->account.target->argv[0]);
	y->account.target->argv[0] = mem_strdup("/no/such/program");
	deliver(y, 1);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	assert_int_equal(y->e.sys == EALREADY, false);
	deliver(y, 1);
	assert_int_equal(y->e.kind, ERR_DELIVER);
}

static void
runs_nothing_for_a_file_of_another_size(void **state)
{
	struct yard *y = *state;
	struct job *j;

	begin_program(y, "cat >> got");
	j = letter(y, 1, LETTER);
	j->commit.octets++;
	outlet_commit(y->outlet, j);
	office_wait(&y->o, &y->ended, 1);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	assert_int_equal(access(office_path(&y->o, "got"), F_OK), -1);
}

/* ---- when nothing more is handed over ---- */

static void
runs_no_more_when_the_ledger_cannot_record(void **state)
{
	struct yard *y = *state;

	begin_program(y, "echo run >> got");
	ledger_fails = true;
	deliver(y, 1);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	assert_int_equal(y->delivered, 0);
	ledger_fails = false;
	deliver(y, 2);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	assert_non_null(strstr(y->e.text, "accepted, but not recorded"));
	expect_file(y, "got", "run\n");
	assert_int_equal(y->account.unrecorded, 0);
	/* until a mailbox is opened again */
	outlet_renew(y->outlet, &y->account);
	assert_int_equal(y->account.blocked.kind, ERR_NONE);
	deliver(y, 2);
	assert_int_equal(y->e.kind, ERR_NONE);
	expect_file(y, "got", "run\nrun\n");
}

static void
runs_no_more_when_all_are_refused_alike(void **state)
{
	struct yard *y = *state;
	uint32_t i;
	size_t n;

	begin_program(y, "echo >> got; echo $MAILHAUL_UID >&2; exit 75");
	for (i = 1; i < STREAK_LONG; i++) {
		deliver(y, i);
		assert_int_equal(y->e.kind, ERR_MESSAGE);
	}
	deliver(y, i++);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	assert_non_null(strstr(y->e.text, "20 messages"));
	deliver(y, i);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	free(office_read(office_path(&y->o, "got"), &n));
	assert_int_equal(n, STREAK_LONG);
	outlet_renew(y->outlet, &y->account);
	deliver(y, i); /* it was not noted, and is due */
	assert_int_equal(y->e.kind, ERR_MESSAGE);
	assert_int_not_equal(y->e.sys, EALREADY);
}

/* What a sender may write, as often as he likes, stops no others. */
static void
goes_on_behind_messages_that_no_program_is_run_for(void **state)
{
	struct wire_commit w = { .sender = SPAN("-x@y") };
	struct yard *y = *state;
	struct job *j;

	y->account.target =
	    office_target(&y->o, TARGET_MDA, "a", NULL, "%{sender}");
	open_box(y);
	for (uint32_t i = 1; i <= STREAK_LONG + 1; i++) {
		j = letter(y, i, LETTER);
		letter_text_take(j->mail, &w);
		outlet_commit(y->outlet, j);
		office_wait(&y->o, &y->ended, i);
		assert_int_equal(y->e.kind, ERR_MESSAGE);
	}
}

/* One that is accepted ends the row. */
static void
goes_on_when_some_are_accepted(void **state)
{
	struct yard *y = *state;
	uint32_t i;

	begin_program(y, "test $MAILHAUL_UID != 15 || exit 0; exit 75");
	for (i = 1; i <= 30; i++) {
		deliver(y, i);
		assert_int_equal(y->e.kind, i == 15 ? ERR_NONE : ERR_MESSAGE);
	}
}

/* What is on its way goes on first. */
static void
is_not_renewed_while_programs_run(void **state)
{
	struct yard *y = *state;
	struct err why = { .kind = ERR_DELIVER, .text = "why" };

	begin_program(y, "touch began; until test -e go; do sleep 0.02; done");
	push(y, 1);
	wait_for_file(y, "began");
	y->account.blocked = why;
	outlet_renew(y->outlet, &y->account);
	assert_int_equal(y->account.blocked.kind, ERR_DELIVER);
	close(open(office_path(&y->o, "go"), O_WRONLY | O_CREAT, 0600));
	office_wait(&y->o, &y->ended, 1);
	assert_int_equal(y->delivered, 1);
}

/* ---- boxes that are opened meanwhile ---- */

static void
push_box(struct yard *y, uint32_t uidvalidity)
{
	struct job *j = job_new(JOB_BOX);

	j->account = &y->account;
	j->text = mem_strdup(uidvalidity == 0 ? "" : "INBOX");
	j->uidvalidity = uidvalidity;
	outlet_open_box(y->outlet, j);
}

static void
make_file(const struct yard *y, const char *below)
{
	close(open(office_path(&y->o, below), O_WRONLY | O_CREAT, 0600));
}

/* Its listing gives another meaning to the numbers of what is on its way. */
static void
opens_a_box_of_pop3_when_all_letters_have_ended(void **state)
{
	struct yard *y = *state;

	begin_program(y, "until test -e $MAILHAUL_UID; do sleep 0.02; done");
	push(y, 1);
	push(y, 2);
	push_box(y, 0);
	push_box(y, 1);
	office_wait(&y->o, &y->boxes, 2); /* of IMAP at once */
	make_file(y, "1");
	office_wait(&y->o, &y->ended, 1);
	office_turn(&y->o, 50);
	assert_int_equal(y->boxes, 2);
	make_file(y, "2");
	office_wait(&y->o, &y->boxes, 3);
	assert_int_equal(y->delivered, 2);
	assert_int_equal(y->account.letters, 0);
	push_box(y, 0);
	office_wait(&y->o, &y->boxes, 4);
}

static void
lets_few_boxes_wait(void **state)
{
	struct yard *y = *state;
	unsigned int n = 0;
	bool more = true;

	begin_program(y, "until test -e $MAILHAUL_UID; do sleep 0.02; done");
	push(y, 1);
	while (more && n++ < 10000) {
		struct job *j = job_new(JOB_BOX);

		j->account = &y->account;
		more = outlet_open_box(y->outlet, j);
	}
	assert_in_range(n, 100, 9999);
	make_file(y, "1");
	office_wait(&y->o, &y->ended, 1);
	office_wait(&y->o, &y->boxes, n);
}

static void
opens_a_box_of_pop3_when_all_were_refused(void **state)
{
	struct yard *y = *state;

	begin_program(y, "exit 75");
	push(y, 1);
	push_box(y, 0);
	office_wait(&y->o, &y->boxes, 2);
	assert_int_equal(y->ended, 1);
	free(y->account.target->argv[0]);
	y->account.target->argv[0] = mem_strdup("/no/such/program");
	push(y, 2);
	push_box(y, 0);
	office_wait(&y->o, &y->boxes, 3);
	assert_int_equal(y->ended, 2);
}

/* ---- the same message twice ---- */

static void
runs_one_program_for_a_message_that_comes_twice(void **state)
{
	struct yard *y = *state;

	begin_program(y,
	    "touch began; until test -e go; do sleep 0.02; done; cat >> got");
	push(y, 1);
	wait_for_file(y, "began");
	push(y, 1); /* by another engine, say */
	push(y, 2);
	office_turn(&y->o, 50);
	assert_int_equal(y->ended, 0);
	close(open(office_path(&y->o, "go"), O_WRONLY | O_CREAT, 0600));
	office_wait(&y->o, &y->ended, 3);
	assert_int_equal(y->delivered, 3);
	assert_int_equal(y->known, 1);
	expect_file(y, "got", LETTER LETTER);
}

/* ---- the stop ---- */

static void
on_worker_stopped(void *arg)
{
	struct yard *y = arg;

	y->over++;
	loop_stop(y->o.loop);
}

static void
on_stopped(void *arg)
{
	struct yard *y = arg;

	y->stopped++;
	worker_stop(y->worker, on_worker_stopped, y);
}

static void
stop(struct yard *y)
{
	struct job_account *accounts[] = { &y->account };

	outlet_stop(y->outlet, accounts, 1, on_stopped, y);
	assert_int_equal(y->stopped, 0); /* never from inside the call */
	office_wait(&y->o, &y->over, 1);
	assert_int_equal(y->stopped, 1);
}

static void
stops_when_nothing_runs(void **state)
{
	struct yard *y = *state;

	begin_program(y, "true");
	stop(y);
}

static void
records_what_is_accepted_while_it_stops(void **state)
{
	struct yard *y = *state;
	uint32_t i;

	begin_program(y, "touch began; sleep 0.3; cat >> got");
	y->account.target->parallel = 1;
	for (i = 1; i <= 3; i++)
		push(y, i);
	wait_for_file(y, "began");
	stop(y);
	assert_int_equal(y->ended, 3);
	assert_int_equal(y->delivered, 1);
	expect_file(y, "got", LETTER);
	close_yard(y);
	y->account = (struct job_account){ .target = y->account.target };
	open_yard(y);
	open_box(y);
	deliver(y, 1);
	assert_int_equal(y->known, 1);
	deliver(y, 2);
	assert_int_equal(y->known, 1);
	expect_file(y, "got", LETTER LETTER);
}

static void
runs_nothing_that_comes_while_it_stops(void **state)
{
	struct yard *y = *state;

	begin_program(y, "touch began; sleep 0.3; cat >> got");
	push(y, 1);
	wait_for_file(y, "began");
	push(y, 2);
	stop(y);
	expect_file(y, "got", LETTER);
	assert_int_equal(y->delivered, 1);
}

/* The worker is asked whether the first of all is known. */
static void
runs_nothing_when_it_was_stopped_before_the_first(void **state)
{
	struct yard *y = *state;

	begin_program(y, "cat >> got");
	push(y, 1);
	stop(y);
	office_turn(&y->o, 100);
	assert_int_equal(access(office_path(&y->o, "got"), F_OK), -1);
	assert_int_equal(y->delivered, 0);
}

/* Killed, and without a word. */
static void
may_be_freed_while_programs_run(void **state)
{
	struct yard *y = *state;

	begin_program(y, "touch began; sleep 600");
	y->account.target->parallel = 1;
	push(y, 1);
	push(y, 2);
	push_box(y, 0);
	wait_for_file(y, "began");
	close_yard(y);
	assert_int_equal(y->ended, 0);
	y->account = (struct job_account){ .target = y->account.target };
	open_yard(y);
}

/* ---- files, and letters that the engine has handed on ---- */

static void
publishes_in_a_maildir(void **state)
{
	struct yard *y = *state;

	begin(y, TARGET_MAILDIR, "M");
	deliver(y, 1);
	assert_int_equal(y->delivered, 1);
	assert_int_equal(office_count(&y->o, "M/new", NULL), 1);
}

static void
records_what_the_engine_has_handed_on(void **state)
{
	struct yard *y = *state;

	begin(y, TARGET_RELAY, NULL);
	deliver(y, 1);
	assert_int_equal(y->delivered, 1);
	deliver(y, 1);
	assert_int_equal(y->known, 1);
}

#define MBOX_LETTER "From a\n\nbody\n\n"

static void
push_to_mbox(struct yard *y, uint32_t number)
{
	outlet_commit(y->outlet, letter(y, number, MBOX_LETTER));
}

static void
lock_mbox(const struct yard *y)
{
	close(open(office_path(&y->o, "bob.lock"), O_WRONLY | O_CREAT, 0600));
}

static void
tries_again_while_an_mbox_is_locked(void **state)
{
	struct yard *y = *state;

	begin(y, TARGET_MBOX, "bob");
	lock_mbox(y);
	push_to_mbox(y, 1);
	push_to_mbox(y, 2);
	office_turn(&y->o, 300);
	assert_int_equal(y->ended, 0);
	assert_int_equal(office_count(&y->o, "spool/tmp", NULL), 2);
	assert_int_equal(unlink(office_path(&y->o, "bob.lock")), 0);
	office_wait(&y->o, &y->ended, 2);
	assert_int_equal(y->delivered, 2);
	expect_file(y, "bob", MBOX_LETTER MBOX_LETTER);
	assert_int_equal(office_count(&y->o, "spool/tmp", NULL), 0);
}

static void
gives_up_when_an_mbox_stays_locked(void **state)
{
	struct yard *y = *state;

	begin(y, TARGET_MBOX, "bob");
	lock_mbox(y);
	push_to_mbox(y, 1);
	office_turn(&y->o, 150);
	ahead_s = 59;
	office_turn(&y->o, 150);
	assert_int_equal(y->ended, 0);
	ahead_s = 61;
	office_wait(&y->o, &y->ended, 1);
	assert_int_equal(y->e.kind, ERR_DELIVER);
	assert_int_equal(y->e.sys, EBUSY);
	assert_int_equal(office_count(&y->o, "spool/tmp", NULL), 0);
	assert_int_equal(unlink(office_path(&y->o, "bob.lock")), 0);
	push_to_mbox(y, 1);
	office_wait(&y->o, &y->delivered, 1);
	expect_file(y, "bob", MBOX_LETTER);
}

static void
count_stopped(void *arg)
{
	struct yard *y = arg;

	y->stopped++;
}

static void
waits_for_no_lock_when_it_stops(void **state)
{
	struct yard *y = *state;
	struct job_account *accounts[] = { &y->account };

	begin(y, TARGET_MBOX, "bob");
	lock_mbox(y);
	push_to_mbox(y, 1);
	office_turn(&y->o, 150);
	outlet_stop(y->outlet, accounts, 1, count_stopped, y);
	office_wait(&y->o, &y->ended, 1);
	assert_int_equal(y->e.sys, EBUSY);
	assert_int_equal(office_count(&y->o, "spool/tmp", NULL), 0);
	office_turn(&y->o, 20);
	assert_int_equal(y->stopped, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_what_a_program_accepts),
		TEST(tells_a_program_what_the_message_is),
		TEST(notes_what_a_program_refuses),
		TEST(holds_what_a_program_says_so_of),
		TEST(notes_nothing_when_there_is_no_program),
		TEST(runs_nothing_for_a_file_of_another_size),
		TEST(runs_no_more_when_the_ledger_cannot_record),
		TEST(runs_no_more_when_all_are_refused_alike),
		TEST(goes_on_behind_messages_that_no_program_is_run_for),
		TEST(goes_on_when_some_are_accepted),
		TEST(is_not_renewed_while_programs_run),
		TEST(opens_a_box_of_pop3_when_all_letters_have_ended),
		TEST(lets_few_boxes_wait),
		TEST(opens_a_box_of_pop3_when_all_were_refused),
		TEST(stops_when_nothing_runs),
		TEST(records_what_is_accepted_while_it_stops),
		TEST(runs_nothing_that_comes_while_it_stops),
		TEST(runs_nothing_when_it_was_stopped_before_the_first),
		TEST(may_be_freed_while_programs_run),
		TEST(publishes_in_a_maildir),
		TEST(records_what_the_engine_has_handed_on),
		TEST(tries_again_while_an_mbox_is_locked),
		TEST(gives_up_when_an_mbox_stays_locked),
		TEST(waits_for_no_lock_when_it_stops),
		TEST(runs_one_program_for_a_message_that_comes_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
