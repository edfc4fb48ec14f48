/* SPDX-License-Identifier: ISC */
#include "deliver/eol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct row {
	struct span in, out;
};

/* clang-format off */
static const struct row rows[] = {
	{ SPAN(""), SPAN("") },
	{ SPAN("a"), SPAN("a") },
	{ SPAN("a\r\nb\r\n"), SPAN("a\nb\n") },
	{ SPAN("a\nb\n"), SPAN("a\nb\n") },
	{ SPAN("no end"), SPAN("no end") },
	{ SPAN("\r\n\r\n"), SPAN("\n\n") },
	{ SPAN("\r"), SPAN("\r") },
	{ SPAN("a\rb"), SPAN("a\rb") },
	{ SPAN("\r\r\n"), SPAN("\r\n") },
	{ SPAN("\r\r\r"), SPAN("\r\r\r") },
	{ SPAN("\n\r"), SPAN("\n\r") },
	{ SPAN("\n\r\n\r"), SPAN("\n\n\r") },
	{ SPAN("a\0b\r\0\n\0\r\n"), SPAN("a\0b\r\0\n\0\n") },
	{ SPAN("\xff\xfe\r\n\x80"), SPAN("\xff\xfe\n\x80") },
};

/* clang-format on */

/* In pieces of `piece` octets, with room for `room` at a time. */
static void
check(const struct row *row, size_t piece, size_t room)
{
	char out[64], all[64];
	struct span rest = row->in;
	struct eol eol;
	size_t n = 0, k;

	eol_init(&eol);
	while (rest.n > 0) {
		struct span in = span_take(&rest, piece);

		while (in.n > 0) {
			k = eol_convert(&eol, &in, out, room);
			assert_true(k <= room);
			memcpy(all + n, out, k);
			n += k;
		}
	}
	n += eol_end(&eol, all + n);
	assert_int_equal(n, row->out.n);
	assert_memory_equal(all, row->out.p, n);
	assert_int_equal(eol_end(&eol, all), 0);
}

static void
changes_crlf_only_at_every_split(void **state)
{
	size_t i, piece, room;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (piece = 1; piece <= rows[i].in.n + 1; piece++) {
			for (room = 1; room <= rows[i].in.n + 1; room++)
				check(&rows[i], piece, room);
		}
	}
}

static void
keeps_no_more_than_one_octet_back(void **state)
{
	struct span in = SPAN("abc\r");
	struct eol eol;
	char out[8];

	(void)state;
	eol_init(&eol);
	assert_int_equal(eol_convert(&eol, &in, out, sizeof(out)), 3);
	assert_int_equal(in.n, 0);
	in = SPAN("d");
	assert_int_equal(eol_convert(&eol, &in, out, sizeof(out)), 2);
	assert_memory_equal(out, "\rd", 2);
}

struct watched {
	struct span in;
	bool eight_bit, bare;
};

/* clang-format off */
static const struct watched watched[] = {
	{ SPAN(""), false, true },
	{ SPAN("a\r\n"), false, false },
	{ SPAN("\r\n"), false, false },
	{ SPAN("a\r\n\r\nb\r\n"), false, false },
	{ SPAN("a\r\nb"), false, true },
	{ SPAN("a\r\nb\r"), false, true },
	{ SPAN("a\nb\r\n"), false, true },
	{ SPAN("\n\r\n"), false, true },
	{ SPAN("\r\n\n\r\n"), false, true },
	{ SPAN("a\rb\r\n"), false, true },
	{ SPAN("\r\r\n"), false, true },
	{ SPAN("a\r\n\r"), false, true },
	{ SPAN("a\r\n\n"), false, true },
	{ SPAN("a\r\0\n\r\n"), false, true },
	{ SPAN("a\x80z\r\n"), true, false },
	{ SPAN("\x7f\0\r\n"), false, false },
	{ SPAN("\r\n\xff"), true, true },
};

/* clang-format on */

static void
watches_for_relays_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
		const struct watched *row = &watched[i];

		for (size_t piece = 1; piece <= row->in.n + 1; piece++) {
			struct span rest = row->in;
			struct eol_watch w;

			eol_watch_init(&w);
			eol_watch(&w, SPAN(""));
			while (rest.n > 0)
				eol_watch(&w, span_take(&rest, piece));
			eol_watch(&w, SPAN(""));
			assert_int_equal(w.eight_bit, row->eight_bit);
			assert_int_equal(eol_watch_bare(&w), row->bare);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_crlf_only_at_every_split),
		cmocka_unit_test(keeps_no_more_than_one_octet_back),
		cmocka_unit_test(watches_for_relays_at_every_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
