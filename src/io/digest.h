/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_DIGEST_H
#define MAILHAUL_IO_DIGEST_H

/* SHA-256 by OpenSSL; but for digest_base64url() cut to 128 bits: identity, not
 * secrecy. */

#include <stdint.h>

#include "util/span.h"

#define DIGEST_OCTETS 16
#define DIGEST_HEX ((size_t)2 * DIGEST_OCTETS)

struct digest {
	uint8_t b[DIGEST_OCTETS];
};

struct digest_state;

struct digest_state *digest_new(void);
void digest_free(struct digest_state **d);
void digest_begin(struct digest_state *d); /* also starts anew */
void digest_add(struct digest_state *d, struct span s);
void digest_end(struct digest_state *d, struct digest *out);

/* In lower case, with a NUL behind it. */
void digest_hex(const struct digest *d, char hex[DIGEST_HEX + 1]);

/* All 256 bits of the SHA-256 of s, as base64url without padding (RFC 4648 5),
 * with a NUL behind it. */
#define DIGEST_BASE64URL 43
void digest_base64url(struct span s, char out[DIGEST_BASE64URL + 1]);

#endif
