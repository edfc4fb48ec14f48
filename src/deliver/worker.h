/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_WORKER_H
#define MAILHAUL_DELIVER_WORKER_H

/*
 * The thread that owns the ledger and waits for the disk. Jobs are done in
 * the order given, but for commits: those that wait when the last group ended
 * are the next group, and they only wait for what concerns their own account.
 * After a quiet moment the ledger is flushed, and Maildirs that are idle are
 * closed.
 */

#include <stddef.h>

#include "deliver/job.h"
#include "io/loop.h"
#include "ledger/ledger.h"
#include "util/err.h"

struct worker;

/* done is called from the loop with a list of finished jobs; what is left in
 * it after the call is freed. */
typedef void (*worker_fn)(void *arg, struct job_list *done);

/* Rolls forward what a crash left, then starts the thread. The ledger is the
 * worker's from now on, also on failure (NULL and *e); names are those of the
 * messages that will come, and not. spool: the Maildir for what goes to
 * mboxes, made when it is needed; NULL: there are none. */
struct worker *worker_new(struct loop *loop, struct ledger *ledger,
    const struct maildir_names *names, const char *spool, worker_fn done,
    void *arg, struct err *e);

/* Ends the group at work; commits that wait are discarded, all else is done.
 * Flushes and closes the ledger. done is not called any more. */
void worker_free(struct worker **w);

/* The job is the worker's until it comes back. */
void worker_push(struct worker *w, struct job *j);
size_t worker_waiting(const struct worker *w); /* octets in jobs, about */

/* As worker_free(), but without waiting: fn is called from the loop when
 * nothing is left to be done, after the last done. */
void worker_stop(struct worker *w, loop_fn fn, void *arg);

#endif
