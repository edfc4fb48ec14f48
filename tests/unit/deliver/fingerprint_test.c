/* SPDX-License-Identifier: ISC */
#include "deliver/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct digest_state *with;

static struct digest
print_in(struct span header, size_t piece, uint64_t size)
{
	struct fingerprint *f = fingerprint_new();
	struct digest d;

	while (header.n > 0)
		fingerprint_add(f, span_take(&header, piece));
	fingerprint_end(f, with, size, &d);
	fingerprint_free(&f);
	assert_null(f);
	return d;
}

static bool
same(struct span a, struct span b)
{
	struct digest x = print_in(a, a.n + 1, 9), y = print_in(b, b.n + 1, 9);

	return memcmp(x.b, y.b, sizeof(x.b)) == 0;
}

static const struct span mail =
    SPAN("Received: from x\r\n\tby y; message-id: no\r\nFROM: A  <a@b>\r\n"
	 "X-Date: 1\r\nmessage-ID:<1@x>\r\nDate:Mon,\r\n 1\r\n"
	 "Date: second\r\nDate : third\r\n\r\nFrom: body\r\n");

static void
is_the_same_from_three_fields_in_any_order(void **state)
{
	(void)state;
	assert_true(same(mail,
	    SPAN(
		"Message-ID: <1@x>\r\nDate: Mon, 1\r\nFrom: A <a@b>\r\n\r\n")));
	assert_true(same(
	    mail, SPAN("date: Mon, 1\nFrom:\tA <a@b>  \nMESSAGE-ID: <1@x>")));
}

static void
differs_when_any_field_does(void **state)
{
	(void)state;
	assert_false(same(mail,
	    SPAN("Message-ID: <2@x>\r\nDate: Mon, 1\r\nFrom: A <a@b>\r\n")));
	assert_false(same(mail,
	    SPAN("Message-ID: <1@x>\r\nDate: Mon,1\r\nFrom: A <a@b>\r\n")));
	assert_false(same(mail,
	    SPAN("Message-ID: <1@x>\r\nDate: Mon, 1\r\nFrom: B <a@b>\r\n")));
	assert_false(same(mail, SPAN("Message-ID: <1@x>\r\nDate: Mon, 1\r\n")));
	/* an octet does not wander from one field to another */
	assert_false(
	    same(SPAN("From: ab\nDate: c\n"), SPAN("From: a\nDate: bc\n")));
}

static void
differs_when_the_size_does(void **state)
{
	struct digest x = print_in(mail, 100, 10), y = print_in(mail, 100, 11);

	(void)state;
	assert_memory_not_equal(x.b, y.b, sizeof(x.b));
}

static void
is_the_same_at_every_split(void **state)
{
	struct digest whole = print_in(mail, mail.n, 5), d;
	size_t piece;

	(void)state;
	for (piece = 1; piece < mail.n; piece++) {
		d = print_in(mail, piece, 5);
		assert_memory_equal(d.b, whole.b, sizeof(d.b));
	}
}

static void
ends_at_the_empty_line(void **state)
{
	(void)state;
	assert_true(same(SPAN("A: b\r\n\r\nDate: 1\r\n"), SPAN("")));
	assert_true(same(SPAN("\r\nDate: 1\r\n"), SPAN("")));
	assert_true(same(SPAN("\nDate: 1\r\n"), SPAN("")));
	assert_true(same(SPAN("A: b\n\nDate: 1\n"), SPAN("")));
	/* blanks are a folded line, not an empty one */
	assert_true(same(SPAN("A: b\n \nDate: 1\n"), SPAN("Date: 1")));
}

static void
survives_odd_headers(void **state)
{
	(void)state;
	assert_true(same(SPAN(" Date: 1\nFrom: x\n"), SPAN("From: x")));
	assert_true(same(SPAN("From x y\nDate: 1\n"), SPAN("Date: 1")));
	assert_true(same(SPAN("\rDate: 2\nDate: 1\n"), SPAN("Date: 1")));
	assert_true(same(SPAN(":\nDate: 1\n"), SPAN("Date: 1")));
	assert_false(same(SPAN("Date: a\0b\n"), SPAN("Date: a\n")));
}

static void
looks_at_bounded_values_and_headers(void **state)
{
	size_t n = FINGERPRINT_HEADER_MAX + 1000;
	char *a = malloc(n), *b = malloc(n);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	memset(a, 'x', n);
	memcpy(a, "From: ", 6);
	memcpy(b, a, n);
	b[6 + FINGERPRINT_VALUE_MAX] = 'y';
	assert_true(same(span_make(a, n), span_make(b, n)));
	b[6 + FINGERPRINT_VALUE_MAX - 1] = 'y';
	assert_false(same(span_make(a, n), span_make(b, n)));
	/* behind the maximum nothing is seen */
	memcpy(b, a, n);
	memcpy(b + FINGERPRINT_HEADER_MAX - 1, "\nDate: 1\n", 9);
	assert_true(same(span_make(a, n), span_make(b, n)));
	memcpy(b, a, n);
	memcpy(b + FINGERPRINT_HEADER_MAX - 9, "\nDate: 1\n", 9);
	assert_false(same(span_make(a, n), span_make(b, n)));
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_same_from_three_fields_in_any_order),
		cmocka_unit_test(differs_when_any_field_does),
		cmocka_unit_test(differs_when_the_size_does),
		cmocka_unit_test(is_the_same_at_every_split),
		cmocka_unit_test(ends_at_the_empty_line),
		cmocka_unit_test(survives_odd_headers),
		cmocka_unit_test(looks_at_bounded_values_and_headers),
	};
	int r;

	with = digest_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	digest_free(&with);
	return r;
}
