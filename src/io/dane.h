/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_DANE_H
#define MAILHAUL_IO_DANE_H

/*
 * What the DNS says of the certificate of a server (TLSA, RFC 6698), asked
 * while it is dialled, and handed to its TLS session before the handshake. It
 * is of use only when nobody could forge it: the answer has to be validated,
 * by a resolver on this machine. For io/conn.c alone.
 */

#include "io/dns.h"
#include "io/loop.h"
#include "io/tls.h"
#include "util/err.h"

struct dane;

/* Once, from the loop. e NULL, or why the server cannot be verified: ERR_TLS
 * (the answer is not validated, or there is no record), ERR_NET (there is no
 * answer), ERR_CONFIG (host is an address). dane_free() inside is fine. */
typedef void (*dane_fn)(void *arg, const struct err *e);

/* The records are those of host itself, or of what it is an alias of by the
 * name that is asked for: _PORT._tcp.HOST. */
struct dane *dane_new(struct loop *loop, const struct dns *dns,
    const char *host, unsigned int port, dane_fn fn, void *arg);
void dane_free(struct dane **d); /* fn is not called */

bool dane_is_known(const struct dane *d); /* fn was called without an error */

/* Before the handshake of t, whose context has TLS_VERIFY_DANE. -1 and e
 * (ERR_TLS): no record can be used. */
int dane_apply(const struct dane *d, struct tls *t, struct err *e);

#endif
