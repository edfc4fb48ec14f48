/* SPDX-License-Identifier: ISC */
#include "io/tls_dane.h"

#include <openssl/err.h>

#include "io/tls_own.h"

#define DANE_TA 2
#define DANE_EE 3

bool
tls_dane(struct tls *t, uint8_t usage, uint8_t selector, uint8_t matching,
    struct span data)
{
	int r;

	if (t->ctx->verify != TLS_VERIFY_DANE || t->is_address ||
	    (usage != DANE_TA && usage != DANE_EE))
		return false;
	r = SSL_dane_tlsa_add(t->ssl, usage, selector, matching,
	    (const unsigned char *)data.p, data.n);
	ERR_clear_error(); /* of keys and certificates that are none */
	t->has_tlsa = t->has_tlsa || r > 0;
	return r > 0;
}
