/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_DIR_H
#define MAILHAUL_CONF_CONF_DIR_H

/* Which files of a directory are a user's configuration. */

#include "conf/conf.h"

/* Appends the paths a shell's "*.conf" in dir would give, in the order of their
 * octets; none if there is no such directory. 0, or -1 and errno. */
int conf_dir_paths(struct conf_list *to, const char *dir);

#endif
