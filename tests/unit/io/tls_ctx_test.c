/* SPDX-License-Identifier: ISC */
#include "io/tls_ctx.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

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

static void
refuses(const struct tls_rules *rules, const char *words)
{
	struct err e = { 0 };

	assert_null(tls_ctx_new(rules, &e));
	expect(&e, ERR_CONFIG, words);
}

static void
refuses_rules_that_cannot_be_kept(void **state)
{
	struct span trust = buf_span(&ca_pem);

	(void)state;
	refuses(&(struct tls_rules){ 0 }, "set tls-ca-file");
	refuses(&(struct tls_rules){ .verify = TLS_VERIFY_PIN },
	    "tls-verify needs a tls-pin");
	refuses(&(struct tls_rules){ .verify = TLS_VERIFY_BOTH, .ca = trust },
	    "tls-verify needs a tls-pin");
	refuses(
	    &(struct tls_rules){ .verify = TLS_VERIFY_DANE, .crl = SPAN("x") },
	    "tls-crl-file is of use with");
	refuses(&(struct tls_rules){ .verify = TLS_VERIFY_DANE,
		    .ocsp_required = true },
	    "tls-ocsp = require is of use with");
}

static void
needs_no_certificates_where_none_is_trusted(void **state)
{
	static const char pin[32] = "pin";
	struct tls_ctx *ctx;
	struct err e = { 0 };

	(void)state;
	ctx = tls_ctx_new(&(struct tls_rules){ .verify = TLS_VERIFY_PIN,
			      .pins = span_make(pin, sizeof(pin)) },
	    &e);
	assert_non_null(ctx);
	tls_ctx_free(&ctx);
	assert_null(ctx);
	tls_ctx_free(&ctx);
	ctx = tls_ctx_new(&(struct tls_rules){ .verify = TLS_VERIFY_DANE }, &e);
	assert_non_null(ctx);
	tls_ctx_free(&ctx);
}

static void
names_the_word_that_is_no_cipher(void **state)
{
	static const struct {
		const char *list, *wrong; /* NULL: nothing */
	} cases[] = {
		{ "HIGH", NULL },
		{ "DEFAULT:!RC4-NO-SUCH:-3DES", NULL },
		{ "ECDHE+AESGCM:ECDHE+CHACHA20:@STRENGTH", NULL },
		{ "ECDHE-RSA-AES128-GCM-SHA256", NULL },
		{ "HIGH,ECDHE+AESGCM ECDHE", NULL },
		{ "", NULL },
		{ "ECDHE+AESGMC", "\"ECDHE+AESGMC\" is no cipher" },
		{ "HIGH:nonsense:!aNULL", "\"nonsense\" is no cipher" },
		{ "HIGH:non\033sense", "\"non\\x1Bsense\"" },
		{ "TLS_AES_128_GCM_SHA256", "is no cipher of TLS 1.2" },
		{ "!HIGH", "leaves no cipher" },
		{ "aNULL", "" },
		{ "eNULL", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = { 0 };
		struct span list = span_of(cases[i].list);
		int r = tls_ctx_check_ciphers(list, &e);

		if ((r == 0) != (cases[i].wrong == NULL))
			fail_msg("%s: %s", cases[i].list, e.text);
		if (r == 0)
			continue;
		expect(&e, ERR_CONFIG, cases[i].wrong);
		refuses(&(struct tls_rules){ .ca = buf_span(&ca_pem),
			    .ciphers = list },
		    cases[i].wrong);
	}
}

static void
chooses_ciphers_and_versions_as_told(void **state)
{
	struct tls_rules rules = { .ca = buf_span(&ca_pem),
		.ciphers = SPAN("ECDHE-ECDSA-AES128-GCM-SHA256") };
	struct tls_ctx *ctx = tls_ctx_new(&rules, NULL);
	struct peer p12 = { .id = &server, .max_version = TLS1_2_VERSION };
	struct peer p13 = { .id = &server };
	struct client c;
	struct err e = { 0 };

	(void)state;
	p12.script = accept_and_leave;
	peer_begin(&p12);
	client_begin(&c, ctx, p12.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	assert_string_equal(
	    tls_description(c.tls), "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256");
	client_end(&c);
	peer_end(&p12);
	tls_ctx_free(&ctx);

	rules.only_tls_1_3 = true;
	assert_int_equal(try_peer(&p13, &rules, "localhost", &e), TLS_OK);
	assert_int_equal(try_peer(&p12, &rules, "localhost", &e), TLS_FAILED);
	expect(&e, ERR_TLS, "the server does not offer TLS 1.3 (tls-min)");
}

static void
shares_what_it_trusts_and_nothing_else(void **state)
{
	struct tls_rules rules = { .ca = buf_span(&ca_pem) }, other = rules;
	struct tls_ctx *one = tls_ctx_new(&rules, NULL), *two;
	struct peer p = { .id = &server, .script = accept_and_leave };
	struct buf crl;
	struct client c;

	(void)state;
	other.only_tls_1_3 = true;
	assert_true(tls_ctx_trusts(one, &other));
	two = tls_ctx_new_beside(one, &other, NULL);
	tls_ctx_free(&one);
	assert_true(tls_ctx_trusts(two, &rules));
	peer_begin(&p);
	client_begin(&c, two, p.port, "localhost", NULL);
	assert_int_equal(shake(&c), TLS_OK);
	client_end(&c);
	assert_true(peer_end(&p));

	other.ca.n--;
	assert_false(tls_ctx_trusts(two, &other));
	other = rules;
	other.verify = TLS_VERIFY_DANE;
	assert_false(tls_ctx_trusts(two, &other));
	/* a list of what was revoked is in the same store */
	buf_init(&crl, 65536);
	identity_crl(&ca, NULL, 1, &crl);
	other = rules;
	other.crl = buf_span(&crl);
	assert_false(tls_ctx_trusts(two, &other));
	tls_ctx_free(&two);
	two = tls_ctx_new(&other, NULL);
	assert_false(tls_ctx_trusts(two, &rules));
	tls_ctx_free(&two);
	buf_deinit(&crl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_rules_that_cannot_be_kept),
		cmocka_unit_test(needs_no_certificates_where_none_is_trusted),
		cmocka_unit_test(names_the_word_that_is_no_cipher),
		cmocka_unit_test(shares_what_it_trusts_and_nothing_else),
		cmocka_unit_test(chooses_ciphers_and_versions_as_told),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
