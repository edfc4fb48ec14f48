/* SPDX-License-Identifier: ISC */
#include "io/tls_dane.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "unit/io/tls_client.h"

static struct identity ca, between, server, named, old;

enum what { WHOLE = 0, SPKI = 1 };

enum how { FULL = 0, S256 = 1, S512 = 2 };

/* The data of a record (RFC 6698 2.1.4). */
static struct span
data_of(const struct identity *id, int selector, int matching,
    unsigned char dst[4096])
{
	unsigned char der[4096], *p = der;
	unsigned int n = 0;
	int der_n = selector == WHOLE ? i2d_X509(id->cert, NULL)
				      : i2d_PUBKEY(id->key, NULL);

	assert_in_range(der_n, 1, sizeof(der));
	if (selector == WHOLE)
		i2d_X509(id->cert, &p);
	else
		i2d_PUBKEY(id->key, &p);
	if (matching == FULL) {
		memcpy(dst, der, (size_t)der_n);
		return span_make((char *)dst, (size_t)der_n);
	}
	EVP_Digest(der, (size_t)der_n, dst, &n,
	    matching == S512 ? EVP_sha512() : EVP_sha256(), NULL);
	return span_make((char *)dst, n);
}

struct record {
	const struct identity *of;
	uint8_t usage, selector, matching;
	bool usable;
};

static enum tls_answer
try_records(const struct identity *id, const char *name, const struct record *v,
    size_t n, struct err *e)
{
	const struct tls_rules rules = { .verify = TLS_VERIFY_DANE };
	struct peer p = {
		.id = id, .above = &between, .script = accept_and_leave
	};
	struct tls_ctx *ctx = tls_ctx_new(&rules, e);
	unsigned char octets[4096];
	enum tls_answer a;
	struct client c;

	peer_begin(&p);
	client_begin(&c, ctx, p.port, name, NULL);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
		    tls_dane(c.tls, v[i].usage, v[i].selector, v[i].matching,
			data_of(v[i].of, v[i].selector == SPKI, v[i].matching,
			    octets)),
		    v[i].usable);
	a = shake(&c);
	*e = c.e;
	client_end(&c);
	tls_ctx_free(&ctx);
	assert_true(peer_end(&p));
	return a;
}

static void
expect_one(const struct identity *id, const char *name, struct record r,
    const char *words)
{
	struct err e = { 0 };
	enum tls_answer a = try_records(id, name, &r, 1, &e);

	if (words == NULL && a != TLS_OK)
		fail_msg(
		    "%u %u %u: %s", r.usage, r.selector, r.matching, e.text);
	if (words == NULL)
		return;
	assert_int_equal(a, TLS_FAILED);
	expect(&e, ERR_TLS, words);
}

/* Of usage 3 neither name nor dates matter, only that it is this one. */
static void
knows_the_servers_own_key(void **state)
{
	(void)state;
	for (uint8_t selector = 0; selector < 2; selector++)
		for (uint8_t matching = 0; matching < 3; matching++) {
			struct record own = { &server, 3, selector, matching,
				true };
			struct record other = { &named, 3, selector, matching,
				true };
			struct record stale = { &old, 3, selector, matching,
				true };

			expect_one(&server, "localhost", own, NULL);
			expect_one(&server, "elsewhere", own, NULL);
			expect_one(&old, "localhost", stale, NULL);
			expect_one(&server, "localhost", other,
			    "no TLSA record matches it");
		}
}

/* Of usage 2 the chain up to it, the dates and the name do. */
static void
knows_an_authority_of_its_own(void **state)
{
	struct record full = { &between, 2, WHOLE, FULL, true };
	struct record hash = { &between, 2, WHOLE, S256, true };
	struct record key = { &between, 2, SPKI, S256, true };
	struct record other = { &named, 2, SPKI, S256, true };

	(void)state;
	expect_one(&server, "localhost", full, NULL);
	expect_one(&server, "localhost", hash, NULL);
	expect_one(&server, "localhost", key, NULL);
	expect_one(&server, "elsewhere", hash, "does not name elsewhere");
	expect_one(&old, "localhost", hash, "it expired on 20");
	expect_one(&server, "localhost", other, "is refused: ");
}

