/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_BODIES_H
#define MAILHAUL_FETCH_IMAP_BODIES_H

/*
 * The messages of a mailbox as they come: only what was asked for is kept, and
 * each but once; what becomes of each is heard here, too.
 */

#include "fetch/imap_box.h"

void imap_bodies_begin(struct imap_box *b, const struct imap_info *info);
void imap_bodies_data(struct imap_box *b, const struct imap_info *info);
void imap_bodies_end(struct imap_box *b, const struct imap_info *info);

/* What the intake said: pauses the session, lets it go on, or ends. */
void imap_bodies_follow(struct imap_box *b, enum intake_answer answer);

void imap_bodies_ready(void *arg); /* client_ready_fn */
/* letter_fn of a stub: the message itself stays where it is. */
void imap_bodies_stub(void *arg, uint32_t uid, bool known, const struct err *e);

#endif
