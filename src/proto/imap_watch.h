/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_WATCH_H
#define MAILHAUL_PROTO_IMAP_WATCH_H

/*
 * How far an IDLE in flight has come (RFC 2177), and so when its DONE may be
 * said: behind the server's "+" and not before, at most once, and not at all
 * when the server ends it by itself. All zero: none is in flight.
 */

#include <stdbool.h>

#include "proto/imap_say.h"

struct imap_watch {
	unsigned int at; /* enum place in imap_watch.c */
	bool enough;     /* DONE is wanted */
};

void imap_watch_begin(struct imap_watch *w); /* IDLE was put out */

/* The server said "+". True when it tells of changes from now on: not the
 * second time, and not when DONE was wanted, which is said now. */
bool imap_watch_plus(struct imap_watch *w, struct imap_say *say);

/* Says DONE, or does so as soon as it may be said. */
void imap_watch_leave(struct imap_watch *w, struct imap_say *say);

void imap_watch_end(struct imap_watch *w); /* IDLE was answered */

bool imap_watch_is_asked(const struct imap_watch *w); /* "+" is awaited */
bool imap_watch_is_on(const struct imap_watch *w);    /* and not to be left */

#endif
