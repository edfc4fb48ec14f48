/* SPDX-License-Identifier: ISC */
#include "fetch/imap_names.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/plan.h"
#include "util/mem.h"

void
imap_names_deinit(struct imap_names *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].text);
	free(s->v);
	*s = (struct imap_names){ 0 };
}

static const char *
plain(const char *name)
{
	return span_ieq(span_of(name), SPAN("INBOX")) ? "INBOX" : name;
}

struct imap_name *
imap_names_find(struct imap_names *s, const char *name)
{
	name = plain(name);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].text, name) == 0)
			return &s->v[i];
	return NULL;
}

void
imap_names_add(struct imap_names *s, const char *name, char delimiter)
{
	if (imap_names_find(s, name) != NULL)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 1 : s->cap * 2;
		s->v = mem_grow(s->v, s->cap, sizeof(*s->v));
	}
	s->v[s->n++] = (struct imap_name){ .text = mem_strdup(plain(name)),
		.delimiter = delimiter,
		.dirty = true };
}

/* ---- which ---- */

bool
imap_names_need_list(const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (plan_is_pattern(patterns[i]))
			return true;
	return false;
}

void
imap_names_listed(struct imap_names *s, const char *const *patterns, size_t n,
    const struct imap_info *info)
{
	char *name;

	if (info->name.n == 0 || s->delimiter == 0)
		s->delimiter = info->delimiter;
	if (info->name.n == 0)
		return;
	name = mem_spandup(info->name);
	if (!info->noselect && s->n < IMAP_NAMES_MAX &&
	    strlen(name) == info->name.n &&
	    plan_chooses(patterns, n, name, info->delimiter))
		imap_names_add(s, name, info->delimiter);
	free(name);
}

void
imap_names_plain(struct imap_names *s, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!plan_is_pattern(patterns[i]))
			imap_names_add(s, patterns[i], s->delimiter);
}

/* ---- which now ---- */

struct imap_name *
imap_names_dirty(struct imap_names *s, const struct imap_name *last)
{
	struct imap_name *left = NULL;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->v[i].dirty || s->v[i].away)
			continue;
		if (&s->v[i] != last)
			return &s->v[i];
		left = &s->v[i];
	}
	return left;
}

static bool
can_be_home(const struct imap_name *name)
{
	return !name->away && !name->failed;
}

struct imap_name *
imap_names_home(struct imap_names *s)
{
	struct imap_name *inbox = imap_names_find(s, "INBOX");

	if (inbox != NULL && can_be_home(inbox))
		return inbox;
	for (size_t i = 0; i < s->n; i++)
		if (can_be_home(&s->v[i]))
			return &s->v[i];
	return NULL;
}

void
imap_names_soil(struct imap_names *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i].dirty = true;
}

size_t
imap_names_count(const struct imap_names *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += !s->v[i].away;
	return n;
}

/* By UIDNEXT where it is told: mail that others remove is no news. */
static bool
is_news(const struct imap_name *name, const struct imap_info *info)
{
	if (info->uidvalidity != 0 && info->uidvalidity != name->uidvalidity)
		return true;
	if (info->uidnext != 0 && name->uidnext != 0)
		return info->uidnext != name->uidnext;
	return info->exists != name->exists;
}

void
imap_names_counted(struct imap_names *s, const struct imap_info *info)
{
	char *text = mem_spandup(info->name);
	struct imap_name *name =
	    strlen(text) == info->name.n ? imap_names_find(s, text) : NULL;

	free(text);
	if (name == NULL)
		return;
	if (is_news(name, info))
		name->dirty = name->counted = true;
	if (info->uidvalidity != 0)
		name->uidvalidity = info->uidvalidity;
	name->uidnext = info->uidnext;
	name->exists = info->exists;
}
