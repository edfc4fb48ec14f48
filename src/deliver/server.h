/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_SERVER_H
#define MAILHAUL_DELIVER_SERVER_H

/*
 * The deliverer's work: opens tmp files for the engine, commits them in
 * groups (design: the commit order), keeps the ledger. The main thread
 * answers packets and opens files; one worker thread owns the ledger and
 * does everything that waits for a disk, so that a new group gathers while
 * the last one is being synced.
 *
 * What comes from the engine is not trusted: an unknown account, box or
 * token, a packet out of order or of the wrong shape ends that engine's link
 * (and is logged), never the deliverer.
 */

#include <stdint.h>

#include "deliver/target.h"
#include "io/loop.h"
#include "util/err.h"

struct server;

/* For who puts up walls around the process. Functions may be NULL. */
struct server_walls {
	/* Once for each directory that a crash left mail for, then with NULL:
	 * the ledger is open, and no thread was begun. */
	void (*owed)(void *arg, const char *dir);
	/* From the loop: a permission was missing. */
	void (*denied)(void *arg);
	void *arg;
};

/*
 * Opens the ledger and rolls forward what a crash left. NULL and *e when the
 * ledger cannot be used. Spool files are made in its directory; what goes to
 * mboxes lies in "spool" beside it. walls is copied; NULL: there are none.
 */
struct server *server_new(struct loop *loop, const char *ledger_path,
    const struct server_walls *walls, struct err *e);
void server_free(struct server **s); /* commits nothing more; flushes */

/* An account that the engine may deliver for: number is the name both sides
 * use; the target is copied. A Maildir is made when first needed. Tmp files
 * of ours without a journal row are removed then. */
void server_account(
    struct server *s, uint32_t number, const struct target *target);

/* An account that the engine has left, or will not come back to: what is under
 * way for it goes on. One that comes again under its number is forgotten
 * before. */
void server_forget(struct server *s, uint32_t number);

/* The link to an engine; an earlier one is dropped with its open letters. */
void server_attach(struct server *s, int fd);

/* Runs no more programs; what waits for one is answered ERR_CANCEL. The engine
 * is still heard, and files are still committed. */
void server_halt(struct server *s);

/* Calls fn from the loop when the group at work is done and the ledger is
 * flushed; letters still open are discarded. */
void server_stop(struct server *s, loop_fn fn, void *arg);

#endif
