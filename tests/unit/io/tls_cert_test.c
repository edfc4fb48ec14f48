/* SPDX-License-Identifier: ISC */
#include "io/tls_cert.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>
#include <time.h>

#include "unit/io/peer.h"

static struct identity ca, server;

static void
names_who_it_is(void **state)
{
	char text[32];

	(void)state;
	tls_cert_name(text, sizeof(text), X509_get_subject_name(server.cert));
	assert_string_equal(text, "a test server");
	tls_cert_name(text, sizeof(text), X509_get_issuer_name(server.cert));
	assert_string_equal(text, "Test CA");
	tls_cert_name(text, 7, X509_get_subject_name(server.cert));
	assert_string_equal(text, "a t...");
}

static void
prefers_the_organisation_of_an_authority(void **state)
{
	X509_NAME *name = X509_NAME_new();
	char text[32];

	(void)state;
	tls_cert_authority(text, sizeof(text), name);
	assert_string_equal(text, "?");
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)"R10", -1, -1, 0);
	tls_cert_authority(text, sizeof(text), name);
	assert_string_equal(text, "R10");
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
	    (const unsigned char *)"Let's \033[m", -1, -1, 0);
	tls_cert_authority(text, sizeof(text), name);
	assert_string_equal(text, "Let's \\x1B[m");
	X509_NAME_free(name);
}

static void
lists_the_alternative_names(void **state)
{
	struct identity none = identity_new(&(struct identity_params){
	    .issuer = &ca, .cn = "x", .from_days = -1, .to_days = 1 });
	char text[64];

	(void)state;
	assert_true(tls_cert_sans(text, sizeof(text), server.cert, 9));
	assert_string_equal(
	    text, "a.example, b.example, 192.0.2.1, 2001:db8::1");
	assert_true(tls_cert_sans(text, sizeof(text), server.cert, 2));
	assert_string_equal(text, "a.example, b.example, ...");
	assert_true(tls_cert_sans(text, 12, server.cert, 9));
	assert_string_equal(text, "a.example, ");
	assert_false(tls_cert_sans(text, sizeof(text), none.cert, 9));
	identity_free(&none);
}

static void
tells_the_time(void **state)
{
	ASN1_TIME *t = ASN1_TIME_new();
	char day[TLS_CERT_DAY_SIZE];

	(void)state;
	ASN1_TIME_set_string(t, "20380119031408Z");
	tls_cert_day(day, sizeof(day), t);
	assert_string_equal(day, "2038-01-19");
	assert_true(tls_cert_time(t) == INT64_C(2147483648));
	ASN1_STRING_set(t, "nonsense", 8);
	tls_cert_day(day, sizeof(day), t);
	assert_string_equal(day, "?");
	assert_true(tls_cert_time(t) == 0);
	ASN1_TIME_free(t);
}

/* As "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der |
 * openssl dgst -sha256" has it. */
static void
pins_the_public_key(void **state)
{
	unsigned char pin[TLS_PIN_OCTETS], want[32], *der = NULL;
	char text[TLS_PIN_TEXT_SIZE];
	int n = i2d_PUBKEY(server.key, &der);

	(void)state;
	assert_true(n > 0);
	EVP_Digest(der, (size_t)n, want, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	assert_int_equal(tls_cert_pin(server.cert, pin), 0);
	assert_memory_equal(pin, want, sizeof(want));
	tls_cert_pin_text(text, server.cert);
	assert_int_equal(strlen(text), 7 + 44);
	assert_memory_equal(text, "sha256:", 7);
	tls_cert_pin_text(text, NULL);
	assert_string_equal(text, "?");
}

static int
make_certificates(void **state)
{
	(void)state;
	ca = identity_ca("Test CA");
	server = identity_server(
	    &ca, "DNS:a.example,DNS:b.example,IP:192.0.2.1,IP:2001:db8::1");
	return 0;
}

static int
free_certificates(void **state)
{
	(void)state;
	identity_free(&server);
	identity_free(&ca);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_who_it_is),
		cmocka_unit_test(prefers_the_organisation_of_an_authority),
		cmocka_unit_test(lists_the_alternative_names),
		cmocka_unit_test(tells_the_time),
		cmocka_unit_test(pins_the_public_key),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
