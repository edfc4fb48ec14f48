/* SPDX-License-Identifier: ISC */
#include "deliver/worker.h"

#include "office.h"

#include "util/mem.h"

struct shop {
	struct office o;
	struct worker *worker;
	struct maildir_names names;
	struct job_account account, other;
	unsigned int done, delivered, cancelled, stopped;
	unsigned int recorded; /* of the other account */
	enum job_kind order[4096];
	uint32_t numbers[4096];
	int64_t box;
	struct place *place;
	struct maildir *maildir;
	struct set handled;
};

static void
on_done(void *arg, struct job_list *done)
{
	struct shop *s = arg;
	struct job *j;

	STAILQ_FOREACH (j, done, next) {
		s->order[s->done] = j->kind;
		s->numbers[s->done++] = j->number;
		if (j->kind == JOB_BOX) {
			assert_int_equal(j->e.kind, ERR_NONE);
			s->box = j->ledger_box;
			s->place = j->place;
			maildir_unref(&s->maildir);
			s->maildir = j->maildir;
			j->maildir = NULL;
			set_move(&s->handled, &j->set);
		}
		if (j->kind != JOB_COMMIT)
			continue;
		s->delivered += j->commit.e.kind == ERR_NONE;
		s->recorded +=
		    j->account == &s->other && j->commit.e.kind == ERR_NONE;
		s->cancelled += j->commit.e.kind == ERR_CANCEL;
	}
	loop_stop(s->o.loop);
}

static void
open_worker(struct shop *s)
{
	struct err e = { 0 };
	struct ledger *l = ledger_open(office_path(&s->o, "ledger"), &e);

	assert_non_null(l);
	maildir_names_init(&s->names, ledger_token(l));
	s->worker = worker_new(s->o.loop, l, &s->names, NULL, on_done, s, &e);
	assert_non_null(s->worker);
}

