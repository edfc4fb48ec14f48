/* SPDX-License-Identifier: ISC */
#include "deliver/client.h"

#include "clerk.h"

static void
tells_what_the_ledger_knows(void **state)
{
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.e.kind, ERR_NONE);
	assert_int_equal(s.state, CLIENT_BOX_NEW);
	assert_int_equal(k->opens, 0); /* no file before there is mail */
	session_end(&s);
	office_wait(&k->o, &k->closed, 1);
}

static void
commits_and_answers(void **state)
{
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	s.params.owes = true;
	assert_int_equal(clerk_commit(k, &s, 1, 3, 100), 4);
	assert_int_equal(client_pending(s.box), 3);
	office_wait(&k->o, &k->n_commits, 3);
	assert_int_equal(s.answered, 0);
	assert_int_equal(k->commits[1].number, 2);
	assert_int_equal(k->commits[1].octets, 100);
	assert_true(k->commits[1].owes);
	assert_false(k->commits[1].by_content);
	clerk_answer(k, 2, NULL);
	office_wait(&k->o, &s.delivered, 2);
	clerk_answer(k, 1, "disk on fire");
	office_wait(&k->o, &s.answered, 3);
	assert_int_equal(s.delivered, 2);
	assert_string_equal(s.e.text, "disk on fire");
	assert_int_equal(client_pending(s.box), 0);
	session_end(&s);
}

static void
writes_with_lf_and_counts_what_it_was_given(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e;

	clerk_begin(k, &s);
	l = letter_open(s.box, 0, NULL);
	assert_int_equal(letter_write(l, SPAN("a\r"), &e), 0);
	assert_int_equal(letter_write(l, SPAN("\nb\r\n"), &e), 0);
	assert_int_equal(letter_octets(l), 6);
	s.params.number = 1;
	letter_commit(&l, &s.params, session_on_letter);
	assert_null(l);
	office_wait(&k->o, &k->n_commits, 1);
	assert_int_equal(k->commits[0].octets, 4);
	session_end(&s);
}

static void
sends_commits_of_one_round_together(void **state)
{
	struct clerk *k = *state;
	struct letter *l[2];
	struct session s;
	unsigned int before;
	int i;

	clerk_begin(k, &s);
	l[0] = letter_open(s.box, 0, NULL);
	l[1] = letter_open(s.box, 0, NULL);
	office_turn(&k->o, 10); /* more files were asked for */
	before = k->packets;
	s.params.number = 1;
	for (i = 0; i < 2; i++)
		letter_commit(&l[i], &s.params, session_on_letter);
	office_wait(&k->o, &k->n_commits, 2);
	assert_int_equal(k->packets, before + 1);
	session_end(&s);
}

static void
is_full_when_too_many_letters_wait(void **state)
{
	struct clerk *k = *state;
	struct session s;
	uint32_t next;

	clerk_begin(k, &s);
	next = clerk_commit(k, &s, 1, 4000, 10);
	assert_int_equal(next, 513);
	assert_true(client_full(s.box));
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &k->n_commits, 512);
	s.readied = 0;
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.readied, 1);
	assert_false(client_full(s.box));
	session_end(&s);
}

static void
is_full_when_too_many_octets_wait(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e;
	uint32_t next;
	char piece[10];

	memset(piece, 'x', sizeof(piece));
	clerk_begin(k, &s);
	next = clerk_commit(k, &s, 1, 40, 1 << 20);
	assert_int_equal(next, 17);
	assert_true(client_full(s.box));
	office_wait(&k->o, &k->n_commits, 16);
	s.readied = 0;
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.readied, 1);
	/* in the middle of a letter, too, and it is told when that goes */
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	while (!client_full(s.box))
		assert_int_equal(
		    letter_write(l, span_make(piece, sizeof(piece)), &e), 0);
	s.readied = 0;
	letter_discard(&l);
	office_wait(&k->o, &s.readied, 1);
	/* or when others are done */
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	while (!client_full(s.box))
		assert_int_equal(
		    letter_write(l, span_make(piece, sizeof(piece)), &e), 0);
	s.readied = 0;
	clerk_answer(k, 15, NULL);
	office_wait(&k->o, &s.readied, 1);
	assert_false(client_full(s.box));
	letter_discard(&l);
	session_end(&s);
}

