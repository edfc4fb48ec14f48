/* SPDX-License-Identifier: ISC */
#include "deliver/wire_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "deliver/wire.h"

/* Where they lie in a packet. */
#define REMEMBER_AT 8
#define REMEMBER_MARK 16
#define RECALLED_KNOWN 4
#define RECALLED_AT 9
#define RECALLED_SALT 37 /* its length */

static struct buf b;

static int
setup(void **state)
{
	(void)state;
	buf_init(&b, WIRE_MAX);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_deinit(&b);
	return 0;
}

typedef bool (*take_fn)(struct span packet);

static bool
take_remember(struct span p)
{
	struct wire_remember out;

	return wire_take_remember(p, &out);
}

static bool
take_recalled(struct span p)
{
	struct wire_recalled out;

	return wire_take_recalled(p, &out);
}

static void
expect_shape(take_fn take)
{
	assert_true(take(buf_span(&b)));
	for (size_t i = 0; i < b.n; i++)
		assert_false(take(span_make(buf_span(&b).p, i)));
	pack_u8(&b, 0);
	assert_false(take(buf_span(&b)));
}

static void
expect_refused(take_fn take, size_t at, char octet)
{
	char packet[128];

	assert_true(b.n <= sizeof(packet));
	assert_true(take(buf_span(&b)));
	memcpy(packet, buf_span(&b).p, b.n);
	packet[at] = octet;
	assert_false(take(span_make(packet, b.n)));
}

static void
carries_what_is_to_be_remembered(void **state)
{
	struct wire_remember in = { 7, 3, INT64_MAX, UINT16_MAX }, out;

	(void)state;
	wire_put_remember(&b, &in);
	assert_true(wire_take_remember(buf_span(&b), &out));
	assert_int_equal(out.account, 7);
	assert_int_equal(out.refused, 3);
	assert_true(out.refused_at == INT64_MAX);
	assert_int_equal(out.mark, UINT16_MAX);
	expect_refused(take_remember, REMEMBER_AT + 7, (char)0x80);
	expect_refused(take_remember, REMEMBER_MARK + 2, 1);
	expect_shape(take_remember);
}

static void
carries_what_is_remembered(void **state)
{
	struct wire_recalled in = { 7, true,
		{ .refused = 3,
		    .refused_at = 1234567890,
		    .mark = 5,
		    .held = UINT64_MAX,
		    .waiting = 2 } };
	struct wire_recalled out;

	(void)state;
	memcpy(in.record.salt, "0123456789abcdef", LEDGER_SALT);
	wire_put_recalled(&b, &in);
	assert_true(wire_take_recalled(buf_span(&b), &out));
	assert_int_equal(out.account, 7);
	assert_true(out.known);
	assert_int_equal(out.record.refused, 3);
	assert_int_equal(out.record.refused_at, 1234567890);
	assert_int_equal(out.record.mark, 5);
	assert_true(out.record.held == UINT64_MAX);
	assert_int_equal(out.record.waiting, 2);
	assert_memory_equal(out.record.salt, "0123456789abcdef", LEDGER_SALT);
	expect_refused(take_recalled, RECALLED_KNOWN, 2);
	expect_refused(take_recalled, RECALLED_AT + 7, (char)0x80);
	expect_refused(take_recalled, RECALLED_SALT, LEDGER_SALT - 1);
	expect_shape(take_recalled);
	in.known = false;
	buf_clear(&b);
	wire_put_recalled(&b, &in);
	assert_true(wire_take_recalled(buf_span(&b), &out));
	assert_false(out.known);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_what_is_to_be_remembered),
		TEST(carries_what_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
