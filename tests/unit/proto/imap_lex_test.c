/* SPDX-License-Identifier: ISC */
#include "proto/imap_lex.h"

#include "unit/proto/split.h"
#include "util/mem.h"
#include "util/text.h"

#define LOG_MAX (4 << 20)

enum mode { MODE_WORDS, MODE_TEXT, MODE_NUMBERS };

struct run {
	struct imap_lex lex;
	struct buf log;
	enum mode mode; /* entered after the first word of a line */
	bool first, lost;
};

static void *
run_open(const void *arg)
{
	struct run *r = mem_new(sizeof(*r));

	imap_lex_init(&r->lex);
	buf_init(&r->log, LOG_MAX);
	r->mode = *(const enum mode *)arg;
	r->first = true;
	return r;
}

static void
add_value(struct run *r, struct span value)
{
	char text[1000];

	buf_add(&r->log, span_of(text_printable(text, sizeof(text), value)));
}

static void
after_first(struct run *r, enum imap_token tok)
{
	if (tok == IMAP_TOK_ATOM && r->first && r->mode == MODE_TEXT)
		imap_lex_text(&r->lex);
	if (tok == IMAP_TOK_ATOM && r->first && r->mode == MODE_NUMBERS)
		imap_lex_numbers(&r->lex);
	r->first = tok == IMAP_TOK_EOL || tok == IMAP_TOK_TEXT;
}

static void
run_feed(void *run, struct span piece)
{
	struct run *r = run;

	while (!r->lost) {
		struct span value;
		enum imap_token tok = imap_lex_next(&r->lex, &piece, &value);

		switch (tok) {
		case IMAP_TOK_MORE:
			assert_int_equal(piece.n, 0);
			return;
		case IMAP_TOK_ATOM:
			buf_add(&r->log, SPAN("<"));
			add_value(r, value);
			buf_add(&r->log, SPAN(">"));
			break;
		case IMAP_TOK_OPEN:
			buf_add(&r->log, SPAN("("));
			break;
		case IMAP_TOK_CLOSE:
			buf_add(&r->log, SPAN(")"));
			break;
		case IMAP_TOK_STRING:
			buf_printf(&r->log, "{%llu}'",
			    (unsigned long long)r->lex.size);
			break;
		case IMAP_TOK_OCTETS:
			assert_true(value.n > 0);
			add_value(r, value);
			break;
		case IMAP_TOK_END:
			buf_add(&r->log, SPAN("'"));
			break;
		case IMAP_TOK_TEXT:
			buf_add(&r->log, SPAN("["));
			add_value(r, value);
			buf_add(&r->log, SPAN("]\n"));
			break;
		case IMAP_TOK_GARBLED:
			buf_add(&r->log, SPAN("?"));
			break;
		case IMAP_TOK_EOL:
			buf_add(&r->log, SPAN("\n"));
			break;
		case IMAP_TOK_LOST:
			buf_add(&r->log, SPAN("!"));
			r->lost = true;
			assert_int_equal(imap_lex_next(&r->lex, &piece, &value),
			    IMAP_TOK_LOST);
			break;
		}
		after_first(r, tok);
	}
}

static char *
run_close(void *run)
{
	struct run *r = run;
	char *log = mem_spandup(buf_span(&r->log));

	imap_lex_deinit(&r->lex);
	buf_deinit(&r->log);
	free(r);
	return log;
}

static const struct split_ops ops = { run_open, run_feed, run_close };

static void
expect(enum mode mode, struct span said, const char *want)
{
	char *log = split_every_one(&ops, &mode, said);

	assert_string_equal(log, want);
	free(log);
}

static void
cuts_lines_into_words(void **state)
{
	(void)state;
	expect(MODE_WORDS, SPAN("* 1  FETCH\t(a (b)c) \r\n"),
	    "<*><1><FETCH>(<a>(<b>)<c>)\n");
	expect(MODE_WORDS, SPAN("\n \n\r\na\nb\rc\r\n"), "\n\n\n<a>\n<b><c>\n");
	expect(MODE_WORDS, SPAN("\\Seen a[b ]c \xff\x01 *\r\n"),
	    "<\\Seen><a[b><]c><\\xFF\\x01><*>\n");
}

