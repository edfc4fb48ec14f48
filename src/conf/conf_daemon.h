/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_DAEMON_H
#define MAILHAUL_CONF_CONF_DAEMON_H

/* The options of the daemon as a whole: their kinds, their defaults, and
 * what to think about before it is started. */

#include "conf/conf.h"
#include "conf/conf_kind.h"

/* The socket of root's daemon. */
#define CONF_SYSTEM_CONTROL "/run/mailhaul/control"

CONF_KIND(conf_read_socket);  /* to a char *: the path of a socket */
CONF_KIND(conf_read_metrics); /* to a struct conf_server: on this host */

void conf_daemon_init(struct conf *c);

/* Once all global options are read: the defaults that depend on others. */
void conf_daemon_finish(struct conf *c);

/* Once all is read: fills c->warnings. path: of the file. */
void conf_daemon_warn(struct conf *c, const char *path);

#endif
