/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_PULSE_H
#define MAILHAUL_PROC_PULSE_H

/*
 * Whether the engine's loop goes round: it is asked again and again, and one
 * that does not answer for long is killed, to be started anew. A supervisor
 * that was itself asleep takes no silence for one.
 */

#include "io/loop.h"
#include "proc/team.h"

struct pulse;

struct pulse_params {
	uint64_t every_ms;    /* it is asked */
	uint64_t patience_ms; /* with an answer */
};

/* For a service manager that kills us after watchdog_ms of silence (0: there
 * is none): in time for another engine before that. */
struct pulse_params pulse_params_for(uint64_t watchdog_ms);

/* alive is called, from the loop, for each answer. */
struct pulse *pulse_new(struct loop *loop, struct team *team,
    const struct pulse_params *params, loop_fn alive, void *arg);
void pulse_free(struct pulse **p);

void pulse_on_pong(struct pulse *p);

#endif
