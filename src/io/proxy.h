/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_PROXY_H
#define MAILHAUL_IO_PROXY_H

/*
 * What is said to a proxy until it has connected us, without I/O: SOCKS5 (RFC
 * 1928, with RFC 1929) or CONNECT of HTTP (RFC 9110 9.3.6). The name of the
 * server goes to the proxy as it is, and is resolved there and nowhere else.
 *
 *	proxy_new()
 *	send proxy_output(), then proxy_sent()
 *	proxy_feed() what comes, until it says DONE or FAILED
 *
 * Octets behind the proxy's last word are the server's, and are left in *in.
 * What the user said about the proxy is wrong: ERR_CONFIG, so that nothing is
 * tried again before it was changed; an account of many proxies is locked by a
 * few guesses. ERR_AUTH would trip the breaker, which watches the account's own
 * secret, and would not see that of the proxy change.
 */

#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

struct proxy;

enum proxy_kind { PROXY_NONE, PROXY_SOCKS5, PROXY_HTTP };

struct proxy_params {
	enum proxy_kind kind;
	const char *host; /* of the proxy */
	unsigned int port;
	const char *user;              /* NULL: none */
	const struct secret *password; /* NULL: none */
};

enum proxy_says {
	PROXY_MORE,  /* all input is used */
	PROXY_DONE,  /* what follows is between us and the server */
	PROXY_FAILED /* proxy_error() */
};

/* To be connected to host (a name, or an address) and port. Everything is
 * copied. NULL and *e (ERR_CONFIG) when that cannot be said in this protocol.
 * kind is not PROXY_NONE. */
struct proxy *proxy_new(const struct proxy_params *params, const char *host,
    unsigned int port, struct err *e);
void proxy_free(struct proxy **p); /* wipes */

/* Octets for the proxy; valid until the next call. They may hold a password:
 * they are never shown. */
struct span proxy_output(const struct proxy *p);
void proxy_sent(struct proxy *p, size_t n);

enum proxy_says proxy_feed(struct proxy *p, struct span *in);

/* It has hung up, or took too long. */
void proxy_closed(const struct proxy *p, struct err *e);
void proxy_late(const struct proxy *p, unsigned int ms, struct err *e);

const struct err *proxy_error(const struct proxy *p);

#endif
