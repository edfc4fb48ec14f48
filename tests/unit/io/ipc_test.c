/* SPDX-License-Identifier: ISC */
#include "io/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE 7

/* One side of a pair, and what it was told. */
struct side {
	struct ipc *ipc;
	unsigned int packets, ends;
	uint32_t next; /* the number the next packet must carry */
	bool pause_after_one;
	bool free_after_one;
	bool keep_fds;
	size_t last_n;
	char last; /* octet of the last packet */
	int fd;    /* the first of the last packet */
};

static struct loop *loop;
static struct side left, right;
static int raw[2];
static unsigned int fds_before;

static unsigned int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The callee owns what it sets to -1. */
static void
on_packet(void *arg, struct ipc_packet *p)
{
	struct side *s = arg;

	if (p == NULL) {
		s->ends++;
		assert_int_equal(s->ends, 1);
		return;
	}
	assert_int_equal(s->ends, 0);
	assert_int_equal(p->type, TYPE);
	if (p->payload.n >= sizeof(s->next))
		assert_memory_equal(p->payload.p, &s->next, sizeof(s->next));
	s->next++;
	s->packets++;
	s->last_n = p->n_fds;
	s->fd = p->n_fds > 0 ? p->fds[0] : -1;
	if (s->fd >= 0 && s->keep_fds)
		p->fds[0] = -1;
	if (s->pause_after_one)
		ipc_pause(s->ipc, true);
	if (s->free_after_one)
		ipc_free(&s->ipc);
	/* the payload is ours for the whole call, freed or not */
	s->last = p->payload.n > 0 ? p->payload.p[p->payload.n - 1] : 0;
}

static void
send_number(struct side *s, uint32_t number, size_t n, int fd, bool close_fd)
{
	static char payload[IPC_PAYLOAD_MAX];

	memcpy(payload, &number, sizeof(number));
	ipc_send_fds(s->ipc, TYPE, span_make(payload, n), &fd, fd >= 0 ? 1 : 0,
	    close_fd);
}

static int
set_up(void **state)
{
	struct err e;

	(void)state;
	fds_before = count_fds();
	memset(&left, 0, sizeof(left));
	memset(&right, 0, sizeof(right));
	left.fd = right.fd = -1;
	loop = loop_new();
	if (ipc_pair(raw, &e) < 0)
		return -1;
	left.ipc = ipc_new(loop, raw[0], on_packet, &left);
	right.ipc = ipc_new(loop, raw[1], on_packet, &right);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ipc_free(&left.ipc);
	ipc_free(&right.ipc);
	loop_free(&loop);
	assert_int_equal(count_fds(), fds_before); /* none is left open */
	return 0;
}

