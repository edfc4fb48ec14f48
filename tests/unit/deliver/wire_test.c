/* SPDX-License-Identifier: ISC */
#include "deliver/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

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

static void
carries_a_box(void **state)
{
	struct wire_box in = { 7, 8, 9, '/', SPAN("Lists/\xc3\xa4") }, out;
	uint32_t number;

	(void)state;
	wire_put_box(&b, &in);
	assert_true(wire_take_box(buf_span(&b), &out));
	assert_int_equal(out.box, 7);
	assert_int_equal(out.account, 8);
	assert_int_equal(out.uidvalidity, 9);
	assert_int_equal(out.delimiter, '/');
	assert_true(span_eq(out.mailbox, in.mailbox));
	buf_clear(&b);
	wire_put_number(&b, 77);
	assert_true(wire_take_number(buf_span(&b), &number));
	assert_int_equal(number, 77);
}

static void
refuses_a_mailbox_with_nul_or_too_long(void **state)
{
	static char name[WIRE_MAILBOX_MAX + 1];
	struct wire_box in = { .mailbox = { name, 3 } }, out;

	(void)state;
	wire_put_box(&b, &in);
	assert_false(wire_take_box(buf_span(&b), &out));
	memset(name, 'x', sizeof(name));
	in.mailbox.n = WIRE_MAILBOX_MAX;
	buf_clear(&b);
	wire_put_box(&b, &in);
	assert_true(wire_take_box(buf_span(&b), &out));
	in.mailbox.n++;
	buf_clear(&b);
	wire_put_box(&b, &in);
	assert_false(wire_take_box(buf_span(&b), &out));
}

/* A set of 20,000 ranges, in as many packets as it takes. */
static void
carries_a_large_set_in_parts(void **state)
{
	struct set in, out;
	size_t at = 0, parts = 0;
	uint32_t box, i;
	uint8_t which;

	(void)state;
	set_init(&in);
	set_init(&out);
	for (i = 1; i <= 20000; i++)
		set_add(&in, 3 * i, 3 * i + i % 2);
	while (at < in.n) {
		buf_clear(&b);
		at = wire_put_set(&b, 5, 2, &in, at);
		assert_true(wire_take_set(buf_span(&b), &box, &which, &out));
		assert_int_equal(box, 5);
		assert_int_equal(which, 2);
		parts++;
	}
	assert_true(set_eq(&in, &out));
	assert_int_equal(parts, 5);
	set_deinit(&in);
	set_deinit(&out);
}

static void
refuses_ranges_out_of_order(void **state)
{
	static const uint32_t bad[][4] = {
		{ 0, 1, 5, 6 },
		{ 2, 1, 5, 6 },
		{ 1, 5, 5, 6 },
		{ 5, 6, 1, 2 },
	};
	struct set out;
	uint32_t box;
	uint8_t which;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_init(&out);
		buf_clear(&b);
		pack_u32(&b, 1);
		pack_u8(&b, 0);
		for (k = 0; k < 4; k++)
			pack_u32(&b, bad[i][k]);
		assert_false(wire_take_set(buf_span(&b), &box, &which, &out));
		set_deinit(&out);
	}
}

static void
carries_lines_until_the_packet_is_full(void **state)
{
	static char uidl[WIRE_UIDL_MAX + 1];
	struct wire_line in = { 3, 1ull << 40, { uidl, WIRE_UIDL_MAX } }, out;
	struct unpack u;
	unsigned int n = 0;

	(void)state;
	memset(uidl, 'u', sizeof(uidl));
	wire_put_number(&b, 1);
	while (wire_put_line(&b, &in))
		n++;
	assert_int_equal(n, 7);
	u = unpack_of(buf_span(&b));
	assert_int_equal(unpack_u32(&u), 1);
	while (n-- > 0) {
		assert_true(wire_take_line(&u, &out));
		assert_int_equal(out.number, 3);
		assert_int_equal(out.size, 1ull << 40);
		assert_true(span_eq(out.uidl, in.uidl));
	}
	assert_true(unpack_ok(&u));
}

