/* SPDX-License-Identifier: ISC */
#include "proto/imap_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
finds_words_in_any_case(void **state)
{
	struct span list = SPAN("IMAP4rev1 AUTH=PLAIN  idle");

	(void)state;
	assert_true(imap_words_have(list, SPAN("IDLE")));
	assert_true(imap_words_have(list, SPAN("imap4REV1")));
	assert_true(imap_words_have(list, SPAN("AUTH=PLAIN")));
	assert_false(imap_words_have(list, SPAN("AUTH")));
	assert_false(imap_words_have(list, SPAN("ID")));
	assert_false(imap_words_have(list, SPAN("")));
	assert_false(imap_words_have(SPAN(""), SPAN("X")));
}

static void
adds_words_with_one_blank_as_long_as_they_fit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	imap_words_add(&b, SPAN("  a   bc "));
	assert_true(span_eq(buf_span(&b), SPAN("a bc")));
	imap_words_add(&b, SPAN("def ghi"));
	assert_true(span_eq(buf_span(&b), SPAN("a bc def")));
	buf_deinit(&b);
}

static void
quotes_what_may_be_quoted(void **state)
{
	struct buf b;
	char c[1001];

	(void)state;
	for (int i = 0; i < 256; i++) {
		c[0] = (char)i;
		assert_int_equal(imap_words_quotable(span_make(c, 1)),
		    i < 0x80 && i != '\r' && i != '\n' && i != '\0');
	}
	memset(c, 'x', sizeof(c));
	assert_true(imap_words_quotable(span_make(c, 1000)));
	assert_false(imap_words_quotable(span_make(c, 1001)));
	assert_true(imap_words_quotable(SPAN("")));
	buf_init(&b, 100);
	assert_int_equal(imap_words_put_quoted(&b, SPAN("a\"b\\")), 0);
	assert_true(span_eq(buf_span(&b), SPAN("\"a\\\"b\\\\\"")));
	buf_deinit(&b);
	for (size_t max = 0; max < 8; max++) {
		buf_init(&b, max);
		assert_int_equal(imap_words_put_quoted(&b, SPAN("a\"b\\")), -1);
		buf_deinit(&b);
	}
}

static void
writes_mailbox_names_quoted_and_in_utf7(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(imap_words_put_mailbox(&b, SPAN("\"\xc3\xbc&")), 0);
	assert_true(span_eq(buf_span(&b), SPAN("\"\\\"&APw-&-\"")));
	buf_clear(&b);
	assert_int_equal(imap_words_put_mailbox(&b, SPAN("a\r\nb")), 0);
	assert_true(span_eq(buf_span(&b), SPAN("\"a&AA0ACg-b\"")));
	assert_int_equal(imap_words_put_mailbox(&b, SPAN("\xff")), -1);
	buf_deinit(&b);
	buf_init(&b, 3);
	assert_int_equal(imap_words_put_mailbox(&b, SPAN("ab")), -1);
	buf_deinit(&b);
}

static void
reads_only_names_that_can_be_written(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(imap_words_mailbox(&b, SPAN("x&APw-")));
	assert_true(span_eq(buf_span(&b), SPAN("x\xc3\xbc")));
	assert_true(imap_words_mailbox(&b, SPAN("y")));
	assert_true(span_eq(buf_span(&b), SPAN("y")));
	assert_false(imap_words_mailbox(&b, SPAN("")));
	assert_false(imap_words_mailbox(&b, SPAN("&")));
	assert_false(imap_words_mailbox(&b, SPAN("&AAo-")));
	assert_false(imap_words_mailbox(&b, SPAN("\xc3\xbc")));
	buf_deinit(&b);
}

static void
quotes_servers_in_errors(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(
	    imap_words_err(&e, ERR_TEMP, "list", SPAN("a\x1b")), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_string_equal(e.text, "list: \"a\\x1B\"");
	imap_words_err(&e, ERR_NET, "list", SPAN(""));
	assert_string_equal(e.text, "list");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_words_in_any_case),
		cmocka_unit_test(adds_words_with_one_blank_as_long_as_they_fit),
		cmocka_unit_test(quotes_what_may_be_quoted),
		cmocka_unit_test(writes_mailbox_names_quoted_and_in_utf7),
		cmocka_unit_test(reads_only_names_that_can_be_written),
		cmocka_unit_test(quotes_servers_in_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
