/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_QUERY_H
#define MAILHAUL_IO_QUERY_H

/*
 * DNS questions other than addresses: SRV (RFC 2782), TLSA (RFC 6698) and MX,
 * asked of the name servers in resolv.conf, UDP first and TCP for what is cut
 * (RFC 7766). Each is asked twice, so an end comes after some 20 s at the
 * latest, and 40 s by TCP. No file is opened after query_servers_new(), so a
 * sandboxed process can ask. Names are asked for as they are: no search list.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "util/err.h"

struct query_servers; /* what resolv.conf says */
struct query;

enum query_type { QUERY_SRV, QUERY_TLSA, QUERY_MX };

#define QUERY_RECORDS_MAX 32
#define QUERY_NAME_MAX 254
#define QUERY_TLSA_MAX 512

struct query_record {
	/* SRV, in the order to try (priority, then weight), and MX, which has
	 * neither weight nor port; target "" is "not here", else it has
	 * letters, digits, ".", "-" and "_" alone, and no dot at its end */
	uint16_t priority, weight, port;
	char target[QUERY_NAME_MAX];
	/* TLSA */
	uint8_t usage, selector, matching;
	uint8_t data[QUERY_TLSA_MAX];
	size_t n;
};

struct query_answer { /* borrowed for the call */
	const struct query_record *records;
	size_t n; /* 0: the name or the type does not exist */
	/* The resolver says that it checked the signatures (AD), and it is on
	 * this machine: its word cannot be forged on the way. */
	bool secure;
};

/* e NULL, or ERR_NET when nobody gave a usable answer. Once, from the loop; then
 * the query is freed. */
typedef void (*query_fn)(
    void *arg, const struct query_answer *answer, const struct err *e);

/* Without such a file, or a server in it, it is the one on this machine
 * (resolv.conf(5)). "nameserver 127.0.0.1:5353" works. */
struct query_servers *query_servers_new(const char *resolv_conf);
void query_servers_free(struct query_servers **s);

/* s is not needed any more when this returns. */
struct query *query_start(struct loop *loop, const struct query_servers *s,
    enum query_type type, const char *name, query_fn fn, void *arg);
/* fn is not called; inside of it this does nothing but set *q to NULL. */
void query_free(struct query **q);

#endif
