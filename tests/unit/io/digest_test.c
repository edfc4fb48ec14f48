/* SPDX-License-Identifier: ISC */
#include "io/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* FIPS 180-4's examples, cut to 128 bits. */
static const struct digest of_abc = { { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01,
    0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23 } };
static const struct digest of_nothing = { { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc,
    0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24 } };

static void
is_the_front_of_sha256(void **state)
{
	struct digest_state *d = digest_new();
	struct digest got;

	(void)state;
	digest_end(d, &got);
	assert_memory_equal(&got, &of_nothing, sizeof(got));
	digest_begin(d);
	digest_add(d, SPAN("abc"));
	digest_end(d, &got);
	assert_memory_equal(&got, &of_abc, sizeof(got));
	digest_free(&d);
	assert_null(d);
	digest_free(&d);
}

static void
does_not_see_how_the_octets_were_split(void **state)
{
	struct digest_state *d = digest_new();
	struct digest got;

	(void)state;
	digest_add(d, SPAN("a"));
	digest_add(d, span_make(NULL, 0));
	digest_add(d, SPAN("bc"));
	digest_end(d, &got);
	assert_memory_equal(&got, &of_abc, sizeof(got));
	digest_free(&d);
}

static void
starts_anew_in_the_middle(void **state)
{
	struct digest_state *d = digest_new();
	struct digest got;

	(void)state;
	digest_add(d, SPAN("something else"));
	digest_begin(d);
	digest_add(d, SPAN("abc"));
	digest_end(d, &got);
	assert_memory_equal(&got, &of_abc, sizeof(got));
	digest_free(&d);
}

static void
shows_all_octets_in_hex(void **state)
{
	struct digest d = { .b = { 0x00, 0x0f, 0xab, [15] = 0xff } };
	char hex[DIGEST_HEX + 1];

	(void)state;
	digest_hex(&d, hex);
	assert_string_equal(hex, "000fab000000000000000000000000ff");
}

static void
is_base64url_of_all_of_it(void **state)
{
	char out[DIGEST_BASE64URL + 1];

	(void)state;
	/* RFC 7636 appendix B */
	digest_base64url(
	    SPAN("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), out);
	assert_string_equal(out, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
	digest_base64url(SPAN("abc"), out);
	assert_string_equal(out, "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
	digest_base64url(span_make(NULL, 0), out);
	assert_string_equal(out, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_front_of_sha256),
		cmocka_unit_test(does_not_see_how_the_octets_were_split),
		cmocka_unit_test(starts_anew_in_the_middle),
		cmocka_unit_test(shows_all_octets_in_hex),
		cmocka_unit_test(is_base64url_of_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
