/* SPDX-License-Identifier: ISC */
#include "io/tls_ocsp.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include <openssl/ocsp.h>
#include <time.h>

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

struct response {
	const struct identity *about, *issuer, *signer;
	int status;      /* V_OCSP_CERTSTATUS_* */
	int from, until; /* days; until 0: it does not say */
	const EVP_MD *md;
	bool failed; /* no answer, but an error */
	bool forged; /* one octet of the signature is another */
};

static void
add_single(OCSP_BASICRESP *basic, const struct response *r)
{
	time_t now = time(NULL);
	OCSP_CERTID *id =
	    OCSP_cert_to_id(r->md, r->about->cert, r->issuer->cert);
	ASN1_TIME *from = ASN1_TIME_adj(NULL, now, r->from, 0);
	ASN1_TIME *until = ASN1_TIME_adj(NULL, now, r->until, 0);

	OCSP_basic_add1_status(basic, id, r->status, 0,
	    r->status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL, from,
	    r->until == 0 ? NULL : until);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	OCSP_CERTID_free(id);
}

static struct span
make(const struct response *r, unsigned char **der)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *whole;
	int n;

	add_single(basic, r);
	OCSP_basic_sign(
	    basic, r->signer->cert, r->signer->key, EVP_sha256(), NULL, 0);
	if (r->forged) {
		const ASN1_OCTET_STRING *s = OCSP_resp_get0_signature(basic);

		((unsigned char *)(uintptr_t)ASN1_STRING_get0_data(s))[20] ^= 1;
	}
	whole =
	    OCSP_response_create(r->failed ? OCSP_RESPONSE_STATUS_TRYLATER
					   : OCSP_RESPONSE_STATUS_SUCCESSFUL,
		r->failed ? NULL : basic);
	*der = NULL;
	n = i2d_OCSP_RESPONSE(whole, der);
	assert_true(n > 0);
	OCSP_RESPONSE_free(whole);
	OCSP_BASICRESP_free(basic);
	return span_make((char *)*der, (size_t)n);
}

/* What comes of it with tls-ocsp = stapled (state, or a refusal when it is
 * TLS_OCSPS) and with require. */
static void
staples(struct span staple, enum tls_ocsp state, bool enough, const char *words)
{
	for (int require = 0; require < 2; require++) {
		const struct tls_rules rules = { .ca = buf_span(&ca_pem),
			.ocsp_required = require == 1 };
		bool good = require == 1 ? enough : state != TLS_OCSPS;
		struct tls_ctx *ctx = tls_ctx_new(&rules, NULL);
		struct peer p = { .id = &server,
			.staple = staple,
			.script = accept_and_leave };
		struct tls_info info;
		struct client c;
		enum tls_answer a;

		peer_begin(&p);
		client_begin(&c, ctx, p.port, "localhost", NULL);
		a = shake(&c);
		if ((a == TLS_OK) != good)
			fail_msg("%s: %d %s", words, require, c.e.text);
		if (good) {
			assert_true(tls_info(c.tls, &info));
			assert_int_equal(info.ocsp, state);
		} else {
			expect(&c.e, ERR_TLS, words);
		}
		client_end(&c);
		assert_true(peer_end(&p));
		tls_ctx_free(&ctx);
	}
}

static void
gives(const struct response *r, enum tls_ocsp state, bool enough,
    const char *words)
{
	unsigned char *der;

	staples(make(r, &der), state, enough, words);
	OPENSSL_free(der);
}

static struct response
usual(void)
{
	return (struct response){ .about = &server,
		.issuer = &ca,
		.signer = &ca,
		.status = V_OCSP_CERTSTATUS_GOOD,
		.from = -1,
		.until = 1,
		.md = EVP_sha1() };
}

static void
takes_a_good_response(void **state)
{
	struct response r = usual();

	(void)state;
	gives(&r, TLS_OCSP_GOOD, true, "good");
	r.md = EVP_sha256();
	gives(&r, TLS_OCSP_GOOD, true, "good, by another digest");
	r.until = 0;
	r.from = 0;
	gives(&r, TLS_OCSP_GOOD, true, "good, without an end");
}

static void
refuses_what_was_revoked(void **state)
{
	struct response r = usual();

	(void)state;
	r.status = V_OCSP_CERTSTATUS_REVOKED;
	gives(&r, TLS_OCSPS, false, "it was revoked, says its OCSP response");
	r.from = -20; /* and it still is */
	r.until = -10;
	gives(&r, TLS_OCSPS, false, "it was revoked, says its OCSP response");
}

static void
needs_one_when_told_so(void **state)
{
	(void)state;
	staples(SPAN(""), TLS_OCSP_NONE, false,
	    "it comes without an OCSP response (tls-ocsp = require)");
}

static void
takes_nothing_from_a_response_that_proves_nothing(void **state)
{
	static const char words[] =
	    "its OCSP response is not usable (tls-ocsp = require)";
	struct identity other = identity_ca("Another CA");
	struct identity twin = identity_ca("Test CA"); /* by name alone */
	struct identity near = identity_server(&ca, "DNS:localhost");
	struct response bad[10];

	(void)state;
	for (size_t i = 0; i < 10; i++)
		bad[i] = usual();
	bad[0].from = -9;
	bad[0].until = -2;
	bad[1].from = 2;
	bad[1].until = 9;
	bad[2].from = -3; /* of no use for so long */
	bad[2].until = 0;
	bad[3].about = &near;
	bad[4].issuer = &other;
	bad[5].signer = &other;
	bad[6].signer = &near; /* by the same authority, but nobody let it */
	bad[7].failed = true;
	bad[8].status = V_OCSP_CERTSTATUS_UNKNOWN;
	bad[9].forged = true;
	for (size_t i = 0; i < 10; i++)
		gives(&bad[i], TLS_OCSP_BAD, false, words);
	/* nor does a stranger revoke anything */
	bad[0] = usual();
	bad[0].status = V_OCSP_CERTSTATUS_REVOKED;
	bad[0].signer = &twin;
	gives(&bad[0], TLS_OCSP_BAD, false, words);
	bad[0].signer = &server;
	gives(&bad[0], TLS_OCSP_BAD, false, words);
	staples(SPAN("garbage"), TLS_OCSP_BAD, false, words);
	staples(SPAN("0\x82\xff\xff"), TLS_OCSP_BAD, false, words);
	identity_free(&near);
	identity_free(&twin);
	identity_free(&other);
}

static void
takes_the_word_of_a_delegate(void **state)
{
	struct identity delegate =
	    identity_new(&(struct identity_params){ .issuer = &ca,
		.cn = "responder",
		.eku = "OCSPSigning",
		.from_days = -1,
		.to_days = 2 });
	struct response r = usual();

	(void)state;
	r.signer = &delegate;
	gives(&r, TLS_OCSP_GOOD, true, "good");
	r.status = V_OCSP_CERTSTATUS_REVOKED;
	gives(&r, TLS_OCSPS, false, "it was revoked");
	identity_free(&delegate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_good_response),
		cmocka_unit_test(refuses_what_was_revoked),
		cmocka_unit_test(needs_one_when_told_so),
		cmocka_unit_test(
		    takes_nothing_from_a_response_that_proves_nothing),
		cmocka_unit_test(takes_the_word_of_a_delegate),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
