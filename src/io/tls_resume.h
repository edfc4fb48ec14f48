/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_RESUME_H
#define MAILHAUL_IO_TLS_RESUME_H

/*
 * Sessions that can be resumed (RFC 8446 2.2, RFC 5077), of one context: an
 * account that is polled saves the certificates and a round trip. Each is kept
 * as octets without the chain, is used once, and stands for what was verified
 * when its first handshake was: it is forgotten when a certificate of that
 * chain or its OCSP response runs out, and after a day at the latest.
 */

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "io/tls_info.h"

struct tls_cache;

#define TLS_CACHE_SESSIONS 1024
#define TLS_CACHE_OCTETS ((size_t)1024 * 1024)
#define TLS_CACHE_PER_KEY 4
#define TLS_CACHE_FRESH_S 600
#define TLS_CACHE_DAY_S ((int64_t)24 * 60 * 60)

struct tls_cache *tls_cache_new(void);
void tls_cache_free(struct tls_cache **c); /* wipes */

struct tls_known {     /* of the first handshake */
	int64_t until; /* Unix seconds */
	enum tls_ocsp ocsp;
};

/* key: whatever must be the same. The oldest ones make room; but where there
 * are enough that came within TLS_CACHE_FRESH_S, another is not kept: a thousand
 * accounts at one server would only stir the heap. */
void tls_cache_keep(struct tls_cache *c, const char *key, SSL_SESSION *session,
    const struct tls_known *known);

/* The newest of that key, which is the caller's; NULL: none. */
SSL_SESSION *tls_cache_take(
    struct tls_cache *c, const char *key, struct tls_known *known);

/* That server does not bear it: nothing of that key is kept for a day. */
void tls_cache_bar(struct tls_cache *c, const char *key);

size_t tls_cache_count(const struct tls_cache *c);

#endif
