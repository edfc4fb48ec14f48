/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SPAWN_H
#define MAILHAUL_PROC_SPAWN_H

/*
 * Our own processes. Each is this program started anew (fresh memory, fresh
 * address layout) with one descriptor to the supervisor, and its role as its
 * name, so that ps tells which is which; behind it stands whose it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "io/user.h"
#include "util/err.h"

#define SPAWN_ENGINE "mailhaul: engine"
#define SPAWN_DELIVERER "mailhaul: deliverer"
#define SPAWN_READER "mailhaul: reader"
#define SPAWN_CLERK "mailhaul: clerk"
#define SPAWN_SCOUT "mailhaul: scout"

/*
 * Starts role; *fd is the supervisor's end of the link. stderr_fd becomes its
 * standard error (-1: ours). user is who it becomes for good before it is
 * this program (NULL: as we are); it has no terminal then. The pid, or -1.
 *
 * What fails in the child is told by WIRE_REFUSE, and its status is not 0.
 */
pid_t spawn_role(const char *role, const struct user *user, int stderr_fd,
    int *fd, struct err *e);

/* In the child, first: top and pgrep show the role, too. */
void spawn_name(const char *role);

/* A descriptor that is readable when pid has ended, or -1. */
int spawn_watch(pid_t pid);

/* Waits until pid ends, at most ms, then kills it. False when it did not end
 * by itself with status 0; why is then filled with words. */
bool spawn_reap(pid_t pid, unsigned int ms, char *why, size_t size);

#endif
