/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_PROXY_TALK_H
#define MAILHAUL_IO_PROXY_TALK_H

/* What io/proxy.c and the two protocols share: one talk with a proxy. */

#include "io/proxy.h"
#include "util/buf.h"

/* Of HTTP the header; RFC 9110 leaves its limit to us. */
#define PROXY_ANSWER_MAX 16384
#define PROXY_HOST_MAX 255 /* RFC 1928 4: its length is one octet */
#define PROXY_SAY_MAX 8192

struct proxy {
	enum proxy_kind kind;
	char *host; /* where to; numeric addresses are told by their looks */
	unsigned int port;
	char *user; /* NULL: none */
	struct secret *password;
	char *name;           /* "the proxy HOST:PORT" */
	unsigned int step;    /* of the protocol; 0: nothing was heard */
	unsigned int interim; /* answers so far that promise another */
	struct buf in;        /* the answer, as far as it is here */
	struct buf out;
	struct err err;
};

/* Of both: they put the first words into p->out; and use octets of *in as far
 * as they are the proxy's. */
int proxy_socks_begin(struct proxy *p);
enum proxy_says proxy_socks_hear(struct proxy *p, struct span *in);
int proxy_http_begin(struct proxy *p);
enum proxy_says proxy_http_hear(struct proxy *p, struct span *in);

/* "the proxy HOST:PORT <what>"; PROXY_FAILED. */
enum proxy_says proxy_fail(struct proxy *p, enum err_kind kind, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* The same, of a server that cannot be reached, and why. */
enum proxy_says proxy_fail_to_reach(struct proxy *p, const char *why);

#endif
