/* SPDX-License-Identifier: ISC */
#include "io/tls_info.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <time.h>

#include "io/tls_cert.h"
#include "unit/io/tls_client.h"

static void
describes_a_session(void **state)
{
	struct identity ca = identity_ca("Test CA");
	struct identity id = identity_server(&ca, "DNS:localhost,DNS:b\033.x");
	struct peer p = {
		.script = accept_and_leave, .id = &id, .alpn = "\4imap"
	};
	struct buf pem;
	struct client c;
	struct tls_ctx *ctx;
	struct tls_info info;
	char pin[TLS_PIN_TEXT_SIZE];

	(void)state;
	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	ctx = tls_ctx_new_pem(buf_span(&pem), NULL);
	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", "imap");
	assert_false(tls_info(c.tls, &info));
	assert_int_equal(shake(&c), TLS_OK);
	assert_true(tls_info(c.tls, &info));
	assert_string_equal(info.version, "TLSv1.3");
	assert_non_null(strstr(info.cipher, "TLS_"));
	assert_string_equal(info.alpn, "imap");
	assert_false(info.resumed);
	assert_int_equal(info.verified, TLS_VERIFY_CHAIN);
	assert_int_equal(info.ocsp, TLS_OCSP_NONE);
	assert_int_equal(info.n, 2);
	assert_string_equal(info.chain[0].subject, "a test server");
	assert_string_equal(info.chain[0].issuer, "Test CA");
	assert_string_equal(info.chain[0].names, "localhost, b\\x1B.x");
	assert_string_equal(info.chain[1].subject, "Test CA");
	assert_true(info.chain[0].not_before < time(NULL));
	assert_true(info.chain[0].not_after > time(NULL) + 364 * 86400);
	tls_cert_pin_text(pin, id.cert);
	assert_string_equal(info.chain[0].pin, pin);
	client_end(&c);
	assert_true(peer_end(&p));
	tls_ctx_free(&ctx);
	buf_deinit(&pem);
	identity_free(&id);
	identity_free(&ca);
}

static void
shows_the_certificate_that_was_refused(void **state)
{
	struct identity ca = identity_ca("Test CA");
	struct identity id = identity_server(&ca, "DNS:other.example");
	struct peer p = { .script = accept_and_leave, .id = &id };
	struct tls_info_certificate cert;
	struct tls_info info;
	struct buf pem;
	struct client c;
	struct tls_ctx *ctx;
	char pin[TLS_PIN_TEXT_SIZE];

	(void)state;
	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	ctx = tls_ctx_new_pem(buf_span(&pem), NULL);
	peer_begin(&p);
	client_begin(&c, ctx, p.port, "localhost", NULL);
	assert_false(tls_refused(c.tls, &cert));
	assert_int_equal(shake(&c), TLS_FAILED);
	assert_false(tls_info(c.tls, &info));
	assert_true(tls_refused(c.tls, &cert));
	assert_string_equal(cert.names, "other.example");
	tls_cert_pin_text(pin, id.cert);
	assert_string_equal(cert.pin, pin);
	client_end(&c);
	(void)peer_end(&p);
	tls_ctx_free(&ctx);
	buf_deinit(&pem);
	identity_free(&id);
	identity_free(&ca);
}

static void
has_words_for_each_answer(void **state)
{
	(void)state;
	assert_string_equal(tls_verify_name(TLS_VERIFY_BOTH), "chain and pin");
	assert_string_equal(tls_ocsp_name(TLS_OCSP_GOOD), "good");
	for (int i = 0; i < (int)TLS_VERIFIES; i++)
		assert_non_null(tls_verify_name((enum tls_verify)i));
	for (int i = 0; i < (int)TLS_OCSPS; i++)
		assert_non_null(tls_ocsp_name((enum tls_ocsp)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_a_session),
		cmocka_unit_test(shows_the_certificate_that_was_refused),
		cmocka_unit_test(has_words_for_each_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
