/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_SECRET_H
#define MAILHAUL_CONF_SECRET_H

/*
 * An account's password from where the configuration says it is. What a
 * password-command prints comes from elsewhere: only its output is read here.
 */

#include "conf/conf.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

/*
 * From password, password-file, password-credential or password-netrc; never for an account
 * with a password-command. 0 and *out (the caller's own), or -1 with *e
 * (ERR_CONFIG).
 */
int conf_secret_read(
    const struct conf_account *a, struct secret **out, struct err *e);

/* The first line that a command has printed: option ("password-command") is
 * for errors. NULL and *e (ERR_CONFIG) when that is none. */
struct secret *conf_secret_of_output(
    struct span out, const char *option, struct err *e);

#endif
