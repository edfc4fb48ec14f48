/* SPDX-License-Identifier: ISC */
#include "io/query.h"

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

/*
 * A name server on 127.0.0.1 that knows what to do by the name it is asked
 * about. Every answer has one SRV record, with AD.
 */
static struct {
	int udp, tcp, stop[2];
	unsigned int port;
	pthread_t thread;
	unsigned int datagrams, streams; /* heard */
	unsigned int without_edns;
} server;

static bool
is_about(const struct query_question *q, const char *word)
{
	return span_has(span_make(q->wire, q->n), span_of(word));
}

static struct query_question
question_of(const unsigned char *m, size_t n)
{
	struct query_question q = { .id = (uint16_t)(m[0] << 8 | m[1]) };
	size_t end = 12;

	while (end < n && m[end] != 0)
		end += m[end] + 1u;
	q.n = end + 5 - 12;
	memcpy(q.wire, m + 12, q.n);
	return q;
}

static void
put_answer(struct buf *b, const struct query_question *q, bool edns)
{
	unsigned int flags = FLAGS_GOOD | FLAG_AD;

	if (is_about(q, "broken"))
		flags |= 2;
	if (is_about(q, "old") && edns)
		flags |= 1;
	if (is_about(q, "unsigned"))
		flags &= ~(unsigned int)FLAG_AD;
	if (is_about(q, "gone"))
		flags |= 3;
	dns_begin(b, q, flags, 1);
	dns_put_srv(b, NULL, 0, 0, 993, "host.example");
}

static void
send_to(const struct buf *b, const struct sockaddr_in *to)
{
	sendto(server.udp, buf_span(b).p, b->n, 0, (const struct sockaddr *)to,
	    sizeof(*to));
}

/* Forgeries come first: another number, another question. */
static void
send_forgeries(const struct query_question *q, const struct sockaddr_in *to)
{
	struct query_question other = *q;
	struct buf b;

	other.id++;
	put_answer(&b, &other, false);
	send_to(&b, to);
	buf_deinit(&b);
	other = *q;
	other.wire[1] ^= 1;
	put_answer(&b, &other, false);
	send_to(&b, to);
	buf_deinit(&b);
	sendto(server.udp, "short", 5, 0, (const struct sockaddr *)to,
	    sizeof(*to));
}

static void
hear_datagram(void)
{
	unsigned char m[2048];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(
	    server.udp, m, sizeof(m), 0, (struct sockaddr *)&from, &len);
	struct query_question q;
	struct buf b;

	if (n < 17)
		return;
	server.datagrams++;
	server.without_edns += m[11] == 0;
	q = question_of(m, (size_t)n);
	if (is_about(&q, "silent"))
		return;
	if (is_about(&q, "forged"))
		send_forgeries(&q, &from);
	put_answer(&b, &q, m[11] != 0);
	if (is_about(&q, "cut"))
		b.mem[b.off + 2] |= FLAG_TC >> 8;
	for (int i = 0; i < 100 && is_about(&q, "flood"); i++)
		sendto(server.udp, "short", 5, 0, (struct sockaddr *)&from,
		    sizeof(from));
	send_to(&b, &from);
	buf_deinit(&b);
}

/* An octet at a time, as a slow network may. */
static void
answer_slowly(int fd, const struct buf *b)
{
	const char head[] = { (char)(b->n >> 8), (char)(b->n & 0xff) };

	send(fd, head, 1, MSG_NOSIGNAL);
	send(fd, head + 1, 1, MSG_NOSIGNAL);
	for (size_t i = 0; i < b->n; i++)
		send(fd, buf_span(b).p + i, 1, MSG_NOSIGNAL);
}

static void
hear_stream(void)
{
	int fd = accept4(server.tcp, NULL, NULL, SOCK_CLOEXEC);
	unsigned char m[2048];
	ssize_t n = recv(fd, m, sizeof(m), 0);
	struct query_question q;
	struct buf b;

	server.streams++;
	if (n > 19 && n == 2 + (m[0] << 8 | m[1])) {
		q = question_of(m + 2, (size_t)n - 2);
		put_answer(&b, &q, true);
		if (is_about(&q, "cut-again"))
			b.mem[b.off + 2] |= FLAG_TC >> 8;
		if (is_about(&q, "cut-wrong"))
			b.mem[b.off] ^= 1;
		if (is_about(&q, "cut-short"))
			send(fd, "\1\0abc", 5, MSG_NOSIGNAL);
		else if (!is_about(&q, "cut-off"))
			answer_slowly(fd, &b);
		buf_deinit(&b);
	}
	close(fd);
}

