/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_POP3_WORK_H
#define MAILHAUL_FETCH_POP3_WORK_H

/*
 * The maildrop is listed, and the sets of the run are filled: compare what is
 * owed, retrieve, delete, quit, as far ahead of the answers as it goes.
 */

#include "fetch/pop3_run.h"

void pop3_work_begin(struct pop3_run *r);

/* POP3_BODY_*, and POP3_DONE of what was asked here. */
void pop3_work_body(
    struct pop3_run *r, enum pop3_event ev, struct pop3_info *info);
void pop3_work_done(struct pop3_run *r, const struct pop3_info *info);

/* A stub was delivered, or e: the message itself stays where it is. */
void pop3_work_stub(struct pop3_run *r, uint32_t number, const struct err *e);
/* LIST has ended. */
void pop3_work_sized(struct pop3_run *r);
/* The session was lost in the middle of a message, not for the first time. */
void pop3_work_note_suspect(struct pop3_run *r);
void pop3_work_letters_ready(void *run); /* client_ready_fn */

#endif
