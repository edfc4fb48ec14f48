/* SPDX-License-Identifier: ISC */
#include "deliver/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static int marks[2];

/* Never looked into by slots. */
static struct client_box *
box(int i)
{
	return (struct client_box *)(void *)&marks[i];
}

static void
gives_back_what_was_put(void **state)
{
	struct slots s;
	struct slot out;
	uint32_t cookies[500], i;

	(void)state;
	slots_init(&s);
	for (i = 0; i < 500; i++) {
		struct slot in = { .box = box(0), .number = i };

		cookies[i] = slots_put(&s, &in);
	}
	assert_int_equal(s.used, 500);
	for (i = 0; i < 500; i += 2) {
		slots_take(&s, cookies[i], &out);
		assert_int_equal(out.number, i);
		assert_null(slots_find(&s, cookies[i]));
	}
	for (i = 1; i < 500; i += 2)
		assert_int_equal(slots_find(&s, cookies[i])->number, i);
	assert_int_equal(s.used, 250);
	/* room is used again */
	for (i = 0; i < 250; i++)
		assert_true(slots_put(&s, &out) < 512);
	assert_null(slots_find(&s, 512));
	assert_null(slots_find(&s, UINT32_MAX));
	slots_deinit(&s);
}

static void
finds_the_failed_ones(void **state)
{
	struct err e = { .kind = ERR_DELIVER, .text = "why" };
	struct slot good = { .number = 1 };
	struct slot bad = { .number = 2, .failed = true, .e = &e };
	struct slot out;
	struct slots s;
	uint32_t cookie;

	(void)state;
	slots_init(&s);
	assert_false(slots_first(&s, true, &cookie));
	slots_put(&s, &good);
	assert_false(slots_first(&s, false, &cookie));
	assert_true(slots_first(&s, true, &cookie));
	slots_put(&s, &bad);
	memset(&e, 0, sizeof(e)); /* a copy was kept */
	assert_true(slots_first(&s, false, &cookie));
	slots_take(&s, cookie, &out);
	assert_int_equal(out.number, 2);
	assert_string_equal(out.e->text, "why");
	free(out.e);
	assert_false(slots_first(&s, false, &cookie));
	slots_put(&s, &(struct slot){ .failed = true, .e = &e });
	slots_deinit(&s);
}

static void
forgets_a_box(void **state)
{
	struct slot a = { .box = box(0) }, b = { .box = box(1) };
	struct slots s;
	uint32_t i, j;

	(void)state;
	slots_init(&s);
	i = slots_put(&s, &a);
	j = slots_put(&s, &b);
	slots_orphan(&s, box(0));
	assert_null(slots_find(&s, i)->box);
	assert_ptr_equal(slots_find(&s, j)->box, box(1));
	assert_int_equal(s.used, 2);
	slots_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_was_put),
		cmocka_unit_test(finds_the_failed_ones),
		cmocka_unit_test(forgets_a_box),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
