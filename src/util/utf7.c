/* SPDX-License-Identifier: ISC */
#include "util/utf7.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/text.h"

/* RFC 3501 5.1.3: base64 with "," for "/" and without padding, of UTF-16
 * with the high octet first, between "&" and "-"; "&-" is "&". */
static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
is_plain(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* ---- encoding ---- */

/* One character off the front of well-formed UTF-8. */
static uint32_t
take_utf8(struct span *s)
{
	uint32_t c = (unsigned char)*span_take(s, 1).p;
	unsigned int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fU >> more;
	while (more-- > 0)
		c = c << 6 | ((unsigned char)*span_take(s, 1).p & 0x3fU);
	return c;
}

struct base64 { /* a run of it being written or read */
	uint32_t bits;
	unsigned int n; /* how many bits of it are waiting, below 22 */
};

static int
put_unit(struct buf *out, struct base64 *b, uint32_t unit)
{
	b->bits = (b->bits << 16 | unit) & 0x3fffff;
	for (b->n += 16; b->n >= 6; b->n -= 6)
		if (buf_addc(out, digits[b->bits >> (b->n - 6) & 63]) != 0)
			return -1;
	return 0;
}

static int
put_shifted(struct buf *out, struct base64 *b, uint32_t c)
{
	if (c < 0x10000)
		return put_unit(out, b, c);
	c -= 0x10000;
	if (put_unit(out, b, 0xd800 | c >> 10) != 0)
		return -1;
	return put_unit(out, b, 0xdc00 | (c & 0x3ff));
}

static int
end_shift(struct buf *out, struct base64 *b)
{
	if (b->n > 0 && buf_addc(out, digits[b->bits << (6 - b->n) & 63]) != 0)
		return -1;
	*b = (struct base64){ 0 };
	return buf_addc(out, '-');
}

static int
put_plain(struct buf *out, uint32_t c)
{
	if (c == '&')
		return buf_add(out, SPAN("&-"));
	return buf_addc(out, (char)c);
}

/* One character off the front; an octet that belongs to none is half of a
 * surrogate pair, which no character is. */
static uint32_t
take_any(struct span *s)
{
	unsigned char lead = (unsigned char)s->p[0];
	size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

	if (n <= s->n && text_is_utf8(span_make(s->p, n)))
		return take_utf8(s);
	span_take(s, 1);
	return 0xdc00U | lead;
}

int
utf7_encode_any(struct buf *out, struct span octets, const char *shift)
{
	struct base64 b = { 0 };
	bool shifted = false;

	while (octets.n > 0) {
		uint32_t c = take_any(&octets);
		bool plain = is_plain(c) && strchr(shift, (char)c) == NULL;

		if (shifted == plain) {
			if (shifted ? end_shift(out, &b) != 0
				    : buf_addc(out, '&') != 0)
				return -1;
			shifted = !shifted;
		}
		if (shifted ? put_shifted(out, &b, c) != 0
			    : put_plain(out, c) != 0)
			return -1;
	}
	return shifted ? end_shift(out, &b) : 0;
}

int
utf7_encode(struct buf *out, struct span utf8)
{
	return text_is_utf8(utf8) ? utf7_encode_any(out, utf8, "") : -1;
}

/* ---- decoding ---- */

static int
put_utf8(struct buf *out, uint32_t c)
{
	char s[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)(n == 1 ? c : (0xf00U >> n & 0xf0) | c);
	return buf_add(out, span_make(s, n));
}

/* A UTF-16 unit; *high keeps the first half of a surrogate pair. */
static int
take_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (unit >= 0xdc00 && unit <= 0xdfff) {
		uint32_t c = 0x10000 + (*high << 10) + (unit & 0x3ff);

		if (*high == UINT32_MAX)
			return -1;
		*high = UINT32_MAX;
		return put_utf8(out, c);
	}
	if (*high != UINT32_MAX || is_plain(unit))
		return -1;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit & 0x3ff;
		return 0;
	}
	return put_utf8(out, unit);
}

/* What stands between "&" and "-", not empty. Only what an encoder that
 * obeys the RFC would write is taken: the name has to survive the way back. */
static int
take_shifted(struct buf *out, struct span run)
{
	struct base64 b = { 0 };
	uint32_t high = UINT32_MAX;

	for (; run.n > 0; span_take(&run, 1)) {
		const char *at = memchr(digits, run.p[0], 64);

		if (at == NULL)
			return -1;
		b.bits = (b.bits << 6 | (uint32_t)(at - digits)) & 0x3fffff;
		b.n += 6;
		if (b.n < 16)
			continue;
		b.n -= 16;
		if (take_unit(out, b.bits >> b.n & 0xffff, &high) != 0)
			return -1;
	}
	if (high != UINT32_MAX || b.n >= 6 || (b.bits & ((1U << b.n) - 1)) != 0)
		return -1;
	return 0;
}

int
utf7_decode(struct buf *out, struct span utf7)
{
	bool after_shift = false;

	while (utf7.n > 0) {
		char c = *span_take(&utf7, 1).p;
		size_t dash;

		if (!is_plain((unsigned char)c))
			return -1;
		dash = c == '&' ? span_find(utf7, '-') : 0;
		if (c == '&' && dash == utf7.n)
			return -1;
		if (dash == 0) {
			if (buf_addc(out, c) != 0)
				return -1;
			if (c == '&')
				span_take(&utf7, 1);
			after_shift = false;
			continue;
		}
		/* "&...-&...-": a shift that was not needed */
		if (after_shift || take_shifted(out, span_take(&utf7, dash)))
			return -1;
		span_take(&utf7, 1);
		after_shift = true;
	}
	return 0;
}
