/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_SASL_DIGEST_H
#define MAILHAUL_PROTO_SASL_DIGEST_H

/*
 * Digests of passwords that GNU SASL does not make: of any octets, where it
 * would take UTF-8 alone. By Nettle.
 */

#include <stdbool.h>

#include "util/buf.h"
#include "util/span.h"

#define SASL_DIGEST_MAX 32 /* octets of the longest: SHA-256 */

/* RFC 2195 2: the user, a blank and HMAC-MD5 in hexadecimal digits. -1: *out
 * is full. */
int sasl_digest_cram(struct buf *out, struct span user, struct span password,
    struct span challenge);

/* RFC 1939 7: MD5 of the timestamp, with its brackets, and the password. */
int sasl_digest_apop(
    struct buf *out, struct span timestamp, struct span password);

/* SaltedPassword of RFC 5802 3 in hexadecimal digits; sha_256, or SHA-1. */
int sasl_digest_salted(struct buf *out, bool sha_256, struct span password,
    struct span salt, unsigned int iterations);

#endif
