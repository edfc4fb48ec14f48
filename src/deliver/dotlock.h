/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_DOTLOCK_H
#define MAILHAUL_DELIVER_DOTLOCK_H

/*
 * The lock of a mailbox that is a file beside it, PATH.lock, as Debian policy
 * 11.6 wants it: made under a name of its own and linked, so that it is safe
 * over NFS. It never waits.
 *
 * This is not liblockfile's lockfile_create(): where the directory is not for
 * us to write it forks a set-group-id program and waits for it, which without
 * new privileges cannot work and would be in the way of our own children; it
 * changes the umask of all threads; and it takes a process number for one of
 * this host, wherever it is from.
 *
 * A lock that is five minutes old, or that names a process of this host which
 * is gone or a zombie ("PID:HOST", as Dovecot and we write it), is nobody's.
 */

#include "util/err.h"

#define DOTLOCK_STALE_S 300

struct dotlock;

enum dotlock_result {
	DOTLOCK_TAKEN,
	DOTLOCK_BUSY,   /* somebody else has it */
	DOTLOCK_UNABLE, /* this directory lets us make none, ever */
	DOTLOCK_FAILED
};

/* The lock for the file with this path; *l is NULL and *e (ERR_DELIVER)
 * filled unless it is taken. */
enum dotlock_result dotlock_take(
    const char *path, struct dotlock **l, struct err *e);

/* Removes it if it is still ours. NULL is fine. */
void dotlock_release(struct dotlock **l);

#endif
