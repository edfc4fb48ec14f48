/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_STATE_LOCK_H
#define MAILHAUL_PROC_STATE_LOCK_H

/*
 * Who works on a state directory: one fetch or one daemon. A kernel lock, so
 * whoever died holds nothing; but a deliverer that outlives a killed
 * supervisor by the length of a sync does, and is waited for.
 */

#include "util/err.h"

/* Makes the directory when it is missing. The descriptor that holds the lock,
 * or -1; ERR_LOCKED: somebody else had it all the time. Waits up to five
 * seconds. */
int state_lock(const char *state_dir, struct err *e);

#endif
