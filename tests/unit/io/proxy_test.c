/* SPDX-License-Identifier: ISC */
#include "io/proxy.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

static struct secret *password;

static struct proxy *
open_proxy(enum proxy_kind kind)
{
	struct proxy_params params = { .kind = kind,
		.host = "proxy.example.org",
		.port = 8080,
		.user = "alice",
		.password = password };
	struct err e;
	struct proxy *p = proxy_new(&params, "imap.example.org", 993, &e);

	assert_non_null(p);
	return p;
}

static void
speaks_first(void **state)
{
	(void)state;
	for (int kind = PROXY_SOCKS5; kind <= PROXY_HTTP; kind++) {
		struct proxy *p = open_proxy((enum proxy_kind)kind);
		size_t n = proxy_output(p).n;
		struct span none = SPAN("");

		assert_true(n > 0);
		proxy_sent(p, 1);
		assert_int_equal(proxy_output(p).n, n - 1);
		proxy_sent(p, n - 1);
		assert_int_equal(proxy_feed(p, &none), PROXY_MORE);
		assert_int_equal(proxy_output(p).n, 0);
		assert_int_equal(proxy_error(p)->kind, ERR_NONE);
		proxy_free(&p);
		assert_null(p);
		proxy_free(&p);
	}
}

static void
speaks_no_other_protocol(void **state)
{
	struct proxy_params params = { .host = "proxy.example.org",
		.port = 8080 };
	struct err e;

	(void)state;
	assert_null(proxy_new(&params, "imap.example.org", 993, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void
names_proxy_and_server(void **state)
{
	struct proxy *p = open_proxy(PROXY_SOCKS5);
	struct err e;

	(void)state;
	proxy_closed(p, &e);
	assert_int_equal(e.kind, ERR_NET);
	assert_string_equal(e.text,
	    "the proxy proxy.example.org:8080 has hung up instead of "
	    "connecting us to imap.example.org:993");
	proxy_late(p, 1500, &e);
	assert_int_equal(e.kind, ERR_NET);
	assert_string_equal(e.text,
	    "the proxy proxy.example.org:8080 has not connected us to "
	    "imap.example.org:993 within 2 s");
	proxy_free(&p);
}

static void
says_the_secret_to_the_proxy_alone(void **state)
{
	struct span refusals[] = { SPAN("\5\2\1\1"),
		SPAN("HTTP/1.1 407 open sesame YWxpY2U6b3BlbiBzZXNhbWU=\n\n") };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct proxy *p =
		    open_proxy(i == 0 ? PROXY_SOCKS5 : PROXY_HTTP);

		assert_int_equal(proxy_feed(p, &refusals[i]), PROXY_FAILED);
		assert_int_equal(proxy_error(p)->kind, ERR_CONFIG);
		assert_null(strstr(proxy_error(p)->text, "sesame"));
		assert_null(strstr(proxy_error(p)->text, "YWxpY2U6"));
		proxy_free(&p);
	}
}

static int
set_up(void **state)
{
	(void)state;
	password = secret_new(SPAN("open sesame"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(&password);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_first),
		cmocka_unit_test(speaks_no_other_protocol),
		cmocka_unit_test(names_proxy_and_server),
		cmocka_unit_test(says_the_secret_to_the_proxy_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
