/* SPDX-License-Identifier: ISC */
#include "io/tls_identity.h"

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
add_encrypted_key(struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_PKCS8PrivateKey(
	    bio, server.key, EVP_aes_128_cbc(), "pass", 4, NULL, NULL);
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, span_make(p, (size_t)n));
	BIO_free(bio);
}

static void
says_what_is_wrong_with_a_certificate_or_key(void **state)
{
	struct tls_rules r = { .ca = buf_span(&ca_pem),
		.cert_file = SPAN("/etc/c.pem"),
		.key_file = SPAN("/etc/k.pem") };
	struct buf cert, key, other, encrypted;

	(void)state;
	buf_init(&cert, 65536);
	buf_init(&key, 65536);
	buf_init(&other, 65536);
	buf_init(&encrypted, 65536);
	identity_pem(&server, &cert);
	identity_key_pem(&server, &key);
	identity_key_pem(&ca, &other);
	add_encrypted_key(&encrypted);
	r.cert = SPAN("nonsense");
	r.key = buf_span(&key);
	refuses(&r, "tls-cert /etc/c.pem: there is no certificate in it");
	r.cert = SPAN("-----BEGIN CERTIFICATE-----\nAAAA\n"
		      "-----END CERTIFICATE-----\n");
	refuses(&r, "tls-cert /etc/c.pem: the certificate in it cannot");
	r.cert = buf_span(&cert);
	r.key = SPAN("nonsense");
	refuses(&r, "tls-key /etc/k.pem: there is no private key in it");
	r.key = buf_span(&other);
	refuses(&r, "tls-key /etc/k.pem: the key does not belong to");
	r.key = buf_span(&encrypted);
	refuses(&r, "tls-key /etc/k.pem: the key is encrypted: store it");
	r.key_file = SPAN("");
	refuses(&r, "tls-key: the key is encrypted");
	buf_addc(&cert, '\n');
	buf_add(&cert,
	    SPAN("-----BEGIN CERTIFICATE-----\nAAAA\n"
		 "-----END CERTIFICATE-----\n"));
	r.cert = buf_span(&cert);
	refuses(&r, "a certificate behind the first cannot be read");
	buf_deinit(&cert);
	buf_wipe(&key);
	buf_wipe(&other);
	buf_wipe(&encrypted);
}

struct shown {
	X509 *cert;
	int chain;
};

static void
note_client(struct peer *p)
{
	struct shown *s = p->arg;
	STACK_OF(X509) * chain;

	peer_tls(p);
	s->cert = SSL_get1_peer_certificate(p->ssl);
	chain = SSL_get_peer_cert_chain(p->ssl);
	s->chain = chain == NULL ? 0 : sk_X509_num(chain);
	peer_hear_end(p);
}

static void
shows_its_certificate_when_it_is_asked_for(void **state)
{
	struct identity between = identity_new(&(struct identity_params){
	    .issuer = &ca, .cn = "between", .ca = true, .to_days = 2 });
	struct identity mine = identity_server(&between, "DNS:me");
	struct tls_rules r = { .ca = buf_span(&ca_pem) };
	struct buf cert, key;

	(void)state;
	buf_init(&cert, 65536);
	buf_init(&key, 65536);
	identity_pem(&mine, &cert);
	identity_pem(&between, &cert);
	identity_key_pem(&mine, &key);
	for (int i = 0; i < 3; i++) {
		struct shown s = { 0 };
		struct peer p = { .id = &server,
			.asks = i > 0,
			.script = note_client,
			.arg = &s };
		struct err e = { 0 };

		r.cert = i < 2 ? buf_span(&cert) : SPAN("");
		r.key = i < 2 ? buf_span(&key) : SPAN("");
		assert_int_equal(try_peer(&p, &r, "localhost", &e), TLS_OK);
		assert_int_equal(s.cert != NULL, i == 1);
		if (s.cert != NULL)
			assert_int_equal(X509_cmp(s.cert, mine.cert), 0);
		assert_int_equal(s.chain, i == 1 ? 1 : 0);
		X509_free(s.cert);
	}
	buf_deinit(&cert);
	buf_wipe(&key);
	identity_free(&mine);
	identity_free(&between);
}

