/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_BETRAY_H
#define MAILHAUL_PROTO_BETRAY_H

/*
 * Servers repeat what they did not understand: "-ERR unrecognised command:
 * PASS s3cr3t". Such a text is not for people or logs.
 */

#include <stdbool.h>

#include "util/secret.h"
#include "util/span.h"

/* Does text hold the secret, as it is, quoted (RFC 9051 4.3), in base64,
 * alone or within other octets, or in that of SASL PLAIN with user? Half of it, or 16 octets, are enough,
 * in any case of letters. secret NULL: no. */
bool betrays(struct span text, const char *user, const struct secret *secret);

#endif
