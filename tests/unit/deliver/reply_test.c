/* SPDX-License-Identifier: ISC */
#include "deliver/reply.h"

#include "clerk.h"

/* A box as it is opened, by hand. */
static void
open_silently(struct clerk *k, struct session *s)
{
	k->silent = true;
	*s = (struct session){ .o = &k->o };
	s->box = office_box(
	    &k->o, 1, "INBOX", 1, session_on_box, session_on_ready, s);
	office_wait(&k->o, &k->boxes, 1);
}

static void
gathers_sets_from_several_packets(void **state)
{
	struct clerk *k = *state;
	struct wire_answer a = { .state = CLIENT_BOX_KNOWN };
	struct session s;
	struct set part;

	open_silently(k, &s);
	a.box = k->last_box;
	set_init(&part);
	set_add(&part, 1, 5);
	wire_put_set(&k->out, a.box, WIRE_HANDLED, &part, 0);
	clerk_send(k, WIRE_SET);
	for (uint8_t which = WIRE_OWED; which <= WIRE_FULL; which++) {
		wire_put_set(&k->out, a.box, which, &part, 0);
		clerk_send(k, WIRE_SET);
	}
	set_clear(&part);
	set_add(&part, 9, 9);
	wire_put_set(&k->out, a.box, WIRE_HANDLED, &part, 0);
	clerk_send(k, WIRE_SET);
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_BOX_IS);
	office_wait(&k->o, &s.opened, 1);
	assert_int_equal(s.state, CLIENT_BOX_KNOWN);
	assert_int_equal(set_count(&s.handled), 6);
	assert_int_equal(set_count(&s.owed), 5);
	assert_int_equal(set_count(&s.barred), 5);
	assert_int_equal(set_first(&s.due), 1);
	assert_int_equal(set_count(&s.full), 5);
	/* a listing begins with nothing of that */
	client_list_begin(s.box);
	client_list_end(s.box, session_on_list);
	wire_put_set(&k->out, a.box, WIRE_FRESH, &part, 0);
	clerk_send(k, WIRE_SET);
	a.repeated = 4;
	a.barred = 6;
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_LIST_IS);
	set_clear(&s.handled);
	set_clear(&s.owed);
	office_wait(&k->o, &s.listed, 1);
	assert_true(set_empty(&s.handled));
	assert_true(set_empty(&s.owed));
	assert_int_equal(set_first(&s.fresh), 9);
	assert_true(set_empty(&s.full));
	assert_int_equal(s.repeated, 4);
	assert_int_equal(s.n_barred, 6);
	set_deinit(&part);
	session_end(&s);
}

static void
tells_of_a_box_that_has_changed(void **state)
{
	struct clerk *k = *state;
	struct wire_answer a = { .state = CLIENT_BOX_CHANGED, .was = 77 };
	struct session s;
	struct letter *l;

	open_silently(k, &s);
	a.box = k->last_box;
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_BOX_IS);
	office_wait(&k->o, &s.opened, 1);
	assert_int_equal(s.state, CLIENT_BOX_CHANGED);
	assert_int_equal(s.e.kind, ERR_NONE);
	l = letter_open(s.box, 0, NULL);
	assert_non_null(l); /* that can only be discarded */
	session_end(&s);
	office_turn(&k->o, 10);
	assert_int_equal(k->opens, 0);
}

static void
answers_questions_in_their_order(void **state)
{
	struct clerk *k = *state;
	struct wire_verified v = { .number = 5, .same = true };
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	client_verify(s.box, 5, SPAN(""), 1, session_on_verified);
	client_verify(s.box, 6, SPAN(""), 1, session_on_verified);
	v.box = k->last_box;
	wire_put_verified(&k->out, &v);
	clerk_send(k, WIRE_VERIFIED);
	office_wait(&k->o, &s.verified, 1);
	assert_true(s.same);
	v.number = 6;
	err_set(&v.e, ERR_DELIVER, 0, "broken");
	wire_put_verified(&k->out, &v);
	clerk_send(k, WIRE_VERIFIED);
	office_wait(&k->o, &s.verified, 2);
	assert_string_equal(s.e.text, "broken");
	session_end(&s);
}

