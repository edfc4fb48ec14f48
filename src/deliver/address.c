/* SPDX-License-Identifier: ISC */
#include "deliver/address.h"

#include <string.h>

#include "util/text.h"

struct word {
	size_t n;
	bool at;  /* holds an @ outside of quotes */
	bool bad; /* not to be used: too long, say */
	char v[ADDRESS_MAX];
};

struct scan {
	struct span rest;
	bool angle; /* inside of <> */
	bool route; /* and in front of its colon */
	bool apart; /* a blank stood behind the word */
	struct word word;
};

/* ---- what is copied, and what is stepped over ---- */

static void
put(struct word *w, char c)
{
	if (w->n < sizeof(w->v))
		w->v[w->n++] = c;
	else
		w->bad = true;
}

static void
begin(struct scan *s)
{
	s->word.n = 0;
	s->word.at = s->word.bad = s->apart = false;
}

/* A comment, which may hold comments. Its first octet is the parenthesis. */
static void
skip_comment(struct span *s)
{
	size_t depth = 0;

	while (s->n > 0) {
		char c = span_take(s, 1).p[0];

		if (c == '\\')
			span_take(s, 1);
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return;
	}
}

/* May the next octet be of the word? */
static bool
belongs(struct scan *s)
{
	if (s->angle && s->apart)
		s->word.bad = true;
	return !s->apart;
}

/* A quoted string or a domain literal, as it stands; end is its last octet. */
static void
copy_quoted(struct scan *s, char end)
{
	bool keep = belongs(s), first = true, escaped = false;

	while (s->rest.n > 0) {
		char c = span_take(&s->rest, 1).p[0];

		if (keep)
			put(&s->word, c);
		if (!first && !escaped && c == end)
			return;
		escaped = !escaped && c == '\\';
		first = false;
	}
	s->word.bad = s->word.bad || keep; /* it has no end */
}

/* In front of a domain literal (RFC 5322 3.4.1), which may hold colons. */
static bool
at_literal(const struct scan *s)
{
	return s->rest.p[0] == '[' && !s->apart && s->word.n > 0 &&
	    s->word.v[s->word.n - 1] == '@';
}

/* ---- one octet ---- */

static void
open_angle(struct scan *s)
{
	begin(s);
	s->angle = true;
}

static void
blank(struct scan *s)
{
	s->apart = s->word.n > 0;
}

/* The front was the name of a group, or a route. */
static void
colon(struct scan *s)
{
	if (s->angle && !s->route) {
		put(&s->word, ':');
		return;
	}
	s->route = false;
	begin(s);
}

static void
plain(struct scan *s, char c)
{
	if (!belongs(s))
		return;
	if (c == '@' && s->angle && s->word.n == 0)
		s->route = true;
	s->word.at = s->word.at || c == '@';
	put(&s->word, c);
}

/* At a comma or a semicolon outside of <>: is the search over? */
static bool
separator(struct scan *s)
{
	if (s->word.at)
		return true;
	s->apart = s->word.n > 0;
	return false;
}

/* True: nothing behind the octet is of interest. */
static bool
step(struct scan *s)
{
	char c = s->rest.p[0];

	if (c == '"' || at_literal(s)) {
		copy_quoted(s, c == '"' ? '"' : ']');
		return false;
	}
	if (c == '(') {
		skip_comment(&s->rest);
		return false;
	}
	span_take(&s->rest, 1);
	if (c == ' ' || c == '\t')
		blank(s);
	else if (c == ':')
		colon(s);
	else if (c == '<' && !s->angle)
		open_angle(s);
	else if (c == '>' && s->angle)
		return true;
	else if ((c == ',' || c == ';') && !s->angle)
		return separator(s);
	else
		plain(s, c);
	return false;
}

/* ---- the whole ---- */

bool
address_tame(struct span s)
{
	char shown[4 * ADDRESS_MAX + 1]; /* an octet is \xHH at most */

	if (s.n == 0 || s.n > ADDRESS_MAX)
		return false;
	if (span_find(s, ' ') < s.n || span_find(s, '<') < s.n ||
	    span_find(s, '>') < s.n)
		return false;
	/* what may be shown as it is, is harmless */
	return span_eq(span_of(text_printable(shown, sizeof(shown), s)), s);
}

bool
address_find(struct span value, struct address *out)
{
	struct scan s = { .rest = value };
	bool done = false;

	*out = (struct address){ 0 };
	while (s.rest.n > 0 && !done)
		done = step(&s);
	if (s.word.bad || s.route || (s.angle && !done))
		return false;
	if (s.angle && s.word.n == 0)
		return true;
	if (!address_tame(span_make(s.word.v, s.word.n)))
		return false;
	out->n = s.word.n;
	memcpy(out->v, s.word.v, s.word.n);
	return true;
}
