/* SPDX-License-Identifier: ISC */
#include "deliver/letter.h"

#include "clerk.h"

/* ---- letters that the deliverer commits ---- */

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

/* From its header; a style that asks for it wants that. */
static void
says_whom_a_letter_is_from_and_to(void **state)
{
	const struct draft_style style = { .envelope = true,
		.recipient = "bob@example.org" };
	struct clerk *k = *state;
	struct session s;
	struct letter *l;
	struct err e;

	k->o.style = &style;
	clerk_begin(k, &s);
	l = letter_open(s.box, 0, "uidl");
	assert_int_equal(
	    letter_write(l,
		SPAN("From: Al <al@example.org>\r\nSubject: hi\r\n\r\nx"), &e),
	    0);
	s.params = (struct letter_params){ .number = 4,
		.stub = true,
		.size = 1ull << 40,
		.flags = CLIENT_SEEN | CLIENT_DRAFT,
		.time = 86400 };
	letter_commit(&l, &s.params, session_on_letter);
	office_wait(&k->o, &k->n_commits, 1);
	assert_string_equal(k->sender, "al@example.org");
	assert_string_equal(k->recipient, "bob@example.org");
	assert_non_null(strstr(k->about, "hi"));
	assert_false(k->commits[0].relayed);
	assert_true(k->commits[0].stub);
	assert_int_equal(k->commits[0].size, 1ull << 40);
	assert_int_equal(k->commits[0].flags, 9);
	assert_int_equal(k->commits[0].time, 86400);
	session_end(&s);
}

static void
tells_that_it_was_delivered_before(void **state)
{
	struct wire_done d = { .known = true };
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	clerk_commit(k, &s, 1, 1, 10);
	office_wait(&k->o, &k->n_commits, 1);
	d.cookie = k->commits[0].cookie;
	assert_true(wire_put_done(&k->out, &d));
	clerk_send(k, WIRE_DONE);
	office_wait(&k->o, &s.known, 1);
	assert_int_equal(s.delivered, 1);
	session_end(&s);
}

/* ---- letters that the engine hands on ---- */

struct courier {
	struct session s;
	struct letter *l;
	unsigned int asked, then, answered_at_then;
	bool then_failed;
	bool known, has_content, closes, gives_up;
	struct letter_content content;
	char recipient[256], reached[256];
	struct err e;
};

static const struct draft_style crlf = {
	.crlf = true, .envelope = true, .recipient = "bob@example.org"
};

static void
on_asked(void *arg, struct letter *l, const struct letter_content *content,
    bool known, const struct err *e)
{
	struct courier *c = arg;

	assert_ptr_equal(l, c->l);
	c->asked++;
	c->known = known;
	c->has_content = content != NULL;
	err_clear(&c->e);
	if (e != NULL)
		c->e = *e;
	if (content != NULL) {
		c->content = *content;
		clerk_keep(c->recipient, content->recipient);
		if (content->n_reached > 0)
			clerk_keep(c->reached, content->reached[0]);
	}
	if (c->closes)
		client_box_close(&c->s.box);
	if (c->gives_up)
		letter_give_up(&c->l, e, session_on_letter);
	loop_stop(c->s.o->loop);
}

static void
on_then(void *arg, const struct err *e)
{
	struct courier *c = arg;

	c->then_failed = e != NULL;
	c->then++;
	c->answered_at_then = c->s.answered;
}

/* A letter that is complete, and whose question is with the deliverer. */
static void
ask(struct clerk *k, struct courier *c)
{
	struct err e;

	*c = (struct courier){ 0 };
	k->o.style = &crlf;
	clerk_begin(k, &c->s);
	c->l = letter_open(c->s.box, 5, NULL);
	assert_int_equal(
	    letter_write(c->l, SPAN("A: b\r\n\r\n\xe4\r\n"), &e), 0);
	c->s.params = (struct letter_params){ .number = 5, .owes = true };
	letter_ask(c->l, &c->s.params, on_asked, c);
	assert_int_equal(c->asked, 0); /* never from inside the call */
	assert_int_equal(client_pending(c->s.box), 1);
	office_wait(&k->o, &k->n_asks, 1);
}

