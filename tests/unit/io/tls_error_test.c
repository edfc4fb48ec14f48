/* SPDX-License-Identifier: ISC */
#include "io/tls_error.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "unit/io/peer.h"

static struct identity ca, server;

static void
says(int code, int depth, const char *want)
{
	struct err e = { 0 };
	struct tls_refusal r = {
		.leaf = server.cert,
		.bad = depth > 0 ? ca.cert : server.cert,
		.code = code,
		.depth = depth,
		.name = "imap.example.org",
	};

	assert_int_equal(tls_error_certificate(&e, &r), -1);
	assert_int_equal(e.kind, ERR_TLS);
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_ptr_equal(strstr(e.text,
			     "certificate for a.example, b.example, 192.0.2.1, "
			     "... (issuer Test CA, valid until 20"),
	    e.text);
}

static void
says_why_a_certificate_is_refused(void **state)
{
	(void)state;
	says(X509_V_ERR_HOSTNAME_MISMATCH, 0,
	    ") is refused: it does not name imap.example.org");
	says(X509_V_ERR_IP_ADDRESS_MISMATCH, 0, "it does not name imap");
	says(X509_V_ERR_CERT_HAS_EXPIRED, 0, "it expired on 20");
	says(X509_V_ERR_CERT_HAS_EXPIRED, 1,
	    "a certificate above it expired on 20");
	says(X509_V_ERR_CERT_NOT_YET_VALID, 0, "it is not valid before 20");
	says(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0, "it is self-signed");
	says(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0,
	    "its issuer is not trusted");
	says(X509_V_ERR_CERT_REVOKED, 0, "it was revoked, says tls-crl-file");
}

static void
needs_no_certificate(void **state)
{
	struct err e = { 0 };
	struct tls_refusal r = { .code = X509_V_ERR_CERT_HAS_EXPIRED,
		.name = "imap.example.org" };

	(void)state;
	tls_error_certificate(&e, &r);
	assert_string_equal(e.text,
	    "the certificate of imap.example.org is refused: certificate "
	    "has expired");
}

static void
empties_the_queue(void **state)
{
	struct err e = { 0 };

	(void)state;
	ERR_raise(ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL);
	ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
	assert_int_equal(tls_error_queue(&e, "TLS handshake"), -1);
	assert_string_equal(e.text,
	    "TLS handshake: the server does not offer TLS 1.2 or newer");
	assert_int_equal(ERR_peek_error(), 0);
	tls_error_queue(&e, "TLS");
	assert_string_equal(e.text, "TLS: unknown reason");
}

static void
quotes_a_plain_server(void **state)
{
	struct err e = { 0 };

	(void)state;
	tls_error_not_tls(&e, SPAN("+OK \0\033 hi\r\n"));
	assert_int_equal(e.kind, ERR_TLS);
	assert_string_equal(e.text,
	    "the server does not speak TLS here, it said \"+OK \\x00\\x1B "
	    "hi\"");
}

static int
make_certificates(void **state)
{
	(void)state;
	ca = identity_ca("Test CA");
	server = identity_server(&ca,
	    "DNS:a.example,DNS:b.example,IP:192.0.2.1,DNS:c.example,"
	    "DNS:d.example");
	return 0;
}

static int
free_certificates(void **state)
{
	(void)state;
	identity_free(&ca);
	identity_free(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_why_a_certificate_is_refused),
		cmocka_unit_test(needs_no_certificate),
		cmocka_unit_test(empties_the_queue),
		cmocka_unit_test(quotes_a_plain_server),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
