/* SPDX-License-Identifier: ISC */
#include "util/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static void
fill(struct buf *b)
{
	buf_init(b, 1000);
	pack_u8(b, 0xfe);
	pack_u32(b, 0x01020304);
	pack_u64(b, UINT64_C(0xf1f2f3f4f5f6f7f8));
	pack_span(b, SPAN("a\0b"));
	pack_str(b, "text");
	pack_str(b, NULL);
}

static void
reads_back_what_was_packed(void **state)
{
	struct unpack u;
	struct buf b;
	char *s;

	(void)state;
	fill(&b);
	u = unpack_of(buf_span(&b));
	assert_true(unpack_more(&u));
	assert_int_equal(unpack_u8(&u), 0xfe);
	assert_int_equal(unpack_u32(&u), 0x01020304);
	assert_true(unpack_u64(&u) == UINT64_C(0xf1f2f3f4f5f6f7f8));
	assert_true(span_eq(unpack_span(&u), SPAN("a\0b")));
	s = unpack_str(&u);
	assert_string_equal(s, "text");
	free(s);
	assert_false(unpack_ok(&u));
	assert_int_equal(unpack_span(&u).n, 0);
	assert_false(unpack_more(&u));
	assert_true(unpack_ok(&u));
	buf_deinit(&b);
}

static void
is_little_endian(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	pack_u32(&b, 0x01020304);
	pack_str(&b, "x");
	assert_true(span_eq(buf_span(&b), SPAN("\4\3\2\1\1\0\0\0x")));
	buf_deinit(&b);
}

/* Cut anywhere, the packet is bad, and reading goes on without harm. */
static void
is_bad_when_cut_anywhere(void **state)
{
	struct buf b;
	size_t n;

	(void)state;
	fill(&b);
	for (n = 0; n < b.n; n++) {
		struct unpack u = unpack_of(span_make(buf_span(&b).p, n));
		char *s;

		unpack_u8(&u);
		unpack_u32(&u);
		unpack_u64(&u);
		unpack_span(&u);
		s = unpack_str(&u);
		assert_non_null(s);
		free(s);
		unpack_span(&u);
		assert_false(unpack_ok(&u));
		assert_false(unpack_more(&u));
	}
	buf_deinit(&b);
}

static void
stays_bad_after_the_first_wrong_value(void **state)
{
	struct unpack u = unpack_of(SPAN("\xff\xff\xff\xff"
					 "abc"));

	(void)state;
	assert_int_equal(unpack_span(&u).n, 0);
	assert_int_equal(unpack_u8(&u), 0);
	assert_int_equal(unpack_u32(&u), 0);
	assert_true(unpack_u64(&u) == 0);
	assert_false(unpack_more(&u));
	assert_false(unpack_ok(&u));
}

static void
refuses_a_nul_in_a_string(void **state)
{
	struct unpack u = unpack_of(SPAN("\3\0\0\0a\0b"));
	char *s = unpack_str(&u);

	(void)state;
	assert_string_equal(s, "");
	assert_false(unpack_ok(&u));
	free(s);
}

static void
is_not_ok_with_octets_left(void **state)
{
	struct unpack u = unpack_of(SPAN("\1\2"));

	(void)state;
	assert_int_equal(unpack_u8(&u), 1);
	assert_true(unpack_more(&u));
	assert_false(unpack_ok(&u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_was_packed),
		cmocka_unit_test(is_little_endian),
		cmocka_unit_test(is_bad_when_cut_anywhere),
		cmocka_unit_test(stays_bad_after_the_first_wrong_value),
		cmocka_unit_test(refuses_a_nul_in_a_string),
		cmocka_unit_test(is_not_ok_with_octets_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
