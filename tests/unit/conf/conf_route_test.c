/* SPDX-License-Identifier: ISC */
#include "conf/conf_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/conf/tmp.h"

#include "unit/conf/load.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MUST "host = h user = u maildir = /m "

static void
reads_a_proxy(void **state)
{
	static const struct {
		const char *text;
		enum conf_proxy_kind kind;
		const char *host;
		unsigned int port;
		const char *user, *password;
	} t[] = {
		{ "socks5://p", CONF_SOCKS5, "p", 1080, NULL, NULL },
		{ "socks5h://p/", CONF_SOCKS5, "p", 1080, NULL, NULL },
		{ "SOCKS5://127.0.0.1:9050", CONF_SOCKS5, "127.0.0.1", 9050,
		    NULL, NULL },
		{ "http://p.example.org", CONF_HTTP_PROXY, "p.example.org",
		    8080, NULL, NULL },
		{ "http://[::1]:3128/", CONF_HTTP_PROXY, "::1", 3128, NULL,
		    NULL },
		{ "http://[::1]", CONF_HTTP_PROXY, "::1", 8080, NULL, NULL },
		{ "socks5://u@p:1", CONF_SOCKS5, "p", 1, "u", NULL },
		{ "http://u:pw@p", CONF_HTTP_PROXY, "p", 8080, "u", "pw" },
		{ "http://u%40x:a%3ab%2F%25@p", CONF_HTTP_PROXY, "p", 8080,
		    "u@x", "a:b/%" },
		{ "http://u@x:a:b@p", CONF_HTTP_PROXY, "p", 8080, "u@x",
		    "a:b" },
		{ "none", CONF_NO_PROXY, NULL, 0, NULL, NULL },
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		char *text = mem_printf("proxy = \"%s\"", t[i].text);
		struct conf *c = load_options(MUST, text);
		const struct conf_proxy *p = &c->accounts[0].proxy;

		assert_int_equal(p->kind, t[i].kind);
		assert_int_equal(p->port, t[i].port);
		if (t[i].host == NULL)
			assert_null(p->host);
		else
			assert_string_equal(p->host, t[i].host);
		if (t[i].user == NULL)
			assert_null(p->user);
		else
			assert_string_equal(p->user, t[i].user);
		assert_true(t[i].password == NULL
			? p->password == NULL
			: span_eq(secret_span(p->password),
			      span_of(t[i].password)));
		conf_free(&c);
		free(text);
	}
}

#define BAD_URL                                                                \
	"proxy has no such host or port: write it as "                         \
	"\"socks5://127.0.0.1:1080\" or \"http://[::1]:8080\""
#define BAD_LOGIN                                                              \
	"proxy has a user or password that cannot be: each has 1 to 255 "      \
	"octets, and \":\", \"/\", \"@\" and \"%\" are written as %3A, %2F, "  \
	"%40 and %25"

static void
refuses_what_is_no_proxy(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "https://p",
		    "proxy must begin with \"socks5://\" or \"http://\", or "
		    "be none" },
		{ "p:1080",
		    "proxy must begin with \"socks5://\" or \"http://\", or "
		    "be none" },
		{ "http://", BAD_URL },
		{ "http:///", BAD_URL },
		{ "http://p:", BAD_URL },
		{ "http://p:0", BAD_URL },
		{ "http://p:65536", BAD_URL },
		{ "http://p:80/path", BAD_URL },
		{ "http://::1", BAD_URL },
		{ "http://[p]", BAD_URL },
		{ "http://[::1", BAD_URL },
		{ "http://[::1]x", BAD_URL },
		{ "http://a b", BAD_URL },
		{ "http://@p", BAD_LOGIN },
		{ "http://:pw@p", BAD_LOGIN },
		{ "http://u:@p", BAD_LOGIN },
		{ "http://u:%@p", BAD_LOGIN },
		{ "http://u:%4@p", BAD_LOGIN },
		{ "http://u:%zz@p", BAD_LOGIN },
		{ "http://u:a%0d@p", BAD_LOGIN },
		{ "http://u%00:a@p", BAD_LOGIN },
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		char *text = mem_printf("proxy = \"%s\"", t[i].text);

		options_say(MUST, text, t[i].want);
		free(text);
	}
}

static void
bounds_what_rfc_1929_bounds(void **state)
{
	char name[257], *text;
	struct conf *c;

	(void)state;
	memset(name, 'x', 256);
	name[256] = '\0';
	text = mem_printf("proxy = \"socks5://u:%s@p\"", name);
	options_say(MUST, text, BAD_LOGIN);
	free(text);
	name[255] = '\0';
	text = mem_printf("proxy = \"socks5://%s:%s@p\"", name, name);
	c = load_options(MUST, text);
	assert_int_equal(secret_span(c->accounts[0].proxy.password).n, 255);
	conf_free(&c);
	free(text);
}

