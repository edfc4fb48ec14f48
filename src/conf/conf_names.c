/* SPDX-License-Identifier: ISC */
#include "conf/conf_names.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static const char *const keywords[] = { "account", "defaults", "include",
	NULL };

/* One that is an option of accounts, too. */
static const char *const beginnings[] = { "account", "defaults", "include",
	"oauth2", NULL };

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

bool
conf_is_section(const char *name)
{
	return conf_is_in(beginnings, name) && strcmp(name, "include") != 0;
}

bool
conf_may_be_secret(const char *name)
{
	return strncmp(name, "pas", 3) == 0 || strcmp(name, "proxy") == 0 ||
	    strncmp(name, "client-s", 8) == 0;
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

const char *const *
conf_words_in(const struct conf_words *words, enum conf_inside in)
{
	switch (in) {
	case CONF_IN_NONE:
		return words->global;
	case CONF_IN_ACCOUNT:
		return words->account;
	case CONF_IN_OAUTH2:
		return words->oauth2;
	}
	return words->global;
}

static const char *
nearest(const struct conf_words *words, const char *name, enum conf_inside in)
{
	const char *word = NULL;

	if (in == CONF_IN_NONE)
		word = conf_nearest_word(name, beginnings);
	return word != NULL ? word
			    : conf_nearest_word(name, conf_words_in(words, in));
}

/* Where else the name would be an option, or NULL. */
static const char *
elsewhere(const struct conf_words *words, const char *name, enum conf_inside in)
{
	if (conf_is_in(words->account, name))
		return in == CONF_IN_NONE
		    ? "stands outside an account: put it into account NAME { "
		      "} or defaults { }"
		    : "is an option of an account: put it into account NAME { "
		      "}";
	if (conf_is_in(words->oauth2, name))
		return "is of how to get tokens: put it into oauth2 NAME { }";
	if (conf_is_in(words->global, name))
		return "is for all accounts: put it outside the braces";
	return NULL;
}

void
conf_complain_unknown(struct conf_report *r, struct conf_place at,
    const struct conf_words *words, const char *name, enum conf_inside in)
{
	const char *other = elsewhere(words, name, in);
	const char *word = nearest(words, name, in);

	if (other != NULL)
		conf_complain(r, at, "\"%s\" %s", name, other);
	else if (word != NULL)
		conf_complain(r, at,
		    "unknown option \"%s\" (did you mean \"%s\"?)", name, word);
	else
		conf_complain(r, at,
		    "unknown option \"%s\": mailhaul.conf(5) lists all", name);
}
