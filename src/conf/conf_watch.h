/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_WATCH_H
#define MAILHAUL_CONF_CONF_WATCH_H

/* What the options about when and how to look for mail mean together. */

#include "conf/conf.h"
#include "conf/conf_kind.h"
#include "conf/conf_tree.h"

/* Once all options of *a are read. What is for IMAP alone is told if a POP3
 * account says it itself, and has no effect if it comes from defaults. */
void conf_watch_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a);

#endif
