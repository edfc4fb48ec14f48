/* SPDX-License-Identifier: ISC */
#include "conf/conf_names.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static const char *const keywords[] = { "account", "defaults", "include",
	NULL };

bool
conf_is_in(const char *const *words, const char *name)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, name) == 0)
			return true;
	}
	return false;
}

bool
conf_is_keyword(const char *name)
{
	return conf_is_in(keywords, name);
}

struct conf_unknown *
conf_unknowns_find(
    const struct conf_unknowns *u, const char *name, bool in_section)
{
	size_t i;

	for (i = 0; i < u->n; i++) {
		if (u->v[i].in_section == in_section &&
		    strcmp(u->v[i].name, name) == 0)
			return &u->v[i];
	}
	return NULL;
}

void
conf_unknowns_add(struct conf_unknowns *u, const char *name, bool in_section)
{
	u->v = mem_grow(u->v, u->n + 1, sizeof(*u->v));
	u->v[u->n++] = (struct conf_unknown){ .name = mem_strdup(name),
		.in_section = in_section };
}

void
conf_unknowns_free(struct conf_unknowns *u)
{
	size_t i;

	for (i = 0; i < u->n; i++)
		free(u->v[i].name);
	free(u->v);
	*u = (struct conf_unknowns){ 0 };
}

static const char *
nearest(const struct conf_words *words, const char *name, bool in_section)
{
	const char *word;

	if (in_section)
		return conf_nearest_word(name, words->account);
	word = conf_nearest_word(name, keywords);
	return word != NULL ? word : conf_nearest_word(name, words->global);
}

void
conf_complain_unknown(struct conf_report *r, struct conf_place at,
    const struct conf_words *words, const char *name, bool in_section)
{
	const char *word = nearest(words, name, in_section);

	if (!in_section && conf_is_in(words->account, name))
		conf_complain(r, at,
		    "\"%s\" stands outside an account: put it into account "
		    "NAME { } or defaults { }",
		    name);
	else if (in_section && conf_is_in(words->global, name))
		conf_complain(r, at,
		    "\"%s\" is for all accounts: put it outside the braces",
		    name);
	else if (word != NULL)
		conf_complain(r, at,
		    "unknown option \"%s\" (did you mean \"%s\"?)", name, word);
	else
		conf_complain(r, at,
		    "unknown option \"%s\": mailhaul.conf(5) lists all", name);
}