static void
keeps_sections_in_one_piece(void **state)
{
	(void)state;
	expect(MODE_WORDS,
	    SPAN("BODY[HEADER.FIELDS (\"A\" B)]<0> body.peek[] BINARY[1]x "
		 "binary.size[1] BODY [a b] XBODY[a b]\r\n"),
	    "<BODY[HEADER.FIELDS (\"A\" B)]<0>><body.peek[]><BINARY[1]x>"
	    "<binary.size[1]><BODY><[a><b]><XBODY[a><b]>\n");
	expect(MODE_WORDS, SPAN("BODY[]{1}\r\nxBODY[]\"y\"\r\n"),
	    "<BODY[]>{1}'x'<BODY[]>{1}'y'\n");
	expect(MODE_WORDS, SPAN("BODY[a b\r\nx\n"), "<BODY[a b>\n<x>\n");
	expect(MODE_WORDS, SPAN("BODY[a {5}\r\nx\n"), "!");
}

static void
reads_quoted_strings(void **state)
{
	(void)state;
	expect(MODE_WORDS, SPAN("\"\" \"a\\\"b\\\\\" \"\\c\0\xff\rd\"\r\n"),
	    "{0}''{4}'a\"b\\'{5}'c\\x00\\xFF\\x0Dd'\n");
	expect(MODE_WORDS, SPAN("a\"b\"c\n"), "<a>{1}'b'<c>\n");
}

static void
tells_of_a_quote_without_an_end(void **state)
{
	(void)state;
	expect(MODE_WORDS, SPAN("\"abc\r\nx \"a\nx \"a\\\r\nx \"a\r\r\nx\n"),
	    "?\n<x>?\n<x>?\n<x>?\n<x>\n");
	expect(MODE_WORDS, SPAN("\"abc {5}\r\nx\n"), "!");
}

static void
steps_over_literals(void **state)
{
	(void)state;
	expect(MODE_WORDS,
	    SPAN("a {3}\r\n)\r\n b{2+}\n\"{c ~{1}\r\n\0 {0}\r\n({05}\r\n"
		 "12345)\r\n"),
	    "<a>{3}')\\x0D\\x0A'<b>{2}'\"{'<c>{1}'\\x00'{0}''({5}'12345')\n");
	expect(MODE_WORDS, SPAN("{9223372036854775807}\r\nab"),
	    "{9223372036854775807}'ab");
	expect(MODE_WORDS, SPAN("~ ~a {a} {1} \n"), "<~><~a><{a}>!");
	expect(MODE_WORDS, SPAN("{a {a} b ~\n"), "<{a><{a}><b><~>\n");
}

static void
is_lost_when_a_count_makes_no_sense(void **state)
{
	static const char *const bad[] = { "{-1}\r\n", "{}\n", "{a}\r\n",
		"{1}x}\n", "{9223372036854775808}\r\n",
		"{18446744073709551617}\r\n", "{1} x", "{1}\rx", "{1}(",
		"{18446744073709551617} " };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(MODE_WORDS, span_of(bad[i]), "!");
}

static void
gives_the_rest_of_a_line_as_text(void **state)
{
	(void)state;
	expect(MODE_TEXT,
	    SPAN("OK  [a] \"(b\rc {5}\r\nNO\r\nBAD\nOK \r\nOK(x\n"),
	    "<OK>[[a] \"(b\\x0Dc {5}]\n<NO>[]\n<BAD>[]\n<OK>[]\n<OK>[(x]\n");
}

static void
cuts_lists_of_numbers_at_commas(void **state)
{
	(void)state;
	expect(MODE_NUMBERS, SPAN("a,b 1,2:3, 4,,5\r\na,b c,d\n"),
	    "<a,b><1><2:3><4><5>\n<a,b><c><d>\n");
}

static struct span
filled(struct buf *b, const char *before, size_t n, const char *after)
{
	buf_init(b, LOG_MAX);
	buf_add(b, span_of(before));
	while (n-- > 0)
		buf_addc(b, 'x');
	buf_add(b, span_of(after));
	return buf_span(b);
}

static void
expect_large(enum mode mode, struct buf *said, const char *end)
{
	struct span turn = buf_span(said);
	char *log = split_run(&ops, &mode, &turn, 1, 1, 0, SIZE_MAX);
	char *cut = split_run(&ops, &mode, &turn, 1, 1, 1, 4093);

	assert_string_equal(log, cut);
	assert_true(strlen(log) >= strlen(end));
	assert_string_equal(log + strlen(log) - strlen(end), end);
	free(log);
	free(cut);
	buf_deinit(said);
}

