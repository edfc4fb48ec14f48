/* SPDX-License-Identifier: ISC */
#include "proto/imap_lex.h"

#include <string.h>

#include "util/text.h"

enum place {
	AT_GAP,     /* between words */
	AT_ATOM,    /* in a word */
	AT_SECTION, /* in the brackets of BODY[...] */
	AT_QUOTED,  /* in a quoted string */
	AT_ESCAPE,  /* behind its backslash */
	AT_CR,      /* behind a CR in it */
	AT_COUNT,   /* in {...} */
	AT_COUNTED, /* behind {n} CR: only LF may follow */
	AT_LITERAL, /* in its octets */
	AT_REPLAY,  /* the quoted string is in word, to be handed out */
	AT_TEXT,    /* in the free text at the end of a line */
	AT_LOST
};

#define KEEP_OCTETS 4096 /* a larger buffer is given back at a line's end */

void
imap_lex_init(struct imap_lex *l)
{
	*l = (struct imap_lex){ .line_max = IMAP_LEX_LINE_MAX };
	buf_init(&l->word, IMAP_LEX_WORD_MAX);
}

void
imap_lex_deinit(struct imap_lex *l)
{
	buf_deinit(&l->word);
}

static void
begin(struct imap_lex *l, enum place at)
{
	l->at = at;
	l->overlong = false;
	buf_clear(&l->word);
}

void
imap_lex_text(struct imap_lex *l)
{
	begin(l, AT_TEXT);
}

void
imap_lex_numbers(struct imap_lex *l)
{
	l->numbers = true;
	l->line_max = IMAP_LEX_LONG_MAX;
}

static enum imap_token
lose(struct imap_lex *l)
{
	l->at = AT_LOST;
	return IMAP_TOK_LOST;
}

/* ---- the word being collected ---- */

static void
collect(struct imap_lex *l, struct span s)
{
	if (!l->overlong && buf_add(&l->word, s) != 0)
		l->overlong = true;
}

static enum imap_token
end_word(struct imap_lex *l, struct span *value)
{
	l->at = AT_GAP;
	if (l->overlong)
		return IMAP_TOK_GARBLED;
	*value = buf_span(&l->word);
	return IMAP_TOK_ATOM;
}

static bool
ends_word(const struct imap_lex *l, char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '(' ||
	    c == ')' || c == '"' || c == '{' || (c == ',' && l->numbers);
}

static bool
has_section(struct span word)
{
	return span_ieq(word, SPAN("BODY")) ||
	    span_ieq(word, SPAN("BODY.PEEK")) ||
	    span_ieq(word, SPAN("BINARY")) ||
	    span_ieq(word, SPAN("BINARY.SIZE"));
}

/* Something open at the end of a line ends in what may be a literal's count:
 * it cannot be known whether octets follow. */
static bool
may_announce(const struct imap_lex *l)
{
	struct span s = buf_span(&l->word);

	return l->overlong || (s.n > 0 && s.p[s.n - 1] == '}');
}

/* ---- one function per place; each uses at least one octet or leaves ---- */

static enum imap_token
in_gap(struct imap_lex *l, struct span *in)
{
	char c = in->p[0];

	if (!ends_word(l, c)) {
		begin(l, AT_ATOM);
		return IMAP_TOK_MORE;
	}
	span_take(in, 1);
	switch (c) {
	case '\n':
		return IMAP_TOK_EOL;
	case '(':
		return IMAP_TOK_OPEN;
	case ')':
		return IMAP_TOK_CLOSE;
	case '"':
		begin(l, AT_QUOTED);
		return IMAP_TOK_MORE;
	case '{':
		begin(l, AT_COUNT);
		collect(l, SPAN("{"));
		return IMAP_TOK_MORE;
	default: /* blanks */
		return IMAP_TOK_MORE;
	}
}

