/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_DELIVERY_KIND_H
#define MAILHAUL_CONF_CONF_DELIVERY_KIND_H

/* The kinds of values that options of delivery have. */

#include "conf/conf_kind.h"

CONF_KIND(conf_read_mda);       /* to a struct conf_list: an argv */
CONF_KIND(conf_read_exits);     /* to a uint8_t[256], over what is there */
CONF_KIND(conf_read_server);    /* to a struct conf_server */
CONF_KIND(conf_read_addresses); /* to a struct conf_list */
CONF_KIND(conf_read_trace);     /* to a struct conf_account: its trace_... */

/* What is said to it does not leave this host. */
bool conf_server_is_here(const struct conf_server *s);

#endif
