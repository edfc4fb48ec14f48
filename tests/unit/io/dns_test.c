/* SPDX-License-Identifier: ISC */
#include "io/dns.h"

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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a name server that knows a few names ---- */

#define TYPE_A 1
#define TYPE_AAAA 28

struct zone {
	const char *name;
	int rcode, flags; /* flags: more bits of the first flag octet */
	const char *v4[4], *v6[4];
	int many; /* so many A records 10.0.0.x */
	bool silent;
};

static const struct zone zones[] = {
	{ .name = "both.example",
	    .v4 = { "192.0.2.1", "192.0.2.2" },
	    .v6 = { "2001:db8::1", "2001:db8::2", "2001:db8::3" } },
	{ .name = "old.example", .v4 = { "192.0.2.7" } },
	{ .name = "empty.example" },
	{ .name = "gone.example", .rcode = 3 },
	{ .name = "broken.example", .rcode = 2 },
	{ .name = "cut.example", .flags = 2, .v4 = { "192.0.2.7" } },
	{ .name = "many.example", .many = 60 },
	{ .name = "odd.example",
	    .v4 = { "0.0.0.0", "224.0.0.1", "255.255.255.255" },
	    .v6 = { "::", "ff02::1", "fe80::1" } },
	{ .name = "twice.example", .v4 = { "192.0.2.7", "192.0.2.7" } },
	{ .name = "silent.example", .silent = true },
};

static struct {
	int fd, stop[2];
	pthread_t thread;
	char dir[32], resolv_conf[64], hosts[64];
	int asked_a, asked_aaaa;
} server;

/* The labels at p as dotted text in lower case; the octets used. */
static size_t
read_name(const unsigned char *p, size_t n, char *dst, size_t size)
{
	size_t at = 0, used = 0;

	while (at < n && p[at] != 0) {
		size_t label = p[at++];

		if (used > 0)
			dst[used++] = '.';
		for (; label > 0 && at < n && used + 2 < size; label--)
			dst[used++] = (char)(p[at++] | 0x20);
	}
	dst[used] = '\0';
	return at + 1;
}

static size_t
put_record(unsigned char *dst, int type, const void *rdata, size_t n)
{
	const unsigned char head[] = { 0xc0, 12, 0, (unsigned char)type, 0, 1,
		0, 0, 0, 60, 0, (unsigned char)n };

	memcpy(dst, head, sizeof(head));
	memcpy(dst + sizeof(head), rdata, n);
	return sizeof(head) + n;
}

static size_t
put_records(unsigned char *dst, const struct zone *z, int type, int *count)
{
	const char *const *text = type == TYPE_A ? z->v4 : z->v6;
	int family = type == TYPE_A ? AF_INET : AF_INET6;
	size_t octets = type == TYPE_A ? 4 : 16;
	unsigned char ip[16];
	size_t n = 0;

	for (; *text != NULL; text++, ++*count) {
		inet_pton(family, *text, ip);
		n += put_record(dst + n, type, ip, octets);
	}
	for (int i = 0; type == TYPE_A && i < z->many; i++, ++*count) {
		unsigned char ten[] = { 10, 0, 0, (unsigned char)i };

		n += put_record(dst + n, type, ten, 4);
	}
	return n;
}

/* The query in m becomes its answer; the size, 0 for none. */
static size_t
make_answer(unsigned char *m, size_t n)
{
	static const struct zone unknown = { .rcode = 3 };
	const struct zone *z = &unknown;
	char name[256];
	size_t end = 12 + read_name(m + 12, n - 12, name, sizeof(name)) + 4;
	int count = 0;

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++)
		if (strcmp(zones[i].name, name) == 0)
			z = &zones[i];
	if (z->silent)
		return 0;
	if (m[end - 3] == TYPE_A)
		server.asked_a++;
	else
		server.asked_aaaa++;
	m[2] = (unsigned char)(0x81 | z->flags);
	m[3] = (unsigned char)(0x80 | z->rcode);
	n = end + put_records(m + end, z, m[end - 3], &count);
	m[6] = 0;
	m[7] = (unsigned char)count;
	memset(m + 8, 0, 4);
	return n;
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
		    server.fd, m, 512, 0, (struct sockaddr *)&from, &len);

		if (n > 16)
			n = (ssize_t)make_answer(m, (size_t)n);
		if (n > 16)
			sendto(server.fd, m, (size_t)n, 0,
			    (struct sockaddr *)&from, len);
	}
	return NULL;
}

