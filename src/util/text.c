/* SPDX-License-Identifier: ISC */
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* ---- numbers ---- */

bool
text_number(struct span *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(s->p[i] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (i == 0 || v > max)
		return false;
	span_take(s, i);
	*out = v;
	return true;
}

struct unit {
	char letter;
	uint64_t factor;
};

/* A number and at most one unit, and nothing behind. */
static bool
measure(struct span s, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t v, factor = 1;
	size_t i;

	if (!text_number(&s, UINT64_MAX, &v))
		return false;
	if (s.n > 0) {
		for (i = 0; i < n && units[i].letter != s.p[0]; i++)
			;
		if (i == n || s.n > 1)
			return false;
		factor = units[i].factor;
	}
	if (v > UINT64_MAX / factor)
		return false;
	*out = v * factor;
	return true;
}

bool
text_duration(struct span s, uint64_t *seconds)
{
	static const struct unit units[] = {
		{ 's', 1 },
		{ 'm', 60 },
		{ 'h', 3600 },
		{ 'd', 86400 },
	};

	return measure(s, units, sizeof(units) / sizeof(*units), seconds);
}

bool
text_size(struct span s, uint64_t *octets)
{
	static const struct unit units[] = {
		{ 'K', UINT64_C(1) << 10 },
		{ 'M', UINT64_C(1) << 20 },
		{ 'G', UINT64_C(1) << 30 },
	};

	return measure(s, units, sizeof(units) / sizeof(*units), octets);
}

/* ---- UTF-8 ---- */

/* The length of a sequence by its first octet, and the bits in that. */
static size_t
sequence_length(unsigned char first, uint32_t *bits)
{
	if (first < 0x80) {
		*bits = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf) { /* C0 and C1 are overlong */
		*bits = first & 0x1fU;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*bits = first & 0x0fU;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*bits = first & 0x07U;
		return 4;
	}
	return 0;
}

/* The length of the well-formed character at the front of s (RFC 3629), or
 * 0; s is not empty. */
static size_t
character(struct span s, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	size_t i, n = sequence_length((unsigned char)s.p[0], &c);

	if (n == 0 || n > s.n)
		return 0;
	for (i = 1; i < n; i++) {
		unsigned char u = (unsigned char)s.p[i];

		if ((u & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u & 0x3fU);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

bool
text_is_utf8(struct span s)
{
	uint32_t code;
	size_t n;

	for (; s.n > 0; span_take(&s, n)) {
		n = character(s, &code);
		if (n == 0)
			return false;
	}
	return true;
}

/* ---- showing ---- */

/* Characters that would move, hide or reorder what stands around them. */
static bool
harmless(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} harmful[] = {
		{ 0x00, 0x1f },     /* C0 */
		{ 0x7f, 0x9f },     /* DEL, C1 */
		{ 0x061c, 0x061c }, /* Arabic letter mark */
		{ 0x200e, 0x200f }, /* LRM, RLM */
		{ 0x2028, 0x202e }, /* separators, embeddings, overrides */
		{ 0x2066, 0x2069 }, /* isolates */
		{ 0xfeff, 0xfeff }, /* byte order mark */
	};

	size_t i;

	for (i = 0; i < sizeof(harmful) / sizeof(*harmful); i++) {
		if (c >= harmful[i].first && c <= harmful[i].last)
			return false;
	}
	return true;
}

/* Puts the next character of *s, shown, into piece, and steps over it. */
static size_t
show_next(struct span *s, char piece[16])
{
	static const char hex[] = "0123456789ABCDEF";
	uint32_t code;
	size_t i, n = character(*s, &code);
	struct span raw;

	if (n > 0 && harmless(code)) {
		memcpy(piece, s->p, n);
		span_take(s, n);
		return n;
	}
	raw = span_take(s, n == 0 ? 1 : n);
	for (i = 0; i < raw.n; i++) {
		unsigned char u = (unsigned char)raw.p[i];

		piece[4 * i] = '\\';
		piece[4 * i + 1] = 'x';
		piece[4 * i + 2] = hex[u >> 4];
		piece[4 * i + 3] = hex[u & 15];
	}
	return 4 * raw.n;
}

char *
text_printable(char *dst, size_t size, struct span s)
{
	char piece[16]; /* four octets as \xHH */
	size_t n, used = 0, keep = 0;

	if (size == 0)
		return dst;
	while (s.n > 0) {
		n = show_next(&s, piece);
		if (n >= size - used) { /* cut where the dots still fit */
			used = keep;
			while (used < keep + 3 && used + 1 < size)
				dst[used++] = '.';
			break;
		}
		memcpy(dst + used, piece, n);
		used += n;
		if (used + 3 < size)
			keep = used;
	}
	dst[used] = '\0';
	return dst;
}

bool
text_breaks_line(struct span s)
{
	return span_find(s, '\r') < s.n || span_find(s, '\n') < s.n ||
	    span_find(s, '\0') < s.n;
}

int
text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
text_is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("._@+/=-", c));
}

/* ---- words ---- */

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* One row of Levenshtein's table, in place; the smallest number in it. */
static unsigned int
next_row(unsigned int *row, char c, unsigned int above, const char *b, size_t n)
{
	unsigned int diagonal = row[0], smallest = above;
	size_t j;

	row[0] = above;
	for (j = 1; j <= n; j++) {
		unsigned int replaced = diagonal + (c != b[j - 1]);

		diagonal = row[j];
		row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		smallest = least(smallest, row[j]);
	}
	return smallest;
}

unsigned int
text_distance(const char *a, const char *b, unsigned int limit)
{
	size_t na = strlen(a), nb = strlen(b), i;
	unsigned int *row, d;

	if ((na > nb ? na - nb : nb - na) >= limit)
		return limit;
	row = mem_array(nb + 1, sizeof(*row));
	for (i = 0; i <= nb; i++)
		row[i] = (unsigned int)i;
	d = row[nb];
	for (i = 0; i < na; i++) {
		if (next_row(row, a[i], (unsigned int)i + 1, b, nb) >= limit) {
			d = limit; /* rows never get smaller */
			break;
		}
		d = row[nb];
	}
	free(row);
	return least(d, limit);
}

/* ---- quantities for people ---- */

char *
text_octets(char *dst, size_t size, uint64_t octets)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB",
		"EB" };
	uint64_t tenths;
	size_t i;

	if (octets < 1000) {
		snprintf(dst, size, "%llu B", (unsigned long long)octets);
		return dst;
	}
	/* in tenths, rounded down: 999.9 kB, never 1000.0 kB */
	tenths = octets / 100;
	for (i = 1; tenths >= 10000; i++)
		tenths /= 1000;
	snprintf(dst, size, "%llu.%llu %s", (unsigned long long)(tenths / 10),
	    (unsigned long long)(tenths % 10), units[i]);
	return dst;
}

char *
text_span_of_time(char *dst, size_t size, uint64_t seconds)
{
	static const struct {
		uint64_t big, small;
		char big_letter, small_letter;
	} forms[] = {
		{ 86400, 3600, 'd', 'h' },
		{ 3600, 60, 'h', 'm' },
		{ 60, 1, 'm', 's' },
	};

	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (seconds < forms[i].big)
			continue;
		snprintf(dst, size, "%llu%c %02llu%c",
		    (unsigned long long)(seconds / forms[i].big),
		    forms[i].big_letter,
		    (unsigned long long)(seconds % forms[i].big /
			forms[i].small),
		    forms[i].small_letter);
		return dst;
	}
	snprintf(dst, size, "%llus", (unsigned long long)seconds);
	return dst;
}
