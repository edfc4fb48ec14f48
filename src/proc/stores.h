/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_STORES_H
#define MAILHAUL_PROC_STORES_H

/*
 * What accounts ask of TLS (proc/trust.h), as sealed files in memory: read by
 * us, for an engine that opens no file, and kept for the next engine. Accounts
 * that ask the same share one. A file that has changed since is another store.
 */

#include <stddef.h>
#include <stdint.h>

#include "proc/trust.h"
#include "util/err.h"

struct stores;

struct stores_pair { /* of an account; 0: without TLS */
	uint32_t server, delivery;
};

struct stores *stores_new(void);
void stores_free(struct stores **s);

/* The number, from 1, of what that is now; a number that was not there before
 * is the last. -1: a file of it cannot be read. */
int stores_find(struct stores *s, const struct trust *trust, uint32_t *number,
    struct err *e);

/* stores_find() reads all anew, and does not rely on having just done so. */
void stores_reread(struct stores *s);

uint32_t stores_count(const struct stores *s);          /* the last number */
int stores_fd(const struct stores *s, uint32_t number); /* not to be closed */

#endif
