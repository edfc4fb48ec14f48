/* SPDX-License-Identifier: ISC */
#include "io/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "util/mem.h"

#define PEEK_OCTETS 4096
#define EXPLAIN_MS 1000 /* how long a tunnel's last words may need */

struct reach {
	struct loop *loop; /* not ours */
	reach_fn fn;
	void *arg;
	char *target; /* "HOST:PORT" of the server */
	uint64_t deadline;
	unsigned int timeout_ms;
	struct loop_timer *limit;
	struct dial *dial;
	/* one that is not yet the caller's */
	int fd;
	struct loop_fd *watch;
	char *peer;

	char *proxy_host;
	struct proxy *proxy;

	struct reach_tunnel *tunnel; /* not ours */
	void *ticket;                /* NULL: there is none, or it has ended */
	bool silent, explaining;
	struct err why; /* it will fail, or has */
};

/* ---- the end ---- */

static void
drop_socket(struct reach *r)
{
	loop_fd_free(&r->watch);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void
fail(struct reach *r, const struct err *e)
{
	struct err why = *e;

	loop_timer_stop(r->limit);
	dial_free(&r->dial);
	drop_socket(r);
	r->fn(r->arg, -1, NULL, &why);
}

static void
hand_over(struct reach *r)
{
	int fd = r->fd;

	r->fd = -1;
	loop_fd_free(&r->watch);
	loop_timer_stop(r->limit);
	r->fn(r->arg, fd, r->peer, NULL);
}

static void
keep_socket(struct reach *r, int fd, char *peer, loop_fd_fn fn)
{
	r->fd = fd;
	r->peer = peer;
	r->watch = loop_fd_new(r->loop, fd, fn, r);
}

static bool
would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* ---- by a proxy ---- */

static void
fail_at_proxy(struct reach *r, int why)
{
	struct err e;

	if (why == 0)
		proxy_closed(r->proxy, &e);
	else
		err_set(&e, ERR_NET, why, "the proxy %s: %s", r->proxy_host,
		    strerror(why));
	fail(r, &e);
}

/* 0, or errno. */
static int
speak(struct reach *r)
{
	struct span out = proxy_output(r->proxy);

	while (out.n > 0) {
		ssize_t n = send(r->fd, out.p, out.n, MSG_NOSIGNAL);

		if (n < 0)
			return would_block(errno) ? 0 : errno;
		proxy_sent(r->proxy, (size_t)n);
		out = proxy_output(r->proxy);
	}
	return 0;
}

/* What is behind the proxy's last word is for whoever gets the socket: it is
 * looked at, and only what is the proxy's is taken. n: there is so much; what
 * the proxy says about it. */
static enum proxy_says
take(struct reach *r, const char *peeked, size_t n)
{
	struct span in = span_make(peeked, n);
	enum proxy_says says = proxy_feed(r->proxy, &in);
	char taken[PEEK_OCTETS];

	(void)!recv(r->fd, taken, n - in.n, 0);
	return says;
}

static void
hear_proxy(struct reach *r)
{
	enum proxy_says says = PROXY_MORE;
	char peeked[PEEK_OCTETS];
	int why = 0;

	while (says == PROXY_MORE && why == 0) {
		ssize_t n = recv(r->fd, peeked, sizeof(peeked), MSG_PEEK);

		if (n < 0 && would_block(errno))
			break;
		if (n <= 0) {
			fail_at_proxy(r, n < 0 ? errno : 0);
			return;
		}
		says = take(r, peeked, (size_t)n);
		why = speak(r);
	}
	if (says == PROXY_DONE)
		hand_over(r);
	else if (says == PROXY_FAILED)
		fail(r, proxy_error(r->proxy));
	else if (why != 0)
		fail_at_proxy(r, why);
	else
		loop_fd_want(r->watch, true, proxy_output(r->proxy).n > 0);
}

static void
on_proxy_ready(void *arg, bool readable, bool writable)
{
	struct reach *r = arg;
	int why = writable ? speak(r) : 0;

	if (why != 0)
		fail_at_proxy(r, why);
	else if (readable)
		hear_proxy(r);
	else
		loop_fd_want(r->watch, true, proxy_output(r->proxy).n > 0);
}

/* ---- dialled ---- */

static uint64_t
left_ms(const struct reach *r)
{
	uint64_t now = clock_ms();

	return r->deadline > now ? r->deadline - now : 0;
}

static void
on_dialled(
    void *arg, int fd, const struct dns_address *address, const struct err *e)
{
	struct reach *r = arg;
	char text[64];

	dial_free(&r->dial);
	if (fd < 0) {
		struct err why = *e;

		if (r->proxy != NULL)
			err_prefix(&why, "the proxy");
		fail(r, &why);
		return;
	}
	dns_address_text(address, text, sizeof(text));
	if (r->proxy == NULL) {
		r->fd = fd;
		r->peer = mem_strdup(text);
		hand_over(r);
		return;
	}
	keep_socket(r, fd, mem_printf("%s by way of %s", r->target, text),
	    on_proxy_ready);
	loop_fd_want(r->watch, true, true);
	loop_timer_arm(r->limit, left_ms(r));
}

static void
dial(struct reach *r, struct dns *dns, const struct reach_params *p)
{
	const bool direct = r->proxy == NULL;

	r->dial = dial_new(r->loop, dns,
	    &(struct dial_params){ .host = direct ? p->host : p->proxy.host,
		.port = direct ? p->port : p->proxy.port,
		.timeout_ms = p->timeout_ms,
		.bind_address = p->bind_address,
		.family = p->family },
	    on_dialled, r);
}

static void
begin(struct reach *r, struct dns *dns, const struct reach_params *p)
{
	if (p->proxy.kind != PROXY_NONE) {
		r->proxy_host =
		    mem_printf("%s:%u", p->proxy.host, p->proxy.port);
		r->proxy = proxy_new(&p->proxy, p->host, p->port, &r->why);
	}
	if (r->why.kind == ERR_NONE)
		dial(r, dns, p);
	else
		loop_timer_arm(r->limit, 0);
}

/* ---- by a tunnel ---- */

static void
explain(struct reach *r, const struct err *otherwise)
{
	drop_socket(r);
	if (r->ticket == NULL) {
		fail(r, &r->why);
		return;
	}
	r->why = *otherwise;
	r->explaining = true;
	loop_timer_arm(r->limit, EXPLAIN_MS);
}

/* It is there when the server has said its first word. */
static void
on_tunnel_ready(void *arg, bool readable, bool writable)
{
	struct reach *r = arg;
	struct err e;
	char octet;
	ssize_t n;

	(void)readable;
	(void)writable;
	n = recv(r->fd, &octet, 1, MSG_PEEK);
	if (n > 0) {
		hand_over(r);
	} else if (n == 0 || !would_block(errno)) {
		err_set(&e, ERR_NET, 0,
		    "the tunnel to %s ended before the server said a word",
		    r->target);
		explain(r, &e);
	}
}

static void
on_tunnel(void *arg, int fd, const struct err *e)
{
	struct reach *r = arg;

	if (fd < 0) {
		r->ticket = NULL;
		r->why = *e;
		if (r->explaining || r->peer == NULL)
			fail(r, e);
		return; /* else the socket tells */
	}
	keep_socket(r, fd, mem_printf("%s by way of the tunnel", r->target),
	    on_tunnel_ready);
	if (r->silent)
		hand_over(r);
	else
		loop_fd_want(r->watch, true, false);
}

bool
reach_explain(struct reach *r, const struct err *e)
{
	if (r->tunnel == NULL)
		return false;
	r->explaining = true;
	if (r->ticket != NULL)
		r->why = *e;
	loop_timer_arm(r->limit, r->ticket == NULL ? 0 : EXPLAIN_MS);
	return true;
}

/* ---- life ---- */

static void
on_limit(void *arg)
{
	struct reach *r = arg;
	struct err e = r->why;

	if (e.kind != ERR_NONE)
		; /* nothing better was said */
	else if (r->proxy != NULL)
		proxy_late(r->proxy, r->timeout_ms, &e);
	else
		err_set(&e, ERR_NET, ETIMEDOUT,
		    "the tunnel to %s has said nothing for %u s", r->target,
		    (r->timeout_ms + 999) / 1000);
	fail(r, &e);
}

struct reach *
reach_new(struct loop *loop, struct dns *dns, const struct reach_params *params,
    reach_fn fn, void *arg)
{
	struct reach *r = mem_new(sizeof(*r));

	r->loop = loop;
	r->fn = fn;
	r->arg = arg;
	r->fd = -1;
	r->target = mem_printf("%s:%u", params->host, params->port);
	r->timeout_ms = params->timeout_ms;
	r->deadline = clock_ms() + params->timeout_ms;
	r->silent = params->silent;
	r->tunnel = params->tunnel;
	r->limit = loop_timer_new(loop, on_limit, r);
	if (r->tunnel != NULL) {
		loop_timer_arm(r->limit, params->timeout_ms);
		r->ticket = r->tunnel->open(r->tunnel, on_tunnel, r);
	} else {
		begin(r, dns, params);
	}
	return r;
}

void
reach_free(struct reach **reach)
{
	struct reach *r = *reach;

	*reach = NULL;
	if (r == NULL)
		return;
	dial_free(&r->dial);
	drop_socket(r);
	loop_timer_free(&r->limit);
	proxy_free(&r->proxy);
	if (r->ticket != NULL)
		r->tunnel->close(r->tunnel, r->ticket);
	free(r->target);
	free(r->peer);
	free(r->proxy_host);
	free(r);
}
