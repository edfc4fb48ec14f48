/* SPDX-License-Identifier: ISC */
#include "io/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"

#define DIAL_ADDRESSES_MAX 16
#define STAGGER_MS 250 /* RFC 8305 5, connection attempt delay */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_COUNT 4
#define USER_TIMEOUT_MS 60000

enum progress { PENDING, CONNECTING, FAILED };

struct attempt {
	struct dial *dial; /* not ours */
	struct dns_address address;
	enum progress progress;
	int fd;
	struct loop_fd *watch;
	int reason; /* errno, when FAILED */
};

struct dial {
	struct loop *loop; /* not ours */
	dial_fn fn;
	void *arg;
	char *host;
	unsigned int timeout_ms;
	struct dns_query *query;
	struct dns_address ours; /* to come from; len 0: any */
	struct loop_timer *deadline, *stagger;
	struct err failure; /* set: there is nothing to try */
	struct attempt attempts[DIAL_ADDRESSES_MAX];
	size_t n, next; /* attempts in all; the first one not begun */
};

static void begin_next(struct dial *d);

static void
attempt_stop(struct attempt *a)
{
	loop_fd_free(&a->watch);
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

/* Ends all activity, so that the owner may free d in its callback or later. */
static void
stop(struct dial *d)
{
	dns_cancel(&d->query);
	loop_timer_stop(d->deadline);
	loop_timer_stop(d->stagger);
	for (size_t i = 0; i < d->n; i++)
		attempt_stop(&d->attempts[i]);
}

/* ---- the words for failure ---- */

static const char *
reason(const struct attempt *a)
{
	switch (a->progress) {
	case PENDING:
		return "not tried";
	case CONNECTING:
		return "no answer";
	case FAILED:
		return strerror(a->reason);
	}
	return "";
}

static bool
is_numeric(const struct dial *d)
{
	char text[64];
	const char *ip = text;
	size_t n = strlen(d->host);

	if (d->n != 1)
		return false;
	dns_address_text(&d->attempts[0].address, text, sizeof(text));
	ip += text[0] == '[';
	return strncmp(ip, d->host, n) == 0 && strchr(":]", ip[n]) != NULL;
}

/* "imap.example.org: 192.0.2.1:993: Connection refused; [::1]:993: ..." */
static void
describe(const struct dial *d, struct err *e)
{
	char list[ERR_TEXT_MAX * 2];
	size_t used = 0;

	for (size_t i = 0; i < d->n && used < ERR_TEXT_MAX; i++) {
		const struct attempt *a = &d->attempts[i];
		char address[64];
		int n;

		dns_address_text(&a->address, address, sizeof(address));
		n = snprintf(list + used, sizeof(list) - used, "%s%s: %s",
		    i > 0 ? "; " : "", address, reason(a));
		if (n > 0)
			used += (size_t)n;
	}
	if (is_numeric(d))
		err_set(e, ERR_NET, d->attempts[0].reason, "%s", list);
	else
		err_set(e, ERR_NET, d->attempts[0].reason, "%.80s: %s", d->host,
		    list);
}

static void
give_up(struct dial *d, const struct err *e)
{
	stop(d);
	d->fn(d->arg, -1, NULL, e);
}

static void
on_deadline(void *arg)
{
	struct dial *d = arg;
	struct err e = d->failure;

	if (e.kind == ERR_NONE && d->n == 0)
		err_set(&e, ERR_NET, ETIMEDOUT,
		    "%s: the name was not resolved within %u s", d->host,
		    (d->timeout_ms + 999) / 1000);
	else if (e.kind == ERR_NONE)
		describe(d, &e);
	give_up(d, &e);
}

/* ---- attempts ---- */

static void
succeed(struct attempt *a)
{
	struct dial *d = a->dial;
	struct dns_address address = a->address;
	int fd = a->fd;

	loop_fd_free(&a->watch);
	a->fd = -1;
	stop(d);
	d->fn(d->arg, fd, &address, NULL);
}

/* The next address has its turn at once (RFC 8305 5). */
static void
fail(struct attempt *a, int error)
{
	struct dial *d = a->dial;

	attempt_stop(a);
	a->progress = FAILED;
	a->reason = error;
	begin_next(d);
}

static void
on_writable(void *arg, bool readable, bool writable)
{
	struct attempt *a = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)readable;
	(void)writable;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0)
		fail(a, error);
	else
		succeed(a);
}

static void
set_option(int fd, int level, int option, int value)
{
	/* a kernel without it still connects */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int
open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
	return fd;
}

/* The port is chosen when it connects, so that one may serve many servers. */
static int
bind_to(int fd, const struct dns_address *ours)
{
	if (ours->len == 0)
		return 0;
	set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, (const struct sockaddr *)&ours->sa, ours->len);
}

