/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_LINK_H
#define MAILHAUL_DELIVER_LINK_H

/*
 * The deliverer's end of the line to one engine: reads its packets, opens
 * files for it, turns the rest into jobs, and sends the answers. It trusts
 * nothing it hears: one wrong packet ends the link. Letters that are open
 * then are removed; commits that were asked for go on without it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/job.h"
#include "deliver/opener.h"
#include "deliver/outlet.h"
#include "deliver/roster.h"
#include "deliver/worker.h"
#include "io/loop.h"

struct link;

struct link_env { /* the server's, for all links one after the other */
	struct loop *loop;
	struct worker *worker;
	struct outlet *outlet;
	struct roster accounts;
	struct opener_room room;
	uint64_t serial; /* of the last link */
};

/* fd is the link's; gone is called from the loop when the engine has gone or
 * was cut off, and has to call link_free(). */
struct link *link_new(struct link_env *env, int fd, loop_fn gone, void *arg);
void link_free(struct link **l); /* NULL is fine */

/* A job of this link is done. A letter is answered at the next
 * link_answered(), which comes after each lot of jobs. */
bool link_is_its(const struct link *l, const struct job *j);
void link_answer(struct link *l, struct job *j);
void link_answered(struct link *l);

/* Hears nothing more, and drops the letters that are open. */
void link_deafen(struct link *l);

#endif
