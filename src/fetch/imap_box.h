/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_BOX_H
#define MAILHAUL_FETCH_IMAP_BOX_H

/*
 * One mailbox of an IMAP fetch: select it, ask the ledger, search, fetch
 * what is new with several commands in flight, remove what is to be removed.
 * All events of the session are given to it until it is done.
 */

#include "fetch/run.h"

struct imap_box;

/* Called once, from the loop. e NULL: all is well; a fault of
 * this mailbox or of messages: go on with the next; else: the fetch ends. */
typedef void (*imap_box_fn)(void *arg, const struct err *e);

struct imap_box *imap_box_new(struct fetch *f, struct imap_session *session,
    const char *mailbox, imap_box_fn fn, void *arg);
void imap_box_free(struct imap_box **b); /* also from inside fn */

void imap_box_event(
    struct imap_box *b, enum imap_event ev, const struct imap_info *info);

/* The session is no more: fn once what was given to the deliverer is
 * answered. */
void imap_box_stop(struct imap_box *b);

#endif