static void
refuses_lines_without_number_or_too_long(void **state)
{
	static char uidl[WIRE_UIDL_MAX + 1];
	struct wire_line bad[] = {
		{ 0, 1, SPAN("u") }, { 1, 1, { uidl, sizeof(uidl) } },
		{ 1, 1, SPAN("") }, /* this one is fine: no usable UIDL */
	};
	struct wire_line out;
	struct unpack u;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		buf_clear(&b);
		assert_true(wire_put_line(&b, &bad[i]));
		u = unpack_of(buf_span(&b));
		assert_int_equal(wire_take_line(&u, &out), i == 2);
	}
}

static void
carries_commits(void **state)
{
	struct wire_commit in = { .token = 1,
		.cookie = 2,
		.number = 3,
		.by_content = true,
		.flags = 8,
		.time = -5,
		.octets = 1ull << 40,
		.size = 1ull << 41,
		.fingerprint = { "0123456789abcde" },
		.sender = SPAN("a@example.org"),
		.recipient = SPAN("b@example.org"),
		.about = SPAN("from \"x\"") };
	struct wire_commit out;
	struct unpack u;
	unsigned int n = 0, i;

	(void)state;
	while (wire_put_commit(&b, &in)) {
		in.owes = !in.owes;
		in.relayed = n % 3 == 0;
		in.stub = n % 5 == 0;
		n++;
	}
	assert_true(n > 300);
	u = unpack_of(buf_span(&b));
	for (i = 0; i < n; i++) {
		assert_true(wire_take_commit(&u, &out));
		assert_int_equal(out.token, 1);
		assert_int_equal(out.cookie, 2);
		assert_int_equal(out.number, 3);
		assert_true(out.by_content);
		assert_int_equal(out.owes, i % 2 == 1);
		assert_int_equal(out.relayed, i > 0 && (i - 1) % 3 == 0);
		assert_int_equal(out.stub, i > 0 && (i - 1) % 5 == 0);
		assert_int_equal(out.flags, 8);
		assert_int_equal(out.time, -5);
		assert_int_equal(out.octets, 1ull << 40);
		assert_int_equal(out.size, 1ull << 41);
		assert_true(span_eq(out.sender, in.sender));
		assert_true(span_eq(out.recipient, in.recipient));
		assert_true(span_eq(out.about, in.about));
		assert_memory_equal(
		    out.fingerprint.b, in.fingerprint.b, DIGEST_OCTETS);
	}
	assert_true(unpack_ok(&u));
	in.number = 0;
	buf_clear(&b);
	assert_true(wire_put_commit(&b, &in));
	u = unpack_of(buf_span(&b));
	assert_false(wire_take_commit(&u, &out));
}

static bool
takes(const struct wire_commit *in)
{
	struct wire_commit out;
	struct unpack u;

	buf_clear(&b);
	assert_true(wire_put_commit(&b, in));
	u = unpack_of(buf_span(&b));
	return wire_take_commit(&u, &out);
}

/* They go into arguments, and in front of people. */
static void
refuses_commits_with_texts_that_break_lines_or_are_too_long(void **state)
{
	static char octets[WIRE_ADDRESS_MAX + 1];
	struct wire_commit c = { .number = 1 };
	struct span *texts[] = { &c.sender, &c.recipient, &c.about };
	const size_t most[] = { WIRE_ADDRESS_MAX, WIRE_ADDRESS_MAX,
		WIRE_ABOUT_MAX };
	const struct span bad[] = { SPAN("a\0b"), SPAN("a\nb"), SPAN("\r") };

	(void)state;
	memset(octets, 'x', sizeof(octets));
	assert_true(takes(&c));
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 3; k++) {
			*texts[i] = bad[k];
			assert_false(takes(&c));
		}
		*texts[i] = span_make(octets, most[i]);
		assert_true(takes(&c));
		*texts[i] = span_make(octets, most[i] + 1);
		assert_false(takes(&c));
		*texts[i] = SPAN("");
	}
}

