/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_QUERY_H
#define MAILHAUL_IO_QUERY_H

/*
 * DNS questions other than addresses: SRV (RFC 2782) and TLSA (RFC 6698), asked
 * of the name servers in resolv.conf. Messages are made and taken apart by the
 * C library's resolver (res_mkquery(3), ns_initparse(3)); the octets move by
 * our loop, UDP first and TCP for what is cut. It opens no file after
 * query_servers_new(), so a sandboxed process can ask.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "util/err.h"

struct query_servers; /* what resolv.conf says */
struct query;

enum query_type { QUERY_SRV, QUERY_TLSA };

#define QUERY_RECORDS_MAX 32
#define QUERY_NAME_MAX 254
#define QUERY_TLSA_MAX 512

struct query_record {
	/* SRV, in the order to try (priority, then weight); target "" is "not
	 * here" */
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

struct query_servers *query_servers_new(const char *resolv_conf);
void query_servers_free(struct query_servers **s);

struct query *query_start(struct loop *loop, const struct query_servers *s,
    enum query_type type, const char *name, query_fn fn, void *arg);
void query_free(struct query **q); /* fn is not called */

#endif
