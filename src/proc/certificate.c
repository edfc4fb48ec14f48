/* SPDX-License-Identifier: ISC */
#include "proc/certificate.h"

#include <stdio.h>

#include "sys/clock.h"
#include "util/text.h"

#define DAY_S 86400
#define PRINT_MAX 1024

bool
certificate_of(
    struct certificate *c, const struct tls_info *info, const char *host)
{
	*c = (struct certificate){ 0 };
	if (info->n == 0 ||
	    (info->verified != TLS_VERIFY_CHAIN &&
		info->verified != TLS_VERIFY_BOTH))
		return false;
	snprintf(c->host, sizeof(c->host), "%s", host);
	snprintf(
	    c->authority, sizeof(c->authority), "%s", info->chain[0].authority);
	snprintf(c->pin, sizeof(c->pin), "%s", info->chain[0].pin);
	c->not_after = info->chain[0].not_after;
	c->ocsp_is_useless = info->ocsp == TLS_OCSP_BAD;
	return true;
}

void
certificate_pack(struct buf *b, const struct certificate *c)
{
	pack_str(b, c->host);
	pack_str(b, c->authority);
	pack_str(b, c->pin);
	pack_u64(b, (uint64_t)c->not_after);
	pack_u8(b, c->ocsp_is_useless);
}

bool
certificate_unpack(struct unpack *u, struct certificate *c)
{
	text_printable(c->host, sizeof(c->host), unpack_span(u));
	text_printable(c->authority, sizeof(c->authority), unpack_span(u));
	text_printable(c->pin, sizeof(c->pin), unpack_span(u));
	c->not_after = (int64_t)unpack_u64(u);
	c->ocsp_is_useless = unpack_u8(u) != 0;
	return unpack_ok(u);
}

struct digest *
certificate_print(const struct certificate *c, struct digest *out)
{
	struct digest_state *d = digest_new();
	struct buf b;

	buf_init(&b, PRINT_MAX);
	certificate_pack(&b, c);
	pack_u64(&b, (uint64_t)clock_wall_s() / DAY_S);
	digest_begin(d);
	digest_add(d, buf_span(&b));
	digest_end(d, out);
	digest_free(&d);
	buf_deinit(&b);
	return out;
}
