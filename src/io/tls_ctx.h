/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_CTX_H
#define MAILHAUL_IO_TLS_CTX_H

/*
 * What TLS sessions under the same rules have in common. All that it needs is
 * read when it is made, and no file is opened afterwards.
 */

#include "io/tls_rules.h"
#include "util/err.h"
#include "util/span.h"

struct tls_ctx;

/* Reads what would otherwise be opened later (openssl.cnf, the time zone). A
 * process calls this before it is sandboxed; more than once does nothing. */
void tls_prepare(void);

/* NULL and *e (ERR_CONFIG, naming the option) when the rules cannot be kept:
 * nothing to trust, a key that belongs to another certificate, a word that is
 * no cipher. rules is not needed afterwards. */
struct tls_ctx *tls_ctx_new(const struct tls_rules *rules, struct err *e);
/* The same, sharing the trusted certificates of other, which are those of the
 * rules (tls_ctx_trusts()): those of a system take more than a megabyte. */
struct tls_ctx *tls_ctx_new_beside(
    const struct tls_ctx *other, const struct tls_rules *rules, struct err *e);
bool tls_ctx_trusts(const struct tls_ctx *ctx, const struct tls_rules *rules);
/* The chain, trusting the certificates in this PEM text. */
struct tls_ctx *tls_ctx_new_pem(struct span pem, struct err *e);
void tls_ctx_free(struct tls_ctx **ctx); /* sessions keep what they need */

/* TLS_VERIFY_DANE: a session needs records before its handshake. */
bool tls_ctx_wants_dane(const struct tls_ctx *ctx);

/* -1 and *e when tls-ciphers cannot be this: it says which word is wrong. */
int tls_ctx_check_ciphers(struct span list, struct err *e);

#endif
