/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_DELIVERER_H
#define MAILHAUL_PROC_DELIVERER_H

/*
 * The process that touches files: Maildirs and the ledger. It speaks with no
 * server. Its link to the supervisor is WIRE_FD. Returns the exit status of
 * the process.
 */
int deliverer_main(void);

#endif