static void
ask_and_hear(struct clerk *k, struct courier *c)
{
	struct wire_asked a = { .reached = { { SPAN("x@y") }, 1 } };

	ask(k, c);
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &c->asked, 1);
}

static void
asks_and_gets_the_octets_as_they_came(void **state)
{
	struct clerk *k = *state;
	struct courier c;
	char octets[32];

	ask_and_hear(k, &c);
	assert_int_equal(k->asks[0].number, 5);
	assert_true(k->asks[0].owes);
	assert_false(k->asks[0].by_content);
	assert_true(c.has_content);
	assert_false(c.known);
	assert_int_equal(c.e.kind, ERR_NONE);
	assert_int_equal(c.content.octets, 11);
	assert_true(c.content.eight_bit);
	assert_false(c.content.bare);
	assert_string_equal(c.recipient, "bob@example.org");
	assert_int_equal(c.content.n_reached, 1);
	assert_string_equal(c.reached, "x@y");
	assert_int_equal(pread(c.content.fd, octets, sizeof(octets), 0), 11);
	assert_memory_equal(octets, "A: b\r\n\r\n\xe4\r\n", 11);
	letter_discard(&c.l);
	session_end(&c.s);
}

static void
records_what_was_sent_and_tells_then_first(void **state)
{
	struct clerk *k = *state;
	struct courier c;

	ask_and_hear(k, &c);
	letter_sent(&c.l, session_on_letter, on_then, &c);
	assert_null(c.l);
	assert_int_equal(client_pending(c.s.box), 1);
	office_wait(&k->o, &k->n_commits, 1);
	assert_true(k->commits[0].relayed);
	assert_int_equal(k->commits[0].token, k->asks[0].token);
	assert_int_equal(k->commits[0].number, 5);
	assert_int_equal(k->discarded, 0);
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &c.s.delivered, 1);
	assert_int_equal(c.then, 1);
	assert_int_equal(c.answered_at_then, 0);
	assert_false(c.then_failed);
	assert_int_equal(client_pending(c.s.box), 0);
	session_end(&c.s);
}

static void
notes_what_was_refused_and_tells_then_first(void **state)
{
	const struct client_note note = { .number = 5,
		.why = CLIENT_WHY_REFUSED,
		.hold_after = 4,
		.reason = "550 no" };
	const struct span reached[] = { SPAN("got@it") };
	struct clerk *k = *state;
	struct courier c;

	ask_and_hear(k, &c);
	letter_refused(&c.l, &note, reached, 1, session_on_letter, on_then, &c);
	assert_null(c.l);
	office_wait(&k->o, &k->n_notes, 1);
	assert_int_equal(k->notes[0].token, k->asks[0].token);
	assert_int_equal(k->notes[0].box, k->last_box);
	assert_int_equal(k->notes[0].state, LEDGER_LATER);
	assert_int_equal(k->notes[0].hold_after, 4);
	assert_int_equal(k->notes[0].reached.n, 1);
	assert_string_equal(k->reached, "got@it");
	assert_string_equal(k->reason, "550 no");
	clerk_tell_done(k, k->notes[0].cookie, "later: 550 no");
	office_wait(&k->o, &c.s.answered, 1);
	assert_int_equal(c.then, 1);
	assert_int_equal(c.answered_at_then, 0);
	assert_true(c.then_failed);
	assert_int_equal(c.s.delivered, 0);
	assert_int_equal(c.s.e.kind, ERR_MESSAGE);
	assert_int_equal(client_pending(c.s.box), 0);
	assert_int_equal(k->discarded, 0);
	session_end(&c.s);
}

/* Many servers have many recipients; what does not fit is sent once more. */
static void
notes_no_more_recipients_than_a_note_holds(void **state)
{
	const struct client_note note = { .number = 5, .reason = "x" };
	struct span reached[WIRE_RECIPIENTS_MAX + 5];
	struct clerk *k = *state;
	struct courier c;
	char longest[WIRE_ADDRESS_MAX];

	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < WIRE_RECIPIENTS_MAX + 5; i++)
		reached[i] = span_make(longest, sizeof(longest));
	ask_and_hear(k, &c);
	letter_refused(&c.l, &note, reached, WIRE_RECIPIENTS_MAX + 5,
	    session_on_letter, NULL, NULL);
	office_wait(&k->o, &k->n_notes, 1);
	assert_int_equal(k->notes[0].reached.n, WIRE_RECIPIENTS_MAX);
	session_end(&c.s);
}