static void
write_file(char *path, size_t size, const char *name, const char *text)
{
	FILE *f;

	snprintf(path, size, "%s/%s", server.dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
start_server(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	char text[64];

	(void)state;
	server.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server.fd, (struct sockaddr *)&sa, len) != 0 ||
	    getsockname(server.fd, (struct sockaddr *)&sa, &len) != 0 ||
	    pipe(server.stop) != 0)
		return -1;
	snprintf(server.dir, sizeof(server.dir), "/tmp/dns_test.XXXXXX");
	if (mkdtemp(server.dir) == NULL)
		return -1;
	snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n",
	    ntohs(sa.sin_port));
	write_file(server.resolv_conf, sizeof(server.resolv_conf),
	    "resolv.conf", text);
	write_file(server.hosts, sizeof(server.hosts), "hosts",
	    "192.0.2.77 host.example Host2\n2001:db8::77 host.example\n");
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int
stop_server(void **state)
{
	(void)state;
	close(server.stop[1]);
	pthread_join(server.thread, NULL);
	close(server.stop[0]);
	close(server.fd);
	unlink(server.resolv_conf);
	unlink(server.hosts);
	return rmdir(server.dir);
}

/* ---- one lookup ---- */

struct look {
	struct loop *loop;
	struct dns *dns;
	struct dns_query *query;
	bool called;
	char text[2048]; /* the addresses, separated by blanks */
	size_t n;
	struct err e;
};

static void
on_answer(
    void *arg, const struct dns_address *addrs, size_t n, const struct err *e)
{
	struct look *l = arg;

	l->called = true;
	l->n = n;
	if (e != NULL)
		l->e = *e;
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(l->text);
		char one[64];

		dns_address_text(&addrs[i], one, sizeof(one));
		snprintf(l->text + used, sizeof(l->text) - used, "%s%s",
		    i > 0 ? " " : "", one);
	}
}

static void
begin_of(struct look *l, const char *host, enum dns_family family)
{
	*l = (struct look){ .loop = loop_new() };
	l->dns = dns_new_from(l->loop, server.resolv_conf, server.hosts, NULL);
	assert_non_null(l->dns);
	l->query = dns_lookup(l->dns, host, 993, family, on_answer, l);
	assert_false(l->called); /* whatever the name */
}

static void
begin(struct look *l, const char *host)
{
	begin_of(l, host, DNS_ANY);
}

static void
end(struct look *l)
{
	dns_free(&l->dns);
	loop_free(&l->loop);
}

/* The loop ends by itself: an idle resolver does not keep it running. */
static void
look(struct look *l, const char *host)
{
	begin(l, host);
	loop_run(l->loop);
	assert_true(l->called);
	end(l);
}

static void
finds(const char *host, const char *want)
{
	struct look l;

	look(&l, host);
	assert_string_equal(l.text, want);
	assert_int_equal(l.e.kind, ERR_NONE);
}

static void
fails(const char *host, const char *want)
{
	struct look l;

	look(&l, host);
	assert_int_equal(l.n, 0);
	assert_int_equal(l.e.kind, ERR_NET);
	assert_string_equal(l.e.text, want);
}

static void
knows_numeric_addresses(void **state)
{
	(void)state;
	finds("192.0.2.1", "192.0.2.1:993");
	finds("2001:db8::1", "[2001:db8::1]:993");
	finds("::1", "[::1]:993");
}

static void
knows_localhost(void **state)
{
	(void)state;
	finds("localhost", "[::1]:993 127.0.0.1:993");
	finds("LocalHost.", "[::1]:993 127.0.0.1:993");
}

static void
refuses_what_is_no_name(void **state)
{
	char longest[300];

	(void)state;
	fails("", "not a host name or address: \"\"");
	fails("fe80::1%eth0", "not a host name or address: \"fe80::1%eth0\"");
	fails("[::1]", "not a host name or address: \"[::1]\"");
	fails("a..example", "not a host name or address: \"a..example\"");
	fails(".example", "not a host name or address: \".example\"");
	fails("a b", "not a host name or address: \"a b\"");
	fails("a:993", "not a host name or address: \"a:993\"");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[64] = '\0';
	look(&(struct look){ 0 }, longest);
	for (size_t i = 0; i < 290; i++)
		longest[i] = i % 10 == 9 ? '.' : 'a';
	longest[290] = '\0';
	look(&(struct look){ 0 }, longest);
}

static void
reads_the_hosts_file(void **state)
{
	(void)state;
	finds("host.example", "[2001:db8::77]:993 192.0.2.77:993");
	finds("HOST2", "192.0.2.77:993");
}

static void
alternates_families_ipv6_first(void **state)
{
	(void)state;
	finds("both.example",
	    "[2001:db8::1]:993 192.0.2.1:993 [2001:db8::2]:993 "
	    "192.0.2.2:993 [2001:db8::3]:993");
}

static void
is_content_with_one_family(void **state)
{
	(void)state;
	finds("old.example", "192.0.2.7:993");
}

static void
look_of(struct look *l, const char *host, enum dns_family family)
{
	server.asked_a = server.asked_aaaa = 0;
	begin_of(l, host, family);
	loop_run(l->loop);
	assert_true(l->called);
	end(l);
}

