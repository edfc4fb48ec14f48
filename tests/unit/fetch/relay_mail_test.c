/* SPDX-License-Identifier: ISC */
#include "fetch/relay_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MANY (RELAY_RECIPIENTS_MAX + 5)

static const char *const three[] = { "a@x", "b@x", "c@x" };

static void
on_letter(void *arg, uint32_t number, bool known, const struct err *e)
{
	(void)arg;
	(void)number;
	(void)known;
	(void)e;
}

/* To those of three that do not have it: n_reached of them, from the first
 * on. */
static struct relay_mail *
mail_to(const char *recipient, size_t n_reached)
{
	struct relay_mail *m = relay_mail_new(NULL, 7, on_letter);
	struct span reached[3] = { SPAN("a@x"), SPAN("b@x"), SPAN("c@x") };
	struct letter_content content = { .fd = 5,
		.octets = 42,
		.eight_bit = true,
		.sender = SPAN("al@y"),
		.recipient = span_of(recipient),
		.reached = reached,
		.n_reached = n_reached };

	relay_mail_fill(m, &content, three, 3);
	relay_mail_begin(m);
	return m;
}

static void
answer(struct relay_mail *m, size_t recipient, enum lmtp_verdict verdict,
    const char *text)
{
	struct lmtp_info info = { .recipient = recipient, .verdict = verdict };

	if (verdict != LMTP_ACCEPTED)
		err_set(&info.err, ERR_MESSAGE, 0, "%s", text);
	relay_mail_answer(m, &info);
}

static void
takes_what_the_letter_holds(void **state)
{
	struct relay_mail *m = mail_to("", 0);

	(void)state;
	assert_int_equal(m->number, 7);
	assert_int_equal(m->fd, 5);
	assert_int_equal(m->octets, 42);
	assert_true(m->eight_bit);
	assert_false(m->bare);
	assert_string_equal(m->sender, "al@y");
	assert_int_equal(m->n_to, 3);
	assert_string_equal(m->to[2], "c@x");
	relay_mail_free(&m);
	assert_null(m);
	relay_mail_free(&m);
}

static void
goes_once_to_who_is_named_twice(void **state)
{
	static const char *const twice[] = { "a@x", "b@x", "a@x" };
	struct letter_content content = { .fd = 5 };
	struct relay_mail *m = relay_mail_new(NULL, 7, on_letter);

	(void)state;
	relay_mail_fill(m, &content, twice, 3);
	assert_int_equal(m->n_to, 2);
	assert_string_equal(m->to[1], "b@x");
	relay_mail_free(&m);
}

static void
goes_to_the_one_whom_the_message_names(void **state)
{
	struct relay_mail *m = mail_to("d@x", 0);

	(void)state;
	assert_int_equal(m->n_to, 1);
	assert_string_equal(m->to[0], "d@x");
	relay_mail_free(&m);
}

static void
leaves_out_who_has_it_already(void **state)
{
	struct relay_mail *m = mail_to("", 2);

	(void)state;
	assert_int_equal(m->n_to, 1);
	assert_string_equal(m->to[0], "c@x");
	relay_mail_free(&m);
	m = mail_to("a@x", 1);
	assert_int_equal(m->n_to, 0);
	relay_mail_free(&m);
}

static void
takes_no_more_recipients_than_it_has_room_for(void **state)
{
	struct relay_mail *m = relay_mail_new(NULL, 7, on_letter);
	struct letter_content content = { .fd = -1 };
	static char names[MANY][16];
	const char *many[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "a%zu@x", i);
		many[i] = names[i];
	}
	relay_mail_fill(m, &content, many, MANY);
	assert_int_equal(m->n_to, RELAY_RECIPIENTS_MAX);
	assert_string_equal(m->sender, "");
	relay_mail_free(&m);
}

