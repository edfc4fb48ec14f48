/* SPDX-License-Identifier: ISC */
#include "proc/certificate.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

static struct tls_info
usual(void)
{
	return (struct tls_info){ .verified = TLS_VERIFY_CHAIN,
		.ocsp = TLS_OCSP_BAD,
		.n = 2,
		.chain = { { .authority = "An Authority",
			       .pin = "sha256:x",
			       .not_after = 5000 },
		    { .authority = "Another", .not_after = 1 } } };
}

static void
tells_of_the_servers_own(void **state)
{
	struct tls_info info = usual();
	struct certificate c, d;
	struct unpack u;
	struct buf b;

	(void)state;
	assert_true(certificate_of(&c, &info, "imap.example.org"));
	buf_init(&b, 4096);
	certificate_pack(&b, &c);
	u = unpack_of(buf_span(&b));
	assert_true(certificate_unpack(&u, &d));
	assert_string_equal(d.host, "imap.example.org");
	assert_string_equal(d.authority, "An Authority");
	assert_string_equal(d.pin, "sha256:x");
	assert_true(d.not_after == 5000);
	assert_true(d.ocsp_is_useless);
	for (size_t n = 0; n < b.n; n++) {
		u = unpack_of(span_make(buf_span(&b).p, n));
		assert_false(certificate_unpack(&u, &d));
	}
	buf_deinit(&b);
}

static void
tells_nothing_where_no_chain_counts(void **state)
{
	struct tls_info info = usual();
	struct certificate c;

	(void)state;
	info.verified = TLS_VERIFY_PIN;
	assert_false(certificate_of(&c, &info, "h"));
	info.verified = TLS_VERIFY_DANE;
	assert_false(certificate_of(&c, &info, "h"));
	info.verified = TLS_VERIFY_BOTH;
	assert_true(certificate_of(&c, &info, "h"));
	info.n = 0;
	assert_false(certificate_of(&c, &info, "h"));
}

/* It may be from an engine that somebody else speaks through. */
static void
makes_what_it_hears_printable(void **state)
{
	char longest[1000];
	struct certificate c;
	struct unpack u;
	struct buf b;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	buf_init(&b, 4096);
	pack_span(&b, SPAN("a\033[2J\nb\0c"));
	pack_span(&b, span_make(longest, sizeof(longest)));
	pack_span(&b, span_make(longest, sizeof(longest)));
	pack_u64(&b, 1);
	pack_u8(&b, 0);
	u = unpack_of(buf_span(&b));
	assert_true(certificate_unpack(&u, &c));
	assert_string_equal(c.host, "a\\x1B[2J\\x0Ab\\x00c");
	assert_true(strlen(c.authority) < sizeof(c.authority));
	buf_deinit(&b);
}

static void
is_news_when_something_changed(void **state)
{
	struct tls_info info = usual();
	struct certificate c;
	struct digest a, b;

	(void)state;
	assert_true(certificate_of(&c, &info, "h"));
	assert_ptr_equal(certificate_print(&c, &a), &a);
	assert_memory_equal(&a, certificate_print(&c, &b), sizeof(a));
	c.not_after++;
	assert_memory_not_equal(&a, certificate_print(&c, &b), sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_the_servers_own),
		cmocka_unit_test(tells_nothing_where_no_chain_counts),
		cmocka_unit_test(is_news_when_something_changed),
		cmocka_unit_test(makes_what_it_hears_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
