/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_REACH_H
#define MAILHAUL_IO_REACH_H

/*
 * From a server's name to a socket whose other end is the server: dialled,
 * made by a proxy, or by a tunnel. For io/conn.c alone, but for the tunnel.
 *
 * With a proxy or a tunnel the name of the server is resolved by them: nothing
 * is asked for it here.
 */

#include <stdbool.h>

#include "io/dial.h"
#include "io/dns.h"
#include "io/loop.h"
#include "io/proxy.h"
#include "util/err.h"

struct reach;

/*
 * Somebody else who makes the connection. From the loop: fd is a connected,
 * non-blocking stream socket, which is the callee's; -1 and e: it could not
 * be made, or (after fd) its other end has gone, and why. Nothing follows on
 * that.
 */
typedef void (*reach_tunnel_fn)(void *arg, int fd, const struct err *e);

struct reach_tunnel {
	void *(*open)(struct reach_tunnel *t, reach_tunnel_fn fn, void *arg);
	/* Its other end goes, and fn is not called any more. */
	void (*close)(struct reach_tunnel *t, void *ticket);
};

struct reach_params { /* copied, but for tunnel */
	const char *host;
	unsigned int port;
	unsigned int timeout_ms;  /* of all of it */
	const char *bind_address; /* numeric; NULL: any */
	enum dns_family family;
	struct proxy_params proxy;
	struct reach_tunnel *tunnel; /* not ours; outlives this; or NULL */
	bool silent; /* the server says nothing by itself, as with TLS */
};

/* From the loop. fd is the callee's; peer is for texts, and borrowed. -1 and
 * e: it cannot be reached. Nothing follows on that. */
typedef void (*reach_fn)(
    void *arg, int fd, const char *peer, const struct err *e);

struct reach *reach_new(struct loop *loop, struct dns *dns,
    const struct reach_params *params, reach_fn fn, void *arg);
void reach_free(struct reach **r); /* fn is not called; the tunnel goes */

/* The socket that was given ended before a word of the server came. True: fn
 * comes once more with why, soon: in the tunnel's words, or else in those of
 * e. False: nobody knows more. */
bool reach_explain(struct reach *r, const struct err *e);

#endif
