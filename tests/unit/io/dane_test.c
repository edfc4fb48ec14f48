/* SPDX-License-Identifier: ISC */
#include "io/dane.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "dns_message.h"

/* A name server on 127.0.0.1 that answers each question with the record that
 * the name begins with; see zones. */
static struct {
	int fd, stop[2];
	pthread_t thread;
	char resolv_conf[64];
} server;

static const struct zone {
	const char *host;
	unsigned int flags;
	const char *data; /* of one record; NULL: none */
	size_t n;
} zones[] = {
	{ "good.example", FLAGS_GOOD | FLAG_AD,
	    "\3\1\1"
	    "01234567890123456789012345678901",
	    35 },
	{ "anchor.example", FLAGS_GOOD | FLAG_AD,
	    "\2\0\1"
	    "01234567890123456789012345678901",
	    35 },
	{ "unsigned.example", FLAGS_GOOD,
	    "\3\1\1"
	    "01234567890123456789012345678901",
	    35 },
	{ "web.example", FLAGS_GOOD | FLAG_AD,
	    "\1\1\1"
	    "01234567890123456789012345678901",
	    35 },
	{ "short.example", FLAGS_GOOD | FLAG_AD,
	    "\3\1\1"
	    "0123",
	    7 },
	{ "empty.example", FLAGS_GOOD | FLAG_AD, NULL, 0 },
	{ "gone.example", FLAGS_GOOD | FLAG_AD | 3, NULL, 0 },
	{ "stripped.example", FLAGS_GOOD | 3, NULL, 0 },
	{ "broken.example", FLAGS_GOOD | 2, NULL, 0 },
};

static bool
is_about(const struct query_question *q, const char *host)
{
	struct buf b;
	bool yes;

	buf_init(&b, 300);
	dns_put_name(&b, host);
	yes = span_has(span_make(q->wire, q->n), buf_span(&b));
	buf_deinit(&b);
	return yes;
}

static void
answer(const unsigned char *m, size_t n, const struct sockaddr_in *to)
{
	struct query_question q = { .id = (uint16_t)(m[0] << 8 | m[1]) };
	struct buf b, data;
	size_t end = 12;

	while (end < n && m[end] != 0)
		end += m[end] + 1u;
	q.n = end + 5 - 12;
	memcpy(q.wire, m + 12, q.n);
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		if (!is_about(&q, zones[i].host))
			continue;
		dns_begin(&b, &q, zones[i].flags, zones[i].data != NULL);
		buf_init(&data, 64);
		if (zones[i].data != NULL) {
			dns_put(&data, zones[i].data, zones[i].n);
			dns_put_rr(&b, NULL, TYPE_TLSA, &data);
		}
		sendto(server.fd, buf_span(&b).p, b.n, 0,
		    (const struct sockaddr *)to, sizeof(*to));
		buf_deinit(&data);
		buf_deinit(&b);
	}
}

static void *
serve(void *arg)
{
	struct pollfd f[] = { { .fd = server.fd, .events = POLLIN },
		{ .fd = server.stop[0], .events = POLLIN } };

	(void)arg;
	while (poll(f, 2, -1) > 0 && f[1].revents == 0) {
		unsigned char m[2048];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(
		    server.fd, m, sizeof(m), 0, (struct sockaddr *)&from, &len);

		if (n > 16)
			answer(m, (size_t)n, &from);
	}
	return NULL;
}

