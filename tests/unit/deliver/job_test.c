/* SPDX-License-Identifier: ISC */
#include "deliver/job.h"

#include "office.h"

#include <signal.h>
#include <sys/resource.h>

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
	places_init(
	    &b->places, b->ledger, &b->names, office_path(&b->o, "spool"));
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

/* What it takes it keeps, and it would come again with each new try. */
static void
opens_no_box_of_a_program_while_nothing_can_be_recorded(void **state)
{
	struct bench *b = *state;
	struct job *j = run_box(b, 7);
	struct rlimit before, none;

	job_free(&j);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	j = run_box(b, 7);
	assert_int_equal(j->e.kind, ERR_NONE);
	job_free(&j);
	b->account.target->way = TARGET_MDA;
	j = run_box(b, 7);
	assert_int_equal(j->e.kind, ERR_DELIVER);
	job_free(&j);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	j = run_box(b, 7);
	assert_int_equal(j->e.kind, ERR_NONE);
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

/* ---- messages ---- */

/* Those that are not listed have none. */
static void
names_the_messages_of_a_listing(void **state)
{
	struct bench *b = *state;
	struct job *box = run_box(b, 0), *j;
	struct unpack u;
	struct wire_name n;

	j = run(b, box, JOB_LIST_BEGIN);
	job_free(&j);
	j = lines(b, box, 1, 4);
	job_free(&j);
	j = run(b, box, JOB_LIST_END);
	job_free(&j);
	j = job_new(JOB_NAMES);
	j->account = &b->account;
	j->ledger_box = box->ledger_box;
	set_add(&j->set, 2, 2);
	set_add(&j->set, 4, 5);
	job_run(j, &b->places);
	u = unpack_of(span_make(j->text, j->n));
	assert_true(wire_take_name(&u, &n));
	assert_int_equal(n.number, 2);
	assert_true(span_eq(n.text, SPAN("u2")));
	assert_true(wire_take_name(&u, &n));
	assert_true(span_eq(n.text, SPAN("u4")));
	assert_true(wire_take_name(&u, &n));
	assert_int_equal(n.number, 5);
	assert_int_equal(n.text.n, 0);
	assert_true(unpack_ok(&u));
	assert_int_equal(j->e.kind, ERR_DELIVER);
	job_free(&j);
	job_free(&box);
}

static struct job *
message(struct bench *b, const struct job *box, enum job_kind kind)
{
	struct job *j = job_new(kind);

	j->account = &b->account;
	j->ledger_box = box->ledger_box;
	j->commit.entry.box = box->ledger_box;
	j->commit.entry.number = 5;
	return j;
}

static void
notes_a_message_and_knows_it_when_asked(void **state)
{
	struct wire_note w = { .token = WIRE_NO_TOKEN,
		.number = 5,
		.state = LEDGER_HELD,
		.reason = SPAN("why"),
		.reached = { { SPAN("a@b") }, 1 } };
	struct bench *b = *state;
	struct job *box = run_box(b, 7), *j;

	j = message(b, box, JOB_ASK);
	job_run(j, &b->places);
	assert_int_equal(j->e.kind, ERR_NONE);
	assert_false(j->asked.known || j->asked.barred);
	assert_string_equal(j->asked.uid, "5");
	job_free(&j);
	j = message(b, box, JOB_NOTE);
	job_take_note(j, &w, box->ledger_box);
	assert_int_equal(j->commit.e.kind, ERR_NONE);
	job_run(j, &b->places);
	assert_int_equal(j->e.kind, ERR_NONE);
	job_free(&j);
	j = message(b, box, JOB_ASK);
	job_run(j, &b->places);
	assert_true(j->asked.barred);
	assert_int_equal(j->asked.n_reached, 1);
	assert_string_equal(j->asked.reached[0], "a@b");
	job_free(&j);
	job_free(&box);
	box = run_box(b, 7);
	assert_true(set_has(&box->barred, 5));
	/* it is not on the server any more */
	j = message(b, box, JOB_MISSING);
	set_add(&j->set, 5, 5);
	job_run(j, &b->places);
	assert_int_equal(j->e.kind, ERR_NONE);
	job_free(&j);
	job_free(&box);
	box = run_box(b, 7);
	assert_true(set_empty(&box->barred));
	job_free(&box);
}

/* The letter's answer is the reason, or that the ledger failed. */
static void
answers_the_letter_of_a_note_with_its_reason(void **state)
{
	struct wire_note w = { .token = 3,
		.number = 5,
		.state = LEDGER_LATER,
		.reason = SPAN("mailbox full") };
	struct bench *b = *state;
	struct job *box = run_box(b, 7), *j = message(b, box, JOB_NOTE);

	j->letter = true;
	job_take_note(j, &w, box->ledger_box);
	assert_int_equal(j->commit.e.kind, ERR_MESSAGE);
	assert_string_equal(j->commit.e.text, "later: mailbox full");
	job_run(j, &b->places);
	assert_int_equal(j->commit.e.kind, ERR_MESSAGE);
	job_free(&j);
	w.state = LEDGER_HELD;
	j = message(b, box, JOB_NOTE);
	j->letter = true;
	job_take_note(j, &w, 4711); /* there is no such box */
	assert_string_equal(j->commit.e.text, "held: mailbox full");
	job_run(j, &b->places);
	assert_int_equal(j->commit.e.kind, ERR_DELIVER);
	assert_int_equal(j->e.kind, ERR_DELIVER);
	job_free(&j);
	job_free(&box);
}

static void
takes_the_words_of_a_stub(void **state)
{
	struct wire_commit w = {
		.stub = true, .size = 1ull << 40, .about = SPAN("about")
	};
	struct job *j = job_new(JOB_COMMIT);

	(void)state;
	job_take_commit(j, &(struct wire_commit){ .about = SPAN("about") });
	assert_null(j->mail); /* a Maildir needs none */
	job_take_commit(j, &w);
	assert_true(j->commit.entry.stub);
	assert_ptr_equal(j->commit.entry.note, &j->mail->note);
	assert_int_equal(j->commit.entry.note->size, 1ull << 40);
	assert_string_equal(j->commit.entry.note->about, "about");
	assert_non_null(strstr(j->commit.entry.note->reason, "max-size"));
	job_free(&j);
}

/* ---- boxes of other ways ---- */

static void
opens_a_box_without_a_place_for_a_program_or_a_server(void **state)
{
	static const enum target_way ways[] = { TARGET_MDA, TARGET_RELAY };
	struct bench *b = *state;
	struct job *j;

	for (size_t i = 0; i < 2; i++) {
		b->account.target->way = ways[i];
		j = run_box(b, 7);
		assert_int_equal(j->e.kind, ERR_NONE);
		assert_null(j->place);
		assert_null(j->maildir);
		assert_int_not_equal(j->ledger_box, 0);
		job_free(&j);
	}
	assert_int_equal(access(office_path(&b->o, "A"), F_OK), -1);
}

static void
opens_a_box_of_an_mbox_with_the_spool(void **state)
{
	struct bench *b = *state;
	struct job *j;

	b->account.target->way = TARGET_MBOX;
	j = run_box(b, 7);
	assert_int_equal(j->e.kind, ERR_NONE);
	assert_string_equal(j->place->mbox, office_path(&b->o, "A"));
	assert_string_equal(
	    maildir_path(j->maildir), office_path(&b->o, "spool"));
	job_free(&j);
}

static void
opens_a_folder_for_each_mailbox(void **state)
{
	struct bench *b = *state;
	struct job *j = job_new(JOB_BOX);

	b->account.target->folders = true;
	j->account = &b->account;
	j->text = mem_strdup("Lists/x");
	j->n = 7;
	j->delimiter = '/';
	j->uidvalidity = 7;
	job_run(j, &b->places);
	assert_int_equal(j->e.kind, ERR_NONE);
	assert_true(j->place->folder);
	assert_string_equal(
	    maildir_path(j->maildir), office_path(&b->o, "A/.Lists.x"));
	job_free(&j);
	j = run_box(b, 7); /* the INBOX is the Maildir itself */
	assert_false(j->place->folder);
	job_free(&j);
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
		TEST(opens_no_box_of_a_program_while_nothing_can_be_recorded),
		TEST(takes_a_listing),
		TEST(tells_a_failure_within_a_listing_at_its_end),
		TEST(knows_no_fingerprint_of_what_was_not_delivered),
		TEST(names_the_messages_of_a_listing),
		TEST(notes_a_message_and_knows_it_when_asked),
		TEST(answers_the_letter_of_a_note_with_its_reason),
		TEST(takes_the_words_of_a_stub),
		TEST(opens_a_box_without_a_place_for_a_program_or_a_server),
		TEST(opens_a_box_of_an_mbox_with_the_spool),
		TEST(opens_a_folder_for_each_mailbox),
		TEST(discards_a_commit_that_was_not_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