static enum imap_token
in_atom(struct imap_lex *l, struct span *in, struct span *value)
{
	size_t n = 0;
	bool section;

	while (n < in->n && !ends_word(l, in->p[n]) && in->p[n] != '[')
		n++;
	collect(l, span_take(in, n));
	if (in->n == 0)
		return IMAP_TOK_MORE;
	if (in->p[0] == '[') {
		section = has_section(buf_span(&l->word));
		collect(l, span_take(in, 1));
		if (section)
			l->at = AT_SECTION;
		return IMAP_TOK_MORE;
	}
	if (in->p[0] == '{' && span_eq(buf_span(&l->word), SPAN("~"))) {
		l->at = AT_GAP; /* literal8, RFC 3516 */
		return IMAP_TOK_MORE;
	}
	return end_word(l, value);
}

static enum imap_token
in_section(struct imap_lex *l, struct span *in, struct span *value)
{
	size_t n = 0;

	while (n < in->n && in->p[n] != ']' && in->p[n] != '\r' &&
	    in->p[n] != '\n')
		n++;
	collect(l, span_take(in, n));
	if (in->n == 0)
		return IMAP_TOK_MORE;
	if (in->p[0] == ']') {
		collect(l, span_take(in, 1));
		l->at = AT_ATOM;
		return IMAP_TOK_MORE;
	}
	return may_announce(l) ? lose(l) : end_word(l, value);
}

static enum imap_token
in_quoted(struct imap_lex *l, struct span *in)
{
	size_t n = 0;
	char c;

	while (n < in->n && memchr("\"\\\r\n", in->p[n], 4) == NULL)
		n++;
	collect(l, span_take(in, n));
	if (in->n == 0)
		return IMAP_TOK_MORE;
	c = in->p[0];
	if (c == '\n') { /* stays, to end the line */
		l->at = AT_GAP;
		return may_announce(l) ? lose(l) : IMAP_TOK_GARBLED;
	}
	span_take(in, 1);
	if (c == '\\' || c == '\r') {
		l->at = c == '\r' ? AT_CR : AT_ESCAPE;
		return IMAP_TOK_MORE;
	}
	l->at = l->overlong ? AT_GAP : AT_REPLAY;
	l->size = l->word.n;
	return l->overlong ? IMAP_TOK_GARBLED : IMAP_TOK_STRING;
}

static enum imap_token
in_escape(struct imap_lex *l, struct span *in)
{
	l->at = AT_QUOTED;
	if (in->p[0] != '\r' && in->p[0] != '\n')
		collect(l, span_take(in, 1));
	return IMAP_TOK_MORE;
}

static enum imap_token
in_cr(struct imap_lex *l, struct span *in)
{
	l->at = AT_QUOTED;
	if (in->p[0] != '\n')
		collect(l, SPAN("\r"));
	return IMAP_TOK_MORE;
}

static enum imap_token
begin_literal(struct imap_lex *l)
{
	l->at = AT_LITERAL;
	l->left = l->size;
	return IMAP_TOK_STRING;
}

/* "{" digits "}" or "{" digits "+}": true, and *size, UINT64_MAX when it is
 * beyond all sense. */
static bool
is_count(struct span s, uint64_t *size)
{
	size_t digits = 0;

	if (!span_skip(&s, SPAN("{")))
		return false;
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (digits == 0)
		return false;
	if (!text_number(&s, INT64_MAX, size)) {
		span_take(&s, digits);
		*size = UINT64_MAX;
	}
	span_skip(&s, SPAN("+"));
	return span_eq(s, SPAN("}"));
}

static enum imap_token
in_count(struct imap_lex *l, struct span *in, struct span *value)
{
	size_t n = 0;

	while (n < in->n && memchr(" \t\r\n()\"", in->p[n], 7) == NULL)
		n++;
	collect(l, span_take(in, n));
	if (in->n == 0)
		return IMAP_TOK_MORE;
	if (l->overlong)
		return lose(l);
	if (!is_count(buf_span(&l->word), &l->size)) {
		bool last = in->p[0] == '\r' || in->p[0] == '\n';

		return last && may_announce(l) ? lose(l) : end_word(l, value);
	}
	if (l->size == UINT64_MAX || (in->p[0] != '\r' && in->p[0] != '\n'))
		return lose(l);
	if (*span_take(in, 1).p == '\n')
		return begin_literal(l);
	l->at = AT_COUNTED;
	return IMAP_TOK_MORE;
}

