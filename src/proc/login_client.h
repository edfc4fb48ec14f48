/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LOGIN_CLIENT_H
#define MAILHAUL_PROC_LOGIN_CLIENT_H

#include "conf/conf.h"
#include "io/user.h"
#include "util/err.h"
#include "util/secret.h"

/* The client-secret of oauth2, wherever it is: 0 and *out, which is NULL for a
 * public client. A file that a user has named is read as owner, if that is not
 * NULL. Waits. */
int login_client_secret(const struct conf_oauth2 *oauth2,
    const struct user *owner, struct secret **out, struct err *e);

#endif
