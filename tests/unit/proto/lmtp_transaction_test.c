/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/mem.h"

#define RECIPIENTS 1000

static struct lmtp_transaction t;
static struct buf out;

static void
begin(const struct lmtp_terms *terms, size_t n, uint64_t size)
{
	static const char address[] = "someone.with.a.name@example.org";
	struct span *list = mem_array(n, sizeof(*list));
	struct lmtp_mail mail = { .recipients = list, .n = n, .size = size };

	for (size_t i = 0; i < n; i++)
		list[i] = span_of(address);
	buf_init(&out, (size_t)1 << 20);
	lmtp_transaction_init(&t, &out);
	lmtp_transaction_begin(&t, terms, &mail);
	free(list);
}

static void
end(void)
{
	lmtp_transaction_deinit(&t);
	buf_deinit(&out);
}

static void
hear(const char *words, enum lmtp_event want)
{
	struct lmtp_reply reply;
	struct span in = span_of(words);
	struct err e;

	lmtp_reply_init(&reply);
	assert_int_equal(lmtp_reply_next(&reply, &in, &e), LMTP_REPLY_WHOLE);
	assert_true(lmtp_transaction_waits(&t));
	assert_int_equal(lmtp_transaction_reply(&t, &reply), want);
	lmtp_reply_deinit(&reply);
}

static void
drain(void)
{
	buf_clear(&out);
	lmtp_transaction_say(&t);
}

static void
says_no_more_while_the_output_is_long(void **state)
{
	struct lmtp_terms terms = { .pipelining = true };
	size_t flying = 0;

	(void)state;
	begin(&terms, RECIPIENTS, 0);
	while (t.flying > flying) {
		assert_true(out.n < 8192);
		flying = t.flying;
		drain();
	}
	assert_int_equal(flying, RECIPIENTS + 2);
	end();
}

static void
asks_for_nobody_more_once_the_sender_is_refused(void **state)
{
	struct lmtp_terms terms = { .pipelining = true };
	struct lmtp_info info;
	size_t said;

	(void)state;
	begin(&terms, RECIPIENTS, 0);
	said = t.flying;
	assert_true(said < RECIPIENTS);
	hear("550 no\r\n", LMTP_MORE);
	drain();
	while (t.flying > 0)
		hear("503 no\r\n", LMTP_MORE);
	assert_int_equal(out.n, 0);
	for (size_t i = 0; i < RECIPIENTS; i++) {
		assert_int_equal(lmtp_transaction_news(&t, &info), LMTP_ANSWER);
		assert_int_equal(info.recipient, i);
		assert_int_equal(info.verdict, LMTP_NEVER);
	}
	assert_int_equal(lmtp_transaction_news(&t, &info), LMTP_SENT);
	assert_false(lmtp_transaction_has_news(&t));
	end();
}

static void
waits_for_nothing_that_was_not_said(void **state)
{
	struct lmtp_terms terms = { .pipelining = false };
	struct span one = SPAN("bob");
	struct lmtp_mail mail = { .recipients = &one, .n = 1 };

	(void)state;
	buf_init(&out, (size_t)1 << 20);
	lmtp_transaction_init(&t, &out);
	assert_false(lmtp_transaction_waits(&t));
	for (size_t i = 0; i < 5000; i++) /* said before and never sent */
		buf_addc(&out, 'x');
	lmtp_transaction_begin(&t, &terms, &mail);
	assert_false(lmtp_transaction_waits(&t));
	drain();
	assert_true(lmtp_transaction_waits(&t));
	end();
}

static void
keeps_the_last_octet_of_a_chunk_until_the_end(void **state)
{
	struct lmtp_terms terms = { .chunking = true };
	struct lmtp_info info;

	(void)state;
	begin(&terms, 1, 5);
	hear("250 ok\r\n", LMTP_MORE);
	hear("250 ok\r\n", LMTP_MORE);
	assert_int_equal(lmtp_transaction_news(&t, &info), LMTP_BODY);
	buf_clear(&out);
	lmtp_transaction_body(&t, SPAN("a.b"));
	lmtp_transaction_body(&t, SPAN("\r\n"));
	assert_true(span_eq(buf_span(&out), SPAN("a.b\r")));
	lmtp_transaction_body(&t, SPAN(""));
	assert_true(span_eq(buf_span(&out), SPAN("a.b\r")));
	lmtp_transaction_end(&t);
	assert_true(span_eq(buf_span(&out), SPAN("a.b\r\n")));
	end();
}

static void
says_a_chunk_of_nothing_only_at_the_end(void **state)
{
	struct lmtp_terms terms = { .chunking = true };
	struct lmtp_info info;

	(void)state;
	begin(&terms, 1, 0);
	hear("250 ok\r\n", LMTP_MORE);
	buf_clear(&out);
	hear("250 ok\r\n", LMTP_MORE);
	assert_int_equal(lmtp_transaction_news(&t, &info), LMTP_BODY);
	assert_int_equal(out.n, 0);
	lmtp_transaction_end(&t);
	assert_true(span_eq(buf_span(&out), SPAN("BDAT 0 LAST\r\n")));
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_no_more_while_the_output_is_long),
		cmocka_unit_test(
		    asks_for_nobody_more_once_the_sender_is_refused),
		cmocka_unit_test(waits_for_nothing_that_was_not_said),
		cmocka_unit_test(keeps_the_last_octet_of_a_chunk_until_the_end),
		cmocka_unit_test(says_a_chunk_of_nothing_only_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
