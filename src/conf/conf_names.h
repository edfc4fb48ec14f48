/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_NAMES_H
#define MAILHAUL_CONF_CONF_NAMES_H

/* The names of options: those there are, and those somebody has written. */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf_report.h"

struct conf_words { /* the options there are; both end in NULL */
	const char *const *global;
	const char *const *account; /* defaults has the same */
	const char *const *oauth2;
};

/* What an unknown name seems to be. */
enum conf_shape { CONF_OPTION, CONF_TITLED_SECTION, CONF_SECTION };

struct conf_unknown {
	char *name;
	bool in_section;
	enum conf_shape shape;
};

struct conf_unknowns {
	struct conf_unknown *v;
	size_t n;
};

bool conf_is_in(const char *const *words, const char *name);

/* "account", "defaults", "include". */
bool conf_is_keyword(const char *name);

bool conf_is_section(const char *name); /* that there is */

/* By the beginning of its name, since it may be misspelt: an option whose
 * value is for nobody to see. */
bool conf_may_be_secret(const char *name);

/* The entry, or NULL. Valid until the next is added. */
struct conf_unknown *conf_unknowns_find(
    const struct conf_unknowns *u, const char *name, bool in_section);
void conf_unknowns_add(
    struct conf_unknowns *u, const char *name, bool in_section);
void conf_unknowns_free(struct conf_unknowns *u);

/* Where a name stands. */
enum conf_inside { CONF_IN_NONE, CONF_IN_ACCOUNT, CONF_IN_OAUTH2 };

/* The names that may stand there. */
const char *const *conf_words_in(
    const struct conf_words *words, enum conf_inside in);

/* Complains about a name that is none, with what may be meant. */
void conf_complain_unknown(struct conf_report *r, struct conf_place at,
    const struct conf_words *words, const char *name, enum conf_inside in);

#endif
