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
	wire_put_set(&k->out, a.box, WIRE_OWED, &part, 0);
	clerk_send(k, WIRE_SET);
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
	/* a listing begins with nothing of that */
	client_list_begin(s.box);
	client_list_end(s.box, session_on_list);
	wire_put_set(&k->out, a.box, WIRE_FRESH, &part, 0);
	clerk_send(k, WIRE_SET);
	a.repeated = 4;
	wire_put_answer(&k->out, &a);
	clerk_send(k, WIRE_LIST_IS);
	set_clear(&s.handled);
	set_clear(&s.owed);
	office_wait(&k->o, &s.listed, 1);
	assert_true(set_empty(&s.handled));
	assert_true(set_empty(&s.owed));
	assert_int_equal(set_first(&s.fresh), 9);
	assert_int_equal(s.repeated, 4);
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

/* Others are under way, perhaps with another answer. */
static void
awaits_the_files_that_were_not_refused(void **state)
{
	struct clerk *k = *state;
	struct wire_no_files none = { .count = 2 };
	struct session s;
	struct letter *l;
	struct err e;

	session_begin(&s, &k->o, 1, "INBOX", 1);
	k->silent = true;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &k->asked, 4);
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
		TEST(awaits_the_files_that_were_not_refused),
		TEST(refuses_files_that_were_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
