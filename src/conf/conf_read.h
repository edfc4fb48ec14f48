/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_READ_H
#define MAILHAUL_CONF_CONF_READ_H

/*
 * What the options mean: a conf_tree to a struct conf, with every value
 * checked. All options, their ranges and most defaults stand in its tables.
 */

#include "conf/conf.h"
#include "conf/conf_parse.h"
#include "conf/conf_report.h"
#include "conf/conf_tree.h"

/* The names in the tables. Valid until the next call. */
struct conf_words conf_words(void);

/* Always a struct conf, for conf_free(); good only if *r is empty then. */
struct conf *conf_read(const struct conf_tree *t, struct conf_report *r);

#endif
