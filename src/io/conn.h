/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_CONN_H
#define MAILHAUL_IO_CONN_H

/*
 * One connection to a server: dialled, plain or TLS, buffered, with one
 * deadline. It knows no protocol. A user does
 *	conn_open -> CONN_UP (TLS included when asked for)
 *	CONN_INPUT: use conn_input(), conn_drop() what was used
 *	conn_write(); CONN_DRAINED when all of it was handed to the kernel
 *	conn_close() for an orderly end, conn_free() for one at once.
 * Events come from the loop, never from inside a call. conn_free() inside
 * the callback is fine.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/dns.h"
#include "io/loop.h"
#include "io/reach.h"
#include "io/tls.h"
#include "util/err.h"
#include "util/span.h"

struct conn;

enum conn_event {
	CONN_UP,      /* connected, and TLS is up if it was asked for */
	CONN_TLS_UP,  /* conn_starttls() is done */
	CONN_INPUT,   /* conn_input() has grown */
	CONN_DRAINED, /* all that was written is with the kernel */
	CONN_CLOSED,  /* end of file; what conn_input() holds may be used, and
	                 nothing more will come */
	CONN_TIMEOUT, /* the deadline passed; the connection still stands */
	CONN_ERROR    /* conn_error(); nothing more will come */
};

typedef void (*conn_fn)(void *arg, enum conn_event ev);

struct conn_params { /* strings are copied; tls is referenced, not ours */
	const char *host;
	unsigned int port;
	bool tls;             /* from the first octet */
	struct tls_ctx *ctx;  /* for tls, and for conn_starttls() */
	const char *tls_name; /* NULL: host */
	const char *alpn;     /* "imap", "pop3" or NULL */
	/* Resolver, connect and proxy together; with a tunnel until the server
	 * has said something, or TLS is up. */
	unsigned int connect_timeout_ms;
	unsigned int tls_timeout_ms; /* handshake; 0 in either: 30 s */
	const char *bind_address;    /* numeric, to come from; NULL: any */
	enum dns_family family;
	struct proxy_params proxy;   /* kind PROXY_NONE: none */
	struct reach_tunnel *tunnel; /* referenced, not ours; NULL: none */
	/* From the loop, when TLS is up and before the event that says so: for
	 * what there is to know of it. NULL: nobody wants to. */
	void (*secured)(void *arg, const struct conn *c);
	void *secured_arg;
	/* > 0: a connected, non-blocking stream socket of any family, to be
	 * used instead of dialling. It is the conn's from now on, its options
	 * are as they are, and host is for texts (and for TLS) only. */
	int socket;
};

struct conn *conn_open(struct loop *loop, struct dns *dns,
    const struct conn_params *params, conn_fn fn, void *arg);
void conn_free(struct conn **c);

/* What has come and was not dropped yet; valid until conn_drop() or the next
 * event. At most CONN_INPUT_MAX: reading pauses while it is full. */
#define CONN_INPUT_MAX 65536
struct span conn_input(const struct conn *c);
void conn_drop(struct conn *c, size_t n);

/* Queues a copy; goes out from the loop. -1 (and CONN_ERROR later) when more
 * than CONN_OUTPUT_MAX would wait. */
#define CONN_OUTPUT_MAX ((size_t)4 * 1024 * 1024)
int conn_write(struct conn *c, struct span s);
size_t conn_unsent(const struct conn *c);

/* While paused nothing is read, so TCP holds the server back. After it
 * CONN_INPUT comes again when input waits. */
void conn_pause(struct conn *c, bool paused);

/* Upgrade now; CONN_TLS_UP follows. -1 (ERR_TLS) when input is waiting: it
 * came before TLS began and cannot be trusted. Output must be drained. */
int conn_starttls(struct conn *c, struct err *e);

/* CONN_TIMEOUT after ms from now; 0: no deadline. Each call replaces it. */
void conn_deadline(struct conn *c, uint64_t ms);

/* Sends what is queued and close_notify, then CONN_CLOSED when the server has
 * closed too: after 5 s for the first and 1 s for the second at the latest.
 * What still comes is thrown away. */
void conn_close(struct conn *c);

const struct err *conn_error(const struct conn *c);
/* After CONN_ERROR: opening another may do, and is worth it once; see
 * tls_resumption_failed(). */
bool conn_is_worth_another(const struct conn *c);
bool conn_is_tls(const struct conn *c);
const char *conn_peer(const struct conn *c); /* "192.0.2.1:993"; host:port
                                                while not connected; host
                                                if it was given a socket;
                                                "host:port by way of ..." */
const char *conn_tls_description(const struct conn *c);
/* All there is to say of its TLS; false while there is none. */
bool conn_tls_info(const struct conn *c, struct tls_info *out);
/* After CONN_ERROR: tls_refused(). */
bool conn_refused(const struct conn *c, struct tls_info_certificate *out);
/* tls_binding() of its session; -1 without TLS. */
int conn_binding(const struct conn *c, unsigned char out[TLS_BINDING_OCTETS]);
uint64_t conn_octets_in(const struct conn *c);

#endif
