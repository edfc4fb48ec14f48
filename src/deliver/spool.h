/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_SPOOL_H
#define MAILHAUL_DELIVER_SPOOL_H

/*
 * Files without a name, for messages on their way to a program or a server.
 * They are on the disk of the state directory and gone with their last
 * descriptor, whatever happens. What is in them need not be durable: a
 * message that was not handed on is fetched again.
 */

#include "util/err.h"

/* A new one in the directory dir, for reading and writing; or -1 (*e is
 * ERR_DELIVER). */
int spool_open(const char *dir, struct err *e);

/* Another descriptor of it, only to read, at its beginning; or -1. */
int spool_reopen(int fd, struct err *e);

#endif
