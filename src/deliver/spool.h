/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_SPOOL_H
#define MAILHAUL_DELIVER_SPOOL_H

/*
 * Files without a name, for messages on their way to a program or a server.
 * They are on the disk of the state directory and gone with their last
 * descriptor, whatever happens. What is in them need not be durable: a
 * message that was not handed on is fetched again.
 *
 * A few are kept and used again: ext4 makes new files ever more slowly the
 * more were removed in the last minutes.
 */

#include <stddef.h>

#include <stdint.h>

#include "util/err.h"

struct spool;

struct spool *spool_new(const char *dir);
void spool_free(struct spool **s); /* NULL is fine */

/* An empty one, for reading and writing, at its beginning; or -1 (*e is
 * ERR_DELIVER). The descriptor is the caller's. */
int spool_take(struct spool *s, struct err *e);

/* It is not needed any more, and closed or kept: kept only when nobody has
 * opened it besides, such as a program that still reads it. */
void spool_give(struct spool *s, int fd);

/* Another descriptor of it, only to read, at its beginning; or -1. */
int spool_reopen(int fd, struct err *e);

/* -1 unless it has that size. */
int spool_check(int fd, uint64_t octets, struct err *e);

#endif
