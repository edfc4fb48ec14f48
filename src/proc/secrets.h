/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SECRETS_H
#define MAILHAUL_PROC_SECRETS_H

/* Where an account says its secret is, it is fetched from: file, credential,
 * literal, a command with a deadline, or the provider of its tokens (see
 * proc/refresh.h), none of which delays anybody else. Of an account that is a
 * user's own, as that user. */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "io/loop.h"
#include "proc/turns.h"

struct secrets_wait;

#define SECRETS_COMMAND_MS 60000

struct secrets_params { /* not ours: it all lives until fn is called, but
                           refused, which is copied */
	const struct conf_account *account;
	const char *state_dir; /* where tokens are kept */
	const char *user;      /* who asks for tokens when we are root, and
	                          the account nobody's own; NULL: as we are */
	const struct secret *refused; /* there must be another; or NULL */
	bool anew;                    /* the user says so: whatever was
	                                 refused is tried again */
	/* Set before fn is called: after so many seconds it must be asked for
	 * again. 0: when it was refused. NULL: whoever asks will not. */
	uint64_t *again_s;
};

/* secret is the callee's; NULL and e when there is none. From the loop. */
typedef void (*secrets_fn)(
    void *arg, struct secret *secret, const struct err *e);

/* A command is run, a file of a user's own read, and a provider asked, by a
 * process. */
bool secrets_need_process(const struct conf_account *account);
/* For that process. NULL: not now. */
struct turn *secrets_turn(
    struct turns *turns, const struct conf_account *account);

struct secrets_wait *secrets_get(struct loop *loop,
    const struct secrets_params *params, secrets_fn fn, void *arg);

/* It is a token, for some time only. */
bool secrets_are_tokens(const struct conf_account *account);
void secrets_cancel(struct secrets_wait **w); /* fn is not called */

#endif
