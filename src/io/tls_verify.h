/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_VERIFY_H
#define MAILHAUL_IO_TLS_VERIFY_H

/* Whether the server is who it should be, for the files of io/tls alone. */

#include <openssl/ssl.h>

#include "util/err.h"

struct tls;

/* Handshakes under ctx ask us; each SSL's application data is its struct tls,
 * which learns why a certificate was refused. */
void tls_verify_begin(SSL_CTX *ctx);

/* What must hold after a handshake, also of a session that was resumed,
 * checked once more in our own words, and what comes after the chain:
 * revocation by OCSP. t->known is filled. */
int tls_verify_end(struct tls *t, struct err *e);

void tls_verify_forget(struct tls *t); /* what a refusal keeps */

#endif