/* However large: nothing else waits for the disk. */
static void
always_takes_one_letter(void **state)
{
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	assert_int_equal(clerk_commit(k, &s, 1, 1, 20 << 20), 2);
	assert_true(client_full(s.box));
	office_wait(&k->o, &k->n_commits, 1);
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.answered, 1);
	assert_false(client_full(s.box));
	session_end(&s);
}

static void
tells_why_there_is_no_letter(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e = { 0 };

	session_begin(&s, &k->o, 1, "INBOX", 1);
	k->refuses = true;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &s.readied, 1);
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	assert_int_equal(letter_octets(l), 0);
	assert_int_equal(letter_write(l, SPAN("x"), &e), -1);
	assert_int_equal(e.kind, ERR_DELIVER);
	assert_string_equal(e.text, "no room in the inn");
	s.params.number = 9;
	letter_commit(&l, &s.params, session_on_letter);
	assert_int_equal(s.answered, 0); /* never from inside the call */
	office_wait(&k->o, &s.answered, 1);
	assert_string_equal(s.e.text, "no room in the inn");
	/* the next one asks anew */
	k->refuses = false;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &s.readied, 2);
	l = letter_open(s.box, 0, NULL);
	assert_int_equal(letter_write(l, SPAN("x"), &e), 0);
	letter_discard(&l);
	session_end(&s);
}

static void
answers_everything_when_the_deliverer_goes(void **state)
{
	struct clerk *k = *state;
	struct session s, t;
	struct letter *l;
	struct err e = { 0 };

	clerk_begin(k, &s);
	clerk_commit(k, &s, 1, 3, 10);
	office_wait(&k->o, &k->n_commits, 3);
	client_list_begin(s.box);
	client_list_end(s.box, session_on_list);
	client_verify(s.box, 1, SPAN(""), 1, session_on_verified);
	client_verify(s.box, 2, SPAN(""), 1, session_on_verified);
	while ((l = letter_open(s.box, 0, NULL)) != NULL)
		letter_discard(&l);
	ipc_free(&k->ipc);
	s.readied = 0;
	office_wait(&k->o, &s.answered, 3);
	office_wait(&k->o, &s.listed, 1);
	office_wait(&k->o, &s.verified, 2);
	office_wait(&k->o, &s.readied, 1);
	assert_int_equal(s.delivered, 0);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	/* and whatever comes after */
	l = letter_open(s.box, 0, NULL);
	assert_int_equal(letter_write(l, SPAN("x"), &e), -1);
	assert_non_null(strstr(e.text, "deliverer"));
	letter_discard(&l);
	session_begin(&t, &k->o, 1, "INBOX", 1);
	assert_int_equal(t.e.kind, ERR_DELIVER);
	session_end(&t);
	session_end(&s);
}

static void
answers_a_letter_that_was_open_when_the_deliverer_went(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e;

	clerk_begin(k, &s);
	l = letter_open(s.box, 0, NULL);
	letter_write(l, SPAN("abc"), &e);
	ipc_free(&k->ipc);
	office_turn(&k->o, 20);
	s.params.number = 1;
	letter_commit(&l, &s.params, session_on_letter);
	office_wait(&k->o, &s.answered, 1);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	session_end(&s);
}

static void
tells_nobody_of_a_closed_box(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;

	clerk_begin(k, &s);
	clerk_commit(k, &s, 1, 2, 10);
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l);
	session_end(&s); /* discards l */
	assert_null(s.box);
	office_wait(&k->o, &k->closed, 1);
	assert_int_equal(k->n_commits, 2);
	office_turn(&k->o, 10); /* some may have been under way */
	assert_int_equal(k->discarded, k->files - 2);
	clerk_answer(k, 2, NULL);
	office_turn(&k->o, 20);
	assert_int_equal(s.answered, 0);
	assert_int_equal(k->gone, 0);
}

