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

#define SAID                                                                   \
	"CONNECT imap.example.org:993 HTTP/1.1\r\n"                            \
	"Host: imap.example.org:993\r\n"
#define NAME "the proxy 192.0.2.80:1080 "
#define CANNOT NAME "cannot reach imap.example.org:993: "
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* clang-format off */
static const struct talk connects[] = {
	{ .heard = SPAN("HTTP/1.1 200 Connection established\r\n\r\n"),
	  .said = SPAN(SAID "\r\n") },
	{ .name = "the server speaks at once",
	  .heard = SPAN("HTTP/1.0 200\r\nVia: x\r\n\r\n* OK hello\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"), .left = 14 },
	{ .name = "it says that a body follows, which RFC 9110 has us ignore",
	  .heard = SPAN("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n"
	      "Content-Length: 7\r\n\r\n5\r\n"),
	  .said = SPAN(SAID "\r\n"), .left = 3 },
	{ .name = "lines end in LF alone",
	  .heard = SPAN("HTTP/1.1 200 OK\nA: b\n\n\n"),
	  .said = SPAN(SAID "\r\n"), .left = 1 },
	{ .name = "an interim answer comes first",
	  .heard = SPAN("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
	      "HTTP/1.1 200 OK\r\n\r\n*"),
	  .said = SPAN(SAID "\r\n"), .left = 1 },
	{ .name = "a user and a password",
	  .user = "alice", .password = "open sesame",
	  .heard = SPAN("HTTP/1.1 200 OK\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic "
	      "YWxpY2U6b3BlbiBzZXNhbWU=\r\n\r\n") },
	{ .name = "no padding is needed", .user = "a", .password = "b",
	  .heard = SPAN("HTTP/1.1 200 OK\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic YTpi\r\n\r\n") },
	{ .name = "no password", .user = "alic",
	  .heard = SPAN("HTTP/1.1 200 OK\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic YWxpYzo=\r\n\r\n") },
	{ .name = "an address of IPv6", .host = "2001:db8::1",
	  .heard = SPAN("HTTP/1.1 200 OK\r\n\r\n"),
	  .said = SPAN("CONNECT [2001:db8::1]:993 HTTP/1.1\r\n"
	      "Host: [2001:db8::1]:993\r\n\r\n") },
	{ .name = "it is not over yet",
	  .heard = SPAN("HTTP/1.1 200 OK\r\nA: b\r\n\r"),
	  .said = SPAN(SAID "\r\n"), .waits = true },
};

#define INTERIM_1 "HTTP/1.1 100 x\r\n\r\n"
#define INTERIM INTERIM_1 INTERIM_1 INTERIM_1 INTERIM_1

