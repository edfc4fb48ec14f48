/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_OAUTH_ERROR_H
#define MAILHAUL_PROTO_OAUTH_ERROR_H

/* What a provider refuses with (RFC 6749 5.2, RFC 8628 3.5, and what else they
 * say), in words for the user. */

#include "proto/oauth.h"

/* name, and more NULL: none was said. *e is filled, always. */
enum oauth_verdict oauth_refused(
    unsigned int status, const char *name, const char *more, struct err *e);

#endif
