/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_REFRESH_H
#define MAILHAUL_PROC_REFRESH_H

/*
 * An access token for an account with oauth2: that on disk while it lasts, else
 * a new one for the refresh token there, which is saved before it is used. Of
 * all processes only one asks the provider at a time; the others wait for it
 * and take what it got.
 *
 * A provider that refuses is asked again after half a minute, after five, and
 * then once an hour, whatever is restarted meanwhile (sched/breaker.h), until
 * "mailhaul login" writes other tokens.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "io/loop.h"
#include "io/user.h"
#include "util/err.h"
#include "util/secret.h"

struct refresh;

#define REFRESH_HTTPS_MS 30000
#define REFRESH_LOCK_MS 30000 /* that another process may take */

struct refresh_params { /* all of it lives until fn or refresh_cancel() */
	const struct conf_account *account; /* with secret.oauth2 */
	const char *state_dir;
	const struct user *user;  /* who asks the provider; NULL: as we are */
	const struct user *owner; /* who reads client-secret-file; or NULL */
	const struct secret *refused; /* not this one; or NULL */
	bool anew; /* the user says so: refusals before do not count */
};

/*
 * Once, from the loop; the refresh is freed when it returns. access is the
 * callee's; NULL and e when there is none. It is good for a while, but after
 * again_s seconds another is to be had (0: when it is refused).
 */
typedef void (*refresh_fn)(
    void *arg, struct secret *access, uint64_t again_s, const struct err *e);

struct refresh *refresh_get(struct loop *loop,
    const struct refresh_params *params, refresh_fn fn, void *arg);

/* fn is not called; NULL is fine. When the provider was asked his answer is
 * still saved: he may have taken back the token that we have. */
void refresh_cancel(struct refresh **r);

/* Before a loop is freed, and after all else of it: waits some seconds for the
 * answers to what was cancelled. */
void refresh_settle(struct loop *loop);

#endif
