/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_POST_H
#define MAILHAUL_DELIVER_POST_H

/*
 * The engine's packets to the deliverer, in the order of the calls. Commits
 * and discards are gathered and go together, when post_gathered() is called
 * or before any other packet. A line that was cut swallows everything.
 */

#include <stdbool.h>
#include <stdint.h>

#include "deliver/wire.h"
#include "io/ipc.h"
#include "util/buf.h"

struct post {
	struct ipc *ipc;    /* NULL: cut */
	struct buf out;     /* the packet being made */
	struct buf commits; /* gathered */
	uint32_t discards[WIRE_FILES_MAX];
	size_t n_discards;
};

void post_init(struct post *p, struct ipc *ipc);
void post_deinit(struct post *p); /* what is gathered still goes */
void post_cut(struct post *p);

/* An empty packet to be filled; then post_send(). */
struct buf *post_packet(struct post *p);
void post_send(struct post *p, enum wire_type type);
void post_number(struct post *p, enum wire_type type, uint32_t number);
/* Octets that are a packet already. */
void post_raw(struct post *p, enum wire_type type, struct span payload);

void post_commit(struct post *p, const struct wire_commit *c);
void post_discard(struct post *p, uint32_t token);
void post_gathered(struct post *p);

#endif
