/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_ENGINE_H
#define MAILHAUL_PROC_ENGINE_H

/*
 * The process that speaks with servers: one loop, all accounts. It has no
 * path, opens no file and starts no program; what it knows came over its
 * link to the supervisor (WIRE_FD), what it writes goes to descriptors that
 * the deliverer passed to it. Returns the exit status of the process.
 */
int engine_main(void);

#endif
