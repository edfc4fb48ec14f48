/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CONTROL_CLIENT_H
#define MAILHAUL_PROC_CONTROL_CLIENT_H

/* A command's end of the control socket: asks the daemon and waits. */

#include "io/loop.h"
#include "proc/control_wire.h"
#include "util/err.h"

struct control_client;

struct control_client_events { /* what is pointed to is borrowed; may be NULL */
	void (*daemon)(void *arg, const struct control_daemon *daemon);
	void (*account)(void *arg, const struct control_account *account);
	void (*progress)(
	    void *arg, const char *name, const struct fetch_progress *progress);
	void (*result)(
	    void *arg, const char *name, const struct fetch_result *result);
	bool quiet; /* lines for people go nowhere */
};

/* NULL: e->sys is ENOENT or ECONNREFUSED when no daemon runs. */
struct control_client *control_client_new(struct loop *loop, const char *path,
    const struct control_client_events *events, void *arg, struct err *e);
void control_client_free(struct control_client **c);

/*
 * Runs the loop until the answer is complete: the exit status. Lines for
 * people go to standard error and standard output. -1 when the daemon went
 * away or makes no sense.
 */
int control_client_ask(struct control_client *c, enum control_type verb,
    const char *const *names, size_t n, struct err *e);

#endif