static void
is_done_when_all_have_it(void **state)
{
	struct relay_mail *m = mail_to("", 0);

	(void)state;
	assert_false(relay_mail_done(m));
	answer(m, 2, LMTP_ACCEPTED, "");
	answer(m, 0, LMTP_ACCEPTED, "");
	assert_false(relay_mail_done(m));
	assert_true(m->heard);
	answer(m, 1, LMTP_ACCEPTED, "");
	assert_true(relay_mail_done(m));
	assert_int_equal(m->refusal.kind, ERR_NONE);
	relay_mail_free(&m);
}

static void
is_for_later_while_anybody_may_still_take_it(void **state)
{
	struct relay_mail *m = mail_to("", 0);

	(void)state;
	answer(m, 0, LMTP_NEVER, "no");
	answer(m, 1, LMTP_ACCEPTED, "");
	assert_true(relay_mail_is_for_later(m)); /* c was not answered */
	answer(m, 2, LMTP_LATER, "busy");
	assert_true(relay_mail_is_for_later(m));
	relay_mail_free(&m);
}

static void
is_not_for_later_when_those_left_refuse_for_good(void **state)
{
	struct relay_mail *m = mail_to("", 0);

	(void)state;
	answer(m, 0, LMTP_NEVER, "no");
	answer(m, 1, LMTP_ACCEPTED, "");
	answer(m, 2, LMTP_NEVER, "never");
	assert_false(relay_mail_is_for_later(m));
	assert_false(relay_mail_done(m));
	relay_mail_free(&m);
}

static void
gives_the_words_of_the_first_refusal(void **state)
{
	struct relay_mail *m = mail_to("", 0);

	(void)state;
	answer(m, 0, LMTP_ACCEPTED, "");
	answer(m, 1, LMTP_LATER, "first");
	answer(m, 2, LMTP_NEVER, "second");
	assert_string_equal(m->refusal.text, "first");
	relay_mail_free(&m);
}

static void
tells_who_has_it_now(void **state)
{
	struct span reached[RELAY_RECIPIENTS_MAX];
	struct relay_mail *m = mail_to("", 1);

	(void)state;
	assert_int_equal(relay_mail_reached(m, reached), 0);
	answer(m, 0, LMTP_LATER, "busy");
	answer(m, 1, LMTP_ACCEPTED, "");
	assert_int_equal(relay_mail_reached(m, reached), 1);
	assert_true(span_eq(reached[0], SPAN("c@x")));
	relay_mail_free(&m);
}

static void
forgets_the_answers_of_an_earlier_try(void **state)
{
	struct span reached[RELAY_RECIPIENTS_MAX];
	struct relay_mail *m = mail_to("", 0);

	(void)state;
	answer(m, 0, LMTP_ACCEPTED, "");
	answer(m, 1, LMTP_NEVER, "no");
	m->at = 40;
	m->ended = true;
	relay_mail_begin(m);
	assert_int_equal(m->at, 0);
	assert_false(m->heard);
	assert_false(m->ended);
	assert_int_equal(m->refusal.kind, ERR_NONE);
	assert_int_equal(relay_mail_reached(m, reached), 0);
	assert_int_equal(m->n_to, 3);
	relay_mail_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_letter_holds),
		cmocka_unit_test(goes_once_to_who_is_named_twice),
		cmocka_unit_test(goes_to_the_one_whom_the_message_names),
		cmocka_unit_test(leaves_out_who_has_it_already),
		cmocka_unit_test(takes_no_more_recipients_than_it_has_room_for),
		cmocka_unit_test(is_done_when_all_have_it),
		cmocka_unit_test(is_for_later_while_anybody_may_still_take_it),
		cmocka_unit_test(
		    is_not_for_later_when_those_left_refuse_for_good),
		cmocka_unit_test(gives_the_words_of_the_first_refusal),
		cmocka_unit_test(tells_who_has_it_now),
		cmocka_unit_test(forgets_the_answers_of_an_earlier_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
