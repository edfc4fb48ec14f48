/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_LARGE_H
#define MAILHAUL_FETCH_IMAP_LARGE_H

/*
 * With a max-size: the sizes of messages are asked for before their bodies.
 * Those that are larger never come; their headers do, for a note or a stub
 * (see fetch/large.h). A size is a hint: what is announced with a body counts
 * too.
 */

#include "fetch/large.h"
#include "session/imap_session.h"

struct imap_large;

struct imap_large *imap_large_new(const struct fetch_params *params,
    struct imap_session *session, struct intake *intake, const char *mailbox,
    letter_fn stub_delivered);
void imap_large_free(struct imap_large **l); /* NULL is fine */

/* Takes all of *todo but those of full, and asks. */
void imap_large_sort(
    struct imap_large *l, struct set *todo, const struct set *full);
/* Adds to *todo what is not too large, as far as it is known. */
void imap_large_take(struct imap_large *l, struct set *todo);
bool imap_large_idle(const struct imap_large *l); /* nothing is to come */

/* A body of so many octets was announced: may it come? When it may not, it
 * is to be treated as the others are that are too large. */
bool imap_large_allows(
    const struct imap_large *l, uint32_t uid, uint64_t octets);
void imap_large_add(struct imap_large *l, uint32_t uid);

/* True when the event was for us; *answer is that of the intake. */
bool imap_large_event(struct imap_large *l, enum imap_event ev,
    const struct imap_info *info, enum intake_answer *answer);
/* A stub waits for a letter, and there may be one now. */
bool imap_large_waits(const struct imap_large *l);
enum intake_answer imap_large_resume(struct imap_large *l);

const struct err *imap_large_error(const struct imap_large *l);

#endif
