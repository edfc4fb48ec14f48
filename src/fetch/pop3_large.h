/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_POP3_LARGE_H
#define MAILHAUL_FETCH_POP3_LARGE_H

/*
 * With a max-size: what LIST says is larger is not retrieved; its header is
 * (TOP n 0), for a note or a stub (see fetch/large.h). Sizes are hints: what
 * turns out to be larger on its way is dropped, too. Without UIDL there is
 * nothing to know such a message by: it is passed over, each time anew.
 */

#include "fetch/pop3_run.h"

void pop3_large_init(struct pop3_run *r);
void pop3_large_deinit(struct pop3_run *r);

/* The sizes are there: what is too large leaves fresh. */
void pop3_large_sort(struct pop3_run *r);
void pop3_large_ask(struct pop3_run *r); /* for a header; may end the run */
bool pop3_large_idle(const struct pop3_run *r);

/* So many octets more of a message: true when that is too much, and it is
 * dropped. */
bool pop3_large_cuts(struct pop3_run *r, uint32_t number, size_t octets);

/* True when it was for us. */
bool pop3_large_body(
    struct pop3_run *r, enum pop3_event ev, const struct pop3_info *info);
bool pop3_large_done(struct pop3_run *r, const struct pop3_info *info);

/* Letters are to be had again, and a stub waits for one. */
void pop3_large_resume(struct pop3_run *r);

#endif