/* 0 when under way (or connected: that is then seen as writable). */
static int
begin(struct attempt *a)
{
	int r;

	a->progress = CONNECTING;
	a->fd = open_socket(a->address.sa.ss_family);
	if (a->fd < 0 || bind_to(a->fd, &a->dial->ours) != 0)
		return errno;
	r = connect(
	    a->fd, (const struct sockaddr *)&a->address.sa, a->address.len);
	if (r != 0 && errno != EINPROGRESS && errno != EINTR)
		return errno;
	a->watch = loop_fd_new(a->dial->loop, a->fd, on_writable, a);
	loop_fd_want(a->watch, false, true);
	return 0;
}

static bool
all_failed(const struct dial *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->attempts[i].progress != FAILED)
			return false;
	return true;
}

/* Begins the next address that can be begun, or gives up after the last. */
static void
begin_next(struct dial *d)
{
	struct err e;

	loop_timer_stop(d->stagger);
	while (d->next < d->n) {
		struct attempt *a = &d->attempts[d->next++];
		int error = begin(a);

		if (error == 0) {
			if (d->next < d->n)
				loop_timer_arm(d->stagger, STAGGER_MS);
			return;
		}
		attempt_stop(a);
		a->progress = FAILED;
		a->reason = error;
	}
	if (!all_failed(d))
		return;
	describe(d, &e);
	give_up(d, &e);
}

static void
on_stagger(void *arg)
{
	begin_next(arg);
}

static void
on_resolved(
    void *arg, const struct dns_address *addrs, size_t n, const struct err *e)
{
	struct dial *d = arg;

	d->query = NULL;
	if (e != NULL) {
		give_up(d, e);
		return;
	}
	d->n = n < DIAL_ADDRESSES_MAX ? n : DIAL_ADDRESSES_MAX;
	for (size_t i = 0; i < d->n; i++)
		d->attempts[i] = (struct attempt){
			.dial = d,
			.address = addrs[i],
			.fd = -1,
		};
	begin_next(d);
}

/* ---- the address to come from ---- */

static bool
read_address(const char *text, struct dns_address *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&out->sa, &v4, sizeof(v4));
		out->len = sizeof(v4);
	} else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&out->sa, &v6, sizeof(v6));
		out->len = sizeof(v6);
	}
	return out->len > 0;
}

/* Tried at once, on a socket that is used for nothing else: whoever has
 * mistyped it reads of it, and not of all the servers. */
static int
try_address(const struct dns_address *ours)
{
	int fd = open_socket(ours->sa.ss_family);
	int why = 0;

	if (fd < 0 || bind_to(fd, ours) != 0)
		why = errno;
	if (fd >= 0)
		close(fd);
	return why;
}

/* It may come with a network that is not there yet: worth another try. */
static int
refuse_address(const char *text, int why, struct err *e)
{
	return err_set(e, ERR_NET, why, "bind-address %s: %s", text,
	    why == EADDRNOTAVAIL ? "this machine has no such address"
				 : strerror(why));
}

/* The family that remains. -1: none. */
static int
come_from(struct dial *d, const char *text, enum dns_family *family)
{
	enum dns_family its;
	int why;

	if (text == NULL)
		return 0;
	if (!read_address(text, &d->ours))
		return refuse_address(text, EINVAL, &d->failure);
	its = d->ours.sa.ss_family == AF_INET ? DNS_IPV4 : DNS_IPV6;
	why = *family == DNS_ANY || *family == its ? try_address(&d->ours)
						   : EAFNOSUPPORT;
	if (why != 0)
		return refuse_address(text, why, &d->failure);
	*family = its;
	return 0;
}

/* ---- life ---- */

struct dial *
dial_new(struct loop *loop, struct dns *dns, const struct dial_params *params,
    dial_fn fn, void *arg)
{
	enum dns_family family = params->family;
	struct dial *d = mem_new(sizeof(*d));

	d->loop = loop;
	d->fn = fn;
	d->arg = arg;
	d->host = mem_strdup(params->host);
	d->timeout_ms = params->timeout_ms;
	d->deadline = loop_timer_new(loop, on_deadline, d);
	d->stagger = loop_timer_new(loop, on_stagger, d);
	if (come_from(d, params->bind_address, &family) != 0) {
		loop_timer_arm(d->deadline, 0);
		return d;
	}
	loop_timer_arm(d->deadline, d->timeout_ms);
	d->query =
	    dns_lookup(dns, d->host, params->port, family, on_resolved, d);
	return d;
}

void
dial_free(struct dial **dial)
{
	struct dial *d = *dial;

	*dial = NULL;
	if (d == NULL)
		return;
	stop(d);
	loop_timer_free(&d->deadline);
	loop_timer_free(&d->stagger);
	free(d->host);
	free(d);
}
