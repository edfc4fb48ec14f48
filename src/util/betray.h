/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_BETRAY_H
#define MAILHAUL_UTIL_BETRAY_H

/*
 * Servers, proxies and providers repeat what they did not understand: "-ERR
 * unrecognised command: PASS s3cr3t". Such a text is not for people or logs.
 */

#include <stdbool.h>

#include "util/secret.h"
#include "util/span.h"

/* Does text hold the secret, as it is, quoted (RFC 9051 4.3), in base64,
 * alone or within other octets, or in that of SASL PLAIN with user, as in a
 * URL (RFC 3986 2.1), or in hex? Half of it, or 16 octets, are enough, in any
 * case of letters. secret NULL: no. */
bool betrays(struct span text, const char *user, const struct secret *secret);

#endif
