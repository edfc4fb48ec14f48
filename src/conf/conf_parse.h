/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_PARSE_H
#define MAILHAUL_CONF_CONF_PARSE_H

/*
 * Files to a conf_tree, by libconfuse, which only this module knows.
 *
 * libconfuse ends at the first option it does not know. So an unknown name
 * is added to its table and all is read again, until nothing new turns up;
 * then each place that uses such a name is an error with its own line. A
 * broken grammar still ends the file it is in.
 */

#include "conf/conf_names.h"
#include "conf/conf_report.h"
#include "conf/conf_tree.h"

/*
 * Fills *t from the files, which are one configuration, and *r with what is
 * wrong with the grammar, the names and the files. own: the tree is a user's,
 * who may take nobody else's file for it. libconfuse has globals: not from
 * two threads at a time.
 */
void conf_parse(struct conf_tree *t, const struct conf_list *files, bool own,
    const struct conf_words *words, struct conf_report *r);

#endif
