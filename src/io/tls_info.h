/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_INFO_H
#define MAILHAUL_IO_TLS_INFO_H

/*
 * What there is to say of a TLS session, for people. It is made when somebody
 * asks (conn_tls_info()) and nothing of it is kept by the session. All that a
 * certificate says is printable and cut short.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/tls_rules.h"

enum tls_ocsp { /* what came with the handshake (RFC 6066 8) */
	TLS_OCSP_NONE,
	TLS_OCSP_GOOD,
	TLS_OCSP_BAD, /* something that proves nothing */
	TLS_OCSPS
};

#define TLS_INFO_CHAIN_MAX 8
#define TLS_INFO_SANS_MAX 24

struct tls_info_certificate {
	char subject[128], issuer[128];
	char authority[128]; /* the issuer's organisation, or as issuer */
	char names[640];     /* "a.example, b.example, ..."; may be "" */
	int64_t not_before, not_after; /* Unix seconds; 0: nonsense */
	char pin[52];                  /* "sha256:" and base64, for tls-pin */
};

struct tls_info {
	char version[16]; /* "TLSv1.3" */
	char cipher[64];
	char alpn[33]; /* "": none was chosen */
	bool resumed;
	enum tls_verify verified;
	enum tls_ocsp ocsp;
	/* As it was verified, with the server's own first; as the server sent
	 * it when the chain did not matter or the session was resumed. */
	struct tls_info_certificate chain[TLS_INFO_CHAIN_MAX];
	size_t n;
};

/* "chain", "pin", "chain and pin", "DANE"; "none", "good", "unusable". */
const char *tls_verify_name(enum tls_verify v);
const char *tls_ocsp_name(enum tls_ocsp o);

/* For io/tls.c, which sets verified and ocsp. ssl is an SSL after a
 * handshake. */
struct ssl_st;
struct x509_st;
void tls_info_fill(struct tls_info *info, const struct ssl_st *ssl);
void tls_info_describe(struct tls_info_certificate *c, struct x509_st *cert);

#endif
