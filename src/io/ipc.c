/* SPDX-License-Identifier: ISC */
#include "io/ipc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "util/mem.h"

#define ROUND_PACKETS 64       /* per readiness, then others have their turn */
#define SOCKET_OCTETS 0x100000 /* asked for; the kernel may give less */
#define RETRY_MS 20

struct waiting {
	STAILQ_ENTRY(waiting) next;
	uint8_t type;
	char *payload;
	size_t n, n_fds;
	int fds[]; /* ours */
};

struct ipc {
	int fd;
	struct loop_fd *watch;
	struct loop_timer *retry; /* the kernel was short of something */
	ipc_fn fn;
	void *arg;
	STAILQ_HEAD(waiting_list, waiting) queue;
	size_t unsent;
	bool paused;
	bool mute;  /* nothing more can be sent */
	bool gone;  /* the peer's end was told */
	bool busy;  /* inside fn */
	bool freed; /* inside fn, by fn */
	char buf[IPC_PAYLOAD_MAX + 1];
};

/* Room and alignment for the descriptors of one packet. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

int
ipc_pair(int fds[2], struct err *e)
{
	int octets = SOCKET_OCTETS, i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) < 0)
		return err_set(e, ERR_DELIVER, errno,
		    "cannot make a socket pair: %s", strerror(errno));
	for (i = 0; i < 2; i++) /* only for speed: a refusal is no error */
		setsockopt(
		    fds[i], SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
	return 0;
}

