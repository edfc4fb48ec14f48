/* SPDX-License-Identifier: ISC */
#include "io/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_TURNS 16

void
wire_init(struct wire *w, int fd)
{
	*w = (struct wire){ .fd = fd };
}

void
wire_deinit(struct wire *w)
{
	tls_free(&w->tls);
	if (w->fd >= 0)
		close(w->fd);
	wire_init(w, -1);
}

int
wire_begin_tls(struct wire *w, struct tls_ctx *ctx, const char *name,
    const char *alpn, struct err *e)
{
	if (ctx == NULL)
		return err_set(e, ERR_TLS, 0, "TLS is not set up");
	w->tls = tls_new(ctx, w->fd, name, alpn, e);
	return w->tls == NULL ? -1 : 0;
}

enum tls_answer
wire_handshake(struct wire *w, struct err *e)
{
	enum tls_answer a = tls_handshake(w->tls, e);

	if (a == TLS_CLOSED) {
		err_set(e, ERR_NET, 0, "TLS handshake: closed by the server");
		a = TLS_FAILED;
	}
	w->secure = a == TLS_OK;
	return a;
}

static bool
would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static enum tls_answer
blocked_or_failed(enum tls_answer blocked, struct err *e)
{
	if (would_block(errno))
		return blocked;
	err_set(e, ERR_NET, errno, "%s", strerror(errno));
	return TLS_FAILED;
}

enum tls_answer
wire_read(struct wire *w, char *p, size_t n, size_t *got, struct err *e)
{
	ssize_t r;

	if (w->secure)
		return tls_read(w->tls, p, n, got, e);
	r = recv(w->fd, p, n, 0);
	*got = r > 0 ? (size_t)r : 0;
	if (r < 0)
		return blocked_or_failed(TLS_WANT_READ, e);
	return r > 0 ? TLS_OK : TLS_CLOSED;
}

enum tls_answer
wire_write(struct wire *w, struct span s, size_t *sent, struct err *e)
{
	ssize_t r;

	if (w->secure)
		return tls_write(w->tls, s, sent, e);
	r = send(w->fd, s.p, s.n, MSG_NOSIGNAL);
	*sent = r > 0 ? (size_t)r : 0;
	return r < 0 ? blocked_or_failed(TLS_WANT_WRITE, e) : TLS_OK;
}

bool
wire_input_waits(const struct wire *w)
{
	char octet;

	return recv(w->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
wire_finish(struct wire *w)
{
	if (w->secure)
		tls_shutdown(w->tls);
	shutdown(w->fd, SHUT_WR);
}

bool
wire_drained(struct wire *w)
{
	char lost[4096];

	for (int i = 0; i < DRAIN_TURNS; i++) {
		ssize_t r = recv(w->fd, lost, sizeof(lost), 0);

		if (r <= 0)
			return r == 0 || !would_block(errno);
	}
	return false;
}