static void
gives_back_files_that_come_for_a_closed_box(void **state)
{
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	k->silent = true;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &k->opens, 1);
	session_end(&s);
	clerk_give_files(k, k->last_box, 4);
	office_wait(&k->o, &k->discarded, 4);
	assert_int_equal(k->gone, 0);
}

static void
carries_sets_and_listings_of_any_size(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct set many;
	uint32_t i;

	session_begin(&s, &k->o, 1, "", 0);
	set_init(&many);
	for (i = 1; i < 20000; i += 2)
		set_add(&many, i, i);
	i = k->packets;
	client_gone(s.box, &many);
	client_settle(s.box, &many);
	office_wait(&k->o, &k->packets, i + 6);
	set_deinit(&many);
	client_list_begin(s.box);
	for (i = 1; i <= 5000; i++)
		client_list_add(s.box, i, SPAN("0123456789abcdef"), i);
	client_list_end(s.box, session_on_list);
	while (k->last_type != WIRE_LIST_END)
		office_turn(&k->o, 5);
	session_end(&s);
}

static void
close_at_once(void *arg, struct client_box_info *info)
{
	struct session *s = arg;

	(void)info;
	s->opened++;
	client_box_close(&s->box);
	loop_stop(s->o->loop);
}

static void
never_ready(void *arg)
{
	(void)arg;
	fail();
}

static void
lets_a_box_be_closed_by_its_callback(void **state)
{
	struct clerk *k = *state;
	struct session s = { .o = &k->o };

	s.box = office_box(
	    &k->o, 1, "INBOX", 1, close_at_once, never_ready, &s);
	office_wait(&k->o, &s.opened, 1);
	assert_null(s.box);
}

static void
free_all(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct session *s = arg;

	(void)number;
	(void)known;
	(void)e;
	s->answered++;
	client_free(&s->o->client);
	loop_stop(s->o->loop);
}

static void
lets_itself_be_freed_by_a_callback(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	int i;

	clerk_begin(k, &s);
	for (i = 1; i <= 3; i++) {
		l = letter_open(s.box, 0, NULL);
		assert_non_null(l);
		s.params.number = (uint32_t)i;
		letter_commit(&l, &s.params, free_all);
	}
	office_wait(&k->o, &k->n_commits, 3);
	clerk_answer(k, 3, NULL);
	office_wait(&k->o, &s.answered, 1);
	office_wait(&k->o, &k->gone, 1);
	assert_int_equal(s.answered, 1);
	assert_null(k->o.client);
}

static void
refuses_a_mailbox_name_that_is_too_long(void **state)
{
	struct clerk *k = *state;
	struct session s;
	char *name = malloc(WIRE_MAILBOX_MAX + 2);

	assert_non_null(name);
	memset(name, 'x', WIRE_MAILBOX_MAX + 1);
	name[WIRE_MAILBOX_MAX + 1] = '\0';
	session_begin(&s, &k->o, 1, name, 1);
	assert_int_equal(s.e.kind, ERR_DELIVER);
	session_end(&s);
	office_turn(&k->o, 5);
	assert_int_equal(k->packets, 0);
	free(name);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clerk_setup, clerk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_what_the_ledger_knows),
		TEST(commits_and_answers),
		TEST(writes_with_lf_and_counts_what_it_was_given),
		TEST(sends_commits_of_one_round_together),
		TEST(is_full_when_too_many_letters_wait),
		TEST(is_full_when_too_many_octets_wait),
		TEST(always_takes_one_letter),
		TEST(tells_why_there_is_no_letter),
		TEST(answers_everything_when_the_deliverer_goes),
		TEST(answers_a_letter_that_was_open_when_the_deliverer_went),
		TEST(tells_nobody_of_a_closed_box),
		TEST(gives_back_files_that_come_for_a_closed_box),
		TEST(carries_sets_and_listings_of_any_size),
		TEST(lets_a_box_be_closed_by_its_callback),
		TEST(lets_itself_be_freed_by_a_callback),
		TEST(refuses_a_mailbox_name_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
