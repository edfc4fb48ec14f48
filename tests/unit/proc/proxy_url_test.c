/* SPDX-License-Identifier: ISC */
#include "proc/proxy_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
assert_url(const struct conf_proxy *proxy, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(proxy_url_put(&b, proxy), want != NULL);
	if (want != NULL)
		assert_string_equal(buf_span(&b).p, want);
	else
		assert_int_equal(b.n, 0);
	buf_wipe(&b);
}

static void
says_nothing_of_no_proxy(void **state)
{
	const struct conf_proxy proxy = { .kind = CONF_NO_PROXY };

	(void)state;
	assert_url(&proxy, NULL);
}

static void
writes_each_kind(void **state)
{
	static char host[] = "proxy.example", six[] = "2001:db8::1";
	struct conf_proxy proxy = {
		.kind = CONF_SOCKS5, .host = host, .port = 1080
	};

	(void)state;
	assert_url(&proxy, "socks5h://proxy.example:1080");
	proxy.kind = CONF_HTTP_PROXY;
	assert_url(&proxy, "http://proxy.example:1080");
	proxy.host = six;
	assert_url(&proxy, "http://[2001:db8::1]:1080");
}

static void
encodes_what_would_mean_something(void **state)
{
	static char host[] = "h", user[] = "a:b@c/\xc3\xa4";
	struct conf_proxy proxy = {
		.kind = CONF_SOCKS5, .host = host, .port = 1, .user = user
	};

	(void)state;
	assert_url(&proxy, "socks5h://a%3Ab%40c%2F%C3%A4@h:1");
	proxy.password = secret_new(SPAN("p%\n?~\0x"));
	assert_url(&proxy, "socks5h://a%3Ab%40c%2F%C3%A4:p%25%0A%3F~%00x@h:1");
	secret_free(&proxy.password);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_of_no_proxy),
		cmocka_unit_test(writes_each_kind),
		cmocka_unit_test(encodes_what_would_mean_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
