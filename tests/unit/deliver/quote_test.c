/* SPDX-License-Identifier: ISC */
#include "deliver/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct row {
	struct span in, out;
};

/* clang-format off */
static const struct row rows[] = {
	{ SPAN(""), SPAN("") },
	{ SPAN("\n"), SPAN("\n") },
	{ SPAN("From "), SPAN(">From ") },
	{ SPAN("From x\n"), SPAN(">From x\n") },
	{ SPAN("From: x\n"), SPAN("From: x\n") },
	{ SPAN("Fro"), SPAN("Fro") },
	{ SPAN("From"), SPAN("From") },
	{ SPAN("Fro\nFrom \n"), SPAN("Fro\n>From \n") },
	{ SPAN(">From x\n"), SPAN(">>From x\n") },
	{ SPAN(">>>From x\n"), SPAN(">>>>From x\n") },
	{ SPAN("> From x\n"), SPAN("> From x\n") },
	{ SPAN(">\nFrom x\n"), SPAN(">\n>From x\n") },
	{ SPAN(">>"), SPAN(">>") },
	{ SPAN("a\n\nFrom b\n>From c\n"), SPAN("a\n\n>From b\n>>From c\n") },
	{ SPAN("a From \n From \n"), SPAN("a From \n From \n") },
	{ SPAN("from \nFROM \n"), SPAN("from \nFROM \n") },
	{ SPAN("FFrom \nFrFrom \n"), SPAN("FFrom \nFrFrom \n") },
	{ SPAN("F>From \n"), SPAN("F>From \n") },
	{ SPAN("\r\nFrom \r\n"), SPAN("\r\n>From \r\n") },
	{ SPAN("\rFrom \n\0From \n"), SPAN("\rFrom \n\0From \n") },
};

/* clang-format on */

static size_t
quoted(struct span rest, size_t piece, char *out)
{
	struct quote q;
	struct span s;
	size_t n = 0;

	quote_init(&q);
	while (rest.n > 0) {
		struct span part = span_take(&rest, piece);
		char *copy = malloc(part.n);
		struct span in = span_make(copy, part.n);

		assert_non_null(copy);
		memcpy(copy, part.p, part.n);
		while ((s = quote_next(&q, &in)).n > 0) {
			memcpy(out + n, s.p, s.n);
			n += s.n;
		}
		assert_int_equal(in.n, 0);
		free(copy);
	}
	s = quote_end(&q);
	memcpy(out + n, s.p, s.n);
	return n + s.n;
}

static void
quotes_at_every_split(void **state)
{
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t piece = 1; piece <= rows[i].in.n + 1; piece++) {
			size_t n = quoted(rows[i].in, piece, out);

			assert_int_equal(n, rows[i].out.n);
			assert_memory_equal(out, rows[i].out.p, n);
		}
	}
}

/* Takes one > off each line of the kind; in place. */
static size_t
unquoted(char *s, size_t n)
{
	size_t from = 0, to = 0;

	while (from < n) {
		char *lf = memchr(s + from, '\n', n - from);
		size_t end = lf == NULL ? n : (size_t)(lf - s) + 1, i = from;

		while (i < end && s[i] == '>')
			i++;
		if (i > from && end - i >= 5 && memcmp(s + i, "From ", 5) == 0)
			from++;
		memmove(s + to, s + from, end - from);
		to += end - from;
		from = end;
	}
	return to;
}

static void
can_be_undone(void **state)
{
	static const char letters[] = ">From \nF";
	char in[200], out[400];
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t n = 0, k;

		while (n + 5 < sizeof(in)) {
			seed = seed * 1103515245u + 12345u;
			if ((seed >> 16) % 3 == 0) {
				memcpy(in + n, "From ", 5);
				n += 5;
			} else {
				in[n++] = letters[(seed >> 20) % 8];
			}
		}
		k = quoted(span_make(in, n), 1 + (size_t)round % 17, out);
		assert_true(k >= n);
		assert_int_equal(unquoted(out, k), n);
		assert_memory_equal(out, in, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_at_every_split),
		cmocka_unit_test(can_be_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
