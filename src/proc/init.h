/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_INIT_H
#define MAILHAUL_PROC_INIT_H

/*
 * In a container we may be process 1, the parent of every orphan of an MDA or
 * a password-command. Then the work is done in a child, and process 1 buries
 * the dead and hands signals on.
 */

/* Returns in the process that is to do the work: at once when we are not
 * process 1. The other one ends with that one's status. */
void init_step_aside(void);

#endif
