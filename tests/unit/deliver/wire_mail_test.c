/* SPDX-License-Identifier: ISC */
#include "deliver/wire_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* Where they lie in a packet. */
#define NOTE_BY_CONTENT 16
#define NOTE_STATE 33
#define NOTE_WHY 34
#define ASK_BOOLS 12
#define ASKED_BOOLS 4

static struct buf b;
static char longest[WIRE_UIDL_MAX + 1];

static int
setup(void **state)
{
	(void)state;
	buf_init(&b, WIRE_MAX);
	memset(longest, 'x', sizeof(longest));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_deinit(&b);
	return 0;
}

/* ---- any packet ---- */

typedef bool (*take_fn)(struct span packet);

static bool
take_ask(struct span p)
{
	struct wire_ask out;

	return wire_take_ask(p, &out);
}

static bool
take_asked(struct span p)
{
	struct wire_asked out;

	return wire_take_asked(p, &out);
}

static bool
take_note(struct span p)
{
	struct wire_note out;

	return wire_take_note(p, &out);
}

static bool
take_dialled(struct span p)
{
	struct wire_dialled out;

	return wire_take_dialled(p, &out);
}

static bool
take_name(struct span p)
{
	struct unpack u = unpack_of(p);
	struct wire_name out;

	return wire_take_name(&u, &out) && unpack_ok(&u);
}

/* What is in b is taken, but not when it is cut anywhere, or with an octet
 * behind it. */
static void
expect_shape(take_fn take)
{
	assert_true(take(buf_span(&b)));
	for (size_t i = 0; i < b.n; i++)
		assert_false(take(span_make(buf_span(&b).p, i)));
	pack_u8(&b, 0);
	assert_false(take(buf_span(&b)));
}

/* The octet at that place may not be this. */
static void
expect_refused(take_fn take, size_t at, char octet)
{
	char packet[1024];

	assert_true(b.n <= sizeof(packet));
	assert_true(take(buf_span(&b)));
	memcpy(packet, buf_span(&b).p, b.n);
	packet[at] = octet;
	assert_false(take(span_make(packet, b.n)));
}

/* ---- from the engine ---- */

static void
carries_questions_about_letters(void **state)
{
	struct wire_ask in = { 1, 2, 3, true, false, { "0123456789abcde" } };
	struct wire_ask out;

	(void)state;
	wire_put_ask(&b, &in);
	assert_true(wire_take_ask(buf_span(&b), &out));
	assert_int_equal(out.token, 1);
	assert_int_equal(out.cookie, 2);
	assert_int_equal(out.number, 3);
	assert_true(out.by_content);
	assert_false(out.owes);
	assert_memory_equal(out.fingerprint.b, in.fingerprint.b, DIGEST_OCTETS);
	expect_refused(take_ask, ASK_BOOLS, 2);
	expect_refused(take_ask, ASK_BOOLS + 1, 2);
	expect_shape(take_ask);
	in.by_content = false;
	in.owes = true;
	buf_clear(&b);
	wire_put_ask(&b, &in);
	assert_true(wire_take_ask(buf_span(&b), &out));
	assert_false(out.by_content);
	assert_true(out.owes);
	in.number = 0;
	buf_clear(&b);
	wire_put_ask(&b, &in);
	assert_false(wire_take_ask(buf_span(&b), &out));
}

static struct wire_note
some_note(void)
{
	return (struct wire_note){ .box = 1,
		.token = WIRE_NO_TOKEN,
		.cookie = 3,
		.number = 4,
		.by_content = true,
		.fingerprint = { "0123456789abcde" },
		.state = LEDGER_HELD,
		.why = LEDGER_WHY_SIZE,
		.hold_after = 5,
		.size = 1ull << 40,
		.reason = SPAN("why"),
		.about = SPAN("from \"x\""),
		.reached = { { SPAN("a@b"), SPAN("c@d") }, 2 } };
}

