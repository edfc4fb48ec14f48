/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_ROUTE_H
#define MAILHAUL_CONF_CONF_ROUTE_H

/* The way to an account's server: a proxy, a tunnel, an address of ours. */

#include "conf/conf.h"
#include "conf/conf_kind.h"

CONF_KIND(conf_read_proxy);  /* to a struct conf_proxy */
CONF_KIND(conf_read_tunnel); /* to a struct conf_list: an argv */

/* As in conf_value.h: an address of IPv4 or IPv6, as digits. */
const char *conf_check_bind(const char *s);

/* Once all options are read: what does not go together. */
void conf_route_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a);

#endif