/* The chain is none of DANE's business, and no way round it. */
static void
does_without_records_that_cannot_be_used(void **state)
{
	const struct record v[] = {
		{ &server, 0, SPKI, S256, false },
		{ &server, 1, SPKI, S256, false },
		{ &server, 4, SPKI, S256, false },
		{ &server, 255, SPKI, S256, false },
		{ &server, 3, 2, S256, false },
		{ &server, 3, SPKI, 3, false },
		{ &server, 3, SPKI, S256, true },
	};
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
	    try_records(&server, "localhost", v, 6, &e), TLS_FAILED);
	expect(&e, ERR_TLS, "no TLSA record matches it");
	assert_int_equal(try_records(&server, "localhost", v, 7, &e), TLS_OK);
	assert_int_equal(
	    try_records(&server, "localhost", v, 0, &e), TLS_FAILED);
	expect(&e, ERR_TLS, "no TLSA record matches it");
}

static void
takes_one_good_record_among_others(void **state)
{
	const struct record v[] = {
		{ &named, 3, SPKI, S256, true },
		{ &named, 2, WHOLE, S512, true },
		{ &server, 3, SPKI, S512, true },
	};
	struct err e = { 0 };

	(void)state;
	assert_int_equal(try_records(&server, "localhost", v, 3, &e), TLS_OK);
	assert_int_equal(
	    try_records(&server, "localhost", v, 2, &e), TLS_FAILED);
}

static void
refuses_data_that_is_none(void **state)
{
	static const struct {
		uint8_t selector, matching;
		struct span data;
	} cases[] = {
		{ SPKI, S256, { "", 0 } },
		{ SPKI, S256, { "short", 5 } },
		{ SPKI, FULL, { "no key", 6 } },
		{ WHOLE, FULL, { "no certificate", 14 } },
		{ WHOLE, S512, { "0123456789abcdef0123456789abcdef", 32 } },
	};
	const struct tls_rules rules = { .verify = TLS_VERIFY_DANE };
	const struct tls_rules chain = { .verify = TLS_VERIFY_PIN,
		.pins = SPAN("0123456789abcdef0123456789abcdef") };
	struct tls_ctx *ctx = tls_ctx_new(&rules, NULL);
	struct tls *t = tls_new(ctx, -1, "localhost", NULL, NULL);

	(void)state;
	for (uint8_t usage = 2; usage < 4; usage++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
			assert_false(tls_dane(t, usage, cases[i].selector,
			    cases[i].matching, cases[i].data));
	tls_free(&t);
	/* an address has no records, and who asked for none gets none */
	t = tls_new(ctx, -1, "192.0.2.1", NULL, NULL);
	assert_false(
	    tls_dane(t, 3, 1, 1, SPAN("0123456789abcdef0123456789abcdef")));
	tls_free(&t);
	tls_ctx_free(&ctx);
	ctx = tls_ctx_new(&chain, NULL);
	t = tls_new(ctx, -1, "localhost", NULL, NULL);
	assert_false(
	    tls_dane(t, 3, 1, 1, SPAN("0123456789abcdef0123456789abcdef")));
	tls_free(&t);
	tls_ctx_free(&ctx);
}

static int
make_certificates(void **state)
{
	(void)state;
	ca = identity_ca("Test CA");
	between = identity_new(&(struct identity_params){
	    .issuer = &ca, .cn = "between", .ca = true, .to_days = 2 });
	server = identity_server(&between, "DNS:localhost");
	named = identity_server(&between, "DNS:localhost");
	old = identity_new(&(struct identity_params){ .issuer = &between,
	    .cn = "old",
	    .sans = "DNS:localhost",
	    .from_days = -9,
	    .to_days = -5 });
	return 0;
}

static int
free_certificates(void **state)
{
	(void)state;
	identity_free(&old);
	identity_free(&named);
	identity_free(&server);
	identity_free(&between);
	identity_free(&ca);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_servers_own_key),
		cmocka_unit_test(knows_an_authority_of_its_own),
		cmocka_unit_test(does_without_records_that_cannot_be_used),
		cmocka_unit_test(takes_one_good_record_among_others),
		cmocka_unit_test(refuses_data_that_is_none),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
