/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_H
#define MAILHAUL_PROTO_POP3_H

/*
 * POP3 client, without I/O, of the same shape as proto/imap.h: octets in,
 * events out, octets for the server in pop3_output(). RFC 1939, CAPA and
 * RESP-CODES RFC 2449, STLS RFC 2595, SYS and AUTH codes RFC 3206, SASL
 * RFC 5034.
 *
 * After pop3_new() the machine greets, upgrades and logs in by itself and
 * reports POP3_READY. Then requests may be made, several ahead of the first
 * answer; with a server that does not offer PIPELINING the machine keeps
 * them and sends one at a time. Answers come in the order of the requests.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/sasl_choose.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

struct pop3;
struct reach_tunnel; /* of no use to the machine */

enum pop3_tls {
	POP3_TLS_DONE,    /* TLS from the first octet */
	POP3_TLS_UPGRADE, /* insist on STLS before any credential */
	POP3_TLS_NONE     /* the user chose a clear connection */
};

struct pop3_params { /* all is copied by pop3_new() */
	enum pop3_tls tls;
	enum sasl_auth auth;
	const char *user;
	const struct secret *secret; /* NULL: there is none */
	bool capa;       /* ask CAPA (off: for servers that hang on it) */
	bool pipelining; /* use it when offered */
	unsigned int timeout_s; /* for an answer; 0: ours */
	bool secret_is_token;   /* an access token, no password */
	bool has_certificate;   /* TLS shows one of ours */
	const char *host;       /* as OAUTHBEARER tells it; or NULL */
	unsigned int port;
	/* For the session, which borrows it: how it gets at who answers the
	 * challenges of SASL_GSSAPI. */
	struct reach_tunnel *kerberos;
};

enum pop3_event {
	POP3_MORE = 0,   /* no event: all input is used, give more */
	POP3_UPGRADE,    /* start TLS, then pop3_upgraded() */
	POP3_CHALLENGED, /* SASL_GSSAPI: info.data is a challenge in base64;
	                    then pop3_respond() or pop3_respond_failed(), at any
	                    time. The wait of pop3_timeout() goes on. */
	POP3_READY,      /* logged in */
	POP3_STAT,       /* info.count, info.size (a hint) */
	POP3_UIDL,       /* one line: info.number, info.uidl (1 to 4096
	                    octets; the RFC says 70; empty: the server gave
	                    none that can be kept) */
	POP3_LIST,       /* one line: info.number, info.size (a hint) */
	POP3_BODY_BEGIN, /* info.number: the message comes */
	POP3_BODY_DATA,  /* info.data: octets with dot-stuffing removed, valid
	                    until the next call; CRLF is kept as it came */
	POP3_BODY_END,   /* the final dot was seen: info.number */
	POP3_DONE,       /* a request ended: info.request, info.number,
	                    info.ok, else info.err; for RETR after BODY_END or
	                    instead of BODY_BEGIN */
	POP3_CLOSED,     /* the server answered QUIT with +OK (info.ok) or
	                    -ERR (not ok: some deletes were not done) */
	POP3_FAILED      /* terminal: see pop3_error() */
};

enum pop3_request {
	POP3_REQ_NONE,
	POP3_REQ_STAT,
	POP3_REQ_UIDL,
	POP3_REQ_LIST,
	POP3_REQ_RETR,
	POP3_REQ_DELE,
	POP3_REQ_TOP,
	POP3_REQ_NOOP,
	POP3_REQ_QUIT
};

struct pop3_info {
	enum pop3_request request;
	uint32_t number, count;
	uint64_t size;
	struct span uidl; /* borrowed: valid until the next pop3_step() */
	struct span data; /* borrowed likewise */
	bool ok;
	struct err err;
};

struct pop3 *pop3_new(const struct pop3_params *params);
void pop3_free(struct pop3 **m); /* wipes; sets *m to NULL; NULL is fine */

enum pop3_event pop3_step(
    struct pop3 *m, struct span *in, struct pop3_info *info);

/* End of file from the server: POP3_FAILED (ERR_NET), whatever was asked;
 * a QUIT without an answer leaves its deletes unknown. */
enum pop3_event pop3_eof(struct pop3 *m);

struct span pop3_output(const struct pop3 *m);
void pop3_sent(struct pop3 *m, size_t n);
bool pop3_output_is_secret(const struct pop3 *m);

void pop3_upgraded(struct pop3 *m);

/* The answer to POP3_CHALLENGED, in base64, and whether it is the last that the
 * mechanism has; or that there is none, and why: the login is cancelled, which
 * the server has to confirm. Without effect when nobody waits for it any more. */
void pop3_respond(struct pop3 *m, struct span response, bool last);
void pop3_respond_failed(struct pop3 *m, const struct err *why);

/* The channel binding of the TLS connection (tls-exporter, RFC 9266), copied:
 * before the first step, or before pop3_upgraded(). Without it there is none.
 */
void pop3_bind(struct pop3 *m, struct span binding);

/* Requests; from POP3_READY on. */
void pop3_stat(struct pop3 *m);
void pop3_uidl(struct pop3 *m);
void pop3_list(struct pop3 *m);
void pop3_retr(struct pop3 *m, uint32_t number);
void pop3_dele(struct pop3 *m, uint32_t number);
void pop3_top(struct pop3 *m, uint32_t number); /* header: TOP n 0 */
void pop3_noop(struct pop3 *m);
void pop3_quit(struct pop3 *m); /* said when all before is answered */

/* How it logs in and why so; NULL as long as that is not decided. */
const struct sasl_choice *pop3_login_choice(const struct pop3 *m);

bool pop3_can(const struct pop3 *m, const char *capability);
struct span pop3_capabilities(const struct pop3 *m); /* separated by LF */
/* Seconds that should lie between two logins (LOGIN-DELAY, RFC 2449 6.5), a
 * day at most; 0: the server asks for none. From POP3_READY on, as the next. */
unsigned int pop3_login_delay_s(const struct pop3 *m);
/* EXPIRE (RFC 2449 6.7): true when the server removes mail by itself, *days
 * after it came; 0: as soon as it was fetched. */
bool pop3_expires(const struct pop3 *m, unsigned int *days);
struct span pop3_greeting(const struct pop3 *m);
size_t pop3_pending(const struct pop3 *m); /* requests not yet DONE */

unsigned int pop3_timeout(const struct pop3 *m); /* seconds; 0: for ever */
void pop3_expire(struct pop3 *m);

const struct err *pop3_error(const struct pop3 *m);
const char *pop3_state_name(const struct pop3 *m);

#endif
