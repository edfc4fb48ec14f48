/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_STANDING_H
#define MAILHAUL_PROC_STANDING_H

/* What the service manager is told of the daemon: when it is ready, and in
 * one line how its accounts are. */

#include "io/loop.h"
#include "proc/rolls.h"

struct standing;

struct standing *standing_new(struct loop *loop, const struct rolls *rolls);
void standing_free(struct standing **s);

/* An account changed: is the daemon ready? What changes often is told once a
 * second. */
void standing_changed(struct standing *s);
void standing_reloading(struct standing *s);
void standing_reloaded(struct standing *s);
void standing_stopping(struct standing *s);
void standing_alive(void *s); /* a loop_fn: for the watchdog */

#endif
