/* SPDX-License-Identifier: ISC */
#include "deliver/header.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define USUAL_NAME_OCTETS 32

enum st {
	ST_START,    /* at the first octet of a line */
	ST_START_CR, /* a CR was the first octet of a line */
	ST_NAME,
	ST_VALUE, /* of one of our fields */
	ST_SKIP,  /* the rest of a line that says nothing to us */
	ST_DONE   /* the header has ended */
};

struct field {
	const char *asked; /* its name; not ours */
	bool seen;
	bool blank; /* blanks stood before the next octet */
	bool cut;
	size_t n;
	char v[HEADER_VALUE_MAX];
};

struct header {
	enum st st;
	struct field *now; /* one of field, or NULL */
	size_t octets;
	size_t name_n, name_max; /* a longer name is none of ours */
	char name[HEADER_NAME_MAX];
	size_t n;
	struct field field[];
};

/* ---- life ---- */

struct header *
header_new(const char *const *names, size_t n)
{
	struct header *h = mem_new(sizeof(*h) + n * sizeof(h->field[0]));

	h->st = ST_START;
	h->n = n;
	h->name_max = USUAL_NAME_OCTETS;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		h->field[i].asked = names[i];
		if (len > h->name_max && len <= HEADER_NAME_MAX)
			h->name_max = len;
	}
	return h;
}

void
header_free(struct header **h)
{
	free(*h);
	*h = NULL;
}

/* ---- values ---- */

static void
put(struct field *field, char c)
{
	if (field->n < sizeof(field->v))
		field->v[field->n++] = c;
	else
		field->cut = true;
}

static void
add_value(struct field *field, struct span s)
{
	for (size_t i = 0; i < s.n && !field->cut; i++) {
		char c = s.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			field->blank = true;
			continue;
		}
		if (field->blank && field->n > 0)
			put(field, ' ');
		field->blank = false;
		put(field, c);
	}
}

/* ---- lines ---- */

/* The name is complete: is the field one of ours, and the first? */
static enum st
choose(struct header *h)
{
	struct span name = span_trim(span_make(h->name, h->name_n));

	for (size_t i = 0; i < h->n; i++) {
		struct field *field = &h->field[i];

		if (field->seen || !span_ieq(name, span_of(field->asked)))
			continue;
		field->seen = true;
		h->now = field;
		return ST_VALUE;
	}
	return ST_SKIP;
}

static void
in_start(struct header *h, struct span *s)
{
	char c = s->p[0];

	if (c == ' ' || c == '\t') { /* RFC 5322 2.2.3: a folded line */
		h->st = h->now != NULL ? ST_VALUE : ST_SKIP;
		return;
	}
	h->now = NULL;
	h->name_n = 0;
	if (c == '\n') {
		span_take(s, 1);
		h->st = ST_DONE;
	} else if (c == '\r') {
		span_take(s, 1);
		h->st = ST_START_CR;
	} else {
		h->st = ST_NAME;
	}
}

static void
in_start_cr(struct header *h, struct span *s)
{
	h->st = ST_SKIP;
	if (s->p[0] != '\n')
		return;
	span_take(s, 1);
	h->st = ST_DONE;
}

static void
in_name(struct header *h, struct span *s)
{
	char c = span_take(s, 1).p[0];

	if (c == ':')
		h->st = choose(h);
	else if (c == '\n')
		h->st = ST_START;
	else if (h->name_n == h->name_max)
		h->st = ST_SKIP;
	else
		h->name[h->name_n++] = c;
}

/* The rest of the line, or what there is of it. */
static void
in_line(struct header *h, struct span *s)
{
	size_t n = span_find(*s, '\n');
	struct span part = span_take(s, n);

	if (h->st == ST_VALUE)
		add_value(h->now, part);
	if (s->n == 0)
		return;
	span_take(s, 1);
	h->st = ST_START;
}

static void
look(struct header *h, struct span *s)
{
	while (s->n > 0 && h->st != ST_DONE) {
		switch (h->st) {
		case ST_START:
			in_start(h, s);
			break;
		case ST_START_CR:
			in_start_cr(h, s);
			break;
		case ST_NAME:
			in_name(h, s);
			break;
		case ST_VALUE:
		case ST_SKIP:
			in_line(h, s);
			break;
		case ST_DONE:
			break;
		}
	}
}

void
header_add(struct header *h, struct span octets)
{
	size_t n;

	if (h->st == ST_DONE)
		return;
	octets = span_take(&octets, HEADER_OCTETS_MAX - h->octets);
	n = octets.n;
	look(h, &octets);
	h->octets += n - octets.n;
	if (h->octets == HEADER_OCTETS_MAX)
		h->st = ST_DONE;
}

/* ---- questions ---- */

bool
header_ended(const struct header *h)
{
	return h->st == ST_DONE;
}

size_t
header_octets(const struct header *h)
{
	return h->octets;
}

struct span
header_value(const struct header *h, size_t i)
{
	assert(i < h->n);
	return span_make(h->field[i].v, h->field[i].n);
}

bool
header_cut(const struct header *h, size_t i)
{
	assert(i < h->n);
	return h->field[i].cut;
}
