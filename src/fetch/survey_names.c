/* SPDX-License-Identifier: ISC */
#include "fetch/survey_names.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/plan.h"
#include "fetch/survey_tell.h"
#include "util/mem.h"

void
survey_names_deinit(struct survey_names *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].text);
		free(s->v[i].trouble);
	}
	free(s->v);
	*s = (struct survey_names){ 0 };
}

/* Servers tell of them in the order in which they have listed them, so the
 * look begins where the last one ended. */
static struct survey_name *
find(struct survey_names *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++) {
		struct survey_name *it = &s->v[(s->at + i) % s->n];

		if (strcmp(it->text, text) != 0)
			continue;
		s->at = (size_t)(it - s->v) + 1;
		return it;
	}
	return NULL;
}

static bool
is_inbox(const char *name)
{
	return span_ieq(span_of(name), SPAN("INBOX"));
}

static struct survey_name *
add(struct survey_names *s, const char *text, unsigned int marks)
{
	if (s->n == SURVEY_MAILBOXES_MAX) {
		s->rest++;
		s->rest_chosen += (marks & FACT_CHOSEN) != 0;
		return NULL;
	}
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		s->v = mem_grow(s->v, s->cap, sizeof(*s->v));
	}
	s->v[s->n] =
	    (struct survey_name){ .text = mem_strdup(text), .marks = marks };
	return &s->v[s->n++];
}

/* ---- LIST ---- */

void
survey_names_listed(struct survey_names *s, const char *const *patterns,
    size_t n, const struct imap_info *info)
{
	char *name = mem_spandup(info->name);
	unsigned int marks = info->noselect ? FACT_NOSELECT : 0;

	if (info->name.n > 0 && strlen(name) == info->name.n) {
		if (!info->noselect &&
		    plan_chooses(patterns, n, name, info->delimiter))
			marks |= FACT_CHOSEN;
		(void)add(s, is_inbox(name) ? "INBOX" : name, marks);
	}
	free(name);
}

void
survey_names_missing(
    struct survey_names *s, const char *const *patterns, size_t n)
{
	if (s->rest > 0) /* it may be among those */
		return;
	for (size_t i = 0; i < n; i++) {
		const char *name =
		    is_inbox(patterns[i]) ? "INBOX" : patterns[i];

		if (!plan_is_pattern(name) && find(s, name) == NULL)
			(void)add(s, name, FACT_CHOSEN | FACT_MISSING);
	}
	s->at = 0;
}

uint64_t
survey_names_chosen(const struct survey_names *s)
{
	uint64_t n = s->rest_chosen;

	for (size_t i = 0; i < s->n; i++)
		n += (s->v[i].marks & FACT_CHOSEN) != 0;
	return n;
}

/* ---- STATUS ---- */

void
survey_names_counted(struct survey_names *s, const struct imap_info *info)
{
	size_t at = s->at;
	char *text = mem_spandup(info->name);
	struct survey_name *name =
	    strlen(text) == info->name.n ? find(s, text) : NULL;

	free(text);
	if (name == NULL) {
		s->at = at;
		return;
	}
	name->marks |= FACT_COUNTED;
	name->marks &= ~(unsigned int)FACT_MISSING;
	name->messages = info->exists;
	name->uidnext = info->uidnext;
	name->uidvalidity = info->uidvalidity;
}

static bool
is_to_ask(
    const struct survey_names *s, const struct survey_name *it, bool missing)
{
	bool chosen = (it->marks & FACT_CHOSEN) != 0;

	return (it->marks & (FACT_NOSELECT | FACT_COUNTED)) == 0 &&
	    it->ticket == 0 && chosen == !s->chosen &&
	    (!missing || (it->marks & FACT_MISSING) != 0);
}

struct survey_name *
survey_names_next(struct survey_names *s, bool missing)
{
	for (;;) {
		while (s->next < s->n) {
			struct survey_name *it = &s->v[s->next++];

			if (is_to_ask(s, it, missing))
				return it;
		}
		if (s->chosen)
			return NULL;
		s->chosen = true;
		s->next = 0;
	}
}

const struct survey_name *
survey_names_refused(
    struct survey_names *s, uint32_t ticket, const struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].ticket != ticket)
			continue;
		free(s->v[i].trouble);
		s->v[i].trouble = mem_strdup(e->text);
		return &s->v[i];
	}
	return NULL;
}

/* ---- telling ---- */

static void
tell_one(const struct survey_name *it, const struct survey_params *p)
{
	char name[FACT_TEXT_MAX];
	const struct fact fact = { .kind = FACT_MAILBOX,
		.text = { name, it->trouble == NULL ? "" : it->trouble, "",
		    "" },
		.number = {
		    it->marks, it->messages, it->uidnext, it->uidvalidity } };

	survey_shown(p, name, sizeof(name), span_of(it->text));
	p->fact(p->arg, &fact);
}

void
survey_names_tell(const struct survey_names *s, const struct survey_params *p)
{
	const struct fact rest = { .kind = FACT_REST,
		.text = { "", "", "", "" },
		.number = { s->rest, s->rest_chosen } };

	for (size_t i = 0; i < s->n; i++)
		tell_one(&s->v[i], p);
	if (s->rest > 0)
		p->fact(p->arg, &rest);
}
