/* SPDX-License-Identifier: ISC */
#include "proc/held_show.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sys/clock.h"
#include "util/mem.h"
#include "util/text.h"

#define CELL_MAX 128
#define MAILBOX_MAX 4096 /* octets of it, each shown as \xHH */

/* ---- the list ---- */

static void
own(const char **text)
{
	*text = mem_strdup(*text == NULL ? "" : *text);
}

static void
disown(const char *text)
{
	free((void *)(uintptr_t)text);
}

void
held_list_add(struct held_list *l, const struct ledger_trouble *t)
{
	struct ledger_trouble *copy;

	l->v = mem_grow(l->v, l->n + 1, sizeof(*l->v));
	copy = &l->v[l->n++];
	*copy = *t;
	own(&copy->account);
	own(&copy->mailbox);
	own(&copy->uidl);
	own(&copy->reason);
	own(&copy->about);
}

void
held_list_free(struct held_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		disown(l->v[i].account);
		disown(l->v[i].mailbox);
		disown(l->v[i].uidl);
		disown(l->v[i].reason);
		disown(l->v[i].about);
	}
	free(l->v);
	*l = (struct held_list){ 0 };
}

/* ---- words ---- */

static const char *
state_word(const struct ledger_trouble *t)
{
	if (t->state == LEDGER_HELD)
		return t->stub ? "held (stub)" : "held";
	return t->full ? "due in full" : "later";
}

static const char *
why_word(enum ledger_why why)
{
	switch (why) {
	case LEDGER_WHY_REFUSED:
		return "refused";
	case LEDGER_WHY_MISSING:
		return "not produced by the server";
	case LEDGER_WHY_SIZE:
		return "too large";
	}
	return "";
}

static void
name_text(char *dst, size_t size, const struct ledger_trouble *t)
{
	if (t->uid != 0)
		snprintf(dst, size, "%" PRIu32, t->uid);
	else if (t->uidl[0] != '\0')
		text_printable(dst, size, span_of(t->uidl));
	else
		snprintf(dst, size, "id:%" PRId64, t->id);
}

static void
next_text(char *dst, size_t size, const struct ledger_trouble *t)
{
	int64_t left = t->next - clock_wall_s();
	char span[32];

	if (t->state == LEDGER_HELD)
		snprintf(dst, size, "never");
	else if (left <= 0)
		snprintf(dst, size, "now");
	else
		snprintf(dst, size, "in %s",
		    text_span_of_time(span, sizeof(span), (uint64_t)left));
}

static void
size_text(char *dst, size_t size, const struct ledger_trouble *t)
{
	if (t->size == 0)
		snprintf(dst, size, "-");
	else
		text_octets(dst, size, t->size);
}

static void
time_text(char *dst, size_t size, int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	if (s == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(dst, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(dst, size, "-");
}

/* ---- the table ---- */

enum column { ACCOUNT, MAILBOX, NAME, STATE, TRIES, NEXT, SIZE, COLUMNS };

struct row {
	char cell[COLUMNS][CELL_MAX];
};

static const char *const titles[COLUMNS] = { "account", "mailbox", "message",
	"state", "tries", "next", "size" };

static void
fill_row(struct row *r, const struct ledger_trouble *t)
{
	text_printable(r->cell[ACCOUNT], CELL_MAX, span_of(t->account));
	text_printable(r->cell[MAILBOX], CELL_MAX,
	    span_of(t->mailbox[0] == '\0' ? "-" : t->mailbox));
	name_text(r->cell[NAME], CELL_MAX, t);
	snprintf(r->cell[STATE], CELL_MAX, "%s", state_word(t));
	snprintf(r->cell[TRIES], CELL_MAX, "%u", t->tries);
	next_text(r->cell[NEXT], CELL_MAX, t);
	size_text(r->cell[SIZE], CELL_MAX, t);
}

static void
widen(int width[COLUMNS], const struct row *r)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if ((int)strlen(r->cell[i]) > width[i])
			width[i] = (int)strlen(r->cell[i]);
}

static void
print_row(const int width[COLUMNS], const struct row *r, const char *reason)
{
	for (size_t i = 0; i < COLUMNS; i++)
		printf("%-*s  ", width[i], r->cell[i]);
	printf("%s\n", reason);
}

void
held_print_table(const struct held_list *l)
{
	struct row *rows = mem_array(l->n + 1, sizeof(*rows));
	int width[COLUMNS] = { 0 };

	if (l->n == 0)
		puts("no message is held");
	for (size_t i = 0; i < COLUMNS; i++)
		snprintf(rows[0].cell[i], CELL_MAX, "%s", titles[i]);
	widen(width, &rows[0]);
	for (size_t i = 0; i < l->n; i++) {
		fill_row(&rows[i + 1], &l->v[i]);
		widen(width, &rows[i + 1]);
	}
	if (l->n > 0)
		print_row(width, &rows[0], "reason");
	for (size_t i = 0; i < l->n; i++)
		print_row(width, &rows[i + 1], l->v[i].reason);
	free(rows);
}

/* ---- one ---- */

void
held_print_one(const struct ledger_trouble *t)
{
	struct row r = { 0 };
	char since[32];
	char next[32];

	fill_row(&r, t);
	time_text(since, sizeof(since), t->since);
	time_text(next, sizeof(next), t->next);
	printf("account: %s\nmailbox: %s\nmessage: %s\n", r.cell[ACCOUNT],
	    r.cell[MAILBOX], r.cell[NAME]);
	printf("id: id:%" PRId64 "\nstate: %s\nwhy: %s\nreason: %s\n", t->id,
	    state_word(t), why_word(t->why), t->reason);
	printf("about: %s\nsize: %s\ntries: %u\nsince: %s\nnext: %s\n",
	    t->about, r.cell[SIZE], t->tries, since,
	    t->state == LEDGER_HELD ? "never" : next);
	printf("reached: %zu recipients\n", t->n_reached);
}

/* ---- JSON ---- */

/* A server may name a mailbox by any octets; JSON has none but UTF-8. */
static const char *
utf8_of(char *dst, size_t size, const char *text)
{
	if (text_is_utf8(span_of(text)))
		return text;
	return text_printable(dst, size, span_of(text));
}

static json_t *
object_of(const struct ledger_trouble *t)
{
	char mailbox[MAILBOX_MAX];
	char since[32];
	char next[32];
	char name[CELL_MAX];

	time_text(since, sizeof(since), t->since);
	time_text(next, sizeof(next), t->next);
	name_text(name, sizeof(name), t);
	return json_pack(
	    "{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s?, s:I, s:b, s:b, "
	    "s:s, s:s, s:i}",
	    "id", (json_int_t)t->id, "account", t->account, "mailbox",
	    utf8_of(mailbox, sizeof(mailbox), t->mailbox), "message", name,
	    "state", t->state == LEDGER_HELD ? "held" : "later", "why",
	    why_word(t->why), "tries", (int)t->tries, "since", since, "next",
	    t->state == LEDGER_HELD ? NULL : next, "size", (json_int_t)t->size,
	    "stub", t->stub, "full", t->full, "reason", t->reason, "about",
	    t->about, "reached", (int)t->n_reached);
}

void
held_print_json(const struct held_list *l)
{
	json_t *all = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(all, object_of(&l->v[i]));
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(all);
}
