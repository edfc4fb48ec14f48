/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_USER_STATE_H
#define MAILHAUL_PROC_USER_STATE_H

/*
 * Where a user's ledger lies when mail is delivered as that user: in
 * "<state_dir>/users/<name>", which is his and nobody else's. It is made by
 * root, in a directory that only root may change; no link is followed, and
 * nothing in the user's directory is ever opened by us.
 */

#include "io/user.h"
#include "util/err.h"

/*
 * Makes what is missing and lets the user pass through state_dir. *ledger is
 * the path of his ledger; the caller frees it. The descriptor that holds the
 * lock on it (beside his directory: he cannot touch it), or -1 and e; it is
 * ERR_LOCKED when another process works on it.
 */
int user_state_open(const char *state_dir, const struct user *user,
    char **ledger, struct err *e);

#endif
