/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CHECK_ONLINE_H
#define MAILHAUL_PROC_CHECK_ONLINE_H

/*
 * "mailhaul check --online" and "mailhaul list": an engine, and no deliverer,
 * looks at the servers of accounts, all at a time, and what it tells is shown
 * in the order of the configuration. Nothing is written, here or there, and a
 * daemon may run meanwhile. Whoever asks by hand means it: the breaker of
 * refused logins has no say.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

struct check_options {
	bool mailboxes; /* these alone: "list" */
	bool json;
	bool quiet;
	unsigned int verbose; /* as of a fetch */
};

/* Of the named accounts (n == 0: all). The exit status. */
int check_online(struct conf *conf, const char *const *names, size_t n,
    const struct check_options *options);

#endif
