/* SPDX-License-Identifier: ISC */
#include "proto/lmtp_reply.h"

#include <stdint.h>

#include "util/text.h"

#define SHOWN_MAX 1024 /* of a reply, to people */

void
lmtp_reply_init(struct lmtp_reply *r)
{
	*r = (struct lmtp_reply){ 0 };
	pop3_line_init(&r->line);
	buf_init(&r->text, LMTP_REPLY_TEXT_MAX);
}

void
lmtp_reply_deinit(struct lmtp_reply *r)
{
	pop3_line_deinit(&r->line);
	buf_deinit(&r->text);
}

static void
begin(struct lmtp_reply *r)
{
	r->code = 0;
	r->lines = 0;
	r->whole = false;
	buf_clear(&r->text);
	buf_release(&r->text);
}

static enum lmtp_reply_answer
bad(struct err *e, const char *what, struct span line)
{
	err_set(e, ERR_PROTO, 0, "%s%s%.*s", what, line.n > 0 ? ": " : "",
	    (int)line.n, line.p);
	return LMTP_REPLY_BAD;
}

/* Steps over the code and what stands behind it. */
static bool
take_code(struct span *line, unsigned int *code, bool *last)
{
	struct span digits = span_take(line, 3);
	uint64_t number;

	if (!text_number(&digits, 599, &number) || digits.n > 0 || number < 200)
		return false;
	*code = (unsigned int)number;
	*last = !span_skip(line, SPAN("-"));
	return !*last || line->n == 0 || span_skip(line, SPAN(" "));
}

/* What does not fit is left out: it is for people, or no capability of ours */
static void
keep(struct lmtp_reply *r, struct span line)
{
	struct span text = span_take(&line, LMTP_REPLY_LINE_MAX);

	if (r->text.n + text.n + 1 > LMTP_REPLY_TEXT_MAX)
		return;
	if (r->lines > 1)
		buf_addc(&r->text, '\n');
	buf_add(&r->text, text);
}

static enum lmtp_reply_answer
take_line(struct lmtp_reply *r, struct span line, struct err *e)
{
	struct span rest = line;
	unsigned int code;

	if (!take_code(&rest, &code, &r->whole))
		return bad(e, "this is no reply", line);
	if (r->lines > 0 && code != r->code)
		return bad(e, "the code changes inside a reply", line);
	if (++r->lines > LMTP_REPLY_LINES_MAX)
		return bad(e, "a reply has no end", SPAN(""));
	r->code = code;
	keep(r, rest);
	return r->whole ? LMTP_REPLY_WHOLE : LMTP_REPLY_MORE;
}

enum lmtp_reply_answer
lmtp_reply_next(struct lmtp_reply *r, struct span *in, struct err *e)
{
	enum lmtp_reply_answer answer = LMTP_REPLY_MORE;
	struct span line;

	if (r->whole)
		begin(r);
	while (answer == LMTP_REPLY_MORE && in->n > 0) {
		bool ended = pop3_line_next(&r->line, in, &line);

		if (r->line.seen > POP3_LINE_MAX)
			return bad(e, "a line has no end", SPAN(""));
		if (ended)
			answer = take_line(r, line, e);
	}
	return answer;
}

struct span
lmtp_reply_behind_first(const struct lmtp_reply *r)
{
	struct span lines = buf_span(&r->text);

	span_until(&lines, '\n');
	return lines;
}

/* "5.1.1" and a blank off the front, if they are there. */
static struct span
take_status(struct span *line)
{
	struct span rest = *line;
	uint64_t part;

	if (!text_number(&rest, 5, &part) || !span_skip(&rest, SPAN(".")) ||
	    !text_number(&rest, 999, &part) || !span_skip(&rest, SPAN(".")) ||
	    !text_number(&rest, 999, &part) || !span_skip(&rest, SPAN(" ")))
		return SPAN("");
	return span_take(line, line->n - rest.n);
}

char *
lmtp_reply_text(const struct lmtp_reply *r, char *dst, size_t size)
{
	struct span lines = buf_span(&r->text);
	struct span line = span_until(&lines, '\n');
	struct span status = take_status(&line);
	struct buf text;

	buf_init(&text, SHOWN_MAX);
	buf_printf(&text, "%u ", r->code);
	buf_add(&text, status);
	buf_add(&text, span_take(&line, SHOWN_MAX / 2));
	while (lines.n > 0) {
		line = span_until(&lines, '\n');
		span_skip(&line, status);
		buf_addc(&text, ' ');
		buf_add(&text, line); /* or not, if there is no room */
	}
	text_printable(dst, size, span_trim(buf_span(&text)));
	buf_deinit(&text);
	return dst;
}