static void
tells_what_is_known_or_not_to_be_tried_now(void **state)
{
	struct wire_asked a = { .known = true };
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &c.asked, 1);
	assert_true(c.known);
	assert_false(c.has_content);
	letter_give_up(&c.l, NULL, session_on_letter);
	assert_null(c.l);
	assert_int_equal(c.s.answered, 0);
	office_wait(&k->o, &c.s.known, 1);
	assert_int_equal(c.s.delivered, 1);
	office_wait(&k->o, &k->discarded, 1);
	assert_int_equal(client_pending(c.s.box), 0);
	session_end(&c.s);
}

static void
tells_what_is_not_to_be_tried_now(void **state)
{
	struct wire_asked a = { .barred = true };
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &c.asked, 1);
	assert_false(c.known);
	assert_false(c.has_content);
	assert_int_equal(c.e.kind, ERR_MESSAGE);
	assert_int_equal(c.e.sys, EALREADY);
	letter_give_up(&c.l, &c.e, session_on_letter);
	office_wait(&k->o, &c.s.answered, 1);
	assert_int_equal(c.s.e.sys, EALREADY);
	assert_int_equal(c.s.delivered, 0);
	session_end(&c.s);
}

static void
tells_why_the_ledger_could_not_be_asked(void **state)
{
	struct wire_asked a = { .e = { .kind = ERR_DELIVER,
				    .text = "disk on fire" } };
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	c.gives_up = true;
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &c.s.answered, 1);
	assert_int_equal(c.asked, 1);
	assert_string_equal(c.s.e.text, "disk on fire");
	session_end(&c.s);
}

static void
asks_nothing_of_a_letter_that_could_not_be_opened(void **state)
{
	struct clerk *k = *state;
	struct courier c = { .gives_up = true };
	struct err e;

	session_begin(&c.s, &k->o, 1, "INBOX", 1);
	k->refuses = true;
	assert_null(letter_open(c.s.box, 1, NULL));
	office_wait(&k->o, &c.s.readied, 1);
	c.l = letter_open(c.s.box, 1, NULL);
	assert_int_equal(letter_write(c.l, SPAN("x"), &e), -1);
	letter_ask(c.l, &c.s.params, on_asked, &c);
	assert_int_equal(c.asked, 0);
	office_wait(&k->o, &c.s.answered, 1);
	assert_int_equal(c.asked, 1);
	assert_string_equal(c.s.e.text, "no room in the inn");
	assert_int_equal(k->n_asks, 0);
	assert_int_equal(client_pending(c.s.box), 0);
	session_end(&c.s);
}

/* ---- who goes away meanwhile ---- */

static void
forgets_its_question_when_it_is_discarded(void **state)
{
	struct wire_asked a = { 0 };
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	letter_discard(&c.l);
	assert_int_equal(client_pending(c.s.box), 0);
	office_wait(&k->o, &k->discarded, 1);
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_turn(&k->o, 20);
	assert_int_equal(c.asked, 0);
	assert_int_equal(k->gone, 0);
	/* the next letter is as ever */
	assert_int_equal(clerk_commit(k, &c.s, 6, 6, 10), 7);
	office_wait(&k->o, &k->n_commits, 1);
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &c.s.delivered, 1);
	session_end(&c.s);
}

static void
tells_nobody_when_its_box_is_closed_meanwhile(void **state)
{
	struct wire_asked a = { 0 };
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	session_end(&c.s);
	office_wait(&k->o, &k->closed, 1);
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_turn(&k->o, 20);
	assert_int_equal(c.asked, 0);
	assert_int_equal(k->gone, 0);
}

static void
lets_its_box_be_closed_when_it_is_told(void **state)
{
	struct wire_asked a = { 0 };
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	c.closes = true;
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &c.asked, 1);
	office_wait(&k->o, &k->closed, 1);
	session_end(&c.s);
	assert_int_equal(k->gone, 0);
}

