/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_USER_KIND_H
#define MAILHAUL_CONF_CONF_USER_KIND_H

/* The kinds of values that are users and groups of this system. */

#include "conf/conf_kind.h"

CONF_KIND(conf_read_engine_user); /* to a char * */
CONF_KIND(conf_read_group);       /* to a char * */
CONF_KIND(conf_read_users);       /* to a struct conf_list; names need not be
                                     there: users come and go */
CONF_KIND(conf_read_run_as);      /* to a char *; and r->home */

#endif