static void
bounds_words_strings_and_lines(void **state)
{
	struct buf said;

	(void)state;
	filled(&said, "", IMAP_LEX_WORD_MAX, " y\r\n");
	expect_large(MODE_WORDS, &said, "x...><y>\n");
	filled(&said, "", IMAP_LEX_WORD_MAX + 1, " {1}\r\ny\r\n");
	expect_large(MODE_WORDS, &said, "?{1}'y'\n");
	filled(&said, "\"", IMAP_LEX_WORD_MAX, "\" y\r\n");
	expect_large(MODE_WORDS, &said, "x...'<y>\n");
	filled(&said, "\"", IMAP_LEX_WORD_MAX + 1, "\" y\r\n");
	expect_large(MODE_WORDS, &said, "?<y>\n");
	filled(&said, "\"", IMAP_LEX_WORD_MAX + 1, "\r\ny\r\n");
	expect_large(MODE_WORDS, &said, "!");
	filled(&said, "{", IMAP_LEX_WORD_MAX + 1, " ");
	expect_large(MODE_WORDS, &said, "!");
	filled(&said, "OK ", IMAP_LEX_WORD_MAX + 1, "\r\ny z\r\n");
	expect_large(MODE_TEXT, &said, "x...]\n<y>[z]\n");
	filled(&said, "", IMAP_LEX_LINE_MAX - 1, "\na\n");
	expect_large(MODE_WORDS, &said, "?\n<a>\n");
	filled(&said, "a\n", IMAP_LEX_LINE_MAX, "\n");
	expect_large(MODE_WORDS, &said, "<a>\n?!");
	filled(&said, "a b ", IMAP_LEX_LINE_MAX, "\n");
	expect_large(MODE_NUMBERS, &said, "?\n");
}

static void
counts_literals_not_into_the_line(void **state)
{
	static const size_t size = 2 * IMAP_LEX_LINE_MAX;
	struct imap_lex lex;
	struct buf said;
	struct span in, value;
	enum imap_token tok = IMAP_TOK_EOL;
	size_t seen = 0;

	(void)state;
	imap_lex_init(&lex);
	in = filled(&said, "{2097152}\r\n", size, " y\r\n");
	while (tok != IMAP_TOK_ATOM) {
		struct span piece = span_take(&in, 1000);

		tok = IMAP_TOK_EOL;
		while (tok != IMAP_TOK_MORE && tok != IMAP_TOK_ATOM) {
			tok = imap_lex_next(&lex, &piece, &value);
			assert_int_not_equal(tok, IMAP_TOK_LOST);
			seen += tok == IMAP_TOK_OCTETS ? value.n : 0;
		}
	}
	assert_int_equal(seen, size);
	assert_true(span_eq(value, SPAN("y")));
	imap_lex_deinit(&lex);
	buf_deinit(&said);
}

static void
gives_memory_back_between_lines(void **state)
{
	struct imap_lex lex;
	struct buf said;
	struct span in, value;

	(void)state;
	imap_lex_init(&lex);
	in = filled(&said, "", 60000, "\r\n");
	assert_int_equal(imap_lex_next(&lex, &in, &value), IMAP_TOK_ATOM);
	assert_int_equal(value.n, 60000);
	assert_int_equal(imap_lex_next(&lex, &in, &value), IMAP_TOK_EOL);
	assert_int_equal(lex.word.cap, 0);
	buf_deinit(&said);
	imap_lex_deinit(&lex);
}

static void
keeps_no_memory_between_words(void **state)
{
	struct span in = SPAN("one tw");
	struct span value;
	struct imap_lex l;

	(void)state;
	imap_lex_init(&l);
	assert_int_equal(imap_lex_next(&l, &in, &value), IMAP_TOK_ATOM);
	imap_lex_rest(&l);
	assert_null(l.word.mem);
	assert_int_equal(imap_lex_next(&l, &in, &value), IMAP_TOK_MORE);
	imap_lex_rest(&l); /* in a word */
	in = SPAN("o ");
	assert_int_equal(imap_lex_next(&l, &in, &value), IMAP_TOK_ATOM);
	assert_true(span_eq(value, SPAN("two")));
	imap_lex_deinit(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lines_into_words),
		cmocka_unit_test(keeps_sections_in_one_piece),
		cmocka_unit_test(reads_quoted_strings),
		cmocka_unit_test(tells_of_a_quote_without_an_end),
		cmocka_unit_test(steps_over_literals),
		cmocka_unit_test(is_lost_when_a_count_makes_no_sense),
		cmocka_unit_test(gives_the_rest_of_a_line_as_text),
		cmocka_unit_test(cuts_lists_of_numbers_at_commas),
		cmocka_unit_test(bounds_words_strings_and_lines),
		cmocka_unit_test(counts_literals_not_into_the_line),
		cmocka_unit_test(gives_memory_back_between_lines),
		cmocka_unit_test(keeps_no_memory_between_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
