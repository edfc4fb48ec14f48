/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_NEEDS_H
#define MAILHAUL_PROC_NEEDS_H

/*
 * What a deliverer must be allowed for its accounts. It gets walls around
 * that when it starts, and they can only be made narrower: who needs more is
 * started again. Needs grow only, so that two accounts that come and go do
 * not have it started at each change.
 */

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "util/buf.h"

struct needs_place {
	char *path; /* a directory */
	bool make;  /* if it is missing */
};

struct needs {           /* zeroed is none */
	bool privileges; /* a program may gain some */
	bool programs;   /* then there are no walls: what they need is theirs */
	bool sockets;    /* to reach a local server */
	struct needs_place *places;
	size_t n;
};

void needs_add(struct needs *needs, const struct conf_account *a);
void needs_deinit(struct needs *needs);

/* The first so many places from *at on that fit into one packet; *at is then
 * behind them. False: none was left. */
bool needs_pack_places(const struct needs *needs, size_t *at, struct buf *b);

#endif
