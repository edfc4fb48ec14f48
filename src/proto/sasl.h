/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_SASL_H
#define MAILHAUL_PROTO_SASL_H

/*
 * A SASL exchange (RFC 4422) as base64 lines in and out, by GNU SASL. Used
 * by the IMAP and the POP3 machine alike. No I/O.
 */

#include <stdbool.h>

#include "util/buf.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

struct sasl;

/* NULL and *e (ERR_CONFIG) when the mechanism is not known, or cannot carry
 * the secret (a NUL in it). Copies all. */
struct sasl *sasl_new(const char *mechanism, const char *user,
    const struct secret *secret, struct err *e);
void sasl_free(struct sasl **s); /* wipes; NULL is fine */

bool sasl_client_first(const struct sasl *s); /* has an initial response */

/*
 * Answers a challenge (base64, may be empty) with a response (base64, may be
 * empty) added to *out. 0, or -1 and *e (ERR_PROTO: the challenge was
 * garbage): then the exchange is to be cancelled with "*". The challenge before
 * an initial response says nothing, so whatever stands there is not looked at.
 */
int sasl_step(
    struct sasl *s, struct span challenge, struct buf *out, struct err *e);

#endif
