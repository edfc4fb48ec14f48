/* SPDX-License-Identifier: ISC */
#include "proc/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/ipc.h"
#include "util/mem.h"

#define PATIENCE_MS 30
#define LIMIT_MS 10000

static struct loop *loop;
static struct control *control;
static struct control_peer *asked;
static unsigned int lost;

static void
on_request(
    void *arg, struct control_peer *peer, const struct control_request *request)
{
	(void)arg;
	assert_int_equal(request->verb, CONTROL_STATUS);
	asked = peer;
	loop_stop(loop);
}

static void
on_gone(void *arg, struct control_peer *peer)
{
	(void)arg;
	assert_ptr_equal(peer, asked);
	asked = NULL;
	lost++;
	loop_stop(loop);
}

static const struct control_events events = { on_request, on_gone };

static int
set_up(void **state)
{
	(void)state;
	asked = NULL;
	lost = 0;
	loop = loop_new();
	control = control_new(loop, PATIENCE_MS, &events, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	control_free(&control);
	loop_free(&loop);
	return 0;
}

static int
connect_raw(void)
{
	struct err e;
	int fds[2];

	assert_int_equal(ipc_pair(fds, &e), 0);
	control_add(control, fds[1], true);
	return fds[0];
}

static void
ask(int fd)
{
	static const char status[] = { CONTROL_STATUS, CONTROL_VERSION };

	assert_int_equal(send(fd, status, sizeof(status), 0), sizeof(status));
}

static void
on_limit(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for long");
}

static void
on_time(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
run_until(loop_fn fn, uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(loop, fn, NULL);

	loop_timer_arm(t, ms);
	loop_run(loop);
	loop_timer_free(&t);
}

static void
on_end(void *arg, bool readable, bool writable)
{
	(void)arg;
	(void)readable;
	(void)writable;
	loop_stop(loop);
}

/* Without a word from fd, until the other end closes. */
static void
wait_for_end(int fd)
{
	struct loop_fd *w = loop_fd_new(loop, fd, on_end, NULL);
	char octet;

	loop_fd_want(w, true, false);
	run_until(on_limit, LIMIT_MS);
	assert_int_equal(recv(fd, &octet, 1, 0), 0);
	loop_fd_free(&w);
}

/* More than the kernel keeps for it. */
static void
answer_much(struct control_peer *peer)
{
	for (unsigned int i = 0; i < 20000; i++)
		control_say(peer, false, "%0500u", i);
	control_end(peer, 0);
}

static void
drops_who_asks_nothing(void **state)
{
	int fd = connect_raw();

	(void)state;
	wait_for_end(fd);
	assert_int_equal(lost, 0); /* it had nothing to lose */
	close(fd);
}

static void
waits_with_who_waits_for_us(void **state)
{
	int fd = connect_raw();

	(void)state;
	ask(fd);
	run_until(on_limit, LIMIT_MS);
	assert_non_null(asked);
	run_until(on_time, (uint64_t)PATIENCE_MS * 5);
	assert_int_equal(lost, 0);
	control_end(asked, 0);
	close(fd);
}

static void
drops_who_does_not_read(void **state)
{
	int fd = connect_raw();
	size_t n = 0;
	char packet[2048];

	(void)state;
	ask(fd);
	run_until(on_limit, LIMIT_MS);
	answer_much(asked);
	run_until(on_time, (uint64_t)PATIENCE_MS * 5);
	while (recv(fd, packet, sizeof(packet), 0) > 0)
		n++;
	assert_in_range(n, 1, 19999);
	close(fd);
}

static void
drops_who_does_not_read_before_the_end(void **state)
{
	int fd = connect_raw();

	(void)state;
	ask(fd);
	run_until(on_limit, LIMIT_MS);
	for (unsigned int i = 0; i < 20000; i++)
		control_say(asked, false, "%0500u", i);
	run_until(on_limit, LIMIT_MS);
	assert_int_equal(lost, 1);
	close(fd);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	unsigned int *n = arg;

	assert_non_null(packet);
	(*n)++;
	if (packet->type == CONTROL_END)
		loop_stop(loop);
}

static void
a_reader_gets_all_however_much_it_is(void **state)
{
	unsigned int n = 0;
	int fd = connect_raw();
	struct ipc *ipc;

	(void)state;
	ask(fd);
	run_until(on_limit, LIMIT_MS);
	answer_much(asked);
	ipc = ipc_new(loop, fd, on_packet, &n);
	run_until(on_limit, LIMIT_MS);
	assert_int_equal(n, 20001);
	ipc_free(&ipc);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drops_who_asks_nothing),
		TEST(waits_with_who_waits_for_us),
		TEST(drops_who_does_not_read),
		TEST(drops_who_does_not_read_before_the_end),
		TEST(a_reader_gets_all_however_much_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
