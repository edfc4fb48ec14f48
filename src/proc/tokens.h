/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TOKENS_H
#define MAILHAUL_PROC_TOKENS_H

/*
 * The tokens of an account on disk: one file of JSON in "tokens/" of the state
 * directory, 0600, written anew beside it, synced and renamed. Whoever has got
 * new tokens saves them before he uses any: a refresh token that was replaced
 * (rotation) is good for nothing.
 *
 * Those of a user's own account lie there, too, and belong to who the state
 * directory belongs to: nothing of this is opened where a user may write.
 *
 * A lock per account (OFD, on a file beside) keeps two of us from using one
 * refresh token at the same time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sched/breaker.h"
#include "util/err.h"
#include "util/secret.h"

struct tokens {
	struct secret *access;  /* NULL: none yet */
	struct secret *refresh; /* NULL: it cannot be refreshed */
	int64_t expires;        /* Unix seconds; 0: not known */
	int64_t obtained;       /* Unix seconds; 0: tokens_write() says now */
	char *client;           /* the client-id they were given to */
	char *token_url;        /* and by whom: for others they are no good */
	struct breaker breaker; /* the provider refused to refresh them */
	char *why;              /* with these words; or NULL */
};

/* 1: read; 0: there is no such file; -1 and *e. */
int tokens_read(const char *state_dir, const char *account, struct tokens *out,
    struct err *e);
/* Durable when it returns 0. What was wrong before (why, breaker) is written
 * as it stands there: after a login both are empty. */
int tokens_write(const char *state_dir, const char *account,
    const struct tokens *t, struct err *e);
void tokens_deinit(struct tokens *t); /* wipes */

/* Waits for nobody: the descriptor, or -1: another holds it (e->sys EAGAIN), or
 * it cannot be made. close() lets it go. */
int tokens_lock(const char *state_dir, const char *account, struct err *e);

#endif
