/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_LAUNCH_H
#define MAILHAUL_IO_LAUNCH_H

/* How the program of a struct child is started: the part of io/child.c that
 * is between us and exec. */

#include <stdbool.h>
#include <sys/types.h>

#include "io/child.h"
#include "util/err.h"

struct launched {
	pid_t pid;
	int report; /* to be closed; -1: none */
};

/*
 * Standard output and error are out and err, both above 2; they stay the
 * caller's. 0, or -1. With p->user what fails after this returned is known
 * when the process has ended: launch_has_failed() then says whether it was
 * the program at all.
 */
int launch(const struct child_params *p, int out, int err, struct launched *l,
    struct err *e);
bool launch_has_failed(const struct launched *l, struct err *e);

/* "cannot run NAME: ..."; -1. */
int launch_failed(struct err *e, const char *name, int why);

#endif