static void
hides_the_password_of_a_proxy(void **state)
{
	char errors[1024];
	struct conf *c;

	(void)state;
	tmp_write("open", 0644,
	    "account a { " MUST "proxy = \"http://u:hush@p\" }\n");
	c = load("open", errors, sizeof(errors));
	assert_string_equal(errors,
	    "open:1: account a: proxy stands in a file that others can read: "
	    "chmod 600 it\n");
	conf_free(&c);
	tmp_write(
	    "open", 0644, "account a { " MUST "proxy = \"http://u@p\" }\n");
	c = load("open", errors, sizeof(errors));
	assert_string_equal(errors, "");
	conf_free(&c);
	expect_errors("account a { " MUST "proxy = http://u:hush hush@p }",
	    "f:1: more than one word for a password: put it in quotes\n");
}

static void
reads_a_tunnel_and_addresses(void **state)
{
	struct conf *c = load_options(MUST,
	    "tls = none tunnel = {\"ssh\", \"-q\", \"mail\", \"%{user}\"}");
	struct conf_account *a = &c->accounts[0];

	(void)state;
	assert_int_equal(a->tunnel.n, 4);
	assert_string_equal(a->tunnel.v[3], "%{user}");
	conf_free(&c);
	c = load_options(
	    MUST, "bind-address = \"2001:db8::7\" address-family = ipv6");
	a = &c->accounts[0];
	assert_string_equal(a->bind_address, "2001:db8::7");
	assert_int_equal(a->address_family, CONF_IPV6);
	assert_int_equal(a->tunnel.n, 0);
	conf_free(&c);
}

#define BESIDE " is of no use beside tunnel: remove one of them"

static void
says_what_does_not_go_together(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "tunnel = t proxy = \"http://p\"", "proxy" BESIDE },
		{ "tunnel = t bind-address = 192.0.2.1",
		    "bind-address" BESIDE },
		{ "tunnel = t address-family = ipv4", "address-family" BESIDE },
		{ "tunnel = \"a b\"",
		    "tunnel = \"a b\": no shell splits it: write "
		    "{\"program\", \"argument\"}" },
		{ "tunnel = ./t",
		    "tunnel = \"./t\": write the program's whole path, or its "
		    "name alone" },
		{ "bind-address = localhost",
		    "bind-address is no address: write one of this machine's "
		    "in digits, as 192.0.2.7 or 2001:db8::7" },
		{ "bind-address = 192.0.2.1 address-family = ipv4", NULL },
		{ "bind-address = 192.0.2.1 address-family = ipv6",
		    "bind-address is of another family than address-family: "
		    "change one of them" },
		{ "bind-address = \"::1\" address-family = ipv4",
		    "bind-address is of another family than address-family: "
		    "change one of them" },
		{ "address-family = ipv5",
		    "address-family = \"ipv5\": use any, ipv4 or ipv6" },
		{ "address-family = ipv6 proxy = \"socks5://192.0.2.1\"",
		    "address-family excludes the address that is connected "
		    "to: remove it" },
		{ "bind-address = 192.0.2.1 proxy = \"socks5://[::1]\"",
		    "bind-address is of another family than the address that "
		    "is connected to: change it" },
	};

	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++)
		options_say(MUST, t[i].text, t[i].want);
}

static void
takes_its_own_way_instead_of_that_of_defaults(void **state)
{
	struct conf *c = load_text("defaults { " MUST "proxy = \"http://p\" "
				   "bind-address = 192.0.2.1 }\n"
				   "account a { tunnel = t }\n"
				   "account b { proxy = none }\n");

	(void)state;
	assert_int_equal(c->accounts[0].proxy.kind, CONF_NO_PROXY);
	assert_null(c->accounts[0].bind_address);
	assert_int_equal(c->accounts[0].tunnel.n, 1);
	assert_int_equal(c->accounts[1].proxy.kind, CONF_NO_PROXY);
	assert_string_equal(c->accounts[1].bind_address, "192.0.2.1");
	conf_free(&c);
	c = load_text("defaults { " MUST "tunnel = t }\n"
		      "account a { proxy = \"http://p\" }\n");
	assert_int_equal(c->accounts[0].tunnel.n, 0);
	assert_int_equal(c->accounts[0].proxy.kind, CONF_HTTP_PROXY);
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_proxy),
		cmocka_unit_test(refuses_what_is_no_proxy),
		cmocka_unit_test(bounds_what_rfc_1929_bounds),
		cmocka_unit_test(hides_the_password_of_a_proxy),
		cmocka_unit_test(reads_a_tunnel_and_addresses),
		cmocka_unit_test(says_what_does_not_go_together),
		cmocka_unit_test(takes_its_own_way_instead_of_that_of_defaults),
	};

	return cmocka_run_group_tests(tests, tmp_enter, tmp_leave);
}
