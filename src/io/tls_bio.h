/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_BIO_H
#define MAILHAUL_IO_TLS_BIO_H

/*
 * The way between OpenSSL and a non-blocking socket, for io/tls.c alone. It
 * never raises SIGPIPE, remembers what the socket said last and the first
 * octets that came, and gives OpenSSL no more than an allowance, so that a
 * peer that keeps it busy with empty records or key updates cannot hold the
 * loop.
 */

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

/* One more than a server needs to be recognised by. */
#define TLS_BIO_FIRST_MAX 48

struct tls_bio {
	int fd;           /* not ours */
	size_t allowance; /* octets that may still be read */
	bool eof;         /* the socket ended */
	int error;        /* errno of the last failure, or 0 */
	char first[TLS_BIO_FIRST_MAX];
	size_t n_first; /* octets in first */
};

/* NULL when out of memory. s must outlive the BIO. */
BIO *tls_bio_new(struct tls_bio *s);

#endif
