/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_OWN_H
#define MAILHAUL_IO_TLS_OWN_H

/* What the files of io/tls share, and nobody else. */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/tls.h"
#include "io/tls_bio.h"
#include "io/tls_error.h"
#include "io/tls_resume.h"
#include "io/tls_rules.h"

#define TLS_ALPN_MAX 32

struct tls_ctx {
	SSL_CTX *ssl_ctx;
	unsigned int refs; /* its owner, and each session */
	enum tls_verify verify;
	char *pins; /* of TLS_PIN_OCTETS each */
	size_t n_pins;
	bool only_tls_1_3, ocsp_required;
	bool shareable;       /* what it trusts: no CRL is among it */
	unsigned char ca[32]; /* SHA-256 of that, if so */
	struct tls_cache *cache;
};

struct tls {
	SSL *ssl;
	struct tls_ctx *ctx;
	struct tls_bio io;
	char *name;
	char alpn[TLS_ALPN_MAX + 1];
	bool up, broken;            /* broken: only tls_free() is left */
	bool is_address;            /* name is */
	bool has_tlsa;              /* a record that can be used */
	bool refused;               /* the certificate was; refusal says why */
	struct tls_refusal refusal; /* what it points to is ours */
	bool resumes;               /* a session was offered to the server */
	const char *server;         /* not ours; NULL: nothing is resumed */
	struct tls_known known;
	char description[96];
};

void tls_ctx_drop(struct tls_ctx *ctx); /* one of refs */

#endif