static int
start_server(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd;

	(void)state;
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(
	    getsockname(server.fd, (struct sockaddr *)&sa, &len), 0);
	snprintf(server.resolv_conf, sizeof(server.resolv_conf),
	    "/tmp/mailhaul-dane-XXXXXX");
	fd = mkstemp(server.resolv_conf);
	dprintf(fd, "nameserver 127.0.0.1:%u\n", ntohs(sa.sin_port));
	close(fd);
	assert_int_equal(pipe(server.stop), 0);
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int
stop_server(void **state)
{
	(void)state;
	assert_int_equal(write(server.stop[1], "x", 1), 1);
	pthread_join(server.thread, NULL);
	close(server.fd);
	close(server.stop[0]);
	close(server.stop[1]);
	unlink(server.resolv_conf);
	return 0;
}

/* ---- one server ---- */

struct result {
	struct loop *loop;
	struct dns *dns;
	struct dane *dane;
	unsigned int calls;
	struct err e;
};

static void
take(void *arg, const struct err *e)
{
	struct result *r = arg;

	r->calls++;
	if (e != NULL)
		r->e = *e;
	loop_stop(r->loop);
}

static void
begin(struct result *r, const char *host)
{
	*r = (struct result){ .loop = loop_new() };
	r->dns = dns_new_from(r->loop, server.resolv_conf, "/dev/null", &r->e);
	assert_non_null(r->dns);
	r->dane = dane_new(r->loop, r->dns, host, 993, take, r);
	assert_int_equal(r->calls, 0);
	assert_false(dane_is_known(r->dane));
}

static void
finish(struct result *r)
{
	dane_free(&r->dane);
	dns_free(&r->dns);
	loop_free(&r->loop);
}

static int
apply(const struct result *r, struct err *e)
{
	const struct tls_rules rules = { .verify = TLS_VERIFY_DANE };
	struct tls_ctx *ctx = tls_ctx_new(&rules, e);
	struct tls *t;
	int done;

	assert_non_null(ctx);
	assert_true(tls_ctx_wants_dane(ctx));
	t = tls_new(ctx, 0, "good.example", NULL, e);
	assert_non_null(t);
	done = dane_apply(r->dane, t, e);
	tls_free(&t);
	tls_ctx_free(&ctx);
	return done;
}

static void
hands_over_what_the_dns_says(void **state)
{
	static const struct {
		const char *host;
		bool usable;
	} all[] = { { "good.example", true }, { "anchor.example", true },
		{ "web.example", false }, { "short.example", false } };
	struct result r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		begin(&r, all[i].host);
		loop_run(r.loop);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.e.kind, ERR_NONE);
		assert_true(dane_is_known(r.dane));
		assert_int_equal(apply(&r, &e), all[i].usable ? 0 : -1);
		if (!all[i].usable) {
			assert_int_equal(e.kind, ERR_TLS);
			assert_non_null(strstr(e.text, "_993._tcp."));
		}
		finish(&r);
	}
}

static void
refuses_what_proves_nothing(void **state)
{
	static const struct {
		const char *host;
		enum err_kind kind;
		const char *words;
	} all[] = {
		{ "unsigned.example", ERR_TLS,
		    "the answer about _993._tcp.unsigned.example is not "
		    "validated: use a validating resolver" },
		{ "stripped.example", ERR_TLS, "is not validated" },
		{ "empty.example", ERR_TLS,
		    "_993._tcp.empty.example has no TLSA record" },
		{ "gone.example", ERR_TLS, "has no TLSA record" },
		{ "broken.example", ERR_NET, "_993._tcp.broken.example" },
		{ "192.0.2.1", ERR_CONFIG, "by its name" },
		{ "2001:db8::1", ERR_CONFIG, "by its name" },
	};
	struct result r;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		begin(&r, all[i].host);
		loop_run(r.loop);
		assert_int_equal(r.calls, 1);
		assert_int_equal(r.e.kind, all[i].kind);
		if (strstr(r.e.text, all[i].words) == NULL)
			print_message("%s\n", r.e.text);
		assert_non_null(strstr(r.e.text, all[i].words));
		assert_false(dane_is_known(r.dane));
		finish(&r);
	}
}

static void
can_be_freed_at_any_time(void **state)
{
	struct result r;

	(void)state;
	begin(&r, "good.example");
	dane_free(&r.dane);
	assert_null(r.dane);
	dane_free(&r.dane);
	loop_run(r.loop);
	assert_int_equal(r.calls, 0);
	finish(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_over_what_the_dns_says),
		cmocka_unit_test(refuses_what_proves_nothing),
		cmocka_unit_test(can_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
