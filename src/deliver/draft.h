/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_DRAFT_H
#define MAILHAUL_DELIVER_DRAFT_H

/*
 * A message on its way into a descriptor: line ends are converted, the
 * fingerprint is taken, and the octets are written in large pieces. The
 * pieces are gathered on a desk, one for all drafts, so memory does not grow
 * with their number: when another draft wants the desk, what lies there is
 * written first. A failure to write is the draft's own and stays with it.
 */

#include <stdint.h>

#include "io/digest.h"
#include "util/err.h"
#include "util/span.h"

struct desk;
struct draft;

struct desk *desk_new(void);
void desk_free(struct desk **d); /* after its drafts */

/* fd becomes the draft's. */
struct draft *draft_new(struct desk *desk, int fd);
void draft_free(struct draft **d); /* closes fd; NULL is fine */

/* 0, or -1 with *e: nothing more will be written. */
int draft_write(struct draft *d, struct span octets, struct err *e);
uint64_t draft_octets(const struct draft *d); /* given to draft_write() */

/* All octets are there: writes what is left and closes fd. *octets is the
 * size of the file. After it the draft can only be freed. */
int draft_finish(struct draft *d, uint64_t *octets, struct digest *fingerprint,
    struct err *e);

#endif
