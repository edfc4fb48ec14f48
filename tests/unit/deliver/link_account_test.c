/* SPDX-License-Identifier: ISC */
#include "deliver/link_account.h"

#include "office.h"

#include "deliver/wire_account.h"
#include "deliver/wire_mail.h"

/* Those that need the ledger's worker are in link_test.c. */
enum { HERE = 1, FORGOTTEN = 2, NEVER = 3 };

struct hall {
	struct office o;
	struct link_env env;
	struct ipc *here, *there;
	struct buf out, in;
	unsigned int packets;
	uint8_t type;
	struct wire_dialled dialled;
	struct wire_recalled recalled;
};

static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct hall *h = arg;

	assert_non_null(p);
	h->packets++;
	h->type = p->type;
	assert_int_equal(p->n_fds, 0);
	if (p->type == WIRE_DIALLED)
		assert_true(wire_take_dialled(p->payload, &h->dialled));
	else
		assert_true(wire_take_recalled(p->payload, &h->recalled));
	loop_stop(h->o.loop);
}

static void
add(struct hall *h, uint32_t number)
{
	struct target *t =
	    office_target(&h->o, TARGET_RELAY, "lmtp", NULL, NULL);

	t->socket = strdup("/nowhere/socket");
	roster_add(&h->env.accounts, number, t);
}

static int
setup(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));
	struct err e;
	int fds[2];

	assert_non_null(h);
	office_make_loop(&h->o);
	assert_int_equal(ipc_pair(fds, &e), 0);
	h->here = ipc_new(h->o.loop, fds[0], on_packet, h);
	h->there = ipc_new(h->o.loop, fds[1], on_packet, h);
	buf_init(&h->out, WIRE_MAX);
	buf_init(&h->in, WIRE_MAX);
	roster_init(&h->env.accounts);
	add(h, HERE);
	add(h, FORGOTTEN);
	roster_forget(&h->env.accounts, FORGOTTEN);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct hall *h = *state;

	roster_deinit(&h->env.accounts);
	ipc_free(&h->here);
	ipc_free(&h->there);
	buf_deinit(&h->out);
	buf_deinit(&h->in);
	office_free_loop(&h->o);
	free(h);
	return 0;
}

static bool
hear(struct hall *h, uint8_t type, uint32_t account)
{
	struct wire_remember r = { .account = account };

	buf_clear(&h->in);
	buf_clear(&h->out);
	if (type == WIRE_REMEMBER)
		wire_put_remember(&h->in, &r);
	else
		wire_put_number(&h->in, account);
	return link_account_hear(
	    &h->env, h->here, &h->out, type, buf_span(&h->in));
}

static void
dials_and_says_why_not(void **state)
{
	struct hall *h = *state;

	assert_true(hear(h, WIRE_DIAL, HERE));
	office_wait(&h->o, &h->packets, 1);
	assert_int_equal(h->dialled.account, HERE);
	assert_non_null(strstr(h->dialled.e.text, "/nowhere/socket"));
}

static void
answers_who_names_a_forgotten_account(void **state)
{
	struct hall *h = *state;

	assert_true(hear(h, WIRE_DIAL, FORGOTTEN));
	office_wait(&h->o, &h->packets, 1);
	assert_int_equal(h->dialled.account, FORGOTTEN);
	assert_string_equal(h->dialled.e.text, link_account_forgotten.text);
	assert_true(hear(h, WIRE_RECALL, FORGOTTEN));
	office_wait(&h->o, &h->packets, 2);
	assert_int_equal(h->recalled.account, FORGOTTEN);
	assert_false(h->recalled.known);
	assert_true(hear(h, WIRE_REMEMBER, FORGOTTEN));
	office_turn(&h->o, 5);
	assert_int_equal(h->packets, 2);
}

static void
hears_nothing_of_what_was_never_there(void **state)
{
	struct hall *h = *state;

	assert_false(hear(h, WIRE_DIAL, NEVER));
	assert_false(hear(h, WIRE_RECALL, NEVER));
	assert_false(hear(h, WIRE_REMEMBER, NEVER));
	assert_false(hear(h, WIRE_BOX, HERE));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dials_and_says_why_not),
		TEST(answers_who_names_a_forgotten_account),
		TEST(hears_nothing_of_what_was_never_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