static void
refuses_commits_that_are_cut_or_have_flags_that_do_not_exist(void **state)
{
	struct wire_commit c = { .number = 1, .about = SPAN("x") }, out;
	struct unpack u;
	size_t i;

	(void)state;
	assert_true(takes(&c));
	for (i = 0; i < b.n; i++) {
		u = unpack_of(span_make(buf_span(&b).p, i));
		assert_false(wire_take_commit(&u, &out));
	}
	buf_clear(&b);
	for (i = 0; i < 3; i++)
		pack_u32(&b, 1);
	pack_u8(&b, 16);
	for (i = 0; i < 1 + 3 * 8 + DIGEST_OCTETS + 3 * 4; i++)
		pack_u8(&b, 0);
	u = unpack_of(buf_span(&b));
	assert_false(wire_take_commit(&u, &out));
}

static void
carries_answers_and_errors(void **state)
{
	struct wire_answer in = { .box = 1,
		.state = 2,
		.was = 3,
		.repeated = 4,
		.barred = 5,
		.listed = true,
		.to = SPAN("~/Maildir") };
	struct wire_answer out;
	struct wire_verified v = { 5, 6, true, { .kind = ERR_NONE } }, w;

	(void)state;
	wire_put_answer(&b, &in);
	assert_true(wire_take_answer(buf_span(&b), &out));
	assert_int_equal(out.box, 1);
	assert_int_equal(out.state, 2);
	assert_int_equal(out.was, 3);
	assert_int_equal(out.repeated, 4);
	assert_int_equal(out.barred, 5);
	assert_true(out.listed);
	assert_true(span_eq(out.to, SPAN("~/Maildir")));
	assert_int_equal(out.e.kind, ERR_NONE);
	err_set(&in.e, ERR_DELIVER, 28, "%0200d", 7);
	buf_clear(&b);
	wire_put_answer(&b, &in);
	assert_true(wire_take_answer(buf_span(&b), &out));
	assert_int_equal(out.e.kind, ERR_DELIVER);
	assert_int_equal(out.e.sys, 28);
	assert_string_equal(out.e.text, in.e.text);
	buf_clear(&b);
	v.e = in.e;
	wire_put_verified(&b, &v);
	assert_true(wire_take_verified(buf_span(&b), &w));
	assert_int_equal(w.box, 5);
	assert_int_equal(w.number, 6);
	assert_true(w.same);
	assert_string_equal(w.e.text, in.e.text);
}

static void
carries_what_is_done(void **state)
{
	struct wire_done in = { 9, true, { .kind = ERR_NONE } }, out;
	struct unpack u;
	unsigned int n = 0;

	(void)state;
	memset(in.e.text, 'x', sizeof(in.e.text) - 1);
	while (wire_put_done(&b, &in)) {
		in.e.kind = in.e.kind == ERR_NONE ? ERR_CANCEL : ERR_NONE;
		n++;
	}
	assert_true(n > 200);
	u = unpack_of(buf_span(&b));
	while (n-- > 0)
		assert_true(wire_take_done(&u, &out));
	assert_true(unpack_ok(&u));
	assert_int_equal(out.cookie, 9);
	assert_true(out.known);
}

static void
carries_tokens_and_questions(void **state)
{
	struct wire_verify v = { 1, 2, { "0123456789abcde" } }, w;
	struct wire_open o = { 3, WIRE_OPEN_MAX }, p;
	uint32_t tokens[WIRE_FILES_MAX], got[WIRE_FILES_MAX], box, i;
	size_t n;

	(void)state;
	for (i = 0; i < WIRE_FILES_MAX; i++)
		tokens[i] = 1000 + i;
	wire_put_tokens(&b, 4, tokens, WIRE_FILES_MAX);
	assert_true(wire_take_tokens(buf_span(&b), &box, got, &n));
	assert_int_equal(box, 4);
	assert_int_equal(n, WIRE_FILES_MAX);
	assert_memory_equal(tokens, got, sizeof(tokens));
	pack_u32(&b, 1); /* one too many */
	assert_false(wire_take_tokens(buf_span(&b), &box, got, &n));
	buf_clear(&b);
	wire_put_tokens(&b, 4, tokens, 0);
	assert_false(wire_take_tokens(buf_span(&b), &box, got, &n));
	buf_clear(&b);
	wire_put_verify(&b, &v);
	assert_true(wire_take_verify(buf_span(&b), &w));
	assert_int_equal(w.number, 2);
	assert_memory_equal(w.fingerprint.b, v.fingerprint.b, DIGEST_OCTETS);
	buf_clear(&b);
	wire_put_open(&b, &o);
	assert_true(wire_take_open(buf_span(&b), &p));
	assert_int_equal(p.count, WIRE_OPEN_MAX);
	o.count++;
	buf_clear(&b);
	wire_put_open(&b, &o);
	assert_false(wire_take_open(buf_span(&b), &p));
}

