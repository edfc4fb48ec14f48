/* SPDX-License-Identifier: ISC */
#include "deliver/client_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "deliver/wire_mail.h"

static void
says_what_the_engine_says(void **state)
{
	const struct client_note note = { .number = 3,
		.why = CLIENT_WHY_NO_DATA,
		.hold_after = 5,
		.size = 1ull << 40,
		.reason = "no data",
		.header = SPAN("Subject: x\r\n") };
	struct wire_note w;

	(void)state;
	memset(&w, 0xff, sizeof(w));
	client_note_put(&w, 8, &note);
	assert_int_equal(w.box, 8);
	assert_int_equal(w.token, WIRE_NO_TOKEN);
	assert_int_equal(w.cookie, WIRE_NO_COOKIE);
	assert_int_equal(w.number, 3);
	assert_false(w.by_content);
	assert_int_equal(w.state, LEDGER_LATER);
	assert_int_equal(w.why, LEDGER_WHY_MISSING);
	assert_int_equal(w.hold_after, 5);
	assert_int_equal(w.size, 1ull << 40);
	assert_true(span_eq(w.reason, SPAN("no data")));
	assert_int_equal(w.about.n, 0);
	assert_int_equal(w.reached.n, 0);
}

static void
has_a_word_for_each_reason(void **state)
{
	static const struct {
		enum client_why why;
		enum ledger_why is;
	} words[] = {
		{ CLIENT_WHY_REFUSED, LEDGER_WHY_REFUSED },
		{ CLIENT_WHY_NO_DATA, LEDGER_WHY_MISSING },
		{ CLIENT_WHY_LARGE, LEDGER_WHY_SIZE },
	};
	struct client_note note = { .number = 1, .held = true };
	struct wire_note w;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		note.why = words[i].why;
		client_note_put(&w, 1, &note);
		assert_int_equal(w.why, words[i].is);
		assert_int_equal(w.state, LEDGER_HELD);
		assert_int_equal(w.reason.n, 0);
	}
}

static void
cuts_a_reason_that_is_too_long(void **state)
{
	char reason[WIRE_REASON_MAX + 2];
	struct client_note note = { .number = 1, .reason = reason };
	struct wire_note w, out;
	struct buf b;

	(void)state;
	memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	client_note_put(&w, 1, &note);
	assert_int_equal(w.reason.n, WIRE_REASON_MAX);
	buf_init(&b, WIRE_MAX);
	wire_put_note(&b, &w);
	assert_true(wire_take_note(buf_span(&b), &out));
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_engine_says),
		cmocka_unit_test(has_a_word_for_each_reason),
		cmocka_unit_test(cuts_a_reason_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
