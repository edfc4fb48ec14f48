/* SPDX-License-Identifier: ISC */
#include "deliver/letter_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void
begins_with_nothing_but_the_mailbox(void **state)
{
	char mailbox[] = "Lists/x";
	struct letter_text *t = letter_text_new(mailbox);

	(void)state;
	mailbox[0] = 'x';
	assert_string_equal(t->mailbox, "Lists/x");
	assert_string_equal(t->sender, "");
	assert_string_equal(t->recipient, "");
	assert_string_equal(t->about, "");
	assert_string_equal(t->reason, "");
	assert_int_equal(t->n_reached, 0);
	letter_text_free(&t);
	assert_null(t);
	letter_text_free(&t);
}

static void
takes_the_words_of_a_commit(void **state)
{
	struct letter_text *t = letter_text_new("");
	char packet[] = "a@bc@dabout";
	struct wire_commit w = { .sender = span_make(packet, 3),
		.recipient = span_make(packet + 3, 3),
		.about = span_make(packet + 6, 5) };

	(void)state;
	letter_text_take(t, &w);
	memset(packet, 'x', sizeof(packet)); /* it keeps nothing of it */
	assert_string_equal(t->sender, "a@b");
	assert_string_equal(t->recipient, "c@d");
	assert_string_equal(t->about, "about");
	w.sender = SPAN("");
	letter_text_take(t, &w);
	assert_string_equal(t->sender, "");
	letter_text_free(&t);
}

static void
takes_a_note_for_the_ledger(void **state)
{
	char packet[] = "a@bc@daboutwhy";
	struct wire_note w = { .number = 3,
		.by_content = true,
		.fingerprint = { "0123456789abcde" },
		.state = LEDGER_HELD,
		.why = LEDGER_WHY_SIZE,
		.hold_after = 4,
		.size = 1ull << 40,
		.reason = span_make(packet + 11, 3),
		.about = span_make(packet + 6, 5),
		.reached = {
		    { span_make(packet, 3), span_make(packet + 3, 3) }, 2 } };
	struct letter_text *t = letter_text_new("");

	(void)state;
	letter_text_take_note(t, &w, 77);
	memset(packet, 'x', sizeof(packet));
	assert_int_equal(t->note.box, 77);
	assert_int_equal(t->note.number, 3);
	assert_true(t->note.by_content);
	assert_memory_equal(
	    t->note.fingerprint, "0123456789abcde", LEDGER_FINGERPRINT);
	assert_int_equal(t->note.state, LEDGER_HELD);
	assert_int_equal(t->note.why, LEDGER_WHY_SIZE);
	assert_int_equal(t->note.hold_after, 4);
	assert_int_equal(t->note.size, 1ull << 40);
	assert_string_equal(t->note.reason, "why");
	assert_string_equal(t->note.about, "about");
	assert_int_equal(t->note.n_reached, 2);
	assert_string_equal(t->note.reached[0], "a@b");
	assert_string_equal(t->note.reached[1], "c@d");
	letter_text_free(&t);
}

static void
takes_a_note_without_recipients(void **state)
{
	struct wire_note w = { .number = 1 };
	struct letter_text *t = letter_text_new("");

	(void)state;
	letter_text_take_note(t, &w, 1);
	assert_int_equal(t->note.n_reached, 0);
	assert_string_equal(t->note.reason, "");
	letter_text_free(&t);
}

static void
gives_its_note_another_reason(void **state)
{
	struct wire_commit w = { .about = SPAN("about") };
	struct letter_text *t = letter_text_new("");

	(void)state;
	letter_text_take(t, &w);
	letter_text_reason(t, "first");
	letter_text_reason(t, "second");
	assert_string_equal(t->note.reason, "second");
	assert_string_equal(t->note.about, "about");
	letter_text_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_nothing_but_the_mailbox),
		cmocka_unit_test(takes_the_words_of_a_commit),
		cmocka_unit_test(takes_a_note_for_the_ledger),
		cmocka_unit_test(takes_a_note_without_recipients),
		cmocka_unit_test(gives_its_note_another_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
