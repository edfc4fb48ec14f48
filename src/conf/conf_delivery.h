/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_DELIVERY_H
#define MAILHAUL_CONF_CONF_DELIVERY_H

/*
 * What the options of delivery mean together: which destination an account
 * has, what belongs to it, and the defaults that depend on it.
 */

#include "conf/conf.h"
#include "conf/conf_kind.h"
#include "conf/conf_tree.h"

/* The options that name a destination, in the order of enum conf_way. */
extern const char *const conf_destinations[];

/* Once all options of *a are read, its own and those from defaults. What does
 * not go together is told if the account says it itself, and has no effect if
 * it comes from defaults. */
void conf_delivery_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a);

#endif