/* What concerns a box that is closed meanwhile is no error. */
static void
ignores_answers_for_closed_boxes(void **state)
{
	struct clerk *k = *state;
	struct wire_answer a = { 0 };
	struct wire_no_files none = { .count = 1 };
	struct wire_verified v = { .number = 1 };
	struct session s;
	struct set set;

	open_silently(k, &s);
	none.box = v.box = a.box = k->last_box;
	client_box_close(&s.box);
	set_init(&set);
	set_add(&set, 1, 2);
	wire_put_set(&k->out, a.box, WIRE_HANDLED, &set, 0);
	clerk_send(k, WIRE_SET);
	set_deinit(&set);
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_BOX_IS);
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_LIST_IS);
	wire_put_verified(&k->out, &v);
	clerk_send(k, WIRE_VERIFIED);
	err_set(&none.e, ERR_DELIVER, 0, "x");
	wire_put_no_files(&k->out, &none);
	clerk_send(k, WIRE_NO_FILES);
	office_turn(&k->o, 30);
	assert_int_equal(k->gone, 0);
	k->silent = false;
	session_begin(&s, &k->o, 1, "INBOX", 1);
	assert_int_equal(s.e.kind, ERR_NONE);
	session_end(&s);
}

/* A deliverer that makes no sense is treated like one that has gone. */
static void
cuts_off_a_deliverer_that_makes_no_sense(void **state)
{
	static const struct {
		uint8_t type;
		size_t n;
		char octets[40];
	} bad[] = {
		{ 0, 0, "" },
		{ WIRE_COMMIT, 4, "abcd" },
		{ WIRE_SET, 4, "\1\0\0\0" },
		{ WIRE_SET, 5, "\1\0\0\0\7" },
		{ WIRE_SET, 13, "\1\0\0\0\0\0\0\0\0\1\0\0\0" },
		/* nobody asked */
		{ WIRE_BOX_IS, 19, "\1\0\0\0" },
		{ WIRE_LIST_IS, 19, "\1\0\0\0" },
		{ WIRE_VERIFIED, 10, "\1\0\0\0\1\0\0\0\0\0" },
		{ WIRE_BOX_IS, 18, "\1\0\0\0\0" },
		{ WIRE_FILES, 8, "\1\0\0\0\1\0\0\0" }, /* no descriptor */
		{ WIRE_NO_FILES, 9, "\1\0\0\0\1" },    /* no reason */
		/* more than were asked for */
		{ WIRE_NO_FILES, 18, "\1\0\0\0\5\0\0\0\6\0\0\0\0\1\0\0\0x" },
		{ WIRE_DONE, 6, "\0\0\0\0\0" },
		{ WIRE_DONE, 6, "\xff\xff\xff\xff\0" },
		{ WIRE_DONE, 3, "\0\0\0" },
		/* nobody asked; cut; a cookie that is not in use */
		{ WIRE_ASKED, 11, "\0\0\0\0\0\0\0\0\0\0" },
		{ WIRE_ASKED, 10, "\0\0\0\0\0\0\0\0\0\0" },
		{ WIRE_ASKED, 11, "\xff\xff\xff\xff\0\0\0\0\0\0" },
		{ WIRE_NAMED, 3, "\1\0\0" },
		{ WIRE_NAMED, 12, "\1\0\0\0\0\0\0\0\0\0\0\0" },
		{ WIRE_NAMED, 13, "\1\0\0\0\1\0\0\0\1\0\0\0\n" },
		{ WIRE_DIALLED, 5, "\1\0\0\0\0" },
		{ WIRE_DIALLED, 4, "\1\0\0\0" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct clerk *k;
		struct session s;
		void *fresh;

		clerk_setup(&fresh);
		k = fresh;
		session_begin(&s, &k->o, 1, "INBOX", 1);
		assert_null(letter_open(s.box, 0, NULL));
		k->silent = true;
		ipc_send(
		    k->ipc, bad[i].type, span_make(bad[i].octets, bad[i].n));
		office_wait(&k->o, &k->gone, 1);
		office_wait(&k->o, &s.readied, 1);
		session_end(&s);
		clerk_teardown(&fresh);
	}
}

/* ---- letters that the engine hands on ---- */

static void
expect_no_answer(void *arg, struct letter *l,
    const struct letter_content *content, bool known, const struct err *e)
{
	struct session *s = arg;

	(void)l;
	(void)content;
	(void)known;
	s->verified++; /* it counts what is answered */
	if (e != NULL)
		s->e = *e;
	loop_stop(s->o->loop);
}

/* A letter whose question, and one whose commit is with the deliverer. */
static struct letter *
ask_and_commit(struct clerk *k, struct session *s)
{
	static const struct draft_style crlf = { .crlf = true };
	struct letter_params params = { .number = 1 };
	struct letter *l;
	struct err e;

	k->o.style = &crlf;
	clerk_begin(k, s);
	l = letter_open(s->box, 1, NULL);
	assert_int_equal(letter_write(l, SPAN("x\r\n"), &e), 0);
	letter_ask(l, &params, expect_no_answer, s);
	clerk_commit(k, s, 2, 2, 10);
	office_wait(&k->o, &k->n_asks, 1);
	office_wait(&k->o, &k->n_commits, 1);
	return l;
}

/* A question is not answered as a commit is, and the other way round. */
static void
cuts_off_a_deliverer_that_mixes_up_its_answers(void **state)
{
	struct clerk *k = *state;

	for (int i = 0; i < 2; i++) {
		struct wire_asked a = { 0 };
		struct session s;
		struct letter *l = ask_and_commit(k, &s);

		a.cookie = k->commits[0].cookie;
		if (i == 0)
			clerk_tell(k, &a);
		else
			clerk_tell_done(k, k->asks[0].cookie, NULL);
		office_wait(&k->o, &k->gone, 1);
		office_wait(&k->o, &s.verified, 1);
		assert_int_equal(s.e.kind, ERR_DELIVER);
		letter_discard(&l);
		session_end(&s);
		clerk_teardown(state);
		clerk_setup(state);
		k = *state;
	}
}

static void
cuts_off_a_deliverer_that_answers_a_question_twice(void **state)
{
	struct clerk *k = *state;
	struct wire_asked a = { 0 };
	struct session s;
	struct letter *l = ask_and_commit(k, &s);

	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &s.verified, 1);
	assert_int_equal(k->gone, 0);
	clerk_tell(k, &a);
	office_wait(&k->o, &k->gone, 1);
	assert_int_equal(s.verified, 1);
	letter_discard(&l);
	session_end(&s);
}

