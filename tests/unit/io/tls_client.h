/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_IO_TLS_CLIENT_H
#define MAILHAUL_TESTS_UNIT_IO_TLS_CLIENT_H

/* A TLS session of ours with a peer, for cmocka's tests. */

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "io/tls.h"
#include "unit/io/peer.h"

/* A client session over a socket of its own. */
struct client {
	int fd;
	struct tls *tls;
	struct err e;
};

static inline void
client_begin(struct client *c, struct tls_ctx *with, unsigned int port,
    const char *name, const char *alpn)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->tls = tls_new(with, c->fd, name, alpn, &c->e);
	assert_non_null(c->tls);
}

static inline void
client_end(struct client *c)
{
	tls_free(&c->tls);
	close(c->fd);
}

static inline void
wait_for(struct client *c, enum tls_answer a)
{
	struct pollfd f = { .fd = c->fd,
		.events = a == TLS_WANT_READ ? POLLIN : POLLOUT };

	assert_int_equal(poll(&f, 1, PEER_PATIENCE_MS), 1);
}

static inline enum tls_answer
shake(struct client *c)
{
	enum tls_answer a;

	while ((a = tls_handshake(c->tls, &c->e)) == TLS_WANT_READ ||
	    a == TLS_WANT_WRITE)
		wait_for(c, a);
	return a;
}

/* Reads until the end or n octets. */
static inline enum tls_answer
read_all(struct client *c, char *dst, size_t n, size_t *total)
{
	enum tls_answer a = TLS_OK;
	size_t got;

	*total = 0;
	while (*total < n) {
		a = tls_read(c->tls, dst + *total, n - *total, &got, &c->e);
		*total += got;
		if (a == TLS_WANT_READ || a == TLS_WANT_WRITE)
			wait_for(c, a);
		else if (a != TLS_OK)
			break;
	}
	return a;
}

static inline void
accept_and_leave(struct peer *p)
{
	peer_tls(p);
	peer_hear_end(p);
}

/* One handshake with a server on its own, under these rules; p has its
 * identity and what else it shall do. */
static inline enum tls_answer
try_peer(struct peer *p, const struct tls_rules *rules, const char *name,
    struct err *e)
{
	struct tls_ctx *ctx = tls_ctx_new(rules, e);
	struct client c;
	enum tls_answer a;

	assert_non_null(ctx);
	if (p->script == NULL)
		p->script = accept_and_leave;
	peer_begin(p);
	client_begin(&c, ctx, p->port, name, NULL);
	tls_ctx_free(&ctx); /* the session keeps what it needs */
	a = shake(&c);
	*e = c.e;
	client_end(&c);
	assert_true(peer_end(p));
	return a;
}

static inline enum tls_answer
try_rules(const struct identity *id, const struct tls_rules *rules,
    const char *name, struct err *e)
{
	struct peer p = { .id = id };

	return try_peer(&p, rules, name, e);
}

static inline void
expect(const struct err *e, enum err_kind kind, const char *words)
{
	if (e->kind != kind || strstr(e->text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, e->text);
}

#endif
