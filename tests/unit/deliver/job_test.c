/* SPDX-License-Identifier: ISC */
#include "deliver/job.h"

#include "office.h"

#include "deliver/wire.h"
#include "util/mem.h"

struct bench {
	struct office o;
	struct ledger *ledger;
	struct places places;
	struct maildir_names names;
	struct job_account account;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct err e = { 0 };

	assert_non_null(b);
	log_set_sink(office_drop_line);
	office_make_dir(&b->o);
	b->ledger = ledger_open(office_path(&b->o, "ledger"), &e);
	assert_non_null(b->ledger);
	maildir_names_init(&b->names, ledger_token(b->ledger));
	places_init(&b->places, b->ledger, &b->names, NULL);
	b->account.target =
	    office_target(&b->o, TARGET_MAILDIR, "a", "A", NULL);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	places_deinit(&b->places);
	ledger_close(&b->ledger);
	office_remove_dir(&b->o);
	target_free(&b->account.target);
	free(b);
	return 0;
}

static struct job *
run_box(struct bench *b, uint32_t uidvalidity)
{
	struct job *j = job_new(JOB_BOX);

	j->account = &b->account;
	j->text = mem_strdup(uidvalidity == 0 ? "" : "INBOX");
	j->uidvalidity = uidvalidity;
	job_run(j, &b->places);
	return j;
}

/* Runs one more job for the box of j; the caller frees. */
static struct job *
run(struct bench *b, const struct job *box, enum job_kind kind)
{
	struct job *j = job_new(kind);

	j->account = &b->account;
	j->ledger_box = box->ledger_box;
	if (kind == JOB_SETTLE)
		set_add(&j->set, 3, 5);
	job_run(j, &b->places);
	assert_int_equal(j->e.kind, ERR_NONE);
	return j;
}

static void
opens_a_box_with_its_maildir(void **state)
{
	struct bench *b = *state;
	struct job *j = run_box(b, 7), *s;

	assert_int_equal(j->e.kind, ERR_NONE);
	assert_int_equal(j->state, LEDGER_NEW);
	assert_non_null(j->maildir);
	assert_non_null(j->place);
	s = run(b, j, JOB_SETTLE);
	job_free(&s);
	job_free(&j);
	assert_null(j);
	j = run_box(b, 7);
	assert_int_equal(j->state, LEDGER_KNOWN);
	assert_true(set_empty(&j->set));
	assert_int_equal(set_count(&j->settled), 3);
	job_free(&j);
	j = run_box(b, 8);
	assert_int_equal(j->e.kind, ERR_NONE);
	assert_int_equal(j->state, LEDGER_CHANGED);
	assert_int_equal(j->was, 7);
	assert_null(j->maildir);
	job_free(&j);
}

static void
says_why_a_box_cannot_be_opened(void **state)
{
	struct bench *b = *state;
	struct job *j;
	FILE *f = fopen(office_path(&b->o, "A"), "w");

	fclose(f);
	j = run_box(b, 7);
	assert_int_equal(j->e.kind, ERR_DELIVER);
	assert_non_null(strstr(j->e.text, "/A"));
	job_free(&j);
}

static struct job *
lines(struct bench *b, const struct job *box, uint32_t first, uint32_t last)
{
	struct job *j = job_new(JOB_LIST_ADD);
	struct buf out;

	buf_init(&out, WIRE_MAX);
	for (; first <= last; first++) {
		char uidl[16];
		int n = snprintf(uidl, sizeof(uidl), "u%u", first);
		struct wire_line line = { first, 1, { uidl, (size_t)n } };

		assert_true(wire_put_line(&out, &line));
	}
	j->account = &b->account;
	j->ledger_box = box->ledger_box;
	j->text = mem_spandup(buf_span(&out));
	j->n = out.n;
	buf_deinit(&out);
	job_run(j, &b->places);
	return j;
}

static void
takes_a_listing(void **state)
{
	struct bench *b = *state;
	struct job *box = run_box(b, 0), *j;

	j = run(b, box, JOB_LIST_BEGIN);
	job_free(&j);
	j = lines(b, box, 1, 50);
	job_free(&j);
	j = lines(b, box, 51, 60);
	job_free(&j);
	j = run(b, box, JOB_LIST_END);
	assert_int_equal(set_count(&j->set), 60);
	assert_true(set_empty(&j->owed));
	job_free(&j);
	job_free(&box);
}

/* Half a listing is not a listing. */
static void
tells_a_failure_within_a_listing_at_its_end(void **state)
{
	struct bench *b = *state;
	struct job *box = run_box(b, 0), *j;

	j = run(b, box, JOB_LIST_BEGIN);
	job_free(&j);
	err_set(&b->account.list_failed, ERR_DELIVER, 0, "half way");
	j = lines(b, box, 1, 50);
	job_free(&j);
	j = job_new(JOB_LIST_END);
	j->account = &b->account;
	j->ledger_box = box->ledger_box;
	job_run(j, &b->places);
	assert_string_equal(j->e.text, "half way");
	assert_true(set_empty(&j->set));
	job_free(&j);
	j = run(b, box, JOB_LIST_BEGIN);
	job_free(&j);
	j = run(b, box, JOB_LIST_END);
	job_free(&j);
	job_free(&box);
}

static void
knows_no_fingerprint_of_what_was_not_delivered(void **state)
{
	struct bench *b = *state;
	struct job *box = run_box(b, 7), *j;

	j = run(b, box, JOB_VERIFY);
	assert_false(j->same);
	job_free(&j);
	job_free(&box);
}

static void
discards_a_commit_that_was_not_done(void **state)
{
	struct bench *b = *state;
	struct job *box = run_box(b, 7), *j = job_new(JOB_COMMIT);
	struct err e = { 0 };

	memcpy(j->commit.name, "name", 5);
	j->commit.maildir = maildir_ref(box->maildir);
	j->commit.fd = maildir_create(box->maildir, "name", &e);
	assert_int_equal(office_count(&b->o, "A/tmp", NULL), 1);
	job_free(&j);
	assert_int_equal(office_count(&b->o, "A/tmp", NULL), 0);
	job_free(&box);
	job_free(&box);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_a_box_with_its_maildir),
		TEST(says_why_a_box_cannot_be_opened),
		TEST(takes_a_listing),
		TEST(tells_a_failure_within_a_listing_at_its_end),
		TEST(knows_no_fingerprint_of_what_was_not_delivered),
		TEST(discards_a_commit_that_was_not_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