static void
free_client(void *arg, struct letter *l, const struct letter_content *content,
    bool known, const struct err *e)
{
	struct session *s = arg;

	(void)l;
	(void)content;
	(void)known;
	(void)e;
	s->verified++;
	client_free(&s->o->client);
	loop_stop(s->o->loop);
}

static void
lets_the_client_be_freed_when_a_letter_is_told(void **state)
{
	struct letter_params params = { .number = 1 };
	struct clerk *k = *state;
	struct wire_asked a = { 0 };
	struct session s;
	struct letter *l;

	clerk_begin(k, &s);
	l = letter_open(s.box, 1, NULL);
	letter_ask(l, &params, free_client, &s);
	office_wait(&k->o, &k->n_asks, 1);
	a.cookie = k->asks[0].cookie;
	clerk_tell(k, &a);
	office_wait(&k->o, &s.verified, 1);
	office_wait(&k->o, &k->gone, 1);
	assert_null(k->o.client);
}

/* ---- names ---- */

static void
close_by_name(void *arg, uint32_t number, const char *uidl)
{
	struct session *s = arg;

	(void)number;
	(void)uidl;
	s->verified++;
	if (s->repeated == 0)
		client_box_close(&s->box);
	else
		client_free(&s->o->client);
	loop_stop(s->o->loop);
}

/* More names are in the same packet. */
static void
lets_a_box_be_closed_when_it_hears_a_name(void **state)
{
	struct clerk *k = *state;
	struct session s;
	struct set set;

	set_init(&set);
	set_add(&set, 1, 2);
	for (int i = 0; i < 2; i++) {
		session_begin(&s, &k->o, 1, "", 0);
		s.repeated = (uint32_t)i;
		client_names(s.box, &set, close_by_name);
		wire_put_number(&k->out, k->last_box);
		wire_put_name(&k->out, &(struct wire_name){ 1, SPAN("a") });
		wire_put_name(&k->out, &(struct wire_name){ 2, SPAN("b") });
		clerk_send(k, WIRE_NAMED);
		office_wait(&k->o, &s.verified, 1);
		assert_int_equal(k->gone, 0);
	}
	set_deinit(&set);
	office_wait(&k->o, &k->gone, 1);
}

