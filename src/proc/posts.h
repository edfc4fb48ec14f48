/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_POSTS_H
#define MAILHAUL_PROC_POSTS_H

/*
 * The deliverers of a team, one for each user, by the number that the engine
 * knows them by.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proc/team_deliverer.h"
#include "proc/team_engine.h"

struct post {
	void *owner;     /* not ours */
	uint32_t number; /* its place */
	struct team_deliverer *deliverer;
	bool linked;   /* to the engine that runs */
	bool retired;  /* nobody needs it: it is about to end */
	bool outgrown; /* it is to be replaced by one with more rights */
};

struct posts {           /* zeroed is empty */
	struct post **v; /* NULL: free */
	uint32_t n;
};

/* Ends all of them at a time, and waits for it until then (clock_ms()). */
void posts_deinit(struct posts *p, uint64_t deadline);

struct post *posts_find(const struct posts *p, const char *user); /* or NULL */
/* NULL when there is no such user. The events get the post. */
struct post *posts_add(struct posts *p, struct loop *loop, void *owner,
    const struct team_deliverer_params *params,
    const struct team_deliverer_events *events, struct err *e);
void posts_remove(struct posts *p, struct post *post); /* waits for its end */

/* When both are there and do not know each other yet. -1: not for now. */
int post_link(struct post *p, struct team_engine *engine, struct err *e);
void post_unlink(struct post *p, struct team_engine *engine);

#endif