/* Runs the loop for what is ready now, and what follows from it. */
static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
settle(void)
{
	struct loop_timer *t = loop_timer_new(loop, stop, loop);

	loop_timer_arm(t, 20);
	loop_run(loop);
	loop_timer_free(&t);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* An open file that can be told from others. */
static int
some_fd(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* ---- packets and descriptors ---- */

static void
makes_a_private_pair(void **state)
{
	int i, type;
	socklen_t n = sizeof(type);

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(fcntl(raw[i], F_GETFD), FD_CLOEXEC);
		assert_true((fcntl(raw[i], F_GETFL) & O_NONBLOCK) != 0);
		assert_int_equal(
		    getsockopt(raw[i], SOL_SOCKET, SO_TYPE, &type, &n), 0);
		assert_int_equal(type, SOCK_SEQPACKET);
	}
}

static void
sends_before_the_loop_runs(void **state)
{
	char got[10];

	(void)state;
	ipc_send(left.ipc, 9, SPAN("ab"));
	assert_int_equal(ipc_unsent(left.ipc), 0);
	assert_int_equal(recv(raw[1], got, sizeof(got), 0), 3);
	assert_memory_equal(got, "\tab", 3);
}

static void
keeps_packets_apart_and_in_order(void **state)
{
	(void)state;
	send_number(&left, 0, 4, -1, false);
	send_number(&left, 1, IPC_PAYLOAD_MAX, -1, false);
	ipc_send(left.ipc, TYPE, SPAN(""));
	send_number(&left, 3, 5, -1, false);
	send_number(&right, 0, 4, -1, false);
	assert_int_equal(right.packets, 0); /* only from the loop */
	settle();
	assert_int_equal(right.packets, 4);
	assert_int_equal(left.packets, 1);
	assert_int_equal(left.ends + right.ends, 0);
}

static void
closes_what_the_callee_does_not_keep(void **state)
{
	int fd = some_fd();

	(void)state;
	send_number(&left, 0, 4, fd, false);
	assert_true(is_open(fd));
	settle();
	assert_int_equal(right.last_n, 1);
	assert_true(right.fd > fd);
	assert_false(is_open(right.fd));
	right.keep_fds = true;
	send_number(&left, 1, 4, fd, true);
	assert_false(is_open(fd));
	settle();
	assert_int_equal(fcntl(right.fd, F_GETFD), FD_CLOEXEC);
	close(right.fd);
}

static void
carries_as_many_descriptors_as_it_says(void **state)
{
	int fds[IPC_FDS_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < IPC_FDS_MAX; i++)
		fds[i] = some_fd();
	ipc_send_fds(left.ipc, TYPE, SPAN(""), fds, IPC_FDS_MAX, true);
	settle();
	assert_int_equal(right.packets, 1);
	assert_int_equal(right.last_n, IPC_FDS_MAX);
}

/* ---- waiting ---- */

static void
queues_in_order_what_the_socket_does_not_take(void **state)
{
	uint32_t i;
	int fd;

	(void)state;
	for (i = 0; i < 500; i++) {
		fd = i % 3 == 0 ? some_fd() : -1;
		send_number(
		    &left, i, i % 5 == 0 ? IPC_PAYLOAD_MAX : 4, fd, i % 2 == 0);
		/* ours is a copy: the packet must not miss it */
		if (fd >= 0 && i % 2 != 0)
			close(fd);
	}
	assert_in_range(ipc_unsent(left.ipc), 1, 499);
	settle();
	assert_int_equal(ipc_unsent(left.ipc), 0);
	assert_int_equal(right.packets, 500);
}

static void
lets_nothing_pass_what_waits(void **state)
{
	static char octets[IPC_PAYLOAD_MAX + 1];
	uint32_t i = 0;

	(void)state;
	while (ipc_unsent(left.ipc) == 0)
		send_number(&left, i++, IPC_PAYLOAD_MAX, -1, false);
	/* now there would be room for the next */
	while (recv(raw[1], octets, sizeof(octets), MSG_DONTWAIT) > 0)
		right.next++;
	send_number(&left, i++, 4, -1, false);
	assert_int_equal(ipc_unsent(left.ipc), 2);
	settle();
	assert_int_equal(right.next, i);
}

static void
drops_its_queue_when_freed(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		send_number(&left, i, IPC_PAYLOAD_MAX, some_fd(), true);
	assert_true(ipc_unsent(left.ipc) > 0);
	ipc_free(&left.ipc);
	assert_null(left.ipc);
	settle();
	assert_true(right.packets > 0 && right.packets < 100);
	assert_int_equal(right.ends, 1);
}

static void
holds_the_peer_back_while_paused(void **state)
{
	(void)state;
	right.pause_after_one = true;
	send_number(&left, 0, 4, -1, false);
	send_number(&left, 1, 4, -1, false);
	send_number(&left, 2, 4, -1, false);
	settle();
	assert_int_equal(right.packets, 1);
	ipc_pause(left.ipc, true);
	loop_run(loop); /* ends: nothing is watched */
	right.pause_after_one = false;
	ipc_pause(right.ipc, false);
	settle();
	assert_int_equal(right.packets, 3);
}

/* ---- the end ---- */

static void
tells_the_end_once_and_after_the_last_packet(void **state)
{
	(void)state;
	send_number(&left, 0, 4, some_fd(), true);
	send_number(&left, 1, 4, -1, false);
	ipc_free(&left.ipc);
	assert_int_equal(right.ends, 0);
	settle();
	assert_int_equal(right.packets, 2);
	assert_int_equal(right.ends, 1);
	settle();
	assert_int_equal(right.ends, 1);
}

/* A reset is no end yet. */
static void
reads_on_when_the_peer_left_packets_unread(void **state)
{
	(void)state;
	send_number(&left, 0, 4, -1, false);
	send_number(&left, 1, 4, -1, false);
	send_number(&right, 0, 4, -1, false);
	ipc_free(&left.ipc);
	settle();
	assert_int_equal(right.packets, 2);
	assert_int_equal(right.ends, 1);
}

/* Nor does a failing send call back, or lose what was sent to us. */
static void
tells_the_end_from_the_loop_when_sending_fails(void **state)
{
	int fd = some_fd();

	(void)state;
	send_number(&left, 0, 4, -1, false);
	send_number(&right, 0, 4, -1, false); /* left unread: a reset */
	ipc_free(&left.ipc);
	send_number(&right, 1, 4, fd, true);
	send_number(&right, 2, 4, -1, false);
	assert_false(is_open(fd));
	assert_int_equal(right.ends, 0);
	assert_int_equal(ipc_unsent(right.ipc), 0);
	settle();
	assert_int_equal(right.packets, 1);
	assert_int_equal(right.ends, 1);
	send_number(&right, 3, 4, some_fd(), true);
	settle();
	assert_int_equal(right.ends, 1);
}

static void
drops_its_queue_when_the_peer_goes(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		send_number(&right, i, IPC_PAYLOAD_MAX, some_fd(), true);
	assert_true(ipc_unsent(right.ipc) > 0);
	ipc_free(&left.ipc);
	settle();
	assert_int_equal(right.ends, 1);
	assert_int_equal(ipc_unsent(right.ipc), 0);
}

static void
may_be_freed_inside_its_callback(void **state)
{
	(void)state;
	right.free_after_one = true;
	send_number(&left, 0, 4, some_fd(), true);
	send_number(&left, 1, 4, some_fd(), true);
	settle();
	assert_int_equal(right.packets, 1);
	assert_false(is_open(right.fd));
	assert_int_equal(left.ends, 1);
}

static struct ipc *dies_at_end;

static void
free_at_end(void *arg, struct ipc_packet *p)
{
	assert_null(p);
	*(bool *)arg = true;
	ipc_free(&dies_at_end);
}

static void
may_be_freed_when_told_the_end(void **state)
{
	bool told = false;
	struct err e;
	int fds[2];

	(void)state;
	assert_int_equal(ipc_pair(fds, &e), 0);
	dies_at_end = ipc_new(loop, fds[0], free_at_end, &told);
	close(fds[1]);
	settle();
	assert_true(told);
	assert_null(dies_at_end);
	ipc_free(&dies_at_end);
}

/* ---- a hostile peer ---- */

static void
send_raw(const char *octets, size_t n, size_t n_fds)
{
	char control[CMSG_SPACE(100 * sizeof(int))]
	    __attribute__((aligned(sizeof(struct cmsghdr))));
	struct iovec iov = { (void *)(uintptr_t)octets, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr c = { .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(n_fds * sizeof(int)) };
	int fd = some_fd();
	size_t i;

	memset(control, 0, sizeof(control));
	memcpy(control, &c, sizeof(c));
	for (i = 0; i < n_fds; i++)
		memcpy(control + CMSG_LEN(i * sizeof(int)), &fd, sizeof(fd));
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(raw[0], &msg, 0), (ssize_t)n);
	close(fd);
}

static void
gives_up_on_a_packet_that_is_too_long(void **state)
{
	static char octets[IPC_PAYLOAD_MAX + 2] = { TYPE };

	(void)state;
	send_raw(octets, IPC_PAYLOAD_MAX + 1, 0);
	settle();
	assert_int_equal(right.packets, 1);
	send_raw(octets, IPC_PAYLOAD_MAX + 2, 1);
	send_raw(octets, 1, 0);
	settle();
	assert_int_equal(right.packets, 1);
	assert_int_equal(right.ends, 1);
	assert_int_equal(left.ends, 1); /* it learns that we gave up */
}

static void
gives_up_on_too_many_descriptors(void **state)
{
	static const char octet[] = { TYPE };

	(void)state;
	send_raw(octet, 1, IPC_FDS_MAX);
	settle();
	assert_int_equal(right.packets, 1);
	send_raw(octet, 1, IPC_FDS_MAX + 1);
	settle();
	assert_int_equal(right.packets, 1);
	assert_int_equal(right.ends, 1);
}

static void
gives_up_on_an_empty_packet(void **state)
{
	(void)state;
	send_raw("", 0, 1);
	settle();
	assert_int_equal(right.packets, 0);
	assert_int_equal(right.ends, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_private_pair),
		TEST(sends_before_the_loop_runs),
		TEST(keeps_packets_apart_and_in_order),
		TEST(closes_what_the_callee_does_not_keep),
		TEST(carries_as_many_descriptors_as_it_says),
		TEST(queues_in_order_what_the_socket_does_not_take),
		TEST(lets_nothing_pass_what_waits),
		TEST(drops_its_queue_when_freed),
		TEST(holds_the_peer_back_while_paused),
		TEST(tells_the_end_once_and_after_the_last_packet),
		TEST(reads_on_when_the_peer_left_packets_unread),
		TEST(tells_the_end_from_the_loop_when_sending_fails),
		TEST(drops_its_queue_when_the_peer_goes),
		TEST(may_be_freed_inside_its_callback),
		TEST(may_be_freed_when_told_the_end),
		TEST(gives_up_on_a_packet_that_is_too_long),
		TEST(gives_up_on_too_many_descriptors),
		TEST(gives_up_on_an_empty_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
