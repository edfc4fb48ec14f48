/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CONTROL_H
#define MAILHAUL_PROC_CONTROL_H

/*
 * The daemon's end of the control socket: who may ask, what is asked, and the
 * answers. A peer has one request at a time. One that vanishes, does not read
 * its answers, says nothing for long or makes no sense is dropped; the others
 * do not notice.
 */

#include <stdint.h>

#include "io/listen.h"
#include "io/loop.h"
#include "proc/control_wire.h"

#define CONTROL_PEERS_MAX 32

struct control;
struct control_peer;

struct control_events { /* from the loop */
	/* To be answered, in the end by control_end(). request is borrowed. */
	void (*request)(void *arg, struct control_peer *peer,
	    const struct control_request *request);
	/* It left before its answer was complete: peer is no more. */
	void (*gone)(void *arg, struct control_peer *peer);
};

/* patience_ms: with who neither reads nor asks. */
struct control *control_new(struct loop *loop, unsigned int patience_ms,
    const struct control_events *events, void *arg);
void control_free(struct control **c); /* events->gone is not called */

/* Root, the user we are, and members of the group (-1: none). */
bool control_allows(const struct listen_peer *peer, uid_t us, int group);

/* Takes fd. Who is not allowed is told so. */
void control_add(struct control *c, int fd, bool allowed);

/* Answers. Text is made printable and may be cut. */
void control_say(struct control_peer *p, bool bad, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void control_tell_daemon(
    struct control_peer *p, const struct control_daemon *d);
void control_tell_account(
    struct control_peer *p, const struct control_account *a);
/* Not when it has fallen behind. */
void control_tell_progress(struct control_peer *p, const char *name,
    const struct fetch_progress *progress);
void control_tell_result(struct control_peer *p, const char *name,
    const struct fetch_result *result);
void control_end(struct control_peer *p, int status);

#endif
