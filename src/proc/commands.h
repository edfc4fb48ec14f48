/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_COMMANDS_H
#define MAILHAUL_PROC_COMMANDS_H

/* The commands that talk to a running daemon, by its socket. Each returns the
 * exit status, as in mailhaul(1). */

#include <stdbool.h>
#include <stddef.h>

#include "proc/control_wire.h"
#include "proc/supervisor.h"

/* No names: all accounts. watch: again and again, until interrupted. */
int command_status(const char *control, const char *const *names, size_t n,
    bool json, bool watch);

/* CONTROL_POLL, CONTROL_PAUSE, CONTROL_RESUME or CONTROL_RELOAD. */
int command_order(const char *control, enum control_type verb,
    const char *const *names, size_t n);

/* Has the daemon look at an account now. Says nothing: there may be none. */
void command_nudge(const char *control, const char *name);

/* Has the daemon try an account that can log in now, unless it was paused. True
 * when one heard it; says nothing else. */
bool command_revive(const char *control, const char *name);

/* As supervisor_fetch(), by the daemon. -1: none runs. */
int command_fetch(const char *control, const char *const *names, size_t n,
    const struct supervisor_options *options);

#endif
