/* SPDX-License-Identifier: ISC */
#include "deliver/answer.h"

#include "office.h"

#include "deliver/wire_account.h"

struct desk_of_answers {
	struct office o;
	struct ipc *here, *there;
	struct buf out;
	unsigned int packets;
	uint8_t types[64];
	char last[WIRE_MAX];
	size_t n;
	unsigned int names;
};

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct desk_of_answers *d = arg;
	struct wire_name name;
	struct unpack u;

	assert_non_null(p);
	d->types[d->packets++] = p->type;
	memcpy(d->last, p->payload.p, p->payload.n);
	d->n = p->payload.n;
	u = unpack_of(p->payload);
	(void)unpack_u32(&u);
	while (p->type == WIRE_NAMED && unpack_more(&u)) {
		assert_true(wire_take_name(&u, &name));
		assert_int_equal(name.number, ++d->names);
	}
	loop_stop(d->o.loop);
}

static int
setup(void **state)
{
	struct desk_of_answers *d = calloc(1, sizeof(*d));
	struct err e;
	int fds[2];

	assert_non_null(d);
	office_make_loop(&d->o);
	assert_int_equal(ipc_pair(fds, &e), 0);
	d->here = ipc_new(d->o.loop, fds[0], on_packet, d);
	d->there = ipc_new(d->o.loop, fds[1], on_packet, d);
	buf_init(&d->out, WIRE_MAX);
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct desk_of_answers *d = *state;

	ipc_free(&d->here);
	ipc_free(&d->there);
	buf_deinit(&d->out);
	office_free_loop(&d->o);
	free(d);
	return 0;
}

static struct span
last(const struct desk_of_answers *d)
{
	return span_make(d->last, d->n);
}

static void
tells_the_sets_before_the_box(void **state)
{
	struct desk_of_answers *d = *state;
	struct job *j = job_new(JOB_BOX);
	struct wire_answer a;

	j->box = 7;
	j->listed = true;
	set_add(&j->set, 1, 5);
	set_add(&j->barred, 9, 9);
	set_add(&j->full, 3, 3);
	answer_box(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 4);
	assert_int_equal(d->types[2], WIRE_SET);
	assert_int_equal(d->types[3], WIRE_BOX_IS);
	assert_true(wire_take_answer(last(d), &a));
	assert_int_equal(a.box, 7);
	assert_true(a.listed);
	job_free(&j);
}

static void
tells_no_set_of_a_box_that_failed_or_has_changed(void **state)
{
	struct desk_of_answers *d = *state;
	struct job *j = job_new(JOB_BOX);
	struct wire_answer a;

	set_add(&j->set, 1, 5);
	err_set(&j->e, ERR_DELIVER, 0, "no disk");
	answer_box(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 1);
	assert_true(wire_take_answer(last(d), &a));
	assert_string_equal(a.e.text, "no disk");
	err_clear(&j->e);
	j->state = LEDGER_CHANGED;
	answer_box(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 2);
	assert_int_equal(d->types[1], WIRE_BOX_IS);
	job_free(&j);
}

static void
tells_how_many_of_a_list_are_barred(void **state)
{
	struct desk_of_answers *d = *state;
	struct job *j = job_new(JOB_LIST_END);
	struct wire_answer a;

	j->n_barred = 3;
	j->repeated = 2;
	answer_list(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 1);
	assert_true(wire_take_answer(last(d), &a));
	assert_int_equal(a.barred, 3);
	assert_int_equal(a.repeated, 2);
	job_free(&j);
}

static void
tells_what_was_asked_of_a_letter(void **state)
{
	struct desk_of_answers *d = *state;
	struct job *j = job_new(JOB_ASK);
	struct wire_asked a;

	j->cookie = 11;
	j->asked.barred = true;
	answer_asked(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 1);
	assert_int_equal(d->types[0], WIRE_ASKED);
	assert_true(wire_take_asked(last(d), &a));
	assert_int_equal(a.cookie, 11);
	assert_true(a.barred);
	assert_false(a.known);
	job_free(&j);
}

/* As many packets as it takes, each name in one of them, in their order. */
static void
tells_names_in_as_many_packets_as_it_takes(void **state)
{
	struct desk_of_answers *d = *state;
	struct job *j = job_new(JOB_NAMES);
	char text[81];
	struct buf b;

	buf_init(&b, SIZE_MAX);
	memset(text, 'x', sizeof(text));
	for (uint32_t i = 1; i <= 1000; i++) {
		pack_u32(&b, i);
		pack_span(&b, span_make(text, 80));
	}
	j->n = b.n;
	j->text = malloc(b.n);
	assert_non_null(j->text);
	memcpy(j->text, buf_span(&b).p, b.n);
	buf_deinit(&b);
	answer_names(d->here, &d->out, j);
	office_wait(&d->o, &d->names, 1000);
	assert_int_equal(d->names, 1000);
	assert_true(d->packets >= 3);
	job_free(&j);
}

static void
tells_what_is_remembered_of_an_account(void **state)
{
	struct desk_of_answers *d = *state;
	struct job_account account = { .number = 6 };
	struct job *j = job_new(JOB_RECALL);
	struct wire_recalled r;

	j->account = &account;
	j->record.refused = 4;
	answer_recalled(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 1);
	assert_int_equal(d->types[0], WIRE_RECALLED);
	assert_true(wire_take_recalled(last(d), &r));
	assert_int_equal(r.account, 6);
	assert_true(r.known);
	assert_int_equal(r.record.refused, 4);
	err_set(&j->e, ERR_DELIVER, 0, "no disk");
	answer_recalled(d->here, &d->out, j);
	office_wait(&d->o, &d->packets, 2);
	assert_true(wire_take_recalled(last(d), &r));
	assert_false(r.known);
	job_free(&j);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_the_sets_before_the_box),
		TEST(tells_no_set_of_a_box_that_failed_or_has_changed),
		TEST(tells_how_many_of_a_list_are_barred),
		TEST(tells_what_was_asked_of_a_letter),
		TEST(tells_names_in_as_many_packets_as_it_takes),
		TEST(tells_what_is_remembered_of_an_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
