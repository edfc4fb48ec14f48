/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_LOCAL_H
#define MAILHAUL_DELIVER_LOCAL_H

/*
 * A connection to a server on this host by the path of its socket, for the
 * engine, which may name no path. It never waits.
 */

#include "util/err.h"

/* Non-blocking and close-on-exec; or -1 and *e (ERR_DELIVER). */
int local_dial(const char *path, struct err *e);

#endif
