/* SPDX-License-Identifier: ISC */
#include "proto/oauth_form.h"
#include "util/text.h"

#include <string.h>

/* RFC 3986 2.3: these need no encoding anywhere. */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

static size_t
encoded_size(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += is_unreserved(s.p[i]) ? 1 : 3;
	return n;
}

static void
put_encoded(struct buf *out, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(s.p[i])) {
			buf_addc(out, s.p[i]);
			continue;
		}
		buf_addc(out, '%');
		buf_addc(out, hex[c >> 4]);
		buf_addc(out, hex[c & 15]);
	}
}

static bool
wants_separator(struct span s)
{
	return s.n > 0 && s.p[s.n - 1] != '?' && s.p[s.n - 1] != '&';
}

void
oauth_form_put(struct buf *out, const char *name, struct span value)
{
	struct span before = buf_span(out);
	size_t need = strlen(name) + encoded_size(value) + 2;

	if (need > out->max - before.n)
		return;
	if (wants_separator(before))
		buf_addc(out, '&');
	buf_add(out, span_of(name));
	buf_addc(out, '=');
	put_encoded(out, value);
}

/* The next octet of *s, or -1. */
static int
decode_one(struct span *s)
{
	char c = span_take(s, 1).p[0];
	struct span two;

	if (c == '+')
		return ' ';
	if (c != '%')
		return (unsigned char)c;
	two = span_take(s, 2);
	if (two.n < 2 || text_hex_digit(two.p[0]) < 0 ||
	    text_hex_digit(two.p[1]) < 0)
		return -1;
	return text_hex_digit(two.p[0]) << 4 | text_hex_digit(two.p[1]);
}

static int
decode(struct span s, struct buf *out)
{
	while (s.n > 0) {
		int c = decode_one(&s);

		if (c < 0 || buf_addc(out, (char)c) != 0)
			return -1;
	}
	return 0;
}

int
oauth_form_find(struct span query, const char *name, struct buf *out)
{
	struct span value = SPAN("");
	int n = 0;

	while (query.n > 0) {
		struct span pair = span_until(&query, '&');
		struct span key = span_until(&pair, '=');

		if (span_eq(key, span_of(name))) {
			value = pair;
			n++;
		}
	}
	if (n == 1 && decode(value, out) != 0)
		return -1;
	return n;
}
