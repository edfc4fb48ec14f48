/* SPDX-License-Identifier: ISC */
#include "io/tls_rules.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

static const char pins[64] = "0123456789";

static const struct tls_rules all = { .verify = TLS_VERIFY_BOTH,
	.ca = { "ca", 2 },
	.crl = { "c\0l", 3 },
	.pins = { pins, sizeof(pins) },
	.cert = { "cert", 4 },
	.key = { "key", 3 },
	.ciphers = { "HIGH", 4 },
	.only_tls_1_3 = true,
	.ocsp_required = true,
	.crl_file = { "/crl", 4 },
	.cert_file = { "/cert", 5 },
	.key_file = { "/key", 4 } };

static void
survives_the_way_to_another_process(void **state)
{
	struct tls_rules r;
	struct unpack u;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	tls_rules_pack(&b, &all);
	u = unpack_of(buf_span(&b));
	assert_true(tls_rules_unpack(&u, &r));
	assert_int_equal(r.verify, TLS_VERIFY_BOTH);
	assert_true(r.only_tls_1_3 && r.ocsp_required);
	assert_true(span_eq(r.ca, all.ca) && span_eq(r.crl, all.crl));
	assert_true(span_eq(r.cert, all.cert) && span_eq(r.key, all.key));
	assert_true(span_eq(r.pins, all.pins));
	assert_true(span_eq(r.ciphers, all.ciphers));
	assert_true(span_eq(r.crl_file, all.crl_file));
	assert_true(span_eq(r.cert_file, all.cert_file));
	assert_true(span_eq(r.key_file, all.key_file));
	buf_wipe(&b);
}

static void
refuses_what_is_cut_or_makes_no_sense(void **state)
{
	struct tls_rules r = all;
	struct unpack u;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	tls_rules_pack(&b, &all);
	for (size_t n = 0; n < b.n; n++) {
		u = unpack_of(span_make(buf_span(&b).p, n));
		assert_false(tls_rules_unpack(&u, &r));
	}
	buf_addc(&b, 'x');
	u = unpack_of(buf_span(&b));
	assert_false(tls_rules_unpack(&u, &r));
	buf_clear(&b);
	r = all;
	r.pins.n = 33;
	tls_rules_pack(&b, &r);
	u = unpack_of(buf_span(&b));
	assert_false(tls_rules_unpack(&u, &r));
	buf_clear(&b);
	r = all;
	r.verify = TLS_VERIFIES;
	tls_rules_pack(&b, &r);
	u = unpack_of(buf_span(&b));
	assert_false(tls_rules_unpack(&u, &r));
	buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_the_way_to_another_process),
		cmocka_unit_test(refuses_what_is_cut_or_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
