/* SPDX-License-Identifier: ISC */
#include "proto/sasl_digest.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <stdint.h>

#include "util/mem.h"

static const uint8_t *
octets(struct span s)
{
	return (const uint8_t *)s.p;
}

/* Wipes what it puts. */
static int
put_hex(struct buf *out, uint8_t *digest, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = buf_addc(out, digits[digest[i] >> 4]) != 0 ||
			buf_addc(out, digits[digest[i] & 15]) != 0
		    ? -1
		    : 0;
	mem_wipe(digest, n);
	return r;
}

int
sasl_digest_cram(struct buf *out, struct span user, struct span password,
    struct span challenge)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	struct hmac_md5_ctx ctx;

	hmac_md5_set_key(&ctx, password.n, octets(password));
	hmac_md5_update(&ctx, challenge.n, octets(challenge));
	hmac_md5_digest(&ctx, sizeof(digest), digest);
	mem_wipe(&ctx, sizeof(ctx));
	if (buf_add(out, user) != 0 || buf_addc(out, ' ') != 0)
		return -1;
	return put_hex(out, digest, sizeof(digest));
}

int
sasl_digest_apop(struct buf *out, struct span timestamp, struct span password)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, timestamp.n, octets(timestamp));
	md5_update(&ctx, password.n, octets(password));
	md5_digest(&ctx, sizeof(digest), digest);
	mem_wipe(&ctx, sizeof(ctx));
	return put_hex(out, digest, sizeof(digest));
}

int
sasl_digest_salted(struct buf *out, bool sha_256, struct span password,
    struct span salt, unsigned int iterations)
{
	uint8_t digest[SASL_DIGEST_MAX];
	size_t n = sha_256 ? SASL_DIGEST_MAX : SHA1_DIGEST_SIZE;

	if (sha_256)
		pbkdf2_hmac_sha256(password.n, octets(password), iterations,
		    salt.n, octets(salt), n, digest);
	else
		pbkdf2_hmac_sha1(password.n, octets(password), iterations,
		    salt.n, octets(salt), n, digest);
	return put_hex(out, digest, n);
}
