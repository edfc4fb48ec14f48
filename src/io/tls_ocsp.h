/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_OCSP_H
#define MAILHAUL_IO_TLS_OCSP_H

/*
 * Whether a certificate still holds, by the OCSP response that the server
 * sends with it (RFC 6960, RFC 6066 8), for io/tls.c alone. We ask for one
 * always, but ask nobody else, who would learn whose mail is fetched when.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/tls_info.h"

void tls_ocsp_begin(SSL_CTX *ctx); /* its handshakes ask for a response */

struct tls_ocsp_answer {
	enum tls_ocsp state;
	bool revoked;       /* whatever state is */
	int64_t good_until; /* Unix seconds; 0: it does not say */
};

/* After a handshake that verified a chain. */
void tls_ocsp_look(SSL *ssl, struct tls_ocsp_answer *out);

#endif