static enum imap_token
behind_count(struct imap_lex *l, struct span *in)
{
	if (!span_skip(in, SPAN("\n")))
		return lose(l);
	return begin_literal(l);
}

static enum imap_token
in_text(struct imap_lex *l, struct span *in, struct span *value)
{
	size_t n = span_find(*in, '\n');
	struct span s = span_take(in, n);
	size_t room = IMAP_LEX_WORD_MAX - l->word.n;

	collect(l, span_take(&s, s.n < room ? s.n : room));
	if (in->n == 0)
		return IMAP_TOK_MORE;
	span_take(in, 1);
	l->at = AT_GAP;
	*value = span_trim(buf_span(&l->word));
	return IMAP_TOK_TEXT;
}

/* ---- strings on their way out ---- */

static enum imap_token
hand_out(struct imap_lex *l, struct span *in, struct span *value)
{
	size_t n = l->left < in->n ? (size_t)l->left : in->n;

	if (l->left == 0) {
		l->at = AT_GAP;
		return IMAP_TOK_END;
	}
	*value = span_take(in, n);
	l->left -= n;
	return n == 0 ? IMAP_TOK_MORE : IMAP_TOK_OCTETS;
}

/* A quoted string goes the way of a literal, from where it was kept. */
static bool
replay(struct imap_lex *l, struct span *value)
{
	*value = buf_span(&l->word);
	l->left = 0;
	l->at = AT_LITERAL;
	return value->n > 0;
}

static void
forget_word(struct imap_lex *l)
{
	buf_clear(&l->word);
	if (l->word.cap > KEEP_OCTETS)
		buf_release(&l->word);
}

void
imap_lex_rest(struct imap_lex *l)
{
	if (l->at != AT_GAP)
		return;
	buf_clear(&l->word);
	buf_release(&l->word);
}

static void
begin_line(struct imap_lex *l)
{
	l->line = 0;
	l->line_max = IMAP_LEX_LINE_MAX;
	l->numbers = false;
}

static enum imap_token
in_place(struct imap_lex *l, struct span *in, struct span *value)
{
	switch ((enum place)l->at) {
	case AT_GAP:
		return in_gap(l, in);
	case AT_ATOM:
		return in_atom(l, in, value);
	case AT_SECTION:
		return in_section(l, in, value);
	case AT_QUOTED:
		return in_quoted(l, in);
	case AT_ESCAPE:
		return in_escape(l, in);
	case AT_CR:
		return in_cr(l, in);
	case AT_COUNT:
		return in_count(l, in, value);
	case AT_COUNTED:
		return behind_count(l, in);
	case AT_TEXT:
		return in_text(l, in, value);
	case AT_LITERAL:
	case AT_REPLAY:
	case AT_LOST:
		break;
	}
	return lose(l);
}

enum imap_token
imap_lex_next(struct imap_lex *l, struct span *in, struct span *value)
{
	enum imap_token tok = IMAP_TOK_MORE;

	*value = SPAN("");
	if (l->at == AT_GAP)
		forget_word(l);
	while (tok == IMAP_TOK_MORE) {
		size_t before = in->n;

		if (l->at == AT_REPLAY && replay(l, value))
			return IMAP_TOK_OCTETS;
		if (l->at == AT_LITERAL)
			return hand_out(l, in, value);
		if (l->at == AT_LOST)
			return IMAP_TOK_LOST;
		if (in->n == 0)
			return IMAP_TOK_MORE;
		tok = in_place(l, in, value);
		l->line += before - in->n;
		if (l->line > l->line_max)
			return lose(l);
	}
	if (tok == IMAP_TOK_EOL || tok == IMAP_TOK_TEXT)
		begin_line(l);
	return tok;
}
