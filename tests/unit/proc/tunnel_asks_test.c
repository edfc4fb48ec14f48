/* SPDX-License-Identifier: ISC */
#include "proc/tunnel_asks.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/wire.h"
#include "util/mem.h"

/* The engine's half, and what its supervisor hears. */
static struct loop *loop;
static struct ipc *ours, *theirs;
static struct tunnel_asks *asks;
static struct tunnel_way way;
static char heard[200];

struct asker {
	unsigned int called;
	int fd;
	struct err e;
	void *ticket;
	bool close_inside;
};

static void
hear_ask(char *to, size_t size, uint32_t number, struct unpack *u)
{
	uint32_t ticket = unpack_u32(u);

	snprintf(to, size, "account %u ticket %u kind %u;", number, ticket,
	    unpack_u8(u));
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct unpack u = unpack_of(packet->payload);
	size_t used = strlen(heard);
	uint32_t number = unpack_u32(&u);

	(void)arg;
	if (packet->type == WIRE_TUNNEL)
		hear_ask(heard + used, sizeof(heard) - used, number, &u);
	else
		snprintf(
		    heard + used, sizeof(heard) - used, "close %u;", number);
	assert_true(unpack_ok(&u));
	loop_stop(loop);
}

static int
set_up(void **state)
{
	int fds[2];

	(void)state;
	loop = loop_new();
	assert_int_equal(ipc_pair(fds, NULL), 0);
	ours = ipc_new(loop, fds[0], on_packet, NULL);
	theirs = ipc_new(loop, fds[1], on_packet, NULL);
	asks = tunnel_asks_new(ours);
	tunnel_way_init(&way, asks, TUNNEL_TO_KERBEROS, 7);
	heard[0] = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tunnel_asks_free(&asks);
	ipc_free(&ours);
	ipc_free(&theirs);
	loop_free(&loop);
	return 0;
}

static void
on_tunnel(void *arg, int fd, const struct err *e)
{
	struct asker *a = arg;

	a->called++;
	a->fd = fd;
	if (e != NULL)
		a->e = *e;
	if (a->close_inside)
		way.tunnel.close(&way.tunnel, a->ticket);
}

static void
ask(struct asker *a)
{
	a->ticket = way.tunnel.open(&way.tunnel, on_tunnel, a);
	assert_int_equal(a->called, 0);
}

static void
asks_by_a_ticket_and_gives_it_back(void **state)
{
	struct asker a = { 0 }, b = { 0 };

	(void)state;
	ask(&a);
	way.number = 8;
	way.kind = TUNNEL_TO_SERVER;
	ask(&b);
	way.tunnel.close(&way.tunnel, a.ticket);
	while (strstr(heard, "close") == NULL)
		loop_run(loop);
	assert_string_equal(heard,
	    "account 7 ticket 1 kind 1;account 8 ticket 2 kind 0;close 1;");
}

static void
hands_an_end_to_who_asked(void **state)
{
	struct asker a = { 0 }, b = { .close_inside = true };
	struct err e;

	(void)state;
	ask(&a);
	ask(&b);
	tunnel_asks_up(asks, 2, 100);
	assert_int_equal(a.called, 0);
	assert_int_equal(b.fd, 100);
	tunnel_asks_up(asks, 1, 101);
	assert_int_equal(a.fd, 101);
	err_set(&e, ERR_NET, 0, "why");
	tunnel_asks_down(asks, 1, &e);
	assert_int_equal(a.called, 2);
	assert_int_equal(a.fd, -1);
	assert_string_equal(a.e.text, "why");
	tunnel_asks_down(asks, 1, &e); /* nobody's any more */
	tunnel_asks_down(asks, 2, &e);
	assert_int_equal(a.called, 2);
	assert_int_equal(b.called, 1);
}

static void
closes_an_end_that_nobody_waits_for(void **state)
{
	struct asker a = { 0 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	ask(&a);
	way.tunnel.close(&way.tunnel, a.ticket);
	tunnel_asks_up(asks, 1, fd);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(a.called, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_by_a_ticket_and_gives_it_back),
		TEST(hands_an_end_to_who_asked),
		TEST(closes_an_end_that_nobody_waits_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
