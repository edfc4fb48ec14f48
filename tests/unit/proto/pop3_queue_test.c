/* SPDX-License-Identifier: ISC */
#include "proto/pop3_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
put(struct pop3_queue *q, uint32_t number)
{
	pop3_queue_put(q, (struct pop3_asked){ POP3_REQ_RETR, number });
}

static void
gives_back_in_order_while_it_grows_and_turns(void **state)
{
	struct pop3_queue q;
	uint32_t in = 1;
	uint32_t out = 1;
	size_t round;
	size_t i;

	(void)state;
	pop3_queue_init(&q);
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 1 + round % 7; i++)
			put(&q, in++);
		for (i = 0; i < 1 + round % 5 && q.n > 0; i++) {
			assert_int_equal(pop3_queue_at(&q, 0).number, out++);
			pop3_queue_drop(&q);
		}
		assert_int_equal(q.n, in - out);
		for (i = 0; i < q.n; i++)
			assert_int_equal(pop3_queue_at(&q, i).number, out + i);
	}
	pop3_queue_deinit(&q);
}

static void
has_nothing_behind_its_end(void **state)
{
	struct pop3_queue q;

	(void)state;
	pop3_queue_init(&q);
	assert_int_equal(pop3_queue_at(&q, 0).request, POP3_REQ_NONE);
	put(&q, 7);
	assert_int_equal(pop3_queue_at(&q, 0).request, POP3_REQ_RETR);
	assert_int_equal(pop3_queue_at(&q, 1).request, POP3_REQ_NONE);
	pop3_queue_drop(&q);
	assert_int_equal(pop3_queue_at(&q, 0).request, POP3_REQ_NONE);
	pop3_queue_deinit(&q);
}

static void
holds_very_many(void **state)
{
	struct pop3_queue q;
	uint32_t i;

	(void)state;
	pop3_queue_init(&q);
	for (i = 1; i <= 1000000; i++)
		put(&q, i);
	assert_true(q.cap * sizeof(*q.ring) < 32 * 1024 * 1024);
	for (i = 1; i <= 1000000; i++) {
		assert_int_equal(pop3_queue_at(&q, 0).number, i);
		pop3_queue_drop(&q);
	}
	pop3_queue_deinit(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_in_order_while_it_grows_and_turns),
		cmocka_unit_test(has_nothing_behind_its_end),
		cmocka_unit_test(holds_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
