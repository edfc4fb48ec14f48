/* SPDX-License-Identifier: ISC */
#include "proc/seats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/pack.h"

static int posts[2];

static struct seat *
take(struct seats *s, int post, uint32_t name, const char *where)
{
	struct buf target, account;

	buf_init(&target, 1000);
	pack_u32(&target, 0);
	pack_str(&target, where);
	buf_init(&account, 1000);
	pack_str(&account, "account");
	return seats_take(s, &posts[post], name, &target, &account);
}

static void
gives_each_account_a_number_and_finds_it_by_name(void **state)
{
	struct seats s = { 0 };
	struct seat *a = take(&s, 0, 70, "/A"), *b = take(&s, 0, 71, "/B");
	struct buf packed;
	struct unpack u;
	char *where;

	(void)state;
	assert_int_equal(a->number, 0);
	assert_int_equal(b->number, 1);
	assert_ptr_equal(seats_find(&s, 71), b);
	assert_null(seats_find(&s, 1));
	assert_ptr_equal(seats_at(&s, 1), b);
	assert_null(seats_at(&s, 2));
	buf_init(&packed, 1000);
	seat_pack_target(b, &packed);
	u = unpack_of(buf_span(&packed));
	assert_int_equal(unpack_u32(&u), 1);
	where = unpack_str(&u);
	assert_true(unpack_ok(&u));
	assert_string_equal(where, "/B");
	free(where);
	buf_deinit(&packed);
	seats_deinit(&s);
}

static void
keeps_a_known_target_for_the_same_account(void **state)
{
	struct seats s = { 0 };
	struct seat *a = take(&s, 0, 70, "/A");

	(void)state;
	a->told = a->known = true;
	seat_works(a);
	assert_int_equal(a->account.n, 0);
	seat_leave(a);
	assert_int_equal(a->state, SEAT_SPARE);
	assert_false(seats_wanted(&s, &posts[0]));
	assert_ptr_not_equal(take(&s, 0, 71, "/B"), a); /* another target */
	assert_ptr_not_equal(take(&s, 1, 72, "/A"), a); /* deliverer */
	assert_ptr_equal(take(&s, 0, 73, "/A"), a);
	assert_true(a->known);
	seats_deinit(&s);
}

static void
frees_a_number_that_no_deliverer_knows(void **state)
{
	struct seats s = { 0 };
	struct seat *a = take(&s, 0, 70, "/A");

	(void)state;
	seat_leave(a);
	assert_int_equal(a->state, SEAT_FREE);
	assert_null(seats_find(&s, 70));
	assert_ptr_equal(take(&s, 1, 71, "/B"), a);
	seats_deinit(&s);
}

/* The engine may have spoken of it before it heard. */
static void
does_not_use_the_number_of_an_orphan(void **state)
{
	struct seats s = { 0 };
	struct seat *works = take(&s, 0, 70, "/A");
	struct seat *waits = take(&s, 0, 71, "/B");
	struct seat *spare = take(&s, 0, 72, "/C");

	(void)state;
	works->told = works->known = waits->told = waits->known = true;
	spare->told = true;
	seat_works(works);
	seat_leave(spare);
	assert_true(seat_forget(works));
	assert_false(seat_forget(waits));
	assert_false(seat_forget(spare));
	assert_int_equal(works->state, SEAT_ORPHAN);
	assert_int_equal(waits->state, SEAT_WAITING);
	assert_false(waits->told || waits->known);
	assert_int_equal(spare->state, SEAT_FREE);
	assert_ptr_equal(take(&s, 0, 73, "/A"), spare);
	assert_ptr_not_equal(take(&s, 0, 74, "/A"), works);
	seat_leave(works);
	assert_int_equal(works->state, SEAT_FREE);
	seats_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    gives_each_account_a_number_and_finds_it_by_name),
		cmocka_unit_test(keeps_a_known_target_for_the_same_account),
		cmocka_unit_test(frees_a_number_that_no_deliverer_knows),
		cmocka_unit_test(does_not_use_the_number_of_an_orphan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
