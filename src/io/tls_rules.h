/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_RULES_H
#define MAILHAUL_IO_TLS_RULES_H

/*
 * What is asked of a TLS session: whom it trusts and what it shows. As plain
 * data, since one process reads the files and another speaks TLS.
 */

#include <stdbool.h>

#include "util/buf.h"
#include "util/pack.h"
#include "util/span.h"

enum tls_verify {
	TLS_VERIFY_CHAIN,
	/* A pin instead of chain and name: whoever has that key is the server,
	 * and what the certificate says (names, dates) is not looked at. */
	TLS_VERIFY_PIN,
	TLS_VERIFY_BOTH,
	TLS_VERIFY_DANE, /* TLSA records instead of the chain (RFC 7671) */
	TLS_VERIFIES
};

#define TLS_PIN_OCTETS 32 /* SHA-256 of a SubjectPublicKeyInfo */

struct tls_rules {
	enum tls_verify verify;
	struct span ca; /* PEM; not used with TLS_VERIFY_PIN and _DANE */
	/* PEM; empty: none. With some the server's certificate must have one
	 * of its issuer that has not expired, and a certificate above it is
	 * looked up when its issuer's is there. */
	struct span crl;
	struct span pins; /* of TLS_PIN_OCTETS each */
	/* Our own certificate, PEM, with those between it and a root behind
	 * it, and its key, which is a secret. Both or none. */
	struct span cert, key;
	struct span ciphers; /* of TLS 1.2; empty: OpenSSL's default */
	bool only_tls_1_3;
	bool ocsp_required; /* a stapled response (RFC 6066 8) */
	/* Where they are from, for errors. */
	struct span crl_file, cert_file, key_file;
};

/* What is unpacked is borrowed from the packet; false: it makes no sense.
 * What it is packed into holds a secret. */
void tls_rules_pack(struct buf *b, const struct tls_rules *rules);
bool tls_rules_unpack(struct unpack *u, struct tls_rules *rules);

#endif
