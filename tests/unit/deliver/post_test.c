/* SPDX-License-Identifier: ISC */
#include "deliver/post.h"

#include "office.h"

#define COMMIT 66 /* octets, without texts */

struct ear {
	struct office o;
	struct ipc *ipc;
	struct post post;
	uint8_t types[16];
	size_t octets[16];
	unsigned int n, gone;
};

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct ear *ear = arg;

	loop_stop(ear->o.loop);
	if (p == NULL) {
		ear->gone++;
		return;
	}
	assert_true(ear->n < 16);
	ear->types[ear->n] = p->type;
	ear->octets[ear->n++] = p->payload.n;
}

static int
setup(void **state)
{
	struct ear *ear = calloc(1, sizeof(*ear));
	struct err e;
	int fds[2];

	assert_non_null(ear);
	office_make_loop(&ear->o);
	assert_int_equal(ipc_pair(fds, &e), 0);
	ear->ipc = ipc_new(ear->o.loop, fds[0], on_packet, ear);
	post_init(&ear->post, ipc_new(ear->o.loop, fds[1], on_packet, ear));
	*state = ear;
	return 0;
}

static int
teardown(void **state)
{
	struct ear *ear = *state;

	post_deinit(&ear->post);
	ipc_free(&ear->ipc);
	office_free_loop(&ear->o);
	free(ear);
	return 0;
}

static void
sends_what_was_gathered_first(void **state)
{
	struct ear *ear = *state;
	struct wire_commit c = { .number = 1 };

	post_commit(&ear->post, &c);
	post_commit(&ear->post, &c);
	post_discard(&ear->post, 5);
	post_discard(&ear->post, 6);
	post_number(&ear->post, WIRE_BOX_CLOSE, 1);
	post_raw(&ear->post, WIRE_LIST_ADD, SPAN("raw"));
	office_wait(&ear->o, &ear->n, 4);
	assert_int_equal(ear->types[0], WIRE_COMMIT);
	assert_int_equal(ear->octets[0], 2 * COMMIT);
	assert_int_equal(ear->types[1], WIRE_DISCARD);
	assert_int_equal(ear->octets[1], 12);
	assert_int_equal(ear->types[2], WIRE_BOX_CLOSE);
	assert_int_equal(ear->types[3], WIRE_LIST_ADD);
	assert_int_equal(ear->octets[3], 3);
}

static void
sends_full_packets_at_once(void **state)
{
	struct ear *ear = *state;
	struct wire_commit c = { .number = 1 };
	uint32_t i;

	for (i = 0; i < WIRE_MAX / COMMIT + 1; i++)
		post_commit(&ear->post, &c);
	office_wait(&ear->o, &ear->n, 1);
	assert_int_equal(ear->octets[0], WIRE_MAX / COMMIT * COMMIT);
	for (i = 0; i < WIRE_FILES_MAX + 1; i++)
		post_discard(&ear->post, i);
	office_wait(&ear->o, &ear->n, 3);
	assert_int_equal(ear->types[1], WIRE_COMMIT);
	assert_int_equal(ear->octets[2], 4 + 4 * WIRE_FILES_MAX);
	post_gathered(&ear->post);
	office_wait(&ear->o, &ear->n, 4);
	assert_int_equal(ear->octets[3], 8);
}

static void
swallows_everything_when_cut(void **state)
{
	struct ear *ear = *state;
	struct wire_commit c = { .number = 1 };
	uint32_t i;

	post_commit(&ear->post, &c);
	post_cut(&ear->post);
	for (i = 0; i < 5000; i++) {
		post_commit(&ear->post, &c);
		post_discard(&ear->post, i);
	}
	post_number(&ear->post, WIRE_BOX_CLOSE, 1);
	office_wait(&ear->o, &ear->gone, 1);
	assert_int_equal(ear->n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_what_was_gathered_first),
		TEST(sends_full_packets_at_once),
		TEST(swallows_everything_when_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
