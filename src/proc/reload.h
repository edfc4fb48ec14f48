/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_RELOAD_H
#define MAILHAUL_PROC_RELOAD_H

/* Reads the configuration of a running daemon anew. What it says is logged,
 * too. */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

typedef void (*reload_say_fn)(void *arg, bool bad, const char *line);

/* Of the file of first, which is the configuration that the daemon was
 * started with. NULL when anything is wrong with it. */
struct conf *reload_read(
    const struct conf *first, reload_say_fn say, void *arg);

/* Logs what is worth thinking about. */
void reload_warn(const struct conf *conf);

/* What cannot be had without a restart. The names of the options that differ, "state-dir, metrics"; "" for none.
 * dst is returned. */
char *reload_fixed(
    const struct conf *old, const struct conf *new, char *dst, size_t size);

#endif