/* ---- lists of what was revoked ---- */

static void
refuses_a_crl_that_is_none(void **state)
{
	struct tls_rules r = { .ca = buf_span(&ca_pem),
		.crl_file = SPAN("/etc/crl.pem") };
	struct buf crl;

	(void)state;
	r.crl = buf_span(&ca_pem);
	refuses(&r, "tls-crl-file /etc/crl.pem: there is no CRL in it");
	r.crl = SPAN("x");
	refuses(&r, "there is no CRL in it (PEM is needed)");
	buf_init(&crl, 65536);
	identity_crl(&ca, NULL, 1, &crl);
	buf_add(&crl,
	    SPAN("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"));
	r.crl = buf_span(&crl);
	refuses(&r, "one of the CRLs in it cannot be read");
	buf_deinit(&crl);
}

static enum tls_answer
try_crl(const struct identity *issuer, const struct identity *revoked, int days,
    struct err *e)
{
	struct tls_rules r = { .ca = buf_span(&ca_pem) };
	enum tls_answer a;
	struct buf crl;

	buf_init(&crl, 65536);
	identity_crl(issuer, revoked, days, &crl);
	r.crl = buf_span(&crl);
	a = try_rules(&server, &r, "localhost", e);
	buf_deinit(&crl);
	return a;
}

static void
looks_into_the_crl_of_the_issuer(void **state)
{
	struct identity other = identity_ca("Another CA");
	struct identity id = identity_server(&ca, "DNS:localhost");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(try_crl(&ca, NULL, 1, &e), TLS_OK);
	assert_int_equal(try_crl(&ca, &id, 1, &e), TLS_OK);
	assert_int_equal(try_crl(&ca, &server, 1, &e), TLS_FAILED);
	expect(&e, ERR_TLS, "it was revoked, says tls-crl-file");
	assert_int_equal(try_crl(&ca, NULL, -10, &e), TLS_FAILED);
	expect(&e, ERR_TLS, "the CRL of its issuer expired on 20");
	assert_int_equal(try_crl(&other, NULL, 1, &e), TLS_FAILED);
	expect(&e, ERR_TLS, "tls-crl-file has no CRL of who issued it");
	identity_free(&id);
	identity_free(&other);
}

/* The list of the intermediate is needed, that of the root is looked at. */
static void
looks_above_where_there_is_a_crl(void **state)
{
	struct identity between = identity_new(&(struct identity_params){
	    .issuer = &ca, .cn = "between", .ca = true, .to_days = 2 });
	struct identity id = identity_server(&between, "DNS:localhost");
	struct peer p = { .id = &id, .above = &between };
	struct tls_rules r = { .ca = buf_span(&ca_pem) };
	struct err e = { 0 };
	struct buf crl;

	(void)state;
	buf_init(&crl, 65536);
	identity_crl(&between, NULL, 1, &crl);
	r.crl = buf_span(&crl);
	assert_int_equal(try_peer(&p, &r, "localhost", &e), TLS_OK);
	identity_crl(&ca, &between, 1, &crl);
	r.crl = buf_span(&crl);
	assert_int_equal(try_peer(&p, &r, "localhost", &e), TLS_FAILED);
	expect(&e, ERR_TLS, "a certificate above it was revoked");
	buf_deinit(&crl);
	identity_free(&id);
	identity_free(&between);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_wrong_with_a_certificate_or_key),
		cmocka_unit_test(shows_its_certificate_when_it_is_asked_for),
		cmocka_unit_test(refuses_a_crl_that_is_none),
		cmocka_unit_test(looks_into_the_crl_of_the_issuer),
		cmocka_unit_test(looks_above_where_there_is_a_crl),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
