/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_recipients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

static struct lmtp_recipients r;

static int
set_up(void **state)
{
	static const char text[] = "abc";
	struct span three[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		three[i] = span_make(text + i, 1);
	lmtp_recipients_init(&r, three, 3);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	lmtp_recipients_deinit(&r);
	return 0;
}

static void
assert_told(size_t i, enum lmtp_verdict verdict, const char *text)
{
	struct lmtp_info info;

	assert_true(lmtp_recipients_tell(&r, &info));
	assert_int_equal(info.recipient, i);
	assert_int_equal(info.verdict, verdict);
	assert_string_equal(info.err.text, text);
	assert_int_equal(
	    info.err.kind, verdict == LMTP_ACCEPTED ? ERR_NONE : ERR_MESSAGE);
}

static void
tells_each_verdict_once_lowest_index_first(void **state)
{
	struct lmtp_info info;

	(void)state;
	assert_false(lmtp_recipients_tell(&r, &info));
	lmtp_recipients_answer(&r, 2, LMTP_LATER, "no");
	lmtp_recipients_answer(&r, 0, LMTP_ACCEPTED, "yes");
	assert_told(0, LMTP_ACCEPTED, "a: yes");
	assert_told(2, LMTP_LATER, "c: no");
	assert_false(lmtp_recipients_tell(&r, &info));
	lmtp_recipients_answer(&r, 1, LMTP_NEVER, "never");
	assert_told(1, LMTP_NEVER, "b: never");
	assert_false(lmtp_recipients_tell(&r, &info));
}

static void
counts_who_is_welcome_until_he_is_answered(void **state)
{
	(void)state;
	lmtp_recipients_welcome(&r, 1);
	lmtp_recipients_welcome(&r, 2);
	assert_int_equal(r.welcome, 2);
	assert_int_equal(lmtp_recipients_find(&r, 0, LMTP_WELCOME), 1);
	lmtp_recipients_answer(&r, 0, LMTP_LATER, "x");
	assert_int_equal(r.welcome, 2);
	lmtp_recipients_answer(&r, 1, LMTP_LATER, "x");
	assert_int_equal(r.welcome, 1);
	assert_int_equal(lmtp_recipients_find(&r, 0, LMTP_WELCOME), 2);
	assert_int_equal(lmtp_recipients_find(&r, 0, LMTP_UNASKED), 3);
}

static void
answers_all_that_stand_alike(void **state)
{
	struct lmtp_info info;

	(void)state;
	lmtp_recipients_welcome(&r, 1);
	lmtp_recipients_answer_all(&r, LMTP_UNASKED, LMTP_NEVER, "x");
	assert_told(0, LMTP_NEVER, "a: x");
	assert_told(2, LMTP_NEVER, "c: x");
	assert_false(lmtp_recipients_tell(&r, &info));
	lmtp_recipients_answer_all(&r, LMTP_WELCOME, LMTP_ACCEPTED, "y");
	assert_told(1, LMTP_ACCEPTED, "b: y");
	assert_int_equal(r.welcome, 0);
}

static void
shows_the_words_behind_a_long_address(void **state)
{
	char address[300];
	struct span one = { address, sizeof(address) };
	struct lmtp_info info;

	(void)state;
	memset(address, 'a', sizeof(address));
	lmtp_recipients_deinit(&r);
	lmtp_recipients_init(&r, &one, 1);
	lmtp_recipients_answer(&r, 0, LMTP_NEVER, "why");
	assert_true(lmtp_recipients_tell(&r, &info));
	assert_non_null(strstr(info.err.text, "aaa: why"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    tells_each_verdict_once_lowest_index_first, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    counts_who_is_welcome_until_he_is_answered, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    answers_all_that_stand_alike, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    shows_the_words_behind_a_long_address, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
