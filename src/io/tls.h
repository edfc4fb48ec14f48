/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_TLS_H
#define MAILHAUL_IO_TLS_H

/*
 * TLS client sessions on a non-blocking socket, by OpenSSL. TLS 1.2 at
 * least; the server is always verified, in the way that the rules of the
 * context say; no renegotiation, no compression, no early data.
 */

#include <stdbool.h>
#include <stddef.h>

#include "io/tls_ctx.h"
#include "io/tls_info.h"
#include "util/err.h"
#include "util/span.h"

struct tls;

enum tls_answer {
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_CLOSED, /* close_notify from the peer */
	TLS_FAILED  /* *e is set; ERR_NET with sys 0 is an end of file without
	               close_notify */
};

/* name is for SNI (not sent when it is an address) and for verification. */
struct tls *tls_new(struct tls_ctx *ctx, int fd, const char *name,
    const char *alpn, struct err *e);
void tls_free(struct tls **t); /* does not close fd */
/* Before the handshake: resumes a session with that server ("host:port") if
 * there is one under the same context, name and ALPN, and keeps what the server
 * gives for the next time. server outlives t. Not with TLS_VERIFY_DANE, since
 * records change. */
void tls_resume(struct tls *t, const char *server);
/* After a failed handshake that was to resume a session: there are servers that
 * do not bear it (OpenSSL's, when they want certificates and their session
 * context is not set: Dovecot 2.3). No other is resumed there for a day, so
 * another connection may do. */
bool tls_resumption_failed(const struct tls *t);

/* On a refused certificate *e says which name was wanted, which certificate
 * came (subject, issuer, dates), and why it was refused. */
enum tls_answer tls_handshake(struct tls *t, struct err *e);
enum tls_answer tls_read(
    struct tls *t, char *p, size_t n, size_t *got, struct err *e);
enum tls_answer tls_write(
    struct tls *t, struct span s, size_t *sent, struct err *e);
/* Octets taken from the socket and not yet read; 0: only the socket can
 * bring more. */
size_t tls_buffered(const struct tls *t);
void tls_rest(struct tls *t);     /* nothing moves: give buffers back */
void tls_shutdown(struct tls *t); /* sends close_notify if it can */

/* After a failed handshake: what the server sent was no TLS at all. */
bool tls_peer_is_plain(const struct tls *t);

/*
 * What binds a login to this session and no other: the 32 octets of
 * "tls-exporter" (RFC 9266). -1 when the session has none, as TLS 1.2 without
 * an extended master secret.
 */
#define TLS_BINDING_OCTETS 32
int tls_binding(struct tls *t, unsigned char out[TLS_BINDING_OCTETS]);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384"; valid as long as t. */
const char *tls_description(const struct tls *t);

/* More of that; false before the handshake. It is large, and put on the stack:
 * between what stays in memory it would leave holes. */
bool tls_info(const struct tls *t, struct tls_info *out);

/* The server's certificate, if the handshake refused it; false: it did not. */
bool tls_refused(const struct tls *t, struct tls_info_certificate *out);

#endif
