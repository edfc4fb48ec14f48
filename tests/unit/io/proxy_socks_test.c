/* SPDX-License-Identifier: ISC */
#include "io/proxy.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "unit/io/proxy_talk.h"

#define HELLO "\5\1\0"        /* no password */
#define HELLO_USER "\5\2\0\2" /* that, or a password */
#define TO_NAME "\5\1\0\3\20imap.example.org\3\341"
#define LOGIN "\1\5alice\6secret"
#define NAME "the proxy 192.0.2.80:1080 "
#define CANNOT NAME "cannot reach imap.example.org:993: "
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* clang-format off */
static const struct talk connects[] = {
	{ .name = "an open proxy, an address of IPv4",
	  .heard = SPAN("\5\0" "\5\0\0\1\177\0\0\1\4\70"),
	  .said = SPAN(HELLO TO_NAME) },
	{ .name = "the server speaks at once",
	  .heard = SPAN("\5\0" "\5\0\0\1\0\0\0\0\0\0" "* OK hello\r\n"),
	  .said = SPAN(HELLO TO_NAME), .left = 12 },
	{ .name = "an address of IPv6",
	  .heard = SPAN("\5\0" "\5\0\0\4" "0123456789abcdef" "\0\0" "*"),
	  .said = SPAN(HELLO TO_NAME), .left = 1 },
	{ .name = "a name",
	  .heard = SPAN("\5\0" "\5\0\0\3\4host\0\0" "*"),
	  .said = SPAN(HELLO TO_NAME), .left = 1 },
	{ .name = "an empty name",
	  .heard = SPAN("\5\0" "\5\0\0\3\0\0\0" "*"),
	  .said = SPAN(HELLO TO_NAME), .left = 1 },
	{ .name = "a password", .user = "alice", .password = "secret",
	  .heard = SPAN("\5\2" "\1\0" "\5\0\0\1\0\0\0\0\0\0" "*"),
	  .said = SPAN(HELLO_USER LOGIN TO_NAME), .left = 1 },
	{ .name = "a password that is not wanted",
	  .user = "alice", .password = "secret",
	  .heard = SPAN("\5\0" "\5\0\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO_USER TO_NAME) },
	{ .name = "an empty password", .user = "alice",
	  .heard = SPAN("\5\2" "\1\0" "\5\0\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO_USER "\1\5alice\0" TO_NAME) },
	{ .name = "a server by its address", .host = "192.0.2.9",
	  .heard = SPAN("\5\0" "\5\0\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO "\5\1\0\1\300\0\2\11\3\341") },
	{ .name = "a server by its address of IPv6", .host = "2001:db8::1",
	  .heard = SPAN("\5\0" "\5\0\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO "\5\1\0\4" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
	      "\3\341") },
};

static const struct talk refuses[] = {
	{ .heard = SPAN("\5\0" "\5\1\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "the proxy itself has failed" },
	{ .heard = SPAN("\5\0" "\5\2\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "the proxy's rules do not allow it" },
	{ .heard = SPAN("\5\0" "\5\3\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "network unreachable" },
	{ .heard = SPAN("\5\0" "\5\4\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "host unreachable" },
	{ .heard = SPAN("\5\0" "\5\5\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "connection refused" },
	{ .heard = SPAN("\5\0" "\5\6\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "the time to live of a packet expired" },
	{ .heard = SPAN("\5\0" "\5\7\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "the proxy cannot connect for others" },
	{ .heard = SPAN("\5\0" "\5\10\0\1\0\0\0\0\0\0"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "the proxy does not know this kind of address" },
	{ .heard = SPAN("\5\0" "\5\377"),
	  .said = SPAN(HELLO TO_NAME), .kind = ERR_NET,
	  .error = CANNOT "unknown reply" },
};

/* What only the user can mend is not tried again. */
static const struct talk stops[] = {
	{ .heard = SPAN("\5\377"), .said = SPAN(HELLO), .kind = ERR_CONFIG,
	  .error = NAME "wants a user and a password: write them into the "
	      "option proxy" },
	{ .user = "alice", .password = "secret",
	  .heard = SPAN("\5\377"), .said = SPAN(HELLO_USER), .kind = ERR_CONFIG,
	  .error = NAME "takes neither nobody nor a user with a password" },
	{ .user = "alice", .password = "secret",
	  .heard = SPAN("\5\2" "\1\1"), .said = SPAN(HELLO_USER LOGIN),
	  .kind = ERR_CONFIG,
	  .error = NAME "refuses the user or the password of the option proxy" },
};

static const struct talk no_socks[] = {
	{ .heard = SPAN("HTTP/1.1 400 Bad Request\r\n"), .said = SPAN(HELLO),
	  .kind = ERR_PROTO, .error = NAME "does not speak SOCKS5" },
	{ .name = "version 4", .heard = SPAN("\0\132"), .said = SPAN(HELLO),
	  .kind = ERR_PROTO, .error = NAME "does not speak SOCKS5" },
	{ .name = "a method that was not offered",
	  .heard = SPAN("\5\2"), .said = SPAN(HELLO),
	  .kind = ERR_PROTO, .error = NAME "does not speak SOCKS5" },
	{ .name = "GSSAPI, which was not offered", .user = "alice",
	  .heard = SPAN("\5\1"), .said = SPAN(HELLO_USER),
	  .kind = ERR_PROTO, .error = NAME "does not speak SOCKS5" },
	{ .name = "another version in the second answer",
	  .heard = SPAN("\5\0" "\4\0\0\1"), .said = SPAN(HELLO TO_NAME),
	  .kind = ERR_PROTO, .error = NAME "does not speak SOCKS5" },
	{ .name = "an address of no kind",
	  .heard = SPAN("\5\0" "\5\0\0\2\0\0\0"), .said = SPAN(HELLO TO_NAME),
	  .kind = ERR_PROTO, .error = NAME "does not speak SOCKS5" },
};

static const struct talk unfinished[] = {
	{ .heard = SPAN("\5"), .said = SPAN(HELLO), .waits = true },
	{ .heard = SPAN("\5\0\5\0\0\1\0\0\0\0\0"), .said = SPAN(HELLO TO_NAME),
	  .waits = true },
	{ .heard = SPAN("\5\0\5\0\0\3\5host\0"), .said = SPAN(HELLO TO_NAME),
	  .waits = true },
};

/* clang-format on */

static void
connects_at_every_split(void **state)
{
	(void)state;
	talk_all(PROXY_SOCKS5, connects, COUNT(connects));
	talk_all(PROXY_SOCKS5, unfinished, COUNT(unfinished));
}

static void
says_in_words_why_it_cannot(void **state)
{
	(void)state;
	talk_all(PROXY_SOCKS5, refuses, COUNT(refuses));
	talk_all(PROXY_SOCKS5, stops, COUNT(stops));
}

static void
knows_what_is_no_socks(void **state)
{
	(void)state;
	talk_all(PROXY_SOCKS5, no_socks, COUNT(no_socks));
}

static void
refuses_what_cannot_be_said(void **state)
{
	char name[300];
	struct proxy_params p = {
		.kind = PROXY_SOCKS5, .host = "192.0.2.80", .port = 1080
	};
	struct err e;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	assert_null(proxy_new(&p, name, 993, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	p.user = name;
	assert_null(proxy_new(&p, TALK_HOST, 993, &e));
	p.user = "";
	assert_null(proxy_new(&p, TALK_HOST, 993, &e));
	p.user = "alice";
	p.password = secret_new(span_of(name));
	assert_null(proxy_new(&p, TALK_HOST, 993, &e));
	assert_string_equal(e.text,
	    NAME "cannot be asked by SOCKS5: host, user and password have at "
		 "most 255 octets there");
	secret_free((struct secret **)(uintptr_t)&p.password);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects_at_every_split),
		cmocka_unit_test(says_in_words_why_it_cannot),
		cmocka_unit_test(knows_what_is_no_socks),
		cmocka_unit_test(refuses_what_cannot_be_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
