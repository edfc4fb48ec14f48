/* SPDX-License-Identifier: ISC */
#include "ledger/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

struct message
names_entry(const struct ledger_entry *m, bool pop3)
{
	return (struct message){ .box = m->box,
		.pop3 = pop3,
		.by_content = m->by_content,
		.number = m->number,
		.fingerprint = m->fingerprint };
}

struct message
names_note(const struct ledger_note *n, bool pop3)
{
	return (struct message){ .box = n->box,
		.pop3 = pop3,
		.by_content = n->by_content,
		.number = n->number,
		.fingerprint = n->fingerprint };
}

struct span
names_span(const struct name *name)
{
	return span_make(name->b, name->n);
}

static void
put(struct name *name, const void *p, size_t n)
{
	memcpy(name->b + name->n, p, n);
	name->n += n;
}

void
names_of_line(const struct uidl_name *line, struct name *name)
{
	int n;

	name->uid = 0;
	name->n = 0;
	if (line->doubt) {
		n = snprintf(name->b, sizeof(name->b),
		    "d%" PRId64 "/%" PRId64 "/", line->size, line->nth);
		name->n = (size_t)n;
	} else {
		put(name, "l", 1);
	}
	put(name, line->uidl, line->n);
}

int
names_of(
    struct db *d, const struct message *m, struct name *name, struct err *e)
{
	struct uidl_name line;

	name->uid = 0;
	name->n = 0;
	if (m->by_content) {
		put(name, "c", 1);
		put(name, m->fingerprint, LEDGER_FINGERPRINT);
		return 0;
	}
	if (!m->pop3) {
		name->uid = m->number;
		name->n = (size_t)snprintf(
		    name->b, sizeof(name->b), "u%" PRIu32, m->number);
		return 0;
	}
	if (uidl_name(d, m->box, m->number, &line, e) < 0)
		return -1;
	names_of_line(&line, name);
	return 0;
}

char *
names_show(char *dst, size_t size, struct span name)
{
	if (span_skip(&name, SPAN("d"))) {
		span_until(&name, '/');
		span_until(&name, '/');
	} else if (span_skip(&name, SPAN("c"))) {
		name = SPAN("");
	} else {
		span_take(&name, 1);
	}
	return text_printable(dst, size, name);
}
