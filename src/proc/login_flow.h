/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_FLOW_H
#define MAILHAUL_PROC_LOGIN_FLOW_H

/* What the ways to log in have in common: whom they ask, and how they end. */

#include "conf/conf.h"
#include "io/https.h"
#include "io/loop.h"
#include "io/user.h"
#include "proto/oauth.h"
#include "util/buf.h"
#include "util/err.h"

struct login_flow { /* not ours, all of it */
	struct loop *loop;
	const struct conf_account *account;
	const struct conf_oauth2 *provider;
	struct oauth_client client;
	const struct user *user; /* who asks the provider; NULL: as we are */
	/* Once, from the loop; the way may be freed inside. tokens are NULL, or
	 * the callee's to deinit; else e says why there are none. */
	void (*done)(
	    void *arg, struct oauth_tokens *tokens, const struct err *e);
	void *arg;
};

/* So long a browser may take until it is given up. */
#define LOGIN_FLOW_WAIT_MS ((uint64_t)15 * 60 * 1000)

/* Posts form, which is wiped, to a URL of the provider's. */
struct https *login_flow_post(const struct login_flow *flow, const char *url,
    struct buf *form, https_fn fn, void *arg);

#endif
