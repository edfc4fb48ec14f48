/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_MDA_QUEUE_H
#define MAILHAUL_DELIVER_MDA_QUEUE_H

/*
 * The messages of one account that wait for its program, and those it runs
 * for. They start in order of arrival, a few at a time; and so that a crash
 * repeats no more than these few, an accepted message keeps its place until
 * the owner says that it is recorded:
 *
 *	mda_queue_push() ... fn(MDA_ACCEPTED), record it, mda_queue_done()
 *
 * Every fn comes from the loop, and in it each function here may be called,
 * mda_queue_free() too.
 */

#include <stdbool.h>
#include <stddef.h>

#include "deliver/mda.h"
#include "io/loop.h"

struct mda_queue;

/* program is not ours, and is not copied. parallel: at least 1. */
struct mda_queue *mda_queue_new(struct loop *loop,
    const struct mda_program *program, unsigned int parallel);

/* Kills what runs and forgets what waits: no fn is called any more. */
void mda_queue_free(struct mda_queue **q);

/* fd is the queue's from now on, all strings are copied. fn is called once
 * (but see mda_queue_free()) as mda_start() would do. */
void mda_queue_push(
    struct mda_queue *q, const struct mda_mail *mail, mda_fn fn, void *arg);

/* One message that was accepted is recorded, or never will be. Exactly once
 * for each; inside its fn or later. */
void mda_queue_done(struct mda_queue *q);

/*
 * Runs no more. What waits, and what is pushed from now on, is answered
 * MDA_LATER with ERR_CANCEL in the next round of the loop; what runs may go on
 * for MDA_QUEUE_GRACE_MS, then is ended (see mda_stop()). stopped is called
 * from the loop, once, when nothing waits or runs any more; what was accepted
 * may still have to be recorded then.
 */
#define MDA_QUEUE_GRACE_MS 10000
void mda_queue_stop(struct mda_queue *q, loop_fn stopped, void *arg);

size_t mda_queue_waiting(const struct mda_queue *q); /* not started yet */

#endif
