/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_TABLE_H
#define MAILHAUL_CONF_CONF_TABLE_H

/* libconfuse's tables of options, growing. Names are borrowed. */

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>

struct conf_table {   /* all 0: an empty one */
	cfg_opt_t *v; /* ends as libconfuse wants it, once there is one */
	size_t n;
};

void conf_table_add(struct conf_table *t, cfg_opt_t opt);

/* Any number of texts, each given to fn. */
void conf_table_add_option(
    struct conf_table *t, const char *name, cfg_callback_t fn);

/* Any number of sections; fn is called behind each. inside NULL: they are
 * empty. */
void conf_table_add_section(struct conf_table *t, const char *name,
    const struct conf_table *inside, bool titled, cfg_validate_callback_t fn);

void conf_table_free(struct conf_table *t);

#endif