static void
carries_refusals_with_their_reason(void **state)
{
	struct wire_no_files in = { 1, 2,
		{ .kind = ERR_DELIVER, .sys = 28, .text = "full" } },
			     out;

	(void)state;
	wire_put_no_files(&b, &in);
	assert_true(wire_take_no_files(buf_span(&b), &out));
	assert_int_equal(out.box, 1);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.e.sys, 28);
	assert_string_equal(out.e.text, "full");
	for (size_t i = 0; i < b.n; i++)
		assert_false(
		    wire_take_no_files(span_make(buf_span(&b).p, i), &out));
	in.count = 0;
	buf_clear(&b);
	wire_put_no_files(&b, &in);
	assert_false(wire_take_no_files(buf_span(&b), &out));
	in = (struct wire_no_files){ .count = 1 };
	buf_clear(&b);
	wire_put_no_files(&b, &in);
	assert_false(wire_take_no_files(buf_span(&b), &out));
}

/* Every packet, cut anywhere or with an octet behind it, is refused. */
static void
refuses_what_is_cut_or_too_long(void **state)
{
	struct wire_answer a = {
		.e = { .kind = ERR_NET, .sys = 1, .text = "text" }
	};
	struct wire_verified v = { .same = true };
	struct wire_verify q = { 1, 1, { "" } };
	struct wire_box x = { .mailbox = SPAN("abc") };
	struct span s;
	size_t i;

	(void)state;
	wire_put_answer(&b, &a);
	for (i = 0; i < b.n; i++) {
		s = span_make(buf_span(&b).p, i);
		assert_false(wire_take_answer(s, &a));
	}
	pack_u8(&b, 0);
	assert_false(wire_take_answer(buf_span(&b), &a));
	buf_clear(&b);
	wire_put_verified(&b, &v);
	for (i = 0; i < b.n; i++) {
		s = span_make(buf_span(&b).p, i);
		assert_false(wire_take_verified(s, &v));
	}
	buf_clear(&b);
	wire_put_verify(&b, &q);
	for (i = 0; i < b.n; i++) {
		s = span_make(buf_span(&b).p, i);
		assert_false(wire_take_verify(s, &q));
	}
	buf_clear(&b);
	wire_put_box(&b, &x);
	for (i = 0; i < b.n; i++) {
		s = span_make(buf_span(&b).p, i);
		assert_false(wire_take_box(s, &x));
	}
}

static void
refuses_kinds_of_error_that_do_not_exist(void **state)
{
	struct wire_done d;
	struct unpack u;

	(void)state;
	pack_u32(&b, 1);
	pack_u8(&b, ERR_KINDS);
	pack_u32(&b, 0);
	pack_str(&b, "text");
	u = unpack_of(buf_span(&b));
	assert_false(wire_take_done(&u, &d));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_a_box),
		TEST(refuses_a_mailbox_with_nul_or_too_long),
		TEST(carries_a_large_set_in_parts),
		TEST(refuses_ranges_out_of_order),
		TEST(carries_lines_until_the_packet_is_full),
		TEST(refuses_lines_without_number_or_too_long),
		TEST(carries_commits),
		TEST(
		    refuses_commits_with_texts_that_break_lines_or_are_too_long),
		TEST(
		    refuses_commits_that_are_cut_or_have_flags_that_do_not_exist),
		TEST(carries_answers_and_errors),
		TEST(carries_refusals_with_their_reason),
		TEST(carries_what_is_done),
		TEST(carries_tokens_and_questions),
		TEST(refuses_what_is_cut_or_too_long),
		TEST(refuses_kinds_of_error_that_do_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