static const struct talk refuses[] = {
	{ .heard = SPAN("HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\nno!"),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_NET,
	  .error = CANNOT "the proxy's rules do not allow it: 403 Forbidden" },
	{ .heard = SPAN("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_NET,
	  .error = CANNOT "502 Bad Gateway" },
	{ .heard = SPAN("HTTP/1.1 504\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_NET,
	  .error = CANNOT "504" },
	{ .heard = SPAN("HTTP/1.1 302 \033[2Jmoved\r\nLocation: /\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_NET,
	  .error = CANNOT "302 \\x1B[2Jmoved" },
	{ .heard = SPAN("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_CONFIG,
	  .error = NAME "wants a user and a password: write them into the "
	      "option proxy" },
	{ .user = "a", .password = "b",
	  .heard = SPAN("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic YTpi\r\n\r\n"),
	  .kind = ERR_CONFIG,
	  .error = NAME "refuses the user or the password of the option "
	      "proxy" },
	{ .name = "it repeats the password", .user = "alice",
	  .password = "open sesame",
	  .heard = SPAN("HTTP/1.1 500 what is open sesame?\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic "
	      "YWxpY2U6b3BlbiBzZXNhbWU=\r\n\r\n"),
	  .kind = ERR_NET, .error = CANNOT "500" },
	{ .name = "it repeats a part of it", .user = "alice",
	  .password = "open sesame",
	  .heard = SPAN("HTTP/1.1 400 bad: YWxpY2U6b3BlbiBzZX...\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic "
	      "YWxpY2U6b3BlbiBzZXNhbWU=\r\n\r\n"),
	  .kind = ERR_NET, .error = CANNOT "400" },
	{ .name = "it repeats what we said", .user = "alice",
	  .password = "open sesame",
	  .heard = SPAN("HTTP/1.1 400 bad: YWxpY2U6b3BlbiBzZXNhbWU=\r\n\r\n"),
	  .said = SPAN(SAID "Proxy-Authorization: Basic "
	      "YWxpY2U6b3BlbiBzZXNhbWU=\r\n\r\n"),
	  .kind = ERR_NET, .error = CANNOT "400" },
	{ .heard = SPAN("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_PROTO,
	  .error = NAME "answers CONNECT with \"101\"" },
	{ .name = "it answers without an end",
	  .heard = SPAN(INTERIM INTERIM INTERIM INTERIM INTERIM),
	  .said = SPAN(SAID "\r\n"), .kind = ERR_PROTO,
	  .error = NAME "answers again and again, and says nothing" },
	{ .heard = SPAN("* OK IMAP4rev1\r\n"), .said = SPAN(SAID "\r\n"),
	  .kind = ERR_PROTO, .error = NAME "does not speak HTTP" },
	{ .heard = SPAN("\0"), .said = SPAN(SAID "\r\n"),
	  .kind = ERR_PROTO, .error = NAME "does not speak HTTP" },
	{ .heard = SPAN("HTTP/1.1 twohundred\r\n\r\n"),
	  .said = SPAN(SAID "\r\n"),
	  .kind = ERR_PROTO, .error = NAME "does not speak HTTP" },
	{ .heard = SPAN("HTTP/2 200\r\n\r\n"), .said = SPAN(SAID "\r\n"),
	  .kind = ERR_PROTO, .error = NAME "does not speak HTTP" },
};

/* clang-format on */

static void
connects_at_every_split(void **state)
{
	(void)state;
	talk_all(PROXY_HTTP, connects, COUNT(connects));
}

static void
says_in_words_why_it_cannot(void **state)
{
	(void)state;
	talk_all(PROXY_HTTP, refuses, COUNT(refuses));
}

static void
bounds_the_header(void **state)
{
	static char huge[20000] = "HTTP/1.1 200 OK\r\nA: ";
	struct talk t = { .said = SPAN(SAID "\r\n"),
		.kind = ERR_PROTO,
		.error =
		    NAME "answers with a header of more than 16384 octets" };

	(void)state;
	memset(huge + 20, 'x', sizeof(huge) - 20);
	t.heard = span_make(huge, sizeof(huge));
	talk_once(PROXY_HTTP, &t, 1);
	talk_once(PROXY_HTTP, &t, 4096);
	talk_once(PROXY_HTTP, &t, sizeof(huge));
	for (size_t i = 40; i + 1 < sizeof(huge); i += 10)
		huge[i] = '\n';
	talk_once(PROXY_HTTP, &t, 1);
	talk_once(PROXY_HTTP, &t, sizeof(huge));
}

static void
refuses_what_cannot_be_said(void **state)
{
	static const char *const hosts[] = { "a b", "a\r\nb" };
	char long_user[3000];
	struct proxy_params p = {
		.kind = PROXY_HTTP, .host = "192.0.2.80", .port = 1080
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		assert_null(proxy_new(&p, hosts[i], 993, &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	p.user = "a:b";
	assert_null(proxy_new(&p, TALK_HOST, 993, &e));
	assert_string_equal(e.text,
	    NAME "cannot be asked by HTTP: a user has no colon there, and "
		 "with the password at most 2047 octets");
	memset(long_user, 'a', sizeof(long_user));
	long_user[2048] = '\0';
	p.user = long_user;
	assert_null(proxy_new(&p, TALK_HOST, 993, &e));
}

/* The longest that can be said is said whole. */
static void
says_the_longest_password(void **state)
{
	char user[2047];
	struct proxy_params p = { .kind = PROXY_HTTP,
		.host = "192.0.2.80",
		.port = 1080,
		.user = user };
	const struct span end = SPAN("Og==\r\n\r\n");
	struct proxy *it;
	struct span out;
	struct err e;

	(void)state;
	memset(user, 'a', sizeof(user));
	user[2046] = '\0';
	it = proxy_new(&p, TALK_HOST, 993, &e);
	assert_non_null(it);
	out = proxy_output(it);
	assert_int_equal(out.n,
	    strlen(SAID) + strlen("Proxy-Authorization: Basic ") + 2732 + 4);
	assert_memory_equal(out.p + out.n - end.n, end.p, end.n);
	proxy_free(&it);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects_at_every_split),
		cmocka_unit_test(says_in_words_why_it_cannot),
		cmocka_unit_test(bounds_the_header),
		cmocka_unit_test(refuses_what_cannot_be_said),
		cmocka_unit_test(says_the_longest_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
