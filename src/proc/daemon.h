/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_DAEMON_H
#define MAILHAUL_PROC_DAEMON_H

/*
 * "mailhaul run": the supervisor of a daemon. It reads the configuration and
 * the secrets, starts the team and keeps it alive, and does what signals, the
 * control socket and the service manager ask for. It never parses what a mail
 * server sent.
 */

#include "conf/conf.h"

struct daemon_options {
	unsigned int verbose; /* 1: info; 2: debug; 3: trace; 0: as set */
};

/* Until a signal ends it. Takes conf. The exit status, as in mailhaul(1). */
int daemon_run(struct conf *conf, const struct daemon_options *options);

#endif
