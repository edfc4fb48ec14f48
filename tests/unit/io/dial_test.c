/* SPDX-License-Identifier: ISC */
#include "io/dial.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"

#define FILLERS 64

/* One port on ::1 and 127.0.0.1, each of which may listen, refuse, or be a
 * black hole: a listener whose queue is full drops what comes. */
enum kind { REFUSES, LISTENS, SWALLOWS };

struct place {
	int fd;
	int fillers[FILLERS];
	size_t n;
};

struct ports {
	struct place v6, v4;
	unsigned int port;
};

static struct sockaddr_storage
address(int family, unsigned int port, socklen_t *len)
{
	struct sockaddr_storage ss = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;

	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		v4->sin_port = htons((uint16_t)port);
		*len = sizeof(*v4);
	} else {
		v6->sin6_addr = in6addr_loopback;
		v6->sin6_port = htons((uint16_t)port);
		*len = sizeof(*v6);
	}
	return ss;
}

/* Bound, so that nobody else takes the port; -1 when it is taken. */
static int
bind_at(int family, unsigned int port)
{
	int fd = socket(family, SOCK_STREAM, 0);
	int yes = 1;
	socklen_t len;
	struct sockaddr_storage ss = address(family, port, &len);

	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&ss, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
fill(struct place *p, int family, unsigned int port)
{
	socklen_t len;
	struct sockaddr_storage ss = address(family, port, &len);

	listen(p->fd, 0);
	while (p->n < FILLERS) {
		int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);

		connect(fd, (struct sockaddr *)&ss, len);
		p->fillers[p->n++] = fd;
	}
}

static void
open_place(struct place *p, int family, unsigned int port, enum kind kind)
{
	if (kind == LISTENS)
		listen(p->fd, 8);
	else if (kind == SWALLOWS)
		fill(p, family, port);
}

static void
close_place(struct place *p)
{
	for (size_t i = 0; i < p->n; i++)
		close(p->fillers[i]);
	close(p->fd);
}

static void
open_ports(struct ports *p, enum kind v6, enum kind v4)
{
	for (int tries = 0; tries < 100; tries++) {
		socklen_t len;
		struct sockaddr_storage ss = address(AF_INET, 0, &len);

		*p = (struct ports){ .v4 = { .fd = bind_at(AF_INET, 0) } };
		getsockname(p->v4.fd, (struct sockaddr *)&ss, &len);
		p->port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
		p->v6.fd = bind_at(AF_INET6, p->port);
		if (p->v6.fd >= 0)
			break;
		if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) {
			close(p->v4.fd);
			skip(); /* no IPv6 here */
		}
		close(p->v4.fd);
	}
	assert_true(p->v6.fd >= 0);
	open_place(&p->v6, AF_INET6, p->port, v6);
	open_place(&p->v4, AF_INET, p->port, v4);
}

static void
close_ports(struct ports *p)
{
	close_place(&p->v6);
	close_place(&p->v4);
}

/* ---- one dial ---- */

struct
try {
	struct loop *loop;
	struct dns *dns;
	struct dial *dial;
	bool called, free_inside;
	int fd;
	char where[64];
	struct err e;
	uint64_t took_ms;
	/* what is asked for */
	const char *bind_address;
	enum dns_family family;
};

static void
on_dialled(
    void *arg, int fd, const struct dns_address *where, const struct err *e)
{
	struct try *t = arg;

	t->called = true;
	t->fd = fd;
	assert_int_equal(fd < 0, e != NULL);
	if (e != NULL)
		t->e = *e;
	else
		dns_address_text(where, t->where, sizeof(t->where));
	if (t->free_inside)
		dial_free(&t->dial);
}

static void
begin(struct try *t, const char *host, unsigned int port, unsigned int ms)
{
	t->fd = -1;
	t->loop = loop_new();
	t->dns = dns_new(t->loop, NULL);
	t->dial = dial_new(t->loop, t->dns,
	    &(struct dial_params){ .host = host,
		.port = port,
		.timeout_ms = ms,
		.bind_address = t->bind_address,
		.family = t->family },
	    on_dialled, t);
	assert_false(t->called);
}

static void
end(struct try *t)
{
	if (t->fd >= 0)
		close(t->fd);
	dial_free(&t->dial);
	dns_free(&t->dns);
	loop_free(&t->loop);
}

