/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_ERROR_H
#define MAILHAUL_IO_TLS_ERROR_H

/*
 * What OpenSSL refused, in words for the user, for io/tls.c alone. Whatever
 * a certificate or a server says is made printable and cut short.
 */

#include <openssl/x509.h>
#include <stdbool.h>

#include "util/err.h"
#include "util/span.h"

/*
 * A certificate was refused: leaf is the server's, bad the one in the chain
 * (at depth, 0 is the leaf) that code (X509_V_ERR_*) is about, name the name
 * that was wanted. ERR_TLS; returns -1.
 */
struct tls_refusal {
	X509 *leaf, *bad; /* borrowed; may be NULL */
	X509_CRL *crl;    /* the same: the one that code is about */
	int code, depth;
	const char *name;
};

/* Codes beside OpenSSL's. */
#define TLS_REFUSAL_PIN (-1)     /* no pin matches the key */
#define TLS_REFUSAL_REVOKED (-2) /* and OCSP says so */
#define TLS_REFUSAL_OCSP (-3)    /* a response that proves nothing */
#define TLS_REFUSAL_NO_OCSP (-4)

int tls_error_certificate(struct err *e, const struct tls_refusal *r);

/* What stands in OpenSSL's error queue, which is emptied. ERR_TLS; -1. */
int tls_error_queue(struct err *e, const char *doing);

/* The same, if only TLS 1.3 would have done. */
int tls_error_session(struct err *e, const char *doing, bool only_tls_1_3);

/* The server's first octets were not TLS. ERR_TLS; -1. */
int tls_error_not_tls(struct err *e, struct span first);

#endif
