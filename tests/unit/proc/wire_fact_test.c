/* SPDX-License-Identifier: ISC */
#include "proc/wire_fact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct fact mailbox = { .kind = FACT_MAILBOX,
	.text = { "INBOX", "no", "", "gr\xc3\xbc\xc3\x9f" },
	.number = { 5, UINT64_MAX, 0, 7 } };

static void
arrives_as_it_was(void **state)
{
	struct fact out;
	struct unpack u;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	wire_pack_fact(&b, &mailbox);
	u = unpack_of(buf_span(&b));
	assert_true(wire_unpack_fact(&u, &out));
	assert_int_equal(out.kind, FACT_MAILBOX);
	for (size_t i = 0; i < FACT_TEXTS; i++)
		assert_string_equal(out.text[i], mailbox.text[i]);
	assert_memory_equal(out.number, mailbox.number, sizeof(mailbox.number));
	wire_free_fact(&out);
	buf_deinit(&b);
}

static void
refuses_what_is_cut_or_too_long(void **state)
{
	struct fact out;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	wire_pack_fact(&b, &mailbox);
	for (size_t n = 0; n < b.n; n++) {
		struct unpack u = unpack_of(span_make(buf_span(&b).p, n));

		assert_false(wire_unpack_fact(&u, &out));
		wire_free_fact(&out);
	}
	buf_addc(&b, 'x');
	{
		struct unpack u = unpack_of(buf_span(&b));

		assert_false(wire_unpack_fact(&u, &out));
		wire_free_fact(&out);
	}
	buf_deinit(&b);
}

static void
trusts_no_text_and_no_kind(void **state)
{
	static char octets[2 * FACT_TEXT_MAX];
	struct fact out;
	struct unpack u;
	struct buf b;

	(void)state;
	memset(octets, '\x1b', sizeof(octets));
	for (unsigned int kind = FACT_KINDS - 1; kind <= FACT_KINDS; kind++) {
		buf_init(&b, 65536);
		pack_u8(&b, (uint8_t)kind);
		pack_span(&b, span_make(octets, sizeof(octets)));
		pack_span(&b, SPAN("\0\n\x9b"));
		pack_span(&b, SPAN(""));
		pack_span(&b, SPAN(""));
		for (size_t i = 0; i < FACT_NUMBERS; i++)
			pack_u64(&b, 1);
		u = unpack_of(buf_span(&b));
		assert_int_equal(wire_unpack_fact(&u, &out), kind < FACT_KINDS);
		assert_true(strlen(out.text[0]) < FACT_TEXT_MAX);
		assert_null(strchr(out.text[0], '\x1b'));
		assert_string_equal(out.text[1], "\\x00\\x0A\\x9B");
		wire_free_fact(&out);
		buf_deinit(&b);
	}
}

static void
copies(void **state)
{
	struct fact to;

	(void)state;
	wire_copy_fact(&to, &mailbox);
	assert_ptr_not_equal(to.text[0], mailbox.text[0]);
	assert_string_equal(to.text[3], mailbox.text[3]);
	wire_free_fact(&to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrives_as_it_was),
		cmocka_unit_test(refuses_what_is_cut_or_too_long),
		cmocka_unit_test(trusts_no_text_and_no_kind),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
