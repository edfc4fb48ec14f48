/* SPDX-License-Identifier: ISC */
#include "util/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
is_empty_at_birth_and_allocates_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.mem);
	assert_int_equal(buf_span(&b).n, 0);
	assert_non_null(buf_span(&b).p);
	buf_drop(&b, 0);
	buf_release(&b);
	buf_wipe(&b);
	buf_deinit(&b);
}

static void
adds_nothing_that_is_beyond_its_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_add(&b, SPAN("abc")), 0);
	assert_int_equal(buf_add(&b, SPAN("def")), -1);
	assert_true(span_eq(buf_span(&b), SPAN("abc")));
	assert_int_equal(buf_printf(&b, "%d", 123), -1);
	assert_int_equal(buf_printf(&b, "%d", 12), 0);
	assert_int_equal(buf_addc(&b, 'x'), -1);
	assert_int_equal(buf_add(&b, SPAN("")), 0);
	assert_true(span_eq(buf_span(&b), SPAN("abc12")));
	buf_drop(&b, 1);
	assert_int_equal(buf_addc(&b, '\0'), 0);
	assert_true(span_eq(buf_span(&b), SPAN("bc12\0")));
	buf_deinit(&b);
}

static void
prints_what_is_long(void **state)
{
	char text[1000];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	buf_init(&b, 1002);
	assert_int_equal(buf_printf(&b, "<%s>", text), 0);
	assert_int_equal(b.n, 1001);
	assert_int_equal(buf_span(&b).p[1000], '>');
	assert_int_equal(buf_printf(&b, "%s", text), -1);
	assert_int_equal(b.n, 1001);
	buf_deinit(&b);
}

/* Every octet comes out once and in order, however it goes in. */
static void
is_a_queue_of_octets(void **state)
{
	unsigned char in = 0, out = 0;
	unsigned int round;
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	for (round = 1; round < 3000; round++) {
		size_t i, n = round * 7919 % 701, got;
		char *room = buf_room(&b, n, &got);

		assert_true(got <= n && b.n + got <= 5000);
		assert_true(got == n || b.n + got == 5000);
		for (i = 0; i < got; i++)
			room[i] = (char)in++;
		buf_wrote(&b, got);
		assert_true(b.cap <= 5000);
		n = round * 104729 % 709;
		if (n > b.n)
			n = b.n;
		for (i = 0; i < n; i++)
			assert_int_equal(
			    (unsigned char)buf_span(&b).p[i], out++);
		buf_drop(&b, n);
	}
	buf_deinit(&b);
}

static void
gives_no_room_when_full(void **state)
{
	struct buf b;
	size_t n = 9;

	(void)state;
	buf_init(&b, 3);
	buf_add(&b, SPAN("abc"));
	assert_null(buf_room(&b, 1, &n));
	assert_int_equal(n, 0);
	buf_deinit(&b);
}

static void
keeps_memory_when_cleared_and_gives_it_back_when_released(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, SPAN("abc"));
	buf_release(&b);
	assert_int_equal(b.n, 3);
	buf_clear(&b);
	assert_non_null(b.mem);
	assert_int_equal(buf_span(&b).n, 0);
	buf_release(&b);
	assert_null(b.mem);
	assert_int_equal(buf_add(&b, SPAN("abc")), 0);
	buf_wipe(&b);
	assert_null(b.mem);
	assert_int_equal(b.max, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_birth_and_allocates_nothing),
		cmocka_unit_test(adds_nothing_that_is_beyond_its_maximum),
		cmocka_unit_test(prints_what_is_long),
		cmocka_unit_test(is_a_queue_of_octets),
		cmocka_unit_test(gives_no_room_when_full),
		cmocka_unit_test(
		    keeps_memory_when_cleared_and_gives_it_back_when_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
