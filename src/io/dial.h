/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_DIAL_H
#define MAILHAUL_IO_DIAL_H

/*
 * A connected TCP socket for a host name: resolver, then Happy Eyeballs (RFC
 * 8305: next address after 250 ms or at once after a failure, first to
 * connect wins). The socket is non-blocking, close-on-exec, TCP_NODELAY, with
 * keepalive and TCP_USER_TIMEOUT set.
 *
 * An address of ours to come from leaves only the family it is of.
 */

#include "io/dns.h"
#include "io/loop.h"
#include "util/err.h"

struct dial;

struct dial_params { /* copied */
	const char *host;
	unsigned int port;
	unsigned int timeout_ms;  /* resolver and connect together */
	const char *bind_address; /* numeric; NULL: any */
	enum dns_family family;
};

/* fd is the callee's, or -1 and e (ERR_NET) names every address tried and
 * why it failed. address is where it is connected to. */
typedef void (*dial_fn)(
    void *arg, int fd, const struct dns_address *address, const struct err *e);

struct dial *dial_new(struct loop *loop, struct dns *dns,
    const struct dial_params *params, dial_fn fn, void *arg);
void dial_free(struct dial **d); /* cancels; fn is then never called */

#endif
