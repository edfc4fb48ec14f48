/* SPDX-License-Identifier: ISC */
#include "io/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log.h"
#include "util/mem.h"

struct digest_state {
	EVP_MD_CTX *ctx;
	EVP_MD *md;
};

/* SHA-256 cannot fail on octets; it can be missing, and then we may not go
 * on: two messages would look like one. */
static void
must(int good)
{
	if (good == 1)
		return;
	log_error("digest", "SHA-256 does not work in this OpenSSL");
	abort();
}

struct digest_state *
digest_new(void)
{
	struct digest_state *d = mem_new(sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	/* once, here: looking it up costs more than a short message */
	d->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(d->ctx != NULL && d->md != NULL);
	digest_begin(d);
	return d;
}

void
digest_free(struct digest_state **d)
{
	if (*d == NULL)
		return;
	EVP_MD_CTX_free((*d)->ctx);
	EVP_MD_free((*d)->md);
	free(*d);
	*d = NULL;
}

void
digest_begin(struct digest_state *d)
{
	must(EVP_DigestInit_ex2(d->ctx, d->md, NULL));
}

void
digest_add(struct digest_state *d, struct span s)
{
	must(EVP_DigestUpdate(d->ctx, s.p, s.n));
}

void
digest_end(struct digest_state *d, struct digest *out)
{
	unsigned char whole[EVP_MAX_MD_SIZE];

	must(EVP_DigestFinal_ex(d->ctx, whole, NULL));
	memcpy(out->b, whole, sizeof(out->b));
}

void
digest_hex(const struct digest *d, char hex[DIGEST_HEX + 1])
{
	for (size_t i = 0; i < DIGEST_OCTETS; i++)
		snprintf(hex + 2 * i, 3, "%02x", d->b[i]);
}

void
digest_base64url(struct span s, char out[DIGEST_BASE64URL + 1])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char whole[SHA256_DIGEST_LENGTH + 1] = { 0 };

	must(EVP_Digest(s.p, s.n, whole, NULL, EVP_sha256(), NULL));
	for (size_t i = 0; i < DIGEST_BASE64URL; i++) {
		size_t bit = 6 * i;
		unsigned int two =
		    (unsigned int)whole[bit / 8] << 8 | whole[bit / 8 + 1];

		out[i] = alphabet[two >> (10 - bit % 8) & 63];
	}
	out[DIGEST_BASE64URL] = '\0';
	mem_wipe(whole, sizeof(whole));
}
