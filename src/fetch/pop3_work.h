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

void pop3_work_letters_ready(void *run); /* client_ready_fn */

#endif