static void
carries_notes(void **state)
{
	struct wire_note in = some_note(), out;

	(void)state;
	wire_put_note(&b, &in);
	assert_true(wire_take_note(buf_span(&b), &out));
	assert_int_equal(out.box, 1);
	assert_int_equal(out.token, WIRE_NO_TOKEN);
	assert_int_equal(out.cookie, 3);
	assert_int_equal(out.number, 4);
	assert_true(out.by_content);
	assert_memory_equal(out.fingerprint.b, in.fingerprint.b, DIGEST_OCTETS);
	assert_int_equal(out.state, LEDGER_HELD);
	assert_int_equal(out.why, LEDGER_WHY_SIZE);
	assert_int_equal(out.hold_after, 5);
	assert_int_equal(out.size, 1ull << 40);
	assert_true(span_eq(out.reason, in.reason));
	assert_true(span_eq(out.about, in.about));
	assert_int_equal(out.reached.n, 2);
	assert_true(span_eq(out.reached.v[1], SPAN("c@d")));
	expect_shape(take_note);
}

/* A message is dropped by the user alone. */
static void
refuses_notes_with_states_that_are_not_the_engines(void **state)
{
	struct wire_note in = some_note();

	(void)state;
	wire_put_note(&b, &in);
	expect_refused(take_note, NOTE_BY_CONTENT, 2);
	expect_refused(take_note, NOTE_STATE, LEDGER_DROPPED);
	expect_refused(take_note, NOTE_STATE, (char)0xff);
	expect_refused(take_note, NOTE_WHY, LEDGER_WHY_SIZE + 1);
	expect_refused(take_note, NOTE_WHY, (char)0xff);
	in.number = 0;
	buf_clear(&b);
	wire_put_note(&b, &in);
	assert_false(take_note(buf_span(&b)));
}

static bool
takes_note(const struct wire_note *in)
{
	buf_clear(&b);
	wire_put_note(&b, in);
	return take_note(buf_span(&b));
}

static void
refuses_notes_with_texts_that_break_lines_or_are_too_long(void **state)
{
	static const struct span bad[] = { SPAN("a\0b"), SPAN("a\rb"),
		SPAN("\n") };
	struct wire_note n = some_note();
	struct span *texts[] = { &n.reason, &n.about, &n.reached.v[1] };
	const size_t most[] = { WIRE_REASON_MAX, WIRE_ABOUT_MAX,
		WIRE_ADDRESS_MAX };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 3; k++) {
			*texts[i] = bad[k];
			assert_false(takes_note(&n));
		}
		*texts[i] = span_make(longest, most[i] + 1);
		assert_false(takes_note(&n));
		*texts[i] = span_make(longest, most[i]);
		assert_true(takes_note(&n));
	}
}

/* ---- recipients ---- */

static void
carries_so_many_recipients_and_no_more(void **state)
{
	static struct wire_note in, out;

	(void)state;
	in = some_note();
	in.reason = span_make(longest, WIRE_REASON_MAX);
	in.about = span_make(longest, WIRE_ABOUT_MAX);
	for (size_t i = 0; i < WIRE_RECIPIENTS_MAX; i++)
		in.reached.v[i] = span_make(longest, WIRE_ADDRESS_MAX);
	in.reached.n = WIRE_RECIPIENTS_MAX;
	wire_put_note(&b, &in);
	assert_true(b.n <= WIRE_MAX); /* the largest there can be */
	assert_true(wire_take_note(buf_span(&b), &out));
	assert_int_equal(out.reached.n, WIRE_RECIPIENTS_MAX);
	assert_int_equal(
	    out.reached.v[WIRE_RECIPIENTS_MAX - 1].n, WIRE_ADDRESS_MAX);
}

static void
refuses_too_many_recipients(void **state)
{
	static const uint32_t counts[] = { WIRE_RECIPIENTS_MAX + 1,
		UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&b);
		pack_u32(&b, 1);
		pack_u8(&b, 0);
		pack_u8(&b, 0);
		pack_u8(&b, ERR_NONE);
		pack_u32(&b, counts[i]);
		for (int k = 0; k < WIRE_RECIPIENTS_MAX + 1; k++)
			pack_span(&b, SPAN("a@b"));
		assert_false(take_asked(buf_span(&b)));
	}
}

/* ---- from the deliverer ---- */

