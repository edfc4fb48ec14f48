/* SPDX-License-Identifier: ISC */
#include "proto/pop3_line.h"

void
pop3_line_init(struct pop3_line *l)
{
	*l = (struct pop3_line){ 0 };
	buf_init(&l->held, POP3_LINE_MAX);
}

void
pop3_line_deinit(struct pop3_line *l)
{
	buf_deinit(&l->held);
}

static void
begin(struct pop3_line *l)
{
	buf_clear(&l->held);
	buf_release(&l->held);
	l->seen = 0;
	l->given = false;
}

static void
hold(struct pop3_line *l, struct span part)
{
	buf_add(&l->held, span_take(&part, POP3_LINE_MAX - l->held.n));
}

bool
pop3_line_next(struct pop3_line *l, struct span *in, struct span *line)
{
	size_t end = span_find(*in, '\n');
	bool whole = end < in->n;
	struct span part = span_take(in, end);

	span_take(in, 1); /* the LF, if it is there */
	if (l->given)
		begin(l);
	l->seen += part.n;
	if (part.n > 0)
		l->last = part.p[part.n - 1];
	if (!whole || l->held.n > 0)
		hold(l, part);
	if (!whole)
		return false;
	*line = l->held.n > 0 ? buf_span(&l->held) : part;
	l->given = true;
	l->bare = l->seen == 0 || l->last != '\r';
	if (!l->bare && line->n == l->seen)
		line->n--;
	if (line->n > POP3_LINE_MAX)
		line->n = POP3_LINE_MAX;
	return true;
}
