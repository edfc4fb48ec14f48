/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_OPTIONS_H
#define MAILHAUL_CONF_CONF_OPTIONS_H

/* The options there are: names, kinds and ranges. Their defaults are in
 * conf_account.c and conf_daemon.c, and mailhaul.conf(5) has them all. */

#include <stddef.h>

#include "conf/conf.h"
#include "conf/conf_kind.h"

struct conf_options {
	const struct conf_option *v;
	size_t n;
};

/* In the order in which they must be read. */
struct conf_options conf_global_options(void);  /* of struct conf */
struct conf_options conf_account_options(void); /* of struct conf_account */

const char *conf_auth_name(enum conf_auth auth); /* as it is written */

#endif
