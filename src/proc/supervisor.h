/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SUPERVISOR_H
#define MAILHAUL_PROC_SUPERVISOR_H

/*
 * The process that reads the configuration and the secrets, starts the other
 * two, and tells the user. It never parses what a mail server sent.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

struct supervisor_options {
	bool quiet;           /* errors only */
	unsigned int verbose; /* 1: a line per message; 2: debug; 3: trace */
	bool exit_new;        /* 1 when all went well and nothing was new */
};

/* Fetches the named accounts (n == 0: all) once. The exit status, as in
 * mailhaul(1). */
int supervisor_fetch(struct conf *conf, const char *const *names, size_t n,
    const struct supervisor_options *options);

#endif
