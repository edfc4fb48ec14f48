/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_LIST_H
#define MAILHAUL_CONF_CONF_LIST_H

/* What struct conf_list needs. */

#include "conf/conf.h"

void conf_list_add(struct conf_list *l, const char *s); /* copies */
void conf_list_copy(struct conf_list *to, const struct conf_list *from);
void conf_list_free(struct conf_list *l); /* wipes: it may be a password */

#endif
