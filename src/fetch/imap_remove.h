/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_REMOVE_H
#define MAILHAUL_FETCH_IMAP_REMOVE_H

/*
 * Removes delivered messages from the selected mailbox, and those alone (P4):
 * UID STORE \Deleted and UID EXPUNGE of our UIDs; without UIDPLUS a bare
 * EXPUNGE when nobody else's mail is marked. What an earlier run left is
 * compared with its fingerprint first.
 */

#include <stdbool.h>

#include "deliver/client.h"
#include "fetch/fetch.h"
#include "session/imap_session.h"

struct imap_remove;

/* It never calls back: after each event the owner asks imap_remove_idle().
 * verified is the owner's function for client_verify(), which hands on to
 * imap_remove_verified(). */
struct imap_remove *imap_remove_new(const struct fetch_params *params,
    struct imap_session *session, struct client_box *box, const char *mailbox,
    client_verify_fn verified);
void imap_remove_free(struct imap_remove **r);

/* owed is left from earlier runs. Moves the content out of *owed. */
void imap_remove_old(struct imap_remove *r, struct set *owed);

/* uid was delivered in this run. Removal happens in batches. */
void imap_remove_add(struct imap_remove *r, uint32_t uid);

/* No more will be added soon: do what there is. */
void imap_remove_flush(struct imap_remove *r);

/* Nothing is left to do, or it was given up (imap_remove_error()). */
bool imap_remove_idle(const struct imap_remove *r);

void imap_remove_verified(
    struct imap_remove *r, uint32_t uid, bool same, const struct err *e);

/* True when the event was for us. */
bool imap_remove_event(
    struct imap_remove *r, enum imap_event ev, const struct imap_info *info);

uint64_t imap_remove_count(const struct imap_remove *r); /* removed so far */
const struct err *imap_remove_error(const struct imap_remove *r);

#endif
