/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_ERROR_H
#define MAILHAUL_IO_TLS_ERROR_H

/*
 * What OpenSSL refused, in words for the user, for io/tls.c alone. Whatever
 * a certificate or a server says is made printable and cut short.
 */

#include <openssl/x509.h>

#include "util/err.h"
#include "util/span.h"

/*
 * A certificate was refused: leaf is the server's, bad the one in the chain
 * (at depth, 0 is the leaf) that code (X509_V_ERR_*) is about, name the name
 * that was wanted. ERR_TLS; returns -1.
 */
struct tls_refusal {
	X509 *leaf, *bad; /* borrowed; may be NULL */
	int code, depth;
	const char *name;
};

int tls_error_certificate(struct err *e, const struct tls_refusal *r);

/* What stands in OpenSSL's error queue, which is emptied. ERR_TLS; -1. */
int tls_error_queue(struct err *e, const char *doing);

/* The server's first octets were not TLS. ERR_TLS; -1. */
int tls_error_not_tls(struct err *e, struct span first);

#endif
