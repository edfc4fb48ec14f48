/* SPDX-License-Identifier: ISC */
#include "proc/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct turns *turns;

static int
set_up(void **state)
{
	(void)state;
	turns = turns_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	turns_free(&turns);
	return turns != NULL;
}

/* How many he gets of n. */
static size_t
take(const char *owner, struct turn **v, size_t n)
{
	size_t got = 0;

	while (got < n && (v[got] = turns_take(turns, owner)) != NULL)
		got++;
	return got;
}

static void
give_back(struct turn **v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		turns_give_back(turns, &v[i]);
		assert_null(v[i]);
	}
}

static void
one_user_has_few_and_the_next_has_his(void **state)
{
	struct turn *a[TURNS_USERS], *b[TURNS_USERS];

	(void)state;
	assert_int_equal(take("alice", a, TURNS_USERS), TURNS_USER);
	assert_int_equal(take("bob", b, TURNS_USERS), TURNS_USER);
	turns_give_back(turns, &a[0]);
	assert_null(turns_take(turns, "bob"));
	a[0] = turns_take(turns, "alice");
	assert_non_null(a[0]);
	give_back(a, TURNS_USER);
	give_back(b, TURNS_USER);
}

static void
all_users_leave_us_our_own(void **state)
{
	struct turn *ours[TURNS_OURS + 1], *users[TURNS_USERS + 1];
	char name[8];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i <= TURNS_USERS; i++) {
		snprintf(name, sizeof(name), "u%zu", i);
		n += take(name, &users[n], 1);
	}
	assert_int_equal(n, TURNS_USERS);
	assert_int_equal(take(NULL, ours, TURNS_OURS + 1), TURNS_OURS);
	give_back(ours, TURNS_OURS);
	assert_null(turns_take(turns, "alice"));
	turns_give_back(turns, &users[0]);
	users[0] = turns_take(turns, "alice");
	assert_non_null(users[0]);
	give_back(users, n);
}

/* Who hangs keeps neither others nor passwords waiting. */
static void
a_provider_has_his_own(void **state)
{
	struct turn *a[TURNS_PROVIDER], *b[TURNS_PROVIDER], *ours;

	(void)state;
	for (size_t i = 0; i < TURNS_PROVIDER; i++)
		assert_non_null(a[i] = turns_take_provider(turns, "a"));
	assert_null(turns_take_provider(turns, "a"));
	for (size_t i = 0; i < TURNS_PROVIDER; i++)
		assert_non_null(b[i] = turns_take_provider(turns, "b"));
	ours = turns_take(turns, NULL);
	assert_non_null(ours);
	turns_give_back(turns, &ours);
	ours = turns_take(turns, "a"); /* a user of this name */
	assert_non_null(ours);
	turns_give_back(turns, &ours);
	turns_give_back(turns, &a[0]);
	assert_null(turns_take_provider(turns, "b"));
	assert_non_null(a[0] = turns_take_provider(turns, "a"));
	give_back(a, TURNS_PROVIDER);
	give_back(b, TURNS_PROVIDER);
}

static void
none_can_be_given_back(void **state)
{
	struct turn *none = NULL;

	(void)state;
	turns_give_back(turns, &none);
	assert_int_equal(take("alice", &none, 1), 1);
	turns_give_back(turns, &none);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_user_has_few_and_the_next_has_his),
		TEST(all_users_leave_us_our_own),
		TEST(a_provider_has_his_own),
		TEST(none_can_be_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
