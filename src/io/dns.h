/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_DNS_H
#define MAILHAUL_IO_DNS_H

/*
 * Names to addresses without blocking, by libevent's evdns. /etc/hosts and
 * /etc/resolv.conf are read by dns_new() and never again, so that a sandboxed
 * process can resolve. Numeric addresses and "localhost" need no server.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "io/loop.h"
#include "util/err.h"

struct dns;
struct dns_query;
struct query_servers; /* io/query.h */

struct dns_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* Addresses of another family are neither asked for nor given. */
enum dns_family { DNS_ANY, DNS_IPV4, DNS_IPV6 };

#define DNS_ADDRESSES_MAX 32 /* a server that answers more is cut short */

/* addrs is empty when e is set (ERR_NET), else in the order to try: families
 * alternate, IPv6 first (RFC 8305 4). Borrowed for the call. */
typedef void (*dns_fn)(
    void *arg, const struct dns_address *addrs, size_t n, const struct err *e);

struct dns *dns_new(struct loop *loop, struct err *e);
/* The same from other files, for tests; "nameserver 127.0.0.1:5353" works. */
struct dns *dns_new_from(struct loop *loop, const char *resolv_conf,
    const char *hosts, struct err *e);
void dns_free(struct dns **dns);

/* Whom to ask for what is no address; dns's. */
const struct query_servers *dns_servers(const struct dns *dns);

struct dns_query *dns_lookup(struct dns *dns, const char *host,
    unsigned int port, enum dns_family family, dns_fn fn, void *arg);
void dns_cancel(struct dns_query **q); /* fn is then never called */

/* "192.0.2.1:993" or "[2001:db8::1]:993"; dst is returned. */
char *dns_address_text(const struct dns_address *a, char *dst, size_t size);

#endif