/* The loop ends by itself: nothing of a finished dial is left in it. */
static void
dial(struct try *t, const char *host, unsigned int port, unsigned int ms)
{
	uint64_t before = clock_ms();

	begin(t, host, port, ms);
	loop_run(t->loop);
	t->took_ms = clock_ms() - before;
	assert_true(t->called);
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
gives_a_socket_ready_for_use(void **state)
{
	struct ports p;
	struct try t = { 0 };
	char where[64];

	(void)state;
	open_ports(&p, REFUSES, LISTENS);
	dial(&t, "127.0.0.1", p.port, 10000);
	snprintf(where, sizeof(where), "127.0.0.1:%u", p.port);
	assert_string_equal(t.where, where);
	assert_true(fcntl(t.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(t.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option(t.fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(t.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(t.fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_int_equal(option(t.fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
	end(&t);
	close_ports(&p);
}

static void
prefers_ipv6(void **state)
{
	struct ports p;
	struct try t = { 0 };

	(void)state;
	open_ports(&p, LISTENS, LISTENS);
	dial(&t, "localhost", p.port, 10000);
	assert_non_null(strstr(t.where, "[::1]:"));
	end(&t);
	close_ports(&p);
}

static void
takes_the_next_address_at_once_after_a_refusal(void **state)
{
	struct ports p;
	struct try t = { 0 };

	(void)state;
	open_ports(&p, REFUSES, LISTENS);
	dial(&t, "localhost", p.port, 10000);
	assert_non_null(strstr(t.where, "127.0.0.1:"));
	assert_true(t.took_ms < 200);
	end(&t);
	close_ports(&p);
}

static void
takes_the_next_address_soon_when_one_is_silent(void **state)
{
	struct ports p;
	struct try t = { 0 };

	(void)state;
	open_ports(&p, SWALLOWS, LISTENS);
	dial(&t, "localhost", p.port, 20000);
	assert_non_null(strstr(t.where, "127.0.0.1:"));
	assert_in_range(t.took_ms, 240, 5000);
	end(&t);
	close_ports(&p);
}

static void
names_every_address_and_its_reason(void **state)
{
	struct ports p;
	struct try t = { 0 };
	char want[ERR_TEXT_MAX];

	(void)state;
	open_ports(&p, REFUSES, REFUSES);
	dial(&t, "localhost", p.port, 10000);
	snprintf(want, sizeof(want),
	    "localhost: [::1]:%u: Connection refused; 127.0.0.1:%u: "
	    "Connection refused",
	    p.port, p.port);
	assert_string_equal(t.e.text, want);
	assert_int_equal(t.e.kind, ERR_NET);
	assert_int_equal(t.e.sys, ECONNREFUSED);
	end(&t);
	t = (struct try){ 0 };
	dial(&t, "127.0.0.1", p.port, 10000);
	snprintf(
	    want, sizeof(want), "127.0.0.1:%u: Connection refused", p.port);
	assert_string_equal(t.e.text, want);
	end(&t);
	close_ports(&p);
}

static void
gives_up_at_the_deadline(void **state)
{
	struct ports p;
	struct try t = { 0 };
	char want[ERR_TEXT_MAX];

	(void)state;
	open_ports(&p, SWALLOWS, SWALLOWS);
	dial(&t, "localhost", p.port, 400);
	assert_in_range(t.took_ms, 390, 5000);
	snprintf(want, sizeof(want),
	    "localhost: [::1]:%u: no answer; 127.0.0.1:%u: no answer", p.port,
	    p.port);
	assert_string_equal(t.e.text, want);
	end(&t);
	t = (struct try){ 0 };
	dial(&t, "localhost", p.port, 50);
	snprintf(want, sizeof(want),
	    "localhost: [::1]:%u: no answer; 127.0.0.1:%u: not tried", p.port,
	    p.port);
	assert_string_equal(t.e.text, want);
	end(&t);
	close_ports(&p);
}

/* Where the connection comes from, without its port. */
static void
assert_comes_from(const struct place *p, const char *want)
{
	struct dns_address from = { .len = sizeof(from.sa) };
	int fd = accept(p->fd, (struct sockaddr *)&from.sa, &from.len);
	char text[64];

	assert_true(fd >= 0);
	dns_address_text(&from, text, sizeof(text));
	*strrchr(text, ':') = '\0';
	assert_string_equal(text, want);
	close(fd);
}

static void
takes_only_addresses_of_its_family(void **state)
{
	struct ports p;
	struct try t = { .family = DNS_IPV4 };

	(void)state;
	open_ports(&p, LISTENS, LISTENS);
	dial(&t, "localhost", p.port, 10000);
	assert_non_null(strstr(t.where, "127.0.0.1:"));
	end(&t);
	t = (struct try){ .family = DNS_IPV6 };
	dial(&t, "localhost", p.port, 10000);
	assert_non_null(strstr(t.where, "[::1]:"));
	end(&t);
	t = (struct try){ .family = DNS_IPV6 };
	dial(&t, "127.0.0.1", p.port, 10000);
	assert_int_equal(t.e.kind, ERR_NET);
	assert_string_equal(t.e.text,
	    "127.0.0.1 is no IPv6 address: address-family or bind-address "
	    "excludes it");
	end(&t);
	close_ports(&p);
}

static void
comes_from_the_address_it_is_told(void **state)
{
	struct ports p;
	struct try t = { .bind_address = "127.0.0.2" };

	(void)state;
	open_ports(&p, LISTENS, LISTENS);
	dial(&t, "localhost", p.port, 10000);
	assert_non_null(strstr(t.where, "127.0.0.1:"));
	assert_comes_from(&p.v4, "127.0.0.2");
	end(&t);
	t = (struct try){ .bind_address = "::1" };
	dial(&t, "localhost", p.port, 10000);
	assert_non_null(strstr(t.where, "[::1]:"));
	assert_comes_from(&p.v6, "[::1]");
	end(&t);
	close_ports(&p);
}

static void
says_when_that_address_is_not_ours(void **state)
{
	static const struct {
		const char *address, *want;
		enum dns_family family;
	} cases[] = {
		{ "192.0.2.7",
		    "bind-address 192.0.2.7: this machine has no such address",
		    DNS_ANY },
		{ "2001:db8::7",
		    "bind-address 2001:db8::7: this machine has no such "
		    "address",
		    DNS_IPV6 },
		{ "127.0.0.1",
		    "bind-address 127.0.0.1: Address family not supported by "
		    "protocol",
		    DNS_IPV6 },
		{ "eth0", "bind-address eth0: Invalid argument", DNS_ANY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct try t = { .bind_address = cases[i].address,
			.family = cases[i].family };

		dial(&t, "localhost", 9, 10000);
		assert_int_equal(t.e.kind, ERR_NET);
		assert_string_equal(t.e.text, cases[i].want);
		end(&t);
	}
}

static void
passes_on_what_the_resolver_says(void **state)
{
	struct try t = { 0 };

	(void)state;
	dial(&t, "not a name", 993, 10000);
	assert_string_equal(
	    t.e.text, "not a host name or address: \"not a name\"");
	end(&t);
}

static void
may_be_freed_inside_its_callback(void **state)
{
	static const enum kind kinds[] = { LISTENS, REFUSES };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ports p;
		struct try t = { .free_inside = true };

		open_ports(&p, REFUSES, kinds[i]);
		dial(&t, "localhost", p.port, 10000);
		assert_null(t.dial);
		end(&t);
		close_ports(&p);
	}
}

static void
stop(void *arg)
{
	struct try *t = arg;

	dial_free(&t->dial);
}

static void
is_silent_after_free(void **state)
{
	static const uint64_t when_ms[] = { 0, 50, 300 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct ports p;
		struct try t = { 0 };
		struct loop_timer *timer;

		open_ports(&p, SWALLOWS, SWALLOWS);
		begin(&t, "localhost", p.port, 20000);
		timer = loop_timer_new(t.loop, stop, &t);
		if (when_ms[i] == 0)
			dial_free(&t.dial);
		else
			loop_timer_arm(timer, when_ms[i]);
		loop_run(t.loop);
		assert_false(t.called);
		loop_timer_free(&timer);
		end(&t);
		close_ports(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_socket_ready_for_use),
		cmocka_unit_test(prefers_ipv6),
		cmocka_unit_test(
		    takes_the_next_address_at_once_after_a_refusal),
		cmocka_unit_test(
		    takes_the_next_address_soon_when_one_is_silent),
		cmocka_unit_test(names_every_address_and_its_reason),
		cmocka_unit_test(gives_up_at_the_deadline),
		cmocka_unit_test(takes_only_addresses_of_its_family),
		cmocka_unit_test(comes_from_the_address_it_is_told),
		cmocka_unit_test(says_when_that_address_is_not_ours),
		cmocka_unit_test(passes_on_what_the_resolver_says),
		cmocka_unit_test(may_be_freed_inside_its_callback),
		cmocka_unit_test(is_silent_after_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