static void *
serve(void *arg)
{
	struct pollfd f[] = { { .fd = server.udp, .events = POLLIN },
		{ .fd = server.tcp, .events = POLLIN },
		{ .fd = server.stop[0], .events = POLLIN } };

	(void)arg;
	while (poll(f, 3, -1) > 0 && f[2].revents == 0) {
		if (f[0].revents != 0)
			hear_datagram();
		if (f[1].revents != 0)
			hear_stream();
	}
	return NULL;
}

static int
bind_to(int kind, unsigned int *port)
{
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);

	if (bind(fd, (struct sockaddr *)&sa, len) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

/* The same port for both: some tries may be needed. */
static int
start_server(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		server.port = 0;
		server.tcp = bind_to(SOCK_STREAM, &server.port);
		server.udp = bind_to(SOCK_DGRAM, &server.port);
		if (server.udp >= 0)
			break;
		close(server.tcp);
	}
	assert_int_equal(listen(server.tcp, 8), 0);
	assert_int_equal(pipe(server.stop), 0);
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int
stop_server(void **state)
{
	(void)state;
	assert_int_equal(write(server.stop[1], "x", 1), 1);
	pthread_join(server.thread, NULL);
	close(server.udp);
	close(server.tcp);
	close(server.stop[0]);
	close(server.stop[1]);
	return 0;
}

/* ---- one question ---- */

struct result {
	struct loop *loop;
	unsigned int calls;
	struct query *query;
	bool failed, secure;
	size_t n;
	struct query_record first;
	struct err e;
};

static void
take(void *arg, const struct query_answer *answer, const struct err *e)
{
	struct result *r = arg;

	r->calls++;
	r->failed = e != NULL;
	if (e != NULL) {
		r->e = *e;
	} else {
		r->n = answer->n;
		r->secure = answer->secure;
		if (answer->n > 0)
			r->first = answer->records[0];
	}
	query_free(&r->query); /* harmless */
	loop_stop(r->loop);
}

/* lines with "%u" where our server's port goes. */
static struct query_servers *
servers(const char *lines)
{
	char path[] = "/tmp/mailhaul-query-XXXXXX";
	int fd = mkstemp(path);
	struct query_servers *s;

	assert_true(fd >= 0);
	for (; *lines != '\0'; lines++) {
		if (*lines == '%')
			dprintf(fd, "%u", server.port);
		else
			dprintf(fd, "%c", *lines);
	}
	close(fd);
	s = query_servers_new(path);
	unlink(path);
	return s;
}

static struct result
ask(const char *lines, const char *name)
{
	struct result r = { .loop = loop_new() };
	struct query_servers *s = servers(lines);

	server.datagrams = server.streams = server.without_edns = 0;
	r.query = query_start(r.loop, s, QUERY_SRV, name, take, &r);
	query_servers_free(&s);
	assert_null(s);
	assert_int_equal(r.calls, 0);
	loop_run(r.loop);
	assert_int_equal(r.calls, 1);
	loop_free(&r.loop);
	return r;
}

#define OURS "nameserver 127.0.0.1:%\n"

static void
gets_an_answer(void **state)
{
	struct result r =
	    ask("# none\nsearch example\nnameserver\n" OURS, "good.example");

	(void)state;
	assert_false(r.failed);
	assert_true(r.secure);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.first.target, "host.example");
	assert_int_equal(r.first.port, 993);
	assert_int_equal(server.datagrams, 1);
	assert_int_equal(server.without_edns, 0);
}

static void
tells_an_unsigned_one(void **state)
{
	struct result r = ask(OURS, "unsigned.example");

	(void)state;
	assert_false(r.failed);
	assert_false(r.secure);
	assert_int_equal(r.n, 1);
}

static void
takes_a_missing_name_for_an_answer(void **state)
{
	struct result r = ask(OURS, "gone.example");

	(void)state;
	assert_false(r.failed);
	assert_int_equal(r.n, 0);
}

static void
does_not_believe_forgeries(void **state)
{
	struct result r = ask(OURS, "forged.example");

	(void)state;
	assert_false(r.failed);
	assert_int_equal(r.n, 1);
	assert_int_equal(server.datagrams, 1);
}

