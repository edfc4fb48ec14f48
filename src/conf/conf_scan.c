/* SPDX-License-Identifier: ISC */
#include "conf/conf_scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

/* Stands for what was refused, so that the parser still finds a value. */
#define FILLER '_'

struct scanner {
	struct span in;
	struct conf_scan *to;
	struct conf_place at; /* its line is the one we are in */
	struct conf_report *report;
	unsigned int word_line; /* where the last word began */
	unsigned int *open;     /* lines of the sections not yet closed */
	size_t n_open;
	bool in_list;
	char last, before; /* the last two signs; 'w' is a word or string */
};

static void
put(struct scanner *s, char c)
{
	buf_addc(&s->to->text, c); /* the maximum is never reached */
}

/* The octet i places ahead, or NUL. */
static char
ahead(const struct scanner *s, size_t i)
{
	return i < s->in.n ? s->in.p[i] : '\0';
}

static void
seen(struct scanner *s, char sign)
{
	s->before = s->last;
	s->last = sign;
	if (sign == 'w')
		s->word_line = s->at.line;
}

static void
new_line(struct scanner *s)
{
	put(s, '\n');
	s->at.line++;
}

/* ---- comments ---- */

static void
line_comment(struct scanner *s)
{
	span_take(&s->in, span_find(s->in, '\n'));
}

static void
block_comment(struct scanner *s)
{
	struct conf_place begin = s->at;

	put(s, ' ');
	for (span_take(&s->in, 2); s->in.n > 0; span_take(&s->in, 1)) {
		if (span_skip(&s->in, SPAN("*/")))
			return;
		if (ahead(s, 0) == '\n')
			new_line(s);
	}
	conf_complain(s->report, begin,
	    "the comment that begins here has no end: add \"*/\"");
}

/* ---- quotes ---- */

/* \1 to \377: libconfuse ends at others, and its strings end at a NUL. */
static void
octal(struct scanner *s)
{
	size_t i, n;
	unsigned int v = 0;
	bool good = true;

	for (n = 0; ahead(s, n) >= '0' && ahead(s, n) <= '9'; n++)
		;
	for (i = 0; i < n && i < 3; i++) {
		v = v * 8 + (unsigned int)(ahead(s, i) - '0');
		good = good && ahead(s, i) < '8';
	}
	if (good && n <= 3 && v > 0 && v <= 0xff) {
		put(s, '\\');
		buf_add(&s->to->text, span_take(&s->in, n));
		return;
	}
	span_take(&s->in, n);
	put(s, FILLER);
	conf_complain(s->report, s->at,
	    "a backslash and digits must be \"\\1\" to \"\\377\" (octal); "
	    "write \"\\\\\" for a backslash");
}

static void
hexadecimal(struct scanner *s)
{
	int high = text_hex_digit(ahead(s, 1)),
	    low = text_hex_digit(ahead(s, 2));

	if (high == 0 && low <= 0) {
		span_take(&s->in, low < 0 ? 2 : 3);
		put(s, FILLER);
		conf_complain(
		    s->report, s->at, "no value may hold a NUL: remove it");
		return;
	}
	put(s, '\\');
	buf_add(&s->to->text, span_take(&s->in, 1));
}

/* Behind a backslash between double quotes. */
static void
escape(struct scanner *s)
{
	char c = ahead(s, 0);

	if (s->in.n == 0 || c == '\n' || c == '\r')
		return; /* the quote is not closed, which is told by it */
	if (c >= '0' && c <= '9') {
		octal(s);
	} else if (c == 'x') {
		hexadecimal(s);
	} else if (c != '\0') { /* which has its own complaint */
		put(s, '\\');
		buf_add(&s->to->text, span_take(&s->in, 1));
	}
}

static void
quoted_octet(struct scanner *s, char quote)
{
	char c = *span_take(&s->in, 1).p;

	if (c == '\0') {
		put(s, FILLER);
		conf_complain(
		    s->report, s->at, "no value may hold a NUL: remove it");
	} else if (c == '\\' && quote == '"') {
		escape(s);
	} else if (c == '\\') {
		put(s, '\\'); /* a lone one is itself between '' */
		put(s, '\\');
		if (ahead(s, 0) == '\\')
			span_take(&s->in, 1);
	} else {
		if (quote == '"' && c == '$')
			put(s, '\\'); /* no variable is filled in */
		put(s, c);
	}
}

static void
quoted(struct scanner *s)
{
	char quote = *span_take(&s->in, 1).p;

	seen(s, 'w');
	put(s, quote);
	while (s->in.n > 0 && ahead(s, 0) != '\n' && ahead(s, 0) != quote) {
		if (quote == '\'' && span_skip(&s->in, SPAN("\\'")))
			buf_add(&s->to->text, SPAN("\\'"));
		else
			quoted_octet(s, quote);
	}
	put(s, quote);
	if (s->in.n > 0 && ahead(s, 0) == quote)
		span_take(&s->in, 1);
	else
		conf_complain(s->report, s->at,
		    "a quote is opened and not closed on its line: add %s",
		    quote == '"' ? "\"" : "'");
}

