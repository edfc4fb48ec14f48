/* SPDX-License-Identifier: ISC */
#include "deliver/folder.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io/digest.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/span.h"
#include "util/utf7.h"

#define CUT_MAX (FOLDER_NAME_MAX - 1 - DIGEST_HEX) /* what is left of a name */

static int
put_level(struct buf *out, struct span level)
{
	if (buf_addc(out, '.') != 0)
		return -1;
	if (level.n == 0)
		return utf7_encode_any(out, SPAN("_"), "_");
	return utf7_encode_any(out, level, "./");
}

/* -1 when *out is full. A NUL is in no name, so that without levels there is
 * one. */
static int
put_levels(struct buf *out, struct span name, char delimiter)
{
	bool more = true;

	while (more) {
		size_t end = span_find(name, delimiter);

		more = end < name.n;
		if (put_level(out, span_take(&name, end)) != 0)
			return -1;
		span_take(&name, 1);
	}
	return 0;
}

static void
put_hash(struct buf *out, struct span name, char delimiter)
{
	struct digest_state *with = digest_new();
	struct digest d;
	char hex[DIGEST_HEX + 1];

	digest_begin(with);
	digest_add(with, span_make(&delimiter, 1));
	digest_add(with, name);
	digest_end(with, &d);
	digest_free(&with);
	digest_hex(&d, hex);
	buf_printf(out, "-%s", hex);
}

static bool
is_inside_character(struct span s, size_t at)
{
	return at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80;
}

/* As much of it as has room: a run of base64 has its end, and no character is
 * cut. No character is written shorter than half of what it was. */
static void
put_cut(struct buf *out, struct span name, char delimiter)
{
	struct buf front;
	size_t n = name.n < 2 * CUT_MAX ? name.n : 2 * CUT_MAX;

	buf_init(&front, CUT_MAX);
	for (; n > 0; n--) {
		if (is_inside_character(name, n))
			continue;
		buf_clear(&front);
		if (put_levels(&front, span_make(name.p, n), delimiter) == 0)
			break;
	}
	if (n == 0) /* such as ten thousand octets that are no characters */
		buf_addc(out, '.');
	else
		buf_add(out, buf_span(&front));
	buf_deinit(&front);
	put_hash(out, name, delimiter);
}

static struct span
without_inbox(struct span name, char delimiter)
{
	struct span rest = name;

	if (delimiter == '\0' || !span_iskip(&rest, SPAN("INBOX")) ||
	    !span_skip(&rest, span_make(&delimiter, 1)))
		return name;
	return rest;
}

char *
folder_path(const char *maildir, const char *mailbox, char delimiter)
{
	struct span name = span_of(mailbox);
	struct buf out;
	char *path;

	if (span_ieq(name, SPAN("INBOX")))
		return mem_strdup(maildir);
	name = without_inbox(name, delimiter);
	buf_init(&out, FOLDER_NAME_MAX);
	if (put_levels(&out, name, delimiter) != 0) {
		buf_clear(&out);
		put_cut(&out, name, delimiter);
	}
	path = mem_printf(
	    "%s/%.*s", maildir, (int)buf_span(&out).n, buf_span(&out).p);
	buf_deinit(&out);
	return path;
}