static void
asks_for_one_family_alone(void **state)
{
	struct look l;

	(void)state;
	look_of(&l, "both.example", DNS_IPV4);
	assert_string_equal(l.text, "192.0.2.1:993 192.0.2.2:993");
	assert_int_equal(server.asked_aaaa, 0);
	look_of(&l, "both.example", DNS_IPV6);
	assert_string_equal(
	    l.text, "[2001:db8::1]:993 [2001:db8::2]:993 [2001:db8::3]:993");
	assert_int_equal(server.asked_a, 0);
	look_of(&l, "host.example", DNS_IPV4);
	assert_string_equal(l.text, "192.0.2.77:993");
	look_of(&l, "localhost", DNS_IPV6);
	assert_string_equal(l.text, "[::1]:993");
}

static void
says_that_there_is_none_of_that_family(void **state)
{
	struct look l;

	(void)state;
	look_of(&l, "old.example", DNS_IPV6);
	assert_string_equal(l.e.text,
	    "old.example has no IPv6 address (or the name server failed), and "
	    "address-family or bind-address excludes others");
	look_of(&l, "host2", DNS_IPV6);
	assert_string_equal(l.e.text,
	    "host2 has no IPv6 address (or the name server failed), and "
	    "address-family or bind-address excludes others");
	look_of(&l, "gone.example", DNS_IPV6);
	assert_string_equal(l.e.text, "no such host: gone.example");
	look_of(&l, "2001:db8::1", DNS_IPV4);
	assert_string_equal(l.e.text,
	    "2001:db8::1 is no IPv4 address: address-family or bind-address "
	    "excludes it");
}

static void
tells_missing_from_broken(void **state)
{
	static const char *const vague[] = { "empty.example", "cut.example",
		"broken.example" };
	char want[120];

	(void)state;
	fails("gone.example", "no such host: gone.example");
	for (size_t i = 0; i < sizeof(vague) / sizeof(*vague); i++) {
		snprintf(want, sizeof(want),
		    "no address for %s: there is none, or the name server "
		    "failed",
		    vague[i]);
		fails(vague[i], want);
	}
}

static void
cuts_a_long_answer(void **state)
{
	struct look l;

	(void)state;
	look(&l, "many.example");
	assert_int_equal(l.n, DNS_ADDRESSES_MAX);
}

static void
ignores_addresses_nobody_has(void **state)
{
	(void)state;
	fails("odd.example", "no usable address for odd.example");
	finds("twice.example", "192.0.2.7:993");
}

static void
is_silent_after_cancel(void **state)
{
	static const char *const names[] = { "silent.example", "127.0.0.1",
		"host.example", "both.example" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct look l;

		begin(&l, names[i]);
		dns_cancel(&l.query);
		assert_null(l.query);
		loop_run(l.loop);
		assert_false(l.called);
		end(&l);
	}
}

static void
may_be_freed_with_a_question_open(void **state)
{
	struct look l;

	(void)state;
	begin(&l, "silent.example");
	dns_free(&l.dns);
	loop_run(l.loop);
	assert_false(l.called);
	loop_free(&l.loop);
}

static void
cancel_and_free(
    void *arg, const struct dns_address *addrs, size_t n, const struct err *e)
{
	struct look *l = arg;

	on_answer(arg, addrs, n, e);
	dns_cancel(&l->query);
	dns_free(&l->dns);
}

static void
may_be_freed_inside_the_callback(void **state)
{
	static const char *const names[] = { "localhost", "both.example" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct look l = { .loop = loop_new() };

		l.dns = dns_new_from(
		    l.loop, server.resolv_conf, server.hosts, NULL);
		l.query = dns_lookup(
		    l.dns, names[i], 993, DNS_ANY, cancel_and_free, &l);
		loop_run(l.loop);
		assert_true(l.called);
		assert_null(l.dns);
		loop_free(&l.loop);
	}
}

static void
needs_no_files(void **state)
{
	struct look l = { .loop = loop_new() };

	(void)state;
	l.dns = dns_new_from(l.loop, "/nonexistent/a", "/nonexistent/b", NULL);
	assert_non_null(l.dns);
	l.query = dns_lookup(l.dns, "localhost", 143, DNS_ANY, on_answer, &l);
	loop_run(l.loop);
	assert_string_equal(l.text, "[::1]:143 127.0.0.1:143");
	end(&l);
	/* and the system's own are read without complaint */
	l = (struct look){ .loop = loop_new() };
	l.dns = dns_new(l.loop, NULL);
	assert_non_null(l.dns);
	loop_run(l.loop);
	end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_numeric_addresses),
		cmocka_unit_test(knows_localhost),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(reads_the_hosts_file),
		cmocka_unit_test(alternates_families_ipv6_first),
		cmocka_unit_test(is_content_with_one_family),
		cmocka_unit_test(asks_for_one_family_alone),
		cmocka_unit_test(says_that_there_is_none_of_that_family),
		cmocka_unit_test(tells_missing_from_broken),
		cmocka_unit_test(cuts_a_long_answer),
		cmocka_unit_test(ignores_addresses_nobody_has),
		cmocka_unit_test(is_silent_after_cancel),
		cmocka_unit_test(may_be_freed_with_a_question_open),
		cmocka_unit_test(may_be_freed_inside_the_callback),
		cmocka_unit_test(needs_no_files),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