/* ---- outside quotes ---- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
in_word(char c)
{
	return c != '\0' && strchr(" \t\r\n#\"'={}()+,*", c) == NULL &&
	    (unsigned char)c >= ' ' && c != 0x7f;
}

static void
word(struct scanner *s)
{
	seen(s, 'w');
	while (s->in.n > 0 && in_word(ahead(s, 0))) {
		if (ahead(s, 0) == '$' && ahead(s, 1) == '{') {
			span_take(&s->in, 2);
			while (in_word(ahead(s, 0)))
				span_take(&s->in, 1);
			span_skip(&s->in, SPAN("}"));
			put(s, FILLER);
			conf_complain(s->report, s->at,
			    "\"${\" must stand in quotes; no variable is "
			    "filled in");
			continue;
		}
		put(s, *span_take(&s->in, 1).p);
	}
}

static void
stray(struct scanner *s)
{
	char c = *span_take(&s->in, 1).p;

	if (s->last != 'w')
		seen(s, 'w');
	put(s, FILLER);
	if (c == '*' || c == '+')
		conf_complain(s->report, s->at,
		    "\"%c\" must stand in quotes: put them around the whole "
		    "value",
		    c);
	else
		conf_complain(s->report, s->at,
		    "a control character (%d) outside quotes: remove it",
		    (unsigned char)c);
}

static void
append(unsigned int **lines, size_t *n, unsigned int line)
{
	*lines = mem_grow(*lines, *n + 1, sizeof(**lines));
	(*lines)[(*n)++] = line;
}

static void
opening_brace(struct scanner *s)
{
	if (s->last == '=') {
		s->in_list = true;
		return;
	}
	append(&s->to->section_lines, &s->to->n_sections, s->word_line);
	append(&s->open, &s->n_open, s->word_line);
}

static void
closing_brace(struct scanner *s)
{
	if (s->last == '{' && s->before == '=')
		conf_complain(s->report, s->at,
		    "an empty list: put something between the braces, or "
		    "leave the option out");
	if (!s->in_list && s->n_open > 0)
		s->n_open--;
	s->in_list = false;
}

static void
sign(struct scanner *s)
{
	char c = *span_take(&s->in, 1).p;

	if (c == '{')
		opening_brace(s);
	else if (c == '}')
		closing_brace(s);
	put(s, c);
	seen(s, c);
}

/* libconfuse takes the end of the file for the end of a section. */
static void
check_end(struct scanner *s)
{
	struct conf_place begin = s->at;

	if (s->n_open == 0)
		return;
	begin.line = s->open[s->n_open - 1];
	conf_complain(s->report, begin,
	    "the section that begins here has no end: add \"}\"");
}

static bool
is_sign(char c)
{
	return c != '\0' && strchr("{}()=,", c) != NULL;
}

static void
step(struct scanner *s)
{
	char c = ahead(s, 0);

	if (c == '\n') {
		span_take(&s->in, 1);
		new_line(s);
	} else if (is_space(c)) {
		span_take(&s->in, 1);
		put(s, ' ');
	} else if (c == '#' || (c == '/' && ahead(s, 1) == '/')) {
		line_comment(s);
	} else if (c == '/' && ahead(s, 1) == '*') {
		block_comment(s);
	} else if (c == '"' || c == '\'') {
		quoted(s);
	} else if (c == '+' && ahead(s, 1) == '=') {
		put(s, *span_take(&s->in, 1).p);
		sign(s);
	} else if (is_sign(c)) {
		sign(s);
	} else if (in_word(c)) {
		word(s);
	} else {
		stray(s);
	}
}

void
conf_scan_init(struct conf_scan *s)
{
	*s = (struct conf_scan){ 0 };
	buf_init(&s->text, SIZE_MAX / 2);
}

void
conf_scan(struct conf_scan *s, struct span in, struct conf_place file,
    struct conf_report *r)
{
	struct scanner sc = {
		.in = in,
		.to = s,
		.at = file,
		.report = r,
		.word_line = 1,
	};

	sc.at.line = 1;
	span_skip(&sc.in, SPAN("\xef\xbb\xbf")); /* a byte order mark */
	while (sc.in.n > 0)
		step(&sc);
	if (s->text.n == 0) /* no stream can be opened on nothing */
		put(&sc, '\n');
	check_end(&sc);
	free(sc.open);
}

void
conf_scan_deinit(struct conf_scan *s)
{
	buf_wipe(&s->text);
	free(s->section_lines);
	conf_scan_init(s);
}
