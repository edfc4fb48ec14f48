/* SPDX-License-Identifier: ISC */
#include "deliver/quote.h"

static const struct span from = SPAN("From ");
static const struct span quoted = SPAN(">From ");

void
quote_init(struct quote *q)
{
	q->st = QUOTE_START;
	q->matched = 0;
}

/* The > of a line. */
static struct span
in_start(struct quote *q, struct span *in)
{
	size_t n = 0;

	while (n < in->n && in->p[n] == '>')
		n++;
	if (n == in->n)
		return span_take(in, n);
	q->st = in->p[n] == from.p[0] ? QUOTE_FROM : QUOTE_LINE;
	return span_take(in, n);
}

static struct span
in_from(struct quote *q, struct span *in)
{
	while (in->n > 0 && in->p[0] == from.p[q->matched]) {
		span_take(in, 1);
		if (++q->matched < from.n)
			continue;
		q->matched = 0;
		q->st = QUOTE_LINE;
		return quoted;
	}
	return in->n > 0 ? quote_end(q) : SPAN("");
}

static struct span
in_line(struct quote *q, struct span *in)
{
	size_t n = span_find(*in, '\n');

	if (n == in->n)
		return span_take(in, n);
	q->st = QUOTE_START;
	return span_take(in, n + 1);
}

struct span
quote_next(struct quote *q, struct span *in)
{
	struct span s = SPAN("");

	while (in->n > 0 && s.n == 0) {
		switch (q->st) {
		case QUOTE_START:
			s = in_start(q, in);
			break;
		case QUOTE_FROM:
			s = in_from(q, in);
			break;
		case QUOTE_LINE:
			s = in_line(q, in);
			break;
		}
	}
	return s;
}

struct span
quote_end(struct quote *q)
{
	struct span kept = span_make(from.p, q->matched);

	q->matched = 0;
	q->st = QUOTE_LINE;
	return kept;
}
