/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_MEMBER_H
#define MAILHAUL_PROC_MEMBER_H

/*
 * A process of ours, kept running: started, heard, and reaped by the loop when
 * it has ended. With restarts another is started then, after a wait that
 * doubles from 100 ms to 30 s; who lived for a minute begins anew.
 *
 *	prepare, started, packet ..., ended, (a wait) prepare, started, ...
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/ipc.h"
#include "io/loop.h"
#include "io/user.h"
#include "util/err.h"

struct member;

#define MEMBER_END_MS 20000 /* to leave by itself; then it is killed */

struct member_params {
	const char *role;        /* not ours */
	const struct user *user; /* not ours; to become; NULL: as we are */
	int stderr_fd;           /* -1: ours */
	bool restarts;
	const char *moral; /* of an end that is for ever; NULL: what was
	                      delivered is safe */
};

/* All from the loop. member_free() inside of them is fine. */
struct member_events {
	/* Before each start: -1 and e is as if it had ended. May be NULL. */
	int (*prepare)(void *arg, struct err *e);
	/* What is said now is the first that it hears. */
	void (*started)(void *arg);
	/* Never NULL, never WIRE_REFUSE. */
	void (*packet)(void *arg, struct ipc_packet *packet);
	/* It is gone: ended, or was not started, or refused to work (then e
	 * has its words). ERR_NONE: it was dismissed, and left in order. */
	void (*ended)(void *arg, const struct err *e);
};

/* The first is started in the next round of the loop. */
struct member *member_new(struct loop *loop, const struct member_params *params,
    const struct member_events *events, void *arg);
/* Waits for its end, MEMBER_END_MS at most. NULL is fine. */
void member_free(struct member **m);
/* The same, but at most until then (clock_ms()); it is killed then. */
void member_free_by(struct member **m, uint64_t deadline);

/* NULL: it does not run, or is about to leave. */
struct ipc *member_link(const struct member *m);
unsigned int member_restarts(const struct member *m);

/* It leaves in order, and is not started again. True: ended follows; false:
 * none was running. */
bool member_dismiss(struct member *m);
/* It leaves in order (unless it did), and then the next one is started, without
 * a wait; also after member_dismiss(). */
void member_replace(struct member *m);
void member_kill(struct member *m);
void member_last(struct member *m); /* no other is started after it */

#endif
