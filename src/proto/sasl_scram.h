/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_SASL_SCRAM_H
#define MAILHAUL_PROTO_SASL_SCRAM_H

/*
 * What a server says in SCRAM (RFC 5802 7), looked at before GNU SASL does:
 * that obeys whatever number of iterations it is told, and has no words for
 * what the server says is wrong.
 */

#include <stdbool.h>

#include "util/err.h"
#include "util/span.h"

/*
 * So many iterations of PBKDF2 are computed at most. They stop everything
 * else meanwhile: a million of SHA-256 takes 0.75 s on a machine of 2020.
 * What is in use lies between 4096 (RFC 7677) and 600,000 (OWASP).
 */
#define SASL_SCRAM_ITERATIONS_MAX 1000000

/* The server's first message: *salt (base64) and the iterations. -1 and *e
 * (ERR_PROTO): it makes no sense or asks for too much. */
int sasl_scram_first(struct span message, struct span *salt,
    unsigned int *iterations, struct err *e);

/* Whether the final message is an error; then *e says which, and *unbound
 * whether it does not know our kind of channel binding. */
bool sasl_scram_failed(struct span message, struct err *e, bool *unbound);

#endif
