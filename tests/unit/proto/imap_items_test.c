/* SPDX-License-Identifier: ISC */
#include "proto/imap_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Reads one response, of which *said is what follows FETCH. Returns how many
 * octets of BODY[] were reported. */
static size_t
read_items(struct imap_items *it, struct span said)
{
	enum imap_items_event ev = IMAP_ITEMS_MORE;
	struct imap_lex lex;
	size_t octets = 0;

	imap_lex_init(&lex);
	imap_items_begin(it);
	while (ev != IMAP_ITEMS_DONE) {
		struct span value;
		enum imap_token tok = imap_lex_next(&lex, &said, &value);

		assert_int_not_equal(tok, IMAP_TOK_MORE);
		assert_int_not_equal(tok, IMAP_TOK_LOST);
		ev = imap_items_token(it, tok, value, lex.size);
		if (ev == IMAP_ITEMS_DATA)
			octets += value.n;
	}
	imap_lex_deinit(&lex);
	return octets;
}

static void
finds_what_it_looks_for(void **state)
{
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	assert_int_equal(read_items(&it,
			     SPAN("(FLAGS (\\Seen) uid 7 RFC822.SIZE 12 "
				  "BODY[HEADER] \"h\" BODY[] {3}\r\nabc)\r\n")),
	    3);
	assert_false(it.torn);
	assert_int_equal(it.uid, 7);
	assert_true(it.has_size && it.has_header && it.body && !it.body_nil);
	assert_int_equal(it.rfc822_size, 12);
	assert_int_equal(it.body_size, 3);
	assert_true(span_eq(buf_span(&it.header), SPAN("h")));
	assert_int_equal(it.flags, IMAP_SEEN);
	/* a new response knows nothing of the last */
	assert_int_equal(read_items(&it, SPAN("()\r\n")), 0);
	assert_false(it.torn || it.has_size || it.has_header || it.body);
	assert_int_equal(it.uid, 0);
	assert_int_equal(it.header.n, 0);
	assert_int_equal(it.flags, 0);
	assert_int_equal(it.named, 0);
	imap_items_deinit(&it);
}

static void
tells_nil_from_empty(void **state)
{
	static const struct {
		const char *said;
		bool body, nil;
	} cases[] = {
		{ "(BODY[] NIL)\n", false, true },
		{ "(BODY[] \"\")\n", true, false },
		{ "(BODY[] {0}\r\n)\n", true, false },
		{ "(BODY[])\n", false, true },
		{ "(BODY[] UID 3)\n", false, true },
		{ "(BODY[TEXT] \"x\")\n", false, false },
		{ "(BODY[]<5> \"x\")\n", false, false },
		{ "(BODY[]<0> \"x\")\n", true, false },
		{ "(X BODY[] \"x\")\n", false, false }, /* BODY[] is X's */
	};
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_items(&it, span_of(cases[i].said));
		assert_false(it.torn);
		assert_int_equal(it.body, cases[i].body);
		assert_int_equal(it.body_nil, cases[i].nil);
	}
	read_items(&it, SPAN("(BODY[] UID 3)\n"));
	assert_int_equal(it.uid, 3);
	imap_items_deinit(&it);
}

static void
leaves_out_values_that_make_no_sense(void **state)
{
	static const char *const said[] = { "(RFC822.SIZE 9.37e+06 UID 5)\n",
		"(RFC822.SIZE -1 UID 5)\n", "(RFC822.SIZE NIL UID 5)\n",
		"(RFC822.SIZE (1 2) UID 5)\n", "(RFC822.SIZE \"7\" UID 5)\n",
		"(RFC822.SIZE 18446744073709551616 UID 5)\n", "((UID 5))\n",
		"(UID 5 (A B))\n", "(UID 5) x (\n", "(UID 5 BODY[2] )\n",
		"(X ((NIL) (\"(\")) UID 5)\n" };
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		read_items(&it, span_of(said[i]));
		if (it.torn || it.uid != 5 || it.has_size)
			fail_msg("%s", said[i]);
	}
	imap_items_deinit(&it);
}

static void
knows_a_torn_line(void **state)
{
	static const char *const said[] = { "\n", "UID 5\n", "(UID 5\n",
		"(UID 5 BODY[] {1}\r\nx\n", ")\n", "\"x\" (UID 5)\n",
		"(UID 5 X \"abc\n", "(UID 5 UID 6)\n", "(UID 5 UID x)\n",
		"((((((((((((((((((((((((((((((((( UID 5)\n" };
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		read_items(&it, span_of(said[i]));
		if (!it.torn)
			fail_msg("%s", said[i]);
	}
	imap_items_deinit(&it);
}

