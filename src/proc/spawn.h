/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SPAWN_H
#define MAILHAUL_PROC_SPAWN_H

/*
 * Our own processes. Each is this program started anew (fresh memory, fresh
 * address layout) with one descriptor to the supervisor, and its role as its
 * name, so that ps tells which is which.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/err.h"

#define SPAWN_ENGINE "mailhaul: engine"
#define SPAWN_DELIVERER "mailhaul: deliverer"

/*
 * Starts role; *fd is the supervisor's end of the link. stderr_fd becomes its
 * standard error (-1: ours). The pid, or -1.
 */
pid_t spawn_role(const char *role, int stderr_fd, int *fd, struct err *e);

/* In the child, first: top and pgrep show the role, too. */
void spawn_name(const char *role);

/* Waits until pid ends, at most ms, then kills it. False when it did not end
 * by itself with status 0; why is then filled with words. */
bool spawn_reap(pid_t pid, unsigned int ms, char *why, size_t size);

#endif
