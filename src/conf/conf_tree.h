/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_TREE_H
#define MAILHAUL_CONF_CONF_TREE_H

/*
 * A configuration file and all it includes as plain text: which options have
 * which values, and where they stand. conf_parse fills it, conf_read gives
 * it a meaning.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/conf_report.h"

struct conf_setting {
	char *name;
	struct conf_list values; /* at least one */
	struct conf_place at;
};

struct conf_section {
	char *title; /* NULL but for accounts and oauth2 */
	struct conf_place at;
	struct conf_setting *v;
	size_t n;
};

struct conf_source {
	char *path;
	bool others_may_read;
};

struct conf_tree {
	struct conf_source *files; /* in the order of opening */
	size_t n_files;
	struct conf_section global;
	struct conf_section defaults;
	bool has_defaults;
	struct conf_section *accounts;
	size_t n_accounts;
	struct conf_section *oauth2;
	size_t n_oauth2;
	bool own;    /* of a user who is not the administrator */
	char *home;  /* what "~" is; NULL: our own */
	bool broken; /* not read to its end: things may seem to be missing */
};

void conf_tree_init(struct conf_tree *t);
void conf_tree_deinit(struct conf_tree *t);       /* wipes all values */
void conf_section_deinit(struct conf_section *s); /* the same */

/* The setting of that name, or NULL. */
struct conf_setting *conf_section_get(
    const struct conf_section *s, const char *name);

/* One more value; the first of an assignment may not come twice. */
void conf_section_put(struct conf_section *s, const char *name,
    const char *value, struct conf_place at, bool first, struct conf_report *r);

/* Take what is in *s over, unless there is one already, which is told. */
void conf_tree_add_account(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r);
void conf_tree_add_oauth2(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r);
void conf_tree_add_defaults(
    struct conf_tree *t, struct conf_section *s, struct conf_report *r);

/* The oauth2 section of that title, or NULL. */
const struct conf_section *conf_tree_oauth2(
    const struct conf_tree *t, const char *title);

/* The number of the file in files[]; its path lives as long as *t. */
size_t conf_tree_add_file(
    struct conf_tree *t, const char *path, bool others_may_read);

#endif