static void
close_all(const int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static void
update_watch(struct ipc *ipc)
{
	if (ipc->freed)
		return;
	loop_fd_want(ipc->watch, !ipc->paused && !ipc->gone,
	    !STAILQ_EMPTY(&ipc->queue) && !loop_timer_armed(ipc->retry));
}

/* ---- sending ---- */

static void
drop_first(struct ipc *ipc)
{
	struct waiting *w = STAILQ_FIRST(&ipc->queue);

	STAILQ_REMOVE_HEAD(&ipc->queue, next);
	ipc->unsent--;
	close_all(w->fds, w->n_fds);
	mem_wipe(w->payload, w->n);
	free(w->payload);
	free(w);
}

/* We can send no more. What the peer sent before stays readable, and at its
 * end the owner learns that the peer is gone. */
static void
fall_silent(struct ipc *ipc)
{
	ipc->mute = true;
	while (!STAILQ_EMPTY(&ipc->queue))
		drop_first(ipc);
	shutdown(ipc->fd, SHUT_RDWR);
}

static void
cannot_send(struct ipc *ipc)
{
	log_debug("ipc", "cannot send: %s", strerror(errno));
	fall_silent(ipc);
}

static ssize_t
transmit(
    int fd, uint8_t type, struct span payload, const int *fds, size_t n_fds)
{
	union control control;
	struct iovec iov[2];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	iov[0].iov_base = &type;
	iov[0].iov_len = 1;
	iov[1].iov_base = (void *)(uintptr_t)payload.p; /* only read from */
	iov[1].iov_len = payload.n;
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* True when the packet need not be kept: it is sent, or never will be. */
static bool
try_send(struct ipc *ipc, uint8_t type, struct span payload, const int *fds,
    size_t n_fds)
{
	ssize_t r;

	do
		r = transmit(ipc->fd, type, payload, fds, n_fds);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return true;
	switch (errno) {
	case EAGAIN:
		return false;
	case ENOBUFS:
	case ENOMEM:
	case ETOOMANYREFS: /* too many descriptors under way */
		loop_timer_arm(ipc->retry, RETRY_MS);
		return false;
	}
	cannot_send(ipc);
	return true;
}

static void
flush(struct ipc *ipc)
{
	struct waiting *w;

	while ((w = STAILQ_FIRST(&ipc->queue)) != NULL) {
		if (!try_send(ipc, w->type, span_make(w->payload, w->n), w->fds,
			w->n_fds))
			break;
		if (!ipc->mute) /* else the queue is gone already */
			drop_first(ipc);
	}
	update_watch(ipc);
}

static void
on_retry(void *arg)
{
	flush(arg);
}

/* Copies of descriptors that stay the caller's: he may close them before
 * the packet leaves. */
static bool
take_fds(struct waiting *w, const int *fds, size_t n, bool ours)
{
	for (w->n_fds = 0; w->n_fds < n; w->n_fds++) {
		int fd = fds[w->n_fds];

		if (!ours)
			fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return false;
		w->fds[w->n_fds] = fd;
	}
	return true;
}

static void
enqueue(struct ipc *ipc, uint8_t type, struct span payload, const int *fds,
    size_t n, bool ours)
{
	struct waiting *w = mem_new(sizeof(*w) + n * sizeof(int));

	w->type = type;
	w->payload = mem_spandup(payload);
	w->n = payload.n;
	STAILQ_INSERT_TAIL(&ipc->queue, w, next);
	ipc->unsent++;
	if (!take_fds(w, fds, n, ours))
		cannot_send(ipc);
	update_watch(ipc);
}

/* What waits goes first. */
static bool
sent_at_once(struct ipc *ipc, uint8_t type, struct span payload, const int *fds,
    size_t n)
{
	return STAILQ_EMPTY(&ipc->queue) &&
	    try_send(ipc, type, payload, fds, n);
}

void
ipc_send_fds(struct ipc *ipc, uint8_t type, struct span payload, const int *fds,
    size_t n, bool close_fds)
{
	assert(payload.n <= IPC_PAYLOAD_MAX && n <= IPC_FDS_MAX);
	if (!ipc->mute && !sent_at_once(ipc, type, payload, fds, n))
		enqueue(ipc, type, payload, fds, n, close_fds);
	else if (close_fds)
		close_all(fds, n);
}

void
ipc_send(struct ipc *ipc, uint8_t type, struct span payload)
{
	ipc_send_fds(ipc, type, payload, NULL, 0, false);
}

size_t
ipc_unsent(const struct ipc *ipc)
{
	return ipc->unsent;
}

/* ---- receiving ---- */

static void
destroy(struct ipc *ipc)
{
	mem_wipe(ipc->buf, sizeof(ipc->buf)); /* passwords pass through here */
	free(ipc);
}

/* False when fn freed us. */
static bool
tell(struct ipc *ipc, struct ipc_packet *packet)
{
	ipc->busy = true;
	ipc->fn(ipc->arg, packet);
	ipc->busy = false;
	if (!ipc->freed)
		return true;
	destroy(ipc);
	return false;
}

static bool
peer_gone(struct ipc *ipc)
{
	ipc->gone = true;
	fall_silent(ipc);
	update_watch(ipc);
	return tell(ipc, NULL);
}

static void
collect_fds(struct msghdr *msg, struct ipc_packet *packet)
{
	struct cmsghdr *c;
	size_t n;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		/* the kernel cut them to our room */
		assert(n <= IPC_FDS_MAX - packet->n_fds);
		memcpy(
		    packet->fds + packet->n_fds, CMSG_DATA(c), n * sizeof(int));
		packet->n_fds += n;
	}
}

/* 1: a packet; 0: nothing there; -1: the end, or something that is no packet
 * of ours. */
static int
receive(struct ipc *ipc, struct ipc_packet *packet)
{
	union control control;
	struct iovec iov = { ipc->buf, sizeof(ipc->buf) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	/* a reset only says that the peer left packets of ours unread; what
	 * it sent before comes behind */
	do
		n = recvmsg(ipc->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0 && errno == EAGAIN)
		return 0;
	packet->n_fds = 0;
	if (n < 0)
		return -1;
	collect_fds(&msg, packet);
	if (n == 0 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		close_all(packet->fds, packet->n_fds);
		return -1;
	}
	packet->type = (uint8_t)ipc->buf[0];
	packet->payload = span_make(ipc->buf + 1, (size_t)n - 1);
	return 1;
}

static void
drain(struct ipc *ipc)
{
	struct ipc_packet packet;
	unsigned int i;

	for (i = 0; i < ROUND_PACKETS && !ipc->paused; i++) {
		int r = receive(ipc, &packet);
		bool alive;

		if (r == 0)
			return;
		if (r < 0) {
			peer_gone(ipc);
			return;
		}
		alive = tell(ipc, &packet);
		close_all(packet.fds, packet.n_fds);
		if (!alive)
			return;
	}
}

static void
on_ready(void *arg, bool readable, bool writable)
{
	struct ipc *ipc = arg;

	if (writable)
		flush(ipc);
	if (readable)
		drain(ipc); /* may free ipc */
}

/* ---- life ---- */

struct ipc *
ipc_new(struct loop *loop, int fd, ipc_fn fn, void *arg)
{
	struct ipc *ipc = mem_new(sizeof(*ipc));

	ipc->fd = fd;
	ipc->fn = fn;
	ipc->arg = arg;
	STAILQ_INIT(&ipc->queue);
	ipc->watch = loop_fd_new(loop, fd, on_ready, ipc);
	ipc->retry = loop_timer_new(loop, on_retry, ipc);
	update_watch(ipc);
	return ipc;
}

void
ipc_free(struct ipc **p)
{
	struct ipc *ipc = *p;

	if (ipc == NULL)
		return;
	*p = NULL;
	while (!STAILQ_EMPTY(&ipc->queue))
		drop_first(ipc);
	loop_fd_free(&ipc->watch);
	loop_timer_free(&ipc->retry);
	close(ipc->fd);
	ipc->freed = true;
	/* inside fn the payload is still borrowed from us */
	if (!ipc->busy)
		destroy(ipc);
}

void
ipc_pause(struct ipc *ipc, bool paused)
{
	ipc->paused = paused;
	update_watch(ipc);
}
