/* SPDX-License-Identifier: ISC */
#include "util/betray.h"

#include <stdint.h>

#include "util/buf.h"

#define FORMS 7
#define FORM_MAX (SECRET_MAX * 4)
#define ENOUGH 16 /* octets in a row that are too many */
#define SHORT 4   /* what is shorter stands in many words */

static void
put_quoted(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
}

static void
put_base64(struct buf *out, struct span s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	while (s.n > 0) {
		struct span three = span_take(&s, 3);
		uint32_t bits = 0;

		for (size_t i = 0; i < 3; i++)
			bits = bits << 8 |
			    (i < three.n ? (unsigned char)three.p[i] : 0);
		for (size_t i = 0; i <= three.n; i++)
			buf_addc(out, digits[bits >> (18 - 6 * i) & 63]);
	}
}

static void
put_hex(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_printf(out, "%02x", (unsigned char)s.p[i]);
}

static bool
is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || (c & 0x80) != 0;
}

/* RFC 3986 2.3 */
static void
put_encoded(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((is_of_word(c) && (c & 0x80) == 0) || c == '-' ||
		    c == '.' || c == '_' || c == '~')
			buf_addc(out, c);
		else
			buf_printf(out, "%%%02x", (unsigned char)c);
	}
}

/* At text.p + at, as a word of its own. */
static bool
is_word(struct span text, size_t at, size_t n)
{
	return (at == 0 || !is_of_word(text.p[at - 1])) &&
	    (at + n == text.n || !is_of_word(text.p[at + n]));
}

/* Does it stand at text.p + at? */
static bool
stands(struct span text, size_t at, struct span piece)
{
	return text.n - at >= piece.n &&
	    span_ieq(span_make(text.p + at, piece.n), piece);
}

static bool
shows_piece(struct span text, struct span piece, bool word)
{
	for (size_t at = 0; at < text.n; at++)
		if (stands(text, at, piece) &&
		    (!word || is_word(text, at, piece.n)))
			return true;
	return false;
}

static bool
shows(struct span text, struct span form)
{
	size_t n = (form.n + 1) / 2;

	if (form.n == 0)
		return false;
	if (form.n < SHORT)
		return shows_piece(text, form, true);
	if (n < SHORT)
		n = SHORT;
	if (n > ENOUGH)
		n = ENOUGH;
	for (size_t at = 0; at + n <= form.n; at++)
		if (shows_piece(text, span_make(form.p + at, n), false))
			return true;
	return false;
}

static void
put_plain(struct buf *out, const char *user, struct span secret)
{
	struct buf plain;

	buf_init(&plain, FORM_MAX);
	buf_addc(&plain, '\0');
	buf_add(&plain, span_of(user));
	buf_addc(&plain, '\0');
	buf_add(&plain, secret);
	put_base64(out, buf_span(&plain));
	buf_wipe(&plain);
}

/* Behind others: only the digits that are of the secret alone. */
static void
put_base64_behind(struct buf *out, unsigned int others, struct span secret)
{
	struct buf all;

	buf_init(&all, FORM_MAX);
	for (unsigned int i = 0; i < others; i++)
		buf_addc(&all, '\0');
	buf_add(&all, secret);
	put_base64(out, buf_span(&all));
	buf_drop(out, others + 1);
	if (out->n < SHORT) /* a digit or two say nothing */
		buf_clear(out);
	buf_wipe(&all);
}

static void
put_form(struct buf *out, unsigned int i, const char *user, struct span secret)
{
	if (i == 0)
		put_quoted(out, secret);
	else if (i == 1)
		put_base64(out, secret);
	else if (i == 2)
		put_plain(out, user, secret);
	else if (i == 3)
		put_encoded(out, secret);
	else if (i == 4)
		put_hex(out, secret);
	else
		put_base64_behind(out, i - 4, secret);
}

bool
betrays(struct span text, const char *user, const struct secret *secret)
{
	struct span s = secret == NULL ? SPAN("") : secret_span(secret);
	struct buf form;
	bool found;

	if (s.n == 0)
		return false;
	found = shows(text, s);
	for (unsigned int i = 0; i < FORMS && !found; i++) {
		buf_init(&form, FORM_MAX);
		put_form(&form, i, user, s);
		found = shows(text, buf_span(&form));
		buf_wipe(&form);
	}
	return found;
}