static void
reads_flags(void **state)
{
	static const struct {
		const char *said;
		unsigned int flags;
	} cases[] = {
		{ "(FLAGS ())\n", 0 },
		{ "(FLAGS (\\Seen))\n", IMAP_SEEN },
		{ "(FLAGS (\\Flagged))\n", IMAP_FLAGGED },
		{ "(FLAGS (\\Answered))\n", IMAP_ANSWERED },
		{ "(FLAGS (\\Draft))\n", IMAP_DRAFT },
		{ "(FLAGS (\\Deleted))\n", IMAP_DELETED },
		{ "(flags (\\sEEN \\SEEN \\*))\n", IMAP_SEEN },
		{ "(FLAGS (Seen \\Seen2 \\See \\ $\\Seen))\n", 0 },
		{ "(FLAGS (\\Recent $Forwarded \"\\\\Seen\" {5}\r\n\\Seen "
		  "\\Draft))\n",
		    IMAP_DRAFT },
		{ "(FLAGS (\\Seen) FLAGS (\\Draft))\n", IMAP_DRAFT },
		{ "(FLAGS ((\\Seen) \\Draft))\n", IMAP_SEEN | IMAP_DRAFT },
		{ "((FLAGS (\\Seen)))\n", IMAP_SEEN },
		{ "(FLAGS NIL X (\\Seen))\n", 0 },
		{ "(FLAGS \\Seen)\n", 0 },
		{ "(X (\\Seen) \\Seen x)\n", 0 },
		{ "(X (FLAGS (\\Seen)))\n", 0 },
	};
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_items(&it, span_of(cases[i].said));
		if (it.torn || it.flags != cases[i].flags)
			fail_msg("%s: %u", cases[i].said, it.flags);
	}
	imap_items_deinit(&it);
}

static void
reads_dates(void **state)
{
#define DATE "\"17-Jul-1996 02:44:25 -0700\""

	static const struct {
		const char *said;
		int64_t date;
	} cases[] = {
		{ "(INTERNALDATE " DATE ")\n", 837596665 },
		{ "(internaldate {26}\r\n17-Jul-1996 02:44:25 -0700)\n",
		    837596665 },
		{ "(INTERNALDATE NIL)\n", 0 },
		{ "(INTERNALDATE \"\")\n", 0 },
		{ "(INTERNALDATE (" DATE "))\n", 0 },
		{ "(INTERNALDATE \"00-Jan-0000 00:00:00 +0000\")\n", 0 },
		{ "(INTERNALDATE \"x\" INTERNALDATE " DATE ")\n", 837596665 },
		{ "(INTERNALDATE " DATE " INTERNALDATE NIL)\n", 0 },
		{ "(INTERNALDATE \"17-Jul-1996 02:44:25 -0700              "
		  "                        x\")\n",
		    0 },
		{ "(X " DATE ")\n", 0 },
	};
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_items(&it, span_of(cases[i].said));
		if (it.torn || it.internaldate != cases[i].date)
			fail_msg("%s: %lld", cases[i].said,
			    (long long)it.internaldate);
	}
	imap_items_deinit(&it);
#undef DATE
}

static void
knows_what_was_named(void **state)
{
	static const struct {
		const char *said;
		unsigned int named;
	} cases[] = {
		{ "(UID 1 FLAGS () INTERNALDATE \"\" X BODY[])\n", 0 },
		{ "(RFC822.SIZE 1)\n", IMAP_NAMED_SIZE },
		{ "(RFC822.SIZE NIL)\n", IMAP_NAMED_SIZE },
		{ "(BODY[] NIL)\n", IMAP_NAMED_BODY },
		{ "(BODY[] RFC822.SIZE 1)\n",
		    IMAP_NAMED_BODY | IMAP_NAMED_SIZE },
		{ "(BODY[HEADER] NIL)\n", IMAP_NAMED_HEADER },
		{ "(body[header]<0> \"x\")\n", IMAP_NAMED_HEADER },
		{ "(BODY[HEADER.FIELDS (A)] \"x\")\n", IMAP_NAMED_FIELDS },
	};
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_items(&it, span_of(cases[i].said));
		if (it.torn || it.named != cases[i].named)
			fail_msg("%s: %u", cases[i].said, it.named);
	}
	imap_items_deinit(&it);
}

static void
goes_no_deeper_than_its_limit(void **state)
{
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	for (int depth = 30; depth < 35; depth++) {
		char said[100] = "(UID 5 X ";
		size_t n = strlen(said);

		memset(said + n, '(', (size_t)depth - 1);
		memset(said + n + depth - 1, ')', (size_t)depth);
		said[n + 2 * (size_t)depth - 1] = '\n';
		read_items(&it, span_of(said));
		assert_int_equal(it.torn, depth > IMAP_ITEMS_DEPTH_MAX);
	}
	imap_items_deinit(&it);
}

static void
takes_the_first_of_two_bodies_and_headers(void **state)
{
	struct imap_items it;

	(void)state;
	imap_items_init(&it);
	assert_int_equal(
	    read_items(&it,
		SPAN("(BODY[] \"ab\" BODY[] \"cde\" BODY[HEADER] \"x\" "
		     "BODY[HEADER.FIELDS (A)] \"y\")\n")),
	    2);
	assert_int_equal(it.body_size, 2);
	assert_true(span_eq(buf_span(&it.header), SPAN("x")));
	imap_items_deinit(&it);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_it_looks_for),
		cmocka_unit_test(tells_nil_from_empty),
		cmocka_unit_test(leaves_out_values_that_make_no_sense),
		cmocka_unit_test(knows_a_torn_line),
		cmocka_unit_test(reads_flags),
		cmocka_unit_test(reads_dates),
		cmocka_unit_test(knows_what_was_named),
		cmocka_unit_test(goes_no_deeper_than_its_limit),
		cmocka_unit_test(takes_the_first_of_two_bodies_and_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
