/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_LOOK_H
#define MAILHAUL_FETCH_IMAP_LOOK_H

/*
 * Which messages of the selected mailbox exist and are not handled: by a
 * SEARCH, or without one when UIDNEXT and EXISTS tell enough.
 */

#include "fetch/found.h"
#include "session/imap_session.h"

struct imap_look {                /* zeroed is fine */
	uint32_t exists, uidnext; /* of the SELECT */
	struct set settled;       /* searched for in vain by earlier runs */
	uint32_t ticket;          /* of the SEARCH under way; 0: none */
	uint32_t from;            /* it goes from here ... */
	struct set gaps;          /* ... and over these */
	struct found found;
};

void imap_look_deinit(struct imap_look *l);

/* True: *found is filled, no SEARCH is needed. False: it is asked for. */
bool imap_look_begin(struct imap_look *l, struct imap *m,
    const struct set *handled, struct set *found);

/* Asks which of uids are there; they are moved out. */
void imap_look_again(struct imap_look *l, struct imap *m, struct set *uids);

/* IMAP_FOUND of the SEARCH. False when it finds too much to be true. */
bool imap_look_hear(struct imap_look *l, const struct imap_info *info);

/* It ended well: what exists, and what is to be settled as absent. */
void imap_look_done(struct imap_look *l, const struct set *handled,
    struct set *found, struct set *absent);

#endif
