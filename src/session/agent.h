/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_AGENT_H
#define MAILHAUL_SESSION_AGENT_H

/*
 * Who answers the challenges of a login that cannot be made behind our walls:
 * GSSAPI opens files, and speaks with the realm's servers. It is a process at
 * the other end of a socket that somebody else makes, and goes with it. One
 * challenge after the other:
 *
 *	agent_ask(), and from the loop fn() with the answer; agent_free()
 */

#include <stdbool.h>

#include "io/loop.h"
#include "io/reach.h"
#include "util/err.h"
#include "util/span.h"

struct agent;

#define AGENT_WAIT_MS 60000 /* for one answer, the start among it */

/* The words on the socket (io/ipc.h). */
enum agent_word {
	AGENT_CHALLENGE = 1, /* to it: base64 */
	AGENT_RESPONSE,      /* from it: base64 */
	AGENT_LAST,          /* the same, and the mechanism has no more */
	AGENT_ERROR          /* kind, text: there is no response */
};

/* response is borrowed for the call. e: there is none, and nothing follows.
 * agent_free() inside it is fine. */
typedef void (*agent_fn)(
    void *arg, struct span response, bool last, const struct err *e);

/* way is not ours, and outlives the agent. */
struct agent *agent_new(
    struct loop *loop, struct reach_tunnel *way, agent_fn fn, void *arg);
void agent_free(struct agent **a); /* its process ends; NULL is fine */

/* Not before the one before was answered. It is copied. */
void agent_ask(struct agent *a, struct span challenge);

#endif