static void
carries_what_the_ledger_knows_of_a_letter(void **state)
{
	struct wire_asked in = { .cookie = 9,
		.known = true,
		.e = { .kind = ERR_DELIVER, .sys = 28, .text = "full" },
		.reached = { { SPAN("a@b") }, 1 } };
	struct wire_asked out;

	(void)state;
	wire_put_asked(&b, &in);
	assert_true(wire_take_asked(buf_span(&b), &out));
	assert_int_equal(out.cookie, 9);
	assert_true(out.known);
	assert_false(out.barred);
	assert_int_equal(out.e.sys, 28);
	assert_string_equal(out.e.text, "full");
	assert_int_equal(out.reached.n, 1);
	assert_true(span_eq(out.reached.v[0], SPAN("a@b")));
	expect_refused(take_asked, ASKED_BOOLS, 2);
	expect_refused(take_asked, ASKED_BOOLS + 1, 2);
	expect_refused(take_asked, ASKED_BOOLS + 2, ERR_KINDS);
	expect_shape(take_asked);
	in = (struct wire_asked){ .barred = true };
	buf_clear(&b);
	wire_put_asked(&b, &in);
	assert_true(wire_take_asked(buf_span(&b), &out));
	assert_true(out.barred);
	assert_int_equal(out.e.kind, ERR_NONE);
	assert_int_equal(out.reached.n, 0);
	in.reached.v[0] = SPAN("a\nb");
	in.reached.n = 1;
	buf_clear(&b);
	wire_put_asked(&b, &in);
	assert_false(wire_take_asked(buf_span(&b), &out));
}

static void
carries_names_until_the_packet_is_full(void **state)
{
	struct wire_name in = { 3, { longest, WIRE_UIDL_MAX } }, out;
	struct unpack u;
	unsigned int n = 0;

	(void)state;
	wire_put_number(&b, 1);
	while (wire_put_name(&b, &in))
		n++;
	assert_int_equal(n, 7);
	u = unpack_of(buf_span(&b));
	assert_int_equal(unpack_u32(&u), 1);
	while (n-- > 0) {
		assert_true(wire_take_name(&u, &out));
		assert_int_equal(out.number, 3);
		assert_true(span_eq(out.text, in.text));
	}
	assert_true(unpack_ok(&u));
}

static void
refuses_names_without_number_or_that_break_lines(void **state)
{
	static const struct wire_name bad[] = { { 0, SPAN("u") },
		{ 1, SPAN("u\nv") }, { 1, SPAN("u\0v") }, { 1, SPAN("\r") },
		{ 1, { longest, sizeof(longest) } } };
	struct wire_name fine = { 1, SPAN("") };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&b);
		assert_true(wire_put_name(&b, &bad[i]));
		assert_false(take_name(buf_span(&b)));
	}
	buf_clear(&b);
	assert_true(wire_put_name(&b, &fine));
	expect_shape(take_name);
}

static void
carries_what_became_of_a_dial(void **state)
{
	struct wire_dialled in = { .account = 7 }, out;

	(void)state;
	wire_put_dialled(&b, &in);
	assert_true(wire_take_dialled(buf_span(&b), &out));
	assert_int_equal(out.account, 7);
	assert_int_equal(out.e.kind, ERR_NONE);
	expect_shape(take_dialled);
	err_set(&in.e, ERR_DELIVER, 2, "nobody there");
	buf_clear(&b);
	wire_put_dialled(&b, &in);
	assert_true(wire_take_dialled(buf_span(&b), &out));
	assert_string_equal(out.e.text, "nobody there");
	expect_refused(take_dialled, 4, ERR_KINDS);
	expect_shape(take_dialled);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_questions_about_letters),
		TEST(carries_notes),
		TEST(refuses_notes_with_states_that_are_not_the_engines),
		TEST(refuses_notes_with_texts_that_break_lines_or_are_too_long),
		TEST(carries_so_many_recipients_and_no_more),
		TEST(refuses_too_many_recipients),
		TEST(carries_what_the_ledger_knows_of_a_letter),
		TEST(carries_names_until_the_packet_is_full),
		TEST(refuses_names_without_number_or_that_break_lines),
		TEST(carries_what_became_of_a_dial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
