/* SPDX-License-Identifier: ISC */
#include "io/tls_rules.h"

void
tls_rules_pack(struct buf *b, const struct tls_rules *rules)
{
	pack_u8(b, (uint8_t)rules->verify);
	pack_u8(b, rules->only_tls_1_3);
	pack_u8(b, rules->ocsp_required);
	pack_span(b, rules->pins);
	pack_span(b, rules->ciphers);
	pack_span(b, rules->crl_file);
	pack_span(b, rules->cert_file);
	pack_span(b, rules->key_file);
	pack_span(b, rules->ca);
	pack_span(b, rules->crl);
	pack_span(b, rules->cert);
	pack_span(b, rules->key);
}

bool
tls_rules_unpack(struct unpack *u, struct tls_rules *rules)
{
	uint8_t verify = unpack_u8(u);

	*rules = (struct tls_rules){ .verify = (enum tls_verify)verify };
	rules->only_tls_1_3 = unpack_u8(u) != 0;
	rules->ocsp_required = unpack_u8(u) != 0;
	rules->pins = unpack_span(u);
	rules->ciphers = unpack_span(u);
	rules->crl_file = unpack_span(u);
	rules->cert_file = unpack_span(u);
	rules->key_file = unpack_span(u);
	rules->ca = unpack_span(u);
	rules->crl = unpack_span(u);
	rules->cert = unpack_span(u);
	rules->key = unpack_span(u);
	return unpack_ok(u) && verify < TLS_VERIFIES &&
	    rules->pins.n % TLS_PIN_OCTETS == 0;
}