static void
ends_with_who_floods(void **state)
{
	struct result r = ask(OURS, "flood.example");

	(void)state;
	/* the answer may have been before the last of them */
	if (r.failed)
		assert_non_null(strstr(r.e.text, "too many wrong answers"));
	assert_in_range(server.datagrams, 1, 2);
}

static void
asks_by_tcp_what_was_cut(void **state)
{
	struct result r = ask(OURS, "cut.example");

	(void)state;
	assert_false(r.failed);
	assert_true(r.secure);
	assert_int_equal(r.n, 1);
	assert_int_equal(server.datagrams, 1);
	assert_int_equal(server.streams, 1);
}

static void
gives_up_what_tcp_does_not_bring_either(void **state)
{
	static const char *const names[] = { "cut-again.example",
		"cut-wrong.example", "cut-short.example", "cut-off.example" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct result r = ask(OURS, names[i]);

		assert_true(r.failed);
		assert_int_equal(r.e.kind, ERR_NET);
		assert_non_null(strstr(r.e.text, names[i]));
		assert_int_equal(server.streams, 2);
	}
}

static void
asks_an_old_server_in_the_old_way(void **state)
{
	struct result r = ask(OURS, "old.example");

	(void)state;
	assert_false(r.failed);
	assert_int_equal(r.n, 1);
	assert_int_equal(server.datagrams, 2);
	assert_int_equal(server.without_edns, 1);
}

static void
asks_the_next_server(void **state)
{
	/* nobody is there, and says so */
	struct result r = ask("nameserver [::1]:1\n" OURS, "good.example");

	(void)state;
	assert_false(r.failed);
	assert_int_equal(r.n, 1);
}

static void
asks_all_of_them_twice(void **state)
{
	struct result r = ask(OURS OURS, "broken.example");

	(void)state;
	assert_true(r.failed);
	assert_int_equal(r.e.kind, ERR_NET);
	assert_int_equal(server.datagrams, 4);
	assert_non_null(strstr(r.e.text, "broken.example: it failed"));
}

static void
does_not_wait_for_the_silent_for_ever(void **state)
{
	struct result r = ask(OURS, "silent.example");

	(void)state;
	assert_true(r.failed);
	assert_int_equal(server.datagrams, 2);
	assert_non_null(strstr(r.e.text, "timed out"));
}

static void
refuses_what_is_no_name(void **state)
{
	struct result r = ask(OURS, "a..b");

	(void)state;
	assert_true(r.failed);
	assert_int_equal(r.e.kind, ERR_CONFIG);
	assert_int_equal(server.datagrams, 0);
}

static void
needs_no_resolv_conf(void **state)
{
	struct query_servers *s = query_servers_new("/nonexistent");

	(void)state;
	assert_non_null(s);
	query_servers_free(&s);
	s = servers("nameserver nonsense\nnameserver 1.2.3.4.5\nnameserver\n"
		    "nameserverx 127.0.0.1\n");
	assert_non_null(s);
	query_servers_free(&s);
}

static void
can_be_freed_at_any_time(void **state)
{
	struct result r = { .loop = loop_new() };
	struct query_servers *s = servers(OURS);

	(void)state;
	r.query = query_start(r.loop, s, QUERY_MX, "silent.example", take, &r);
	query_free(&r.query);
	assert_null(r.query);
	query_free(&r.query);
	query_servers_free(&s);
	loop_run(r.loop);
	assert_int_equal(r.calls, 0);
	loop_free(&r.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_an_answer),
		cmocka_unit_test(tells_an_unsigned_one),
		cmocka_unit_test(takes_a_missing_name_for_an_answer),
		cmocka_unit_test(does_not_believe_forgeries),
		cmocka_unit_test(ends_with_who_floods),
		cmocka_unit_test(asks_by_tcp_what_was_cut),
		cmocka_unit_test(gives_up_what_tcp_does_not_bring_either),
		cmocka_unit_test(asks_an_old_server_in_the_old_way),
		cmocka_unit_test(asks_the_next_server),
		cmocka_unit_test(asks_all_of_them_twice),
		cmocka_unit_test(does_not_wait_for_the_silent_for_ever),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(needs_no_resolv_conf),
		cmocka_unit_test(can_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
