/* SPDX-License-Identifier: ISC */
#include "proto/imap_words.h"

#include "proto/reply.h"
#include "util/text.h"
#include "util/utf7.h"

#define QUOTED_MAX 1000 /* some servers take no longer ones */
#define MAILBOX_MAX 65536

bool
imap_words_have(struct span list, struct span word)
{
	while (list.n > 0)
		if (span_ieq(span_until(&list, ' '), word))
			return word.n > 0;
	return false;
}

void
imap_words_add(struct buf *to, struct span list)
{
	while (list.n > 0) {
		struct span word = span_trim(span_until(&list, ' '));

		if (word.n == 0)
			continue;
		if (to->n + 1 + word.n > to->max)
			return;
		if (to->n > 0)
			buf_addc(to, ' ');
		buf_add(to, word);
	}
}

bool
imap_words_quotable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return s.n <= QUOTED_MAX && !text_breaks_line(s);
}

int
imap_words_put_quoted(struct buf *to, struct span s)
{
	if (buf_addc(to, '"') != 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] == '"' || s.p[i] == '\\') &&
		    buf_addc(to, '\\') != 0)
			return -1;
		if (buf_addc(to, s.p[i]) != 0)
			return -1;
	}
	return buf_addc(to, '"');
}

int
imap_words_put_mailbox(struct buf *to, struct span name)
{
	struct buf raw;
	int r;

	buf_init(&raw, MAILBOX_MAX);
	r = utf7_encode(&raw, name);
	if (r == 0)
		r = imap_words_put_quoted(to, buf_span(&raw));
	buf_deinit(&raw);
	return r;
}

bool
imap_words_mailbox(struct buf *to, struct span raw)
{
	buf_clear(to);
	return raw.n > 0 && utf7_decode(to, raw) == 0 &&
	    !text_breaks_line(buf_span(to));
}

int
imap_words_err(
    struct err *e, enum err_kind kind, const char *what, struct span quoted)
{
	size_t n = quoted.n < ERR_TEXT_MAX ? quoted.n : ERR_TEXT_MAX;

	if (n == 0)
		return err_set(e, kind, 0, "%s", what);
	err_set(e, kind, 0, "%s: \"%.*s\"", what, (int)n, quoted.p);
	e->after_s = reply_after_s(quoted);
	return -1;
}