static void
ignores_names_for_a_closed_box(void **state)
{
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "", 0);
	session_end(&s);
	office_wait(&k->o, &k->closed, 1);
	wire_put_number(&k->out, k->last_box);
	wire_put_name(&k->out, &(struct wire_name){ 1, SPAN("a") });
	clerk_send(k, WIRE_NAMED);
	office_turn(&k->o, 20);
	assert_int_equal(k->gone, 0);
}

/* ---- local servers ---- */

static void
on_dialled(void *arg, int fd, const struct err *e)
{
	struct session *s = arg;

	assert_int_equal(fd, -1);
	s->e = *e;
	s->verified++;
	loop_stop(s->o->loop);
}

/* Another account; a reason with a descriptor; neither. */
static void
cuts_off_a_deliverer_that_dials_nonsense(void **state)
{
	static const struct {
		uint32_t account;
		bool fails;
		size_t fds;
	} bad[] = { { 7, false, 1 }, { 6, true, 1 }, { 6, false, 0 },
		{ 6, false, 2 } };
	struct clerk *k = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire_dialled d = { .account = bad[i].account };
		struct session s = { .o = &k->o };
		int fds[2] = { 0, 0 };

		client_dial(k->o.client, 6, on_dialled, &s);
		office_wait(&k->o, &k->dialled, 1);
		if (bad[i].fails)
			err_set(&d.e, ERR_DELIVER, 0, "no");
		wire_put_dialled(&k->out, &d);
		if (bad[i].fds > 0)
			ipc_send_fds(k->ipc, WIRE_DIALLED, buf_span(&k->out),
			    fds, bad[i].fds, false);
		else
			ipc_send(k->ipc, WIRE_DIALLED, buf_span(&k->out));
		office_wait(&k->o, &k->gone, 1);
		office_wait(&k->o, &s.verified, 1);
		assert_int_equal(s.e.kind, ERR_DELIVER);
		assert_non_null(strstr(s.e.text, "no sense"));
		clerk_teardown(state);
		clerk_setup(state);
		k = *state;
	}
}

/* Others are under way, perhaps with another answer. */
static void
awaits_the_files_that_were_not_refused(void **state)
{
	struct clerk *k = *state;
	struct wire_no_files none = { .count = 2 };
	struct session s;
	struct letter *l;
	struct err e;

	clerk_begin(k, &s);
	k->silent = true;
	for (int i = 0; i < AHEAD_MIN; i++) {
		l = letter_open(s.box, 0, NULL);
		assert_non_null(l);
		letter_discard(&l);
	}
	s.readied = 0;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &k->asked, AHEAD_MIN + 4);
	none.box = k->last_box;
	err_set(&none.e, ERR_DELIVER, 0, "no room in the inn");
	wire_put_no_files(&k->out, &none);
	clerk_send(k, WIRE_NO_FILES);
	clerk_give_files(k, k->last_box, 2);
	office_wait(&k->o, &s.readied, 1);
	l = letter_open(s.box, 0, NULL);
	assert_int_equal(letter_write(l, SPAN("x"), &e), -1);
	assert_string_equal(e.text, "no room in the inn");
	letter_discard(&l);
	while ((l = letter_open(s.box, 0, NULL)) == NULL)
		office_turn(&k->o, 1);
	assert_int_equal(letter_write(l, SPAN("x"), &e), 0);
	letter_discard(&l);
	assert_int_equal(k->gone, 0);
	session_end(&s);
}

static void
refuses_files_that_were_not_asked_for(void **state)
{
	struct clerk *k = *state;
	struct session s;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	clerk_give_files(k, k->last_box, 1);
	office_wait(&k->o, &k->gone, 1);
	session_end(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clerk_setup, clerk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gathers_sets_from_several_packets),
		TEST(tells_of_a_box_that_has_changed),
		TEST(answers_questions_in_their_order),
		TEST(ignores_answers_for_closed_boxes),
		cmocka_unit_test(cuts_off_a_deliverer_that_makes_no_sense),
		TEST(cuts_off_a_deliverer_that_mixes_up_its_answers),
		TEST(cuts_off_a_deliverer_that_answers_a_question_twice),
		TEST(lets_the_client_be_freed_when_a_letter_is_told),
		TEST(lets_a_box_be_closed_when_it_hears_a_name),
		TEST(ignores_names_for_a_closed_box),
		TEST(cuts_off_a_deliverer_that_dials_nonsense),
		TEST(awaits_the_files_that_were_not_refused),
		TEST(refuses_files_that_were_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
