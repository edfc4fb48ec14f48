/* SPDX-License-Identifier: ISC */
#include "io/tls_verify.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "io/tls_cert.h"
#include "io/tls_own.h"
#include "sys/clock.h"
#include "unit/io/tls_client.h"

static struct identity ca, server;
static struct buf ca_pem;

static int
make_certificates(void **state)
{
	(void)state;
	ca = identity_ca("Test CA");
	server = identity_server(&ca, "DNS:localhost");
	buf_init(&ca_pem, 65536);
	identity_pem(&ca, &ca_pem);
	return 0;
}

static int
free_certificates(void **state)
{
	(void)state;
	buf_deinit(&ca_pem);
	identity_free(&server);
	identity_free(&ca);
	return 0;
}

static struct tls_rules
pinned(enum tls_verify verify, char pins[64], const struct identity *id)
{
	memset(pins, 'x', 64);
	tls_cert_pin(id->cert, (unsigned char *)pins + 32);
	return (struct tls_rules){ .verify = verify,
		.ca = buf_span(&ca_pem),
		.pins = span_make(pins, 64) };
}

/* Name, dates, purpose and issuer do not matter. */
static void
takes_a_pin_for_all_else(void **state)
{
	static const struct identity_params odd[] = {
		{ .cn = "self", .from_days = -1, .to_days = 1 },
		{ .cn = "old", .from_days = -9, .to_days = -5 },
		{ .cn = "new", .from_days = 5, .to_days = 9 },
		{ .cn = "x",
		    .sans = "DNS:other.example",
		    .eku = "clientAuth",
		    .from_days = -1,
		    .to_days = 1 },
	};
	char pins[64];

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct identity id = identity_new(&odd[i]);
		struct tls_rules r = pinned(TLS_VERIFY_PIN, pins, &id);
		struct err e = { 0 };

		assert_int_equal(try_rules(&id, &r, "localhost", &e), TLS_OK);
		r = pinned(TLS_VERIFY_BOTH, pins, &id);
		assert_int_equal(
		    try_rules(&id, &r, "localhost", &e), TLS_FAILED);
		expect(&e, ERR_TLS, "is refused: ");
		identity_free(&id);
	}
}

static void
says_which_key_came_when_no_pin_matches(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	char pins[64], text[TLS_PIN_TEXT_SIZE];

	(void)state;
	tls_cert_pin_text(text, id.cert);
	for (int i = 0; i < 2; i++) {
		struct tls_rules r = pinned(
		    i == 0 ? TLS_VERIFY_PIN : TLS_VERIFY_BOTH, pins, &server);
		struct err e = { 0 };

		assert_int_equal(
		    try_rules(&server, &r, "localhost", &e), TLS_OK);
		assert_int_equal(
		    try_rules(&id, &r, "localhost", &e), TLS_FAILED);
		expect(&e, ERR_TLS,
		    "no tls-pin matches the key of localhost; the server's "
		    "key is sha256:");
		expect(&e, ERR_TLS, text);
		expect(&e, ERR_TLS, "if that is right, add it to tls-pin");
	}
	identity_free(&id);
}

/* Another certificate with the same key is the same server; the same name
 * with another key is not. */
static void
pins_the_key_and_not_the_certificate(void **state)
{
	struct identity id = identity_server(&ca, "DNS:localhost");
	char pins[64];
	struct tls_rules r = pinned(TLS_VERIFY_PIN, pins, &id);
	struct err e = { 0 };

	(void)state;
	X509_gmtime_adj(X509_getm_notAfter(id.cert), 5 * 86400L);
	X509_sign(id.cert, ca.key, EVP_sha256());
	assert_int_equal(try_rules(&id, &r, "localhost", &e), TLS_OK);
	identity_free(&id);
}

static void
needs_the_certificates_between(void **state)
{
	struct identity between = identity_new(&(struct identity_params){
	    .issuer = &ca, .cn = "between", .ca = true, .to_days = 2 });
	struct identity no_ca = identity_new(&(struct identity_params){
	    .issuer = &ca, .cn = "between", .to_days = 2 });
	struct identity old =
	    identity_new(&(struct identity_params){ .issuer = &ca,
		.cn = "old",
		.ca = true,
		.from_days = -9,
		.to_days = -2 });
	struct identity id = identity_server(&between, "DNS:localhost");
	struct identity bad = identity_server(&no_ca, "DNS:localhost");
	struct identity late = identity_server(&old, "DNS:localhost");
	struct peer all = { .id = &id, .above = &between };
	struct peer lone = { .id = &id };
	struct peer leafy = { .id = &bad, .above = &no_ca };
	struct peer stale = { .id = &late, .above = &old };
	struct tls_rules r = { .ca = buf_span(&ca_pem) };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(try_peer(&all, &r, "localhost", &e), TLS_OK);
	assert_int_equal(try_peer(&lone, &r, "localhost", &e), TLS_FAILED);
	expect(&e, ERR_TLS, "its issuer is not trusted");
	assert_int_equal(try_peer(&leafy, &r, "localhost", &e), TLS_FAILED);
	expect(&e, ERR_TLS, "is refused: invalid CA certificate");
	assert_int_equal(try_peer(&stale, &r, "localhost", &e), TLS_FAILED);
	expect(&e, ERR_TLS, "a certificate above it expired on 20");
	identity_free(&late);
	identity_free(&bad);
	identity_free(&id);
	identity_free(&old);
	identity_free(&no_ca);
	identity_free(&between);
}

/* What is resumed later was verified for so long, and no longer. */
static void
knows_how_long_that_is_so(void **state)
{
	struct identity soon =
	    identity_new(&(struct identity_params){ .issuer = &ca,
		.cn = "x",
		.sans = "DNS:localhost",
		.from_days = -1,
		.to_days = 0 });
	struct tls_ctx *ctx = tls_ctx_new_pem(buf_span(&ca_pem), NULL);
	const struct identity *ids[] = { &server, &soon };
	int64_t now = clock_wall_s();

	(void)state;
	X509_gmtime_adj(X509_getm_notAfter(soon.cert), 1000);
	X509_sign(soon.cert, ca.key, EVP_sha256());
	for (int i = 0; i < 2; i++) {
		struct peer p = { .id = ids[i], .script = accept_and_leave };
		struct client c;
		int64_t left;

		peer_begin(&p);
		client_begin(&c, ctx, p.port, "localhost", NULL);
		assert_int_equal(shake(&c), TLS_OK);
		left = c.tls->known.until - now;
		if (i == 0)
			assert_in_range(
			    left, TLS_CACHE_DAY_S, TLS_CACHE_DAY_S + 60);
		else
			assert_in_range(left, 999, 1060);
		client_end(&c);
		assert_true(peer_end(&p));
	}
	tls_ctx_free(&ctx);
	identity_free(&soon);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_pin_for_all_else),
		cmocka_unit_test(says_which_key_came_when_no_pin_matches),
		cmocka_unit_test(pins_the_key_and_not_the_certificate),
		cmocka_unit_test(needs_the_certificates_between),
		cmocka_unit_test(knows_how_long_that_is_so),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
