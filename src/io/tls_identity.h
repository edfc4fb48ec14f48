/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_IDENTITY_H
#define MAILHAUL_IO_TLS_IDENTITY_H

/* PEM text into OpenSSL, for io/tls_ctx.c alone: whom we trust, what was
 * revoked, and who we are. */

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stddef.h>

#include "io/tls_rules.h"
#include "util/err.h"

/* Adds each certificate that can be read; how many there were. */
size_t tls_identity_trust(X509_STORE *store, struct span pem);

/* rules->crl, which must have one at least, and no nonsense. */
int tls_identity_revoked(
    X509_STORE *store, const struct tls_rules *rules, struct err *e);

/* rules->cert and rules->key, if there are any. */
int tls_identity_own(
    SSL_CTX *ctx, const struct tls_rules *rules, struct err *e);

#endif
