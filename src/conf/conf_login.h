/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_LOGIN_H
#define MAILHAUL_CONF_CONF_LOGIN_H

/* How to log in, and where the password or token for it comes from. */

#include "conf/conf.h"
#include "conf/conf_kind.h"

/* The options that are such a source, ending in NULL: a section has one. */
extern const char *const conf_sources[];

CONF_KIND(conf_read_netrc);      /* a boolean, to a char *: the default path */
CONF_KIND(conf_read_netrc_file); /* to the same char *, if it is set */

/* Once all options are read: what does not go together. own is the account's
 * section. */
void conf_login_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a);

#endif
