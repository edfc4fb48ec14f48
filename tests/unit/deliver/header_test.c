/* SPDX-License-Identifier: ISC */
#include "deliver/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "Subject", "Return-Path",
	"X-A-Name-That-Is-Longer-Than-Most-Names-Are" };

#define N (sizeof(names) / sizeof(names[0]))

static struct header *
scan(struct span in, size_t piece)
{
	struct header *h = header_new(names, N);

	while (in.n > 0) {
		struct span part = span_take(&in, piece);
		char *copy = malloc(part.n); /* exactly */

		assert_non_null(copy);
		memcpy(copy, part.p, part.n);
		header_add(h, span_make(copy, part.n));
		free(copy);
	}
	return h;
}

struct row {
	const char *in;
	const char *values[N];
	bool ended;
	size_t octets;
};

/* clang-format off */
static const struct row rows[] = {
	{ "", { "", "", "" }, false, 0 },
	{ "Subject: a\r\n\r\nbody", { "a", "", "" }, true, 14 },
	{ "Subject: a\n\nbody", { "a", "", "" }, true, 12 },
	{ "Subject: a\r\n", { "a", "", "" }, false, 12 },
	{ "\r\nSubject: a", { "", "", "" }, true, 2 },
	{ "\nSubject: a", { "", "", "" }, true, 1 },
	{ "SUBJECT :\t a \t b\r\n\tc\r\n d \r\nreturn-path:<x>\n",
	    { "a b c d", "<x>", "" }, false, 43 },
	{ "Subject: 1\nSubject: 2\nReturn-Path: 1\nReturn-Path: 2\n",
	    { "1", "1", "" }, false, 52 },
	{ "Subject:\nSubject: 2\n", { "", "", "" }, false, 20 },
	{ "From x y\n>From z\nno field\nSubject: a\n",
	    { "a", "", "" }, false, 37 },
	{ " Subject: a\nX-Subject: b\nSubject-X: c\n",
	    { "", "", "" }, false, 38 },
	{ "\rSubject: a\n\r\r\n\n", { "", "", "" }, true, 16 },
	{ "Subject: a\rb\n", { "a b", "", "" }, false, 13 },
	{ "x-a-name-that-is-longer-than-most-names-are: z\n"
	  "X-A-Name-That-Is-Longer-Than-Most-Names-Are-X: y\n",
	    { "", "", "z" }, false, 96 },
};

/* clang-format on */

static void
finds_fields_and_the_end_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span in = span_of(rows[i].in);

		for (size_t piece = 1; piece <= in.n + 1; piece++) {
			struct header *h = scan(in, piece);

			for (size_t k = 0; k < N; k++) {
				struct span want = span_of(rows[i].values[k]);

				assert_true(span_eq(header_value(h, k), want));
				assert_false(header_cut(h, k));
			}
			assert_int_equal(header_ended(h), rows[i].ended);
			assert_int_equal(header_octets(h), rows[i].octets);
			header_free(&h);
			assert_null(h);
		}
	}
}

static void
keeps_octets_it_does_not_know(void **state)
{
	struct header *h = scan(SPAN("Subject: a\0\x80\x1b\x7f"), 2);

	(void)state;
	assert_true(span_eq(header_value(h, 0), SPAN("a\0\x80\x1b\x7f")));
	header_free(&h);
}

static void
tells_when_a_value_was_cut(void **state)
{
	char in[HEADER_VALUE_MAX + 20];
	struct header *h;

	(void)state;
	memset(in, 'x', sizeof(in));
	memcpy(in, "Subject: ", 9);
	h = scan(span_make(in, 9 + HEADER_VALUE_MAX), 100);
	header_add(h, SPAN(" \r\n "));
	assert_false(header_cut(h, 0));
	header_add(h, SPAN("y"));
	assert_true(header_cut(h, 0));
	assert_int_equal(header_value(h, 0).n, HEADER_VALUE_MAX);
	header_free(&h);
}

static void
ends_at_its_maximum(void **state)
{
	size_t n = HEADER_OCTETS_MAX + 100;
	char *in = malloc(n);
	struct header *h;

	(void)state;
	assert_non_null(in);
	memset(in, 'x', n);
	memcpy(in + HEADER_OCTETS_MAX - 10, "\nSubject: z1\n", 13);
	h = scan(span_make(in, HEADER_OCTETS_MAX - 1), 1000);
	assert_false(header_ended(h));
	header_add(h, span_make(in + HEADER_OCTETS_MAX - 1, 101));
	assert_true(header_ended(h));
	assert_int_equal(header_octets(h), HEADER_OCTETS_MAX);
	assert_true(span_eq(header_value(h, 0), SPAN("")));
	header_add(h, SPAN("\nSubject: z\n"));
	assert_int_equal(header_octets(h), HEADER_OCTETS_MAX);
	assert_true(span_eq(header_value(h, 0), SPAN("")));
	header_free(&h);
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_fields_and_the_end_at_every_split),
		cmocka_unit_test(keeps_octets_it_does_not_know),
		cmocka_unit_test(tells_when_a_value_was_cut),
		cmocka_unit_test(ends_at_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
