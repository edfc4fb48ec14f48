/* SPDX-License-Identifier: ISC */
#include "deliver/box.h"

#include "clerk.h"

#include <sys/resource.h>

static struct rlimit limit_before;

/* A quarter of this is for files: eight. */
static int
setup_with_few_files(void **state)
{
	struct rlimit few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit_before), 0);
	few = limit_before;
	few.rlim_cur = 32;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	clerk_setup(state);
	return setrlimit(RLIMIT_NOFILE, &limit_before);
}

static void
opens_no_more_files_than_the_limit_allows(void **state)
{
	struct clerk *k = *state;
	struct session a;
	struct letter *open[8];
	unsigned int i;

	assert_int_equal(k->o.client->max_files, 8);
	clerk_begin(k, &a);
	for (i = 0; i < 8; i++) {
		while ((open[i] = letter_open(a.box, 0, NULL)) == NULL)
			office_turn(&k->o, 2);
	}
	assert_null(letter_open(a.box, 0, NULL));
	office_turn(&k->o, 10);
	assert_int_equal(k->files, 8);
	assert_true(a.box->starving);
	/* one is closed, one may come */
	a.readied = 0;
	letter_discard(&open[3]);
	office_wait(&k->o, &a.readied, 1);
	assert_int_equal(k->files, 9);
	assert_non_null(letter_open(a.box, 0, NULL));
	session_end(&a);
	assert_int_equal(k->o.client->held, 0);
	assert_int_equal(k->o.client->asked, 0);
}

static void
leaves_room_to_those_who_have_none(void **state)
{
	struct clerk *k = *state;
	struct session a, b;
	struct letter *l;
	unsigned int i;

	clerk_begin(k, &a);
	for (i = 0; i < 7; i++) {
		while (letter_open(a.box, 0, NULL) == NULL)
			office_turn(&k->o, 2);
	}
	office_turn(&k->o, 10);
	session_begin(&b, &k->o, 2, "INBOX", 1);
	assert_null(letter_open(b.box, 0, NULL));
	assert_true(b.box->starving);
	/* a has one to spare, but b comes first when another is closed */
	assert_int_equal(a.box->ahead.n, 1);
	l = letter_open(a.box, 0, NULL);
	assert_non_null(l);
	b.readied = 0;
	letter_discard(&l);
	office_wait(&k->o, &b.readied, 1);
	assert_non_null(letter_open(b.box, 0, NULL));
	session_end(&a);
	session_end(&b);
}

static void
gives_back_what_nobody_uses(void **state)
{
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	assert_int_equal(k->o.client->held, AHEAD_MIN);
	assert_true(loop_timer_armed(k->o.client->idle));
	loop_timer_arm(k->o.client->idle, 1); /* without the wait */
	office_turn(&k->o, 10);
	assert_int_equal(k->o.client->held, AHEAD_MIN); /* used before */
	loop_timer_arm(k->o.client->idle, 1);
	office_wait(&k->o, &k->discarded, AHEAD_MIN);
	assert_int_equal(k->o.client->held, 0);
	/* and it begins anew */
	s.readied = 0;
	assert_null(letter_open(s.box, 0, NULL));
	office_wait(&k->o, &s.readied, 1);
	session_end(&s);
}

static void
is_ready_again_only_once_for_each_wait(void **state)
{
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	s.readied = 0;
	clerk_commit(k, &s, 1, 100, 1);
	office_wait(&k->o, &k->n_commits, 100);
	s.readied = 0;
	clerk_answer(k, 100, NULL);
	office_wait(&k->o, &s.answered, 100);
	assert_int_equal(s.readied, 0); /* nobody waits */
	session_end(&s);
}

static void
counts_octets_of_all_boxes(void **state)
{
	struct clerk *k = *state;
	struct session s[5];
	struct client *c = k->o.client;
	unsigned int i;

	for (i = 0; i < 5; i++)
		clerk_begin(k, &s[i]);
	for (i = 0; i < 5; i++)
		clerk_commit(k, &s[i], 1, 20, 1 << 20);
	/* four are full alone; then all together are, but each has one */
	assert_int_equal(c->octets, 65 << 20);
	assert_int_equal(s[4].box->pending, 1);
	assert_true(client_full(s[4].box));
	office_wait(&k->o, &k->n_commits, 65);
	s[4].readied = 0;
	clerk_answer(k, 2, NULL); /* of the first box */
	office_wait(&k->o, &s[4].readied, 1);
	assert_false(client_full(s[4].box));
	for (i = 0; i < 5; i++)
		session_end(&s[i]);
	/* what is closed still waits for the disk */
	assert_int_equal(c->octets, 63 << 20);
	clerk_answer(k, 63, NULL);
	while (c->octets > 0)
		office_turn(&k->o, 5);
	assert_int_equal(c->slots.used, 0);
}

/* Four accounts whose programs or servers hang have not all descriptors. */
static void
lets_few_letters_wait_for_programs_and_servers(void **state)
{
	static const struct draft_style slow = { .envelope = true };
	struct clerk *k = *state;
	struct session s;

	clerk_begin(k, &s);
	s.box->style = &slow;
	assert_int_equal(clerk_commit(k, &s, 1, 4000, 10), 65);
	assert_true(client_full(s.box));
	office_wait(&k->o, &k->n_commits, 64);
	s.readied = 0;
	clerk_answer(k, 1, NULL);
	office_wait(&k->o, &s.answered, 1);
	assert_false(client_full(s.box));
	session_end(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clerk_setup, clerk_teardown)
#define FEW(f)                                                                 \
	cmocka_unit_test_setup_teardown(f, setup_with_few_files, clerk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FEW(opens_no_more_files_than_the_limit_allows),
		FEW(leaves_room_to_those_who_have_none),
		TEST(gives_back_what_nobody_uses),
		TEST(is_ready_again_only_once_for_each_wait),
		TEST(counts_octets_of_all_boxes),
		TEST(lets_few_letters_wait_for_programs_and_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