static int
setup(void **state)
{
	struct shop *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	log_set_sink(office_drop_line);
	office_make_dir(&s->o);
	office_make_loop(&s->o);
	set_init(&s->handled);
	s->account.target =
	    office_target(&s->o, TARGET_MAILDIR, "a", "A", NULL);
	s->other.target = office_target(&s->o, TARGET_RELAY, "b", NULL, NULL);
	open_worker(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct shop *s = *state;

	worker_free(&s->worker);
	maildir_unref(&s->maildir);
	set_deinit(&s->handled);
	office_free_loop(&s->o);
	office_remove_dir(&s->o);
	target_free(&s->account.target);
	target_free(&s->other.target);
	free(s);
	return 0;
}

static struct job *
job(struct shop *s, enum job_kind kind, struct job_account *a, uint32_t number)
{
	struct job *j = job_new(kind);

	j->account = a;
	j->number = number;
	j->ledger_box = s->box;
	if (kind == JOB_BOX) {
		j->text = mem_strdup("INBOX");
		j->uidvalidity = 1;
	}
	return j;
}

static void
open_box(struct shop *s)
{
	unsigned int before = s->done;

	worker_push(s->worker, job(s, JOB_BOX, &s->account, 0));
	office_wait(&s->o, &s->done, before + 1);
}

static void
push_commit(struct shop *s, struct job_account *a, uint32_t number)
{
	struct job *j = job(s, JOB_COMMIT, a, number);
	struct err e = { 0 };

	j->commit.place = s->place;
	j->commit.maildir = maildir_ref(s->maildir);
	maildir_names_next(&s->names, j->commit.name);
	j->commit.fd = maildir_create(s->maildir, j->commit.name, &e);
	j->commit.entry.box = s->box;
	j->commit.entry.number = number;
	worker_push(s->worker, j);
}

static void
commits_in_groups_and_remembers(void **state)
{
	struct shop *s = *state;
	uint32_t i;

	open_box(s);
	assert_true(set_empty(&s->handled));
	for (i = 1; i <= 1500; i++)
		push_commit(s, &s->account, i);
	office_wait(&s->o, &s->done, 1501);
	assert_int_equal(s->delivered, 1500);
	assert_int_equal(worker_waiting(s->worker), 0);
	assert_int_equal(office_count(&s->o, "A/new", NULL), 1500);
	worker_free(&s->worker);
	open_worker(s);
	open_box(s);
	assert_int_equal(set_count(&s->handled), 1500);
}

static void
weighs_names_that_are_asked_for(void **state)
{
	struct shop *s = *state;
	struct job *j;

	open_box(s);
	j = job(s, JOB_NAMES, &s->account, 0);
	set_add(&j->set, 1, 1000);
	worker_push(s->worker, j);
	assert_true(j->weight > 1000 * 80);
	office_wait(&s->o, &s->done, 2);
	assert_int_equal(worker_waiting(s->worker), 0);
}

/* While the first commit is at work the rest gathers; commits may pass what
 * does not concern them, and nothing that does. */
static void
keeps_the_order_within_an_account(void **state)
{
	struct shop *s = *state;
	unsigned int i, box_at = 0, first_after = 0, verify = 0;

	open_box(s);
	for (i = 1; i <= 200; i++) {
		push_commit(s, &s->account, i);
		if (i == 100)
			worker_push(s->worker, job(s, JOB_BOX, &s->account, 0));
		if (i == 150)
			worker_push(
			    s->worker, job(s, JOB_VERIFY, &s->account, 7));
	}
	office_wait(&s->o, &s->done, 203);
	assert_int_equal(s->delivered, 200);
	for (i = 1; i < 203; i++) {
		if (s->order[i] == JOB_BOX)
			box_at = i;
		if (s->order[i] == JOB_VERIFY)
			verify = i;
		if (s->order[i] == JOB_COMMIT && s->numbers[i] == 101)
			first_after = i;
		if (s->order[i] == JOB_COMMIT && s->numbers[i] <= 100)
			assert_int_equal(box_at, 0);
	}
	assert_true(first_after > box_at && box_at > 0);
	assert_true(verify > box_at);
	assert_true(set_count(&s->handled) == 100);
}

static void
on_stopped(void *arg)
{
	struct shop *s = arg;

	s->stopped++;
	loop_stop(s->o.loop);
}

static void
discards_what_waits_when_stopped(void **state)
{
	struct shop *s = *state;
	uint32_t i;

	open_box(s);
	for (i = 1; i <= 1000; i++)
		push_commit(s, &s->account, i);
	worker_stop(s->worker, on_stopped, s);
	office_wait(&s->o, &s->stopped, 1);
	assert_int_equal(s->done, 1001);
	assert_int_equal(s->delivered + s->cancelled, 1000);
	assert_int_equal(office_count(&s->o, "A/new", NULL), s->delivered);
	assert_int_equal(office_count(&s->o, "A/tmp", NULL), 0);
}

/* A program or a server has them, so the ledger has to know. */
static void
records_what_was_handed_on_although_it_stops(void **state)
{
	struct shop *s = *state;
	struct job *j;
	int64_t box;
	uint32_t i;

	worker_push(s->worker, job(s, JOB_BOX, &s->other, 0));
	office_wait(&s->o, &s->done, 1);
	assert_null(s->place);
	box = s->box;
	open_box(s);
	for (i = 1; i <= 500; i++) {
		push_commit(s, &s->account, i);
		j = job(s, JOB_COMMIT, &s->other, i);
		j->commit.entry.box = box;
		j->commit.entry.number = i;
		worker_push(s->worker, j);
	}
	worker_stop(s->worker, on_stopped, s);
	office_wait(&s->o, &s->stopped, 1);
	assert_int_equal(s->done, 1002);
	assert_int_equal(s->recorded, 500);
	assert_int_equal(s->delivered + s->cancelled, 1000);
	worker_free(&s->worker);
	open_worker(s);
	s->done = 0;
	worker_push(s->worker, job(s, JOB_BOX, &s->other, 0));
	office_wait(&s->o, &s->done, 1);
	assert_int_equal(set_count(&s->handled), 500);
}

/* It did not wait, and is not to be told twice. */
static void
leaves_alone_what_was_refused_already(void **state)
{
	struct shop *s = *state;
	struct job *j;

	open_box(s);
	j = job(s, JOB_COMMIT, &s->account, 1);
	j->commit.entry.box = s->box;
	j->commit.entry.number = 1;
	err_set(&j->commit.e, ERR_MESSAGE, 0, "refused");
	worker_push(s->worker, j);
	office_wait(&s->o, &s->done, 2);
	assert_int_equal(s->delivered, 0);
	open_box(s);
	assert_true(set_empty(&s->handled));
}

static void
stops_when_idle(void **state)
{
	struct shop *s = *state;

	worker_stop(s->worker, on_stopped, s);
	office_wait(&s->o, &s->stopped, 1);
}

static void
may_be_freed_with_work_to_do(void **state)
{
	struct shop *s = *state;
	uint32_t i;

	open_box(s);
	for (i = 1; i <= 500; i++)
		push_commit(s, &s->account, i);
	worker_free(&s->worker);
	assert_null(s->worker);
	assert_int_equal(office_count(&s->o, "A/tmp", NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commits_in_groups_and_remembers),
		TEST(weighs_names_that_are_asked_for),
		TEST(keeps_the_order_within_an_account),
		TEST(discards_what_waits_when_stopped),
		TEST(records_what_was_handed_on_although_it_stops),
		TEST(leaves_alone_what_was_refused_already),
		TEST(stops_when_idle),
		TEST(may_be_freed_with_work_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
