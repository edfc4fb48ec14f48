/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_INCLUDE_H
#define MAILHAUL_CONF_CONF_INCLUDE_H

/* Which files include("...") means. */

#include "conf/conf.h"
#include "conf/conf_report.h"

/*
 * Appends the paths to *to, sorted if it is a pattern (which may match
 * nothing). "~" is expanded, and a relative one is beside the file that
 * includes it, which is at.path. What cannot be done is told.
 */
void conf_include_paths(struct conf_list *to, const char *wanted,
    struct conf_place at, struct conf_report *r);

#endif
