/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_IMAP_WATCH_H
#define MAILHAUL_FETCH_IMAP_WATCH_H

/*
 * A session that waits for mail: by IDLE in the mailbox that is selected, by
 * NOTIFY for all of them, and by STATUS, now and then, for those nobody tells
 * of. It never fetches: it says which mailboxes are dirty, and the owner looks
 * at them and lets it wait again.
 */

#include "fetch/imap_names.h"
#include "fetch/run.h"

struct imap_watch;

enum imap_watch_says {
	IMAP_WATCH_WAITS,
	IMAP_WATCH_LOOK, /* mailboxes are dirty: look, then imap_watch_wait() */
	IMAP_WATCH_DONE  /* this server tells nothing: no need to stay */
};

/* From the loop; never WAITS. imap_watch_free() inside it is fine. */
typedef void (*imap_watch_fn)(void *arg, enum imap_watch_says says);

/* session and names are not ours and live longer. */
struct imap_watch *imap_watch_new(struct fetch *f, struct imap_session *session,
    struct imap_names *names, imap_watch_fn fn, void *arg);
void imap_watch_free(struct imap_watch **w);

/* All is looked at: wait. selected is the mailbox that is, or NULL. Tells the
 * fetch's owner that a round is over, unless there is more to do first. */
enum imap_watch_says imap_watch_wait(
    struct imap_watch *w, struct imap_name *selected);

/* Every event of the session that has one is shown here first; true: it was
 * the watch's own. */
bool imap_watch_event(
    struct imap_watch *w, enum imap_event ev, const struct imap_info *info);

/* A look at one mailbox is over: so many messages came of it. */
void imap_watch_looked(
    struct imap_watch *w, struct imap_name *name, uint64_t found);

void imap_watch_look(struct imap_watch *w);  /* all is dirty; LOOK follows */
void imap_watch_probe(struct imap_watch *w); /* does the server still live? */
/* A mailbox became dirty by the owner's doing. */
void imap_watch_ask(struct imap_watch *w);
/* The next look that nobody asked for is so soon. */
void imap_watch_safety(struct imap_watch *w, uint64_t s);
/* Nothing is asked of the server: see fetch_detach(). */
bool imap_watch_rests(const struct imap_watch *w);
bool imap_watch_waits(const struct imap_watch *w);
/* How long the IDLE that is under way has lasted; 0: none is. */
uint64_t imap_watch_idled_s(const struct imap_watch *w);

#endif
