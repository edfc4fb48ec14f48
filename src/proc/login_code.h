/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_CODE_H
#define MAILHAUL_PROC_LOGIN_CODE_H

/*
 * The authorization code grant with PKCE (RFC 6749 4.1, 7636): a browser is
 * sent to the provider and comes back to a port of its own machine (RFC 8252
 * 7.3). There we listen, or the URL of the page that it fails to load is
 * pasted here.
 */

#include "proc/login_flow.h"

struct login_code;

/* flow must live as long. redirect NULL: such a port; else listen is false. NULL
 * and e when no port can be had. */
struct login_code *login_code_new(const struct login_flow *flow, bool listen,
    const char *redirect, struct err *e);
void login_code_free(struct login_code **c); /* done is not called */

#endif