/* It is recorded all the same. */
static void
tells_nobody_what_was_sent_when_its_box_is_closed(void **state)
{
	struct clerk *k = *state;
	struct courier c;

	ask_and_hear(k, &c);
	letter_sent(&c.l, session_on_letter, on_then, &c);
	session_end(&c.s);
	office_wait(&k->o, &k->n_commits, 1);
	clerk_answer(k, 1, NULL);
	office_turn(&k->o, 20);
	assert_int_equal(c.then, 0);
	assert_int_equal(c.s.answered, 0);
	assert_int_equal(k->gone, 0);
}

static void
answers_a_question_when_the_deliverer_goes(void **state)
{
	struct clerk *k = *state;
	struct courier c;

	ask(k, &c);
	c.gives_up = true;
	ipc_free(&k->ipc);
	office_wait(&k->o, &c.s.answered, 1);
	assert_int_equal(c.asked, 1);
	assert_int_equal(c.s.e.kind, ERR_DELIVER);
	assert_int_equal(client_pending(c.s.box), 0);
	session_end(&c.s);
}

static void
answers_what_is_asked_after_the_deliverer_went(void **state)
{
	struct clerk *k = *state;
	struct courier c = { .gives_up = true };
	struct err e;

	k->o.style = &crlf;
	clerk_begin(k, &c.s);
	c.l = letter_open(c.s.box, 5, NULL);
	assert_int_equal(letter_write(c.l, SPAN("A: b\r\n\r\n"), &e), 0);
	ipc_free(&k->ipc);
	office_turn(&k->o, 20);
	c.s.params.number = 5;
	letter_ask(c.l, &c.s.params, on_asked, &c);
	assert_int_equal(c.asked, 0);
	office_wait(&k->o, &c.s.answered, 1);
	assert_int_equal(c.asked, 1);
	assert_int_equal(c.s.e.kind, ERR_DELIVER);
	session_end(&c.s);
}

static void
answers_what_was_sent_after_the_deliverer_went(void **state)
{
	const struct client_note note = { .number = 5, .reason = "x" };
	struct clerk *k = *state;
	struct courier c;

	for (int i = 0; i < 2; i++) {
		void *fresh = k;

		ask_and_hear(k, &c);
		ipc_free(&k->ipc);
		office_turn(&k->o, 20);
		if (i == 0)
			letter_sent(&c.l, session_on_letter, on_then, &c);
		else
			letter_refused(&c.l, &note, NULL, 0, session_on_letter,
			    on_then, &c);
		office_wait(&k->o, &c.s.answered, 1);
		assert_int_equal(c.then, 1);
		assert_int_equal(c.s.delivered, 0);
		assert_int_equal(c.s.e.kind, ERR_DELIVER);
		session_end(&c.s);
		clerk_teardown(&fresh);
		clerk_setup(state);
		k = *state;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clerk_setup, clerk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commits_and_answers),
		TEST(writes_with_lf_and_counts_what_it_was_given),
		TEST(sends_commits_of_one_round_together),
		TEST(tells_why_there_is_no_letter),
		TEST(answers_a_letter_that_was_open_when_the_deliverer_went),
		TEST(says_whom_a_letter_is_from_and_to),
		TEST(tells_that_it_was_delivered_before),
		TEST(asks_and_gets_the_octets_as_they_came),
		TEST(records_what_was_sent_and_tells_then_first),
		TEST(notes_what_was_refused_and_tells_then_first),
		TEST(notes_no_more_recipients_than_a_note_holds),
		TEST(tells_what_is_known_or_not_to_be_tried_now),
		TEST(tells_what_is_not_to_be_tried_now),
		TEST(tells_why_the_ledger_could_not_be_asked),
		TEST(asks_nothing_of_a_letter_that_could_not_be_opened),
		TEST(forgets_its_question_when_it_is_discarded),
		TEST(tells_nobody_when_its_box_is_closed_meanwhile),
		TEST(lets_its_box_be_closed_when_it_is_told),
		TEST(tells_nobody_what_was_sent_when_its_box_is_closed),
		TEST(answers_a_question_when_the_deliverer_goes),
		TEST(answers_what_is_asked_after_the_deliverer_went),
		TEST(answers_what_was_sent_after_the_deliverer_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
