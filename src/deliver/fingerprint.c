/* SPDX-License-Identifier: ISC */
#include "deliver/fingerprint.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"

#define NAME_MAX_OCTETS 32 /* longer names are none of ours */
#define READ_OCTETS 65536

enum st {
	ST_START,    /* at the first octet of a line */
	ST_START_CR, /* a CR was the first octet of a line */
	ST_NAME,
	ST_VALUE, /* of one of our fields */
	ST_SKIP,  /* the rest of a line that says nothing to us */
	ST_DONE   /* the header has ended */
};

static const char *const names[] = { "Message-ID", "Date", "From" };

#define FIELDS (sizeof(names) / sizeof(names[0]))

struct field {
	bool seen;
	bool blank; /* blanks stood before the next octet */
	size_t n;
	char v[FINGERPRINT_VALUE_MAX];
};

struct fingerprint {
	enum st st;
	struct field *now; /* one of field, or NULL */
	size_t left;       /* octets of header still looked at */
	size_t name_n;
	char name[NAME_MAX_OCTETS];
	struct field field[FIELDS];
};

struct fingerprint *
fingerprint_new(void)
{
	struct fingerprint *f = mem_new(sizeof(*f));

	f->st = ST_START;
	f->left = FINGERPRINT_HEADER_MAX;
	return f;
}

void
fingerprint_free(struct fingerprint **f)
{
	free(*f);
	*f = NULL;
}

static void
put(struct field *field, char c)
{
	if (field->n < sizeof(field->v))
		field->v[field->n++] = c;
}

static void
add_value(struct field *field, struct span s)
{
	for (size_t i = 0; i < s.n && field->n < sizeof(field->v); i++) {
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

/* The name is complete: is the field one of ours, and the first? */
static enum st
choose(struct fingerprint *f)
{
	struct span name = span_trim(span_make(f->name, f->name_n));

	for (size_t i = 0; i < FIELDS; i++) {
		struct field *field = &f->field[i];

		if (field->seen || !span_ieq(name, span_of(names[i])))
			continue;
		field->seen = true;
		f->now = field;
		return ST_VALUE;
	}
	return ST_SKIP;
}

static void
in_start(struct fingerprint *f, struct span *s)
{
	char c = s->p[0];

	if (c == ' ' || c == '\t') { /* RFC 5322 2.2.3: a folded line */
		f->st = f->now != NULL ? ST_VALUE : ST_SKIP;
		return;
	}
	f->now = NULL;
	f->name_n = 0;
	if (c == '\n') {
		f->st = ST_DONE;
	} else if (c == '\r') {
		span_take(s, 1);
		f->st = ST_START_CR;
	} else {
		f->st = ST_NAME;
	}
}

static void
in_name(struct fingerprint *f, struct span *s)
{
	char c = span_take(s, 1).p[0];

	if (c == ':')
		f->st = choose(f);
	else if (c == '\n')
		f->st = ST_START;
	else if (f->name_n == sizeof(f->name))
		f->st = ST_SKIP;
	else
		f->name[f->name_n++] = c;
}

/* The rest of the line, or what there is of it. */
static void
in_line(struct fingerprint *f, struct span *s)
{
	size_t n = span_find(*s, '\n');
	struct span part = span_take(s, n);

	if (f->st == ST_VALUE)
		add_value(f->now, part);
	if (s->n == 0)
		return;
	span_take(s, 1);
	f->st = ST_START;
}

static void
look(struct fingerprint *f, struct span s)
{
	while (s.n > 0 && f->st != ST_DONE) {
		switch (f->st) {
		case ST_START:
			in_start(f, &s);
			break;
		case ST_START_CR:
			f->st = s.p[0] == '\n' ? ST_DONE : ST_SKIP;
			break;
		case ST_NAME:
			in_name(f, &s);
			break;
		case ST_VALUE:
		case ST_SKIP:
			in_line(f, &s);
			break;
		case ST_DONE:
			break;
		}
	}
}

void
fingerprint_add(struct fingerprint *f, struct span octets)
{
	if (f->st == ST_DONE)
		return;
	octets = span_take(&octets, f->left);
	f->left -= octets.n;
	look(f, octets);
	if (f->left == 0)
		f->st = ST_DONE;
}

static void
add_number(struct digest_state *with, uint64_t v)
{
	char octets[8];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(uint8_t)(v >> (8 * i));
	digest_add(with, span_make(octets, sizeof(octets)));
}

void
fingerprint_end(const struct fingerprint *f, struct digest_state *with,
    uint64_t size, struct digest *out)
{
	digest_begin(with);
	for (size_t i = 0; i < FIELDS; i++) {
		const struct field *field = &f->field[i];

		add_number(with, field->n);
		digest_add(with, span_make(field->v, field->n));
	}
	add_number(with, size);
	digest_end(with, out);
}

int
fingerprint_file(int fd, const char *name, struct digest_state *with,
    struct digest *out, struct err *e)
{
	char *octets = mem_array(1, READ_OCTETS);
	off_t at = 0;
	ssize_t n;

	digest_begin(with);
	while ((n = pread(fd, octets, READ_OCTETS, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		digest_add(with, span_make(octets, (size_t)n));
		at += n;
	}
	free(octets);
	digest_end(with, out);
	if (n < 0)
		return err_set(
		    e, ERR_DELIVER, errno, "%s: %s", name, strerror(errno));
	return 0;
}
