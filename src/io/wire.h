/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_WIRE_H
#define MAILHAUL_IO_WIRE_H

/*
 * A connected, non-blocking socket, plain or (from some octet on) TLS, for
 * io/conn.c alone. Both kinds give the five answers of io/tls.h; an end of
 * file on a plain socket is TLS_CLOSED.
 */

#include <stdbool.h>
#include <stddef.h>

#include "io/tls.h"
#include "util/err.h"
#include "util/span.h"

struct wire {
	int fd; /* ours; -1: none */
	struct tls *tls;
	bool secure; /* the handshake is done */
};

void wire_init(struct wire *w, int fd);
void wire_deinit(struct wire *w); /* closes at once */

/* -1 and *e when TLS cannot begin; then wire_handshake() until TLS_OK. */
int wire_begin_tls(struct wire *w, struct tls_ctx *ctx, const char *name,
    const char *alpn, struct err *e);
enum tls_answer wire_handshake(struct wire *w, struct err *e);

enum tls_answer wire_read(
    struct wire *w, char *p, size_t n, size_t *got, struct err *e);
enum tls_answer wire_write(
    struct wire *w, struct span s, size_t *sent, struct err *e);

/* Octets lie in the kernel, unread. */
bool wire_input_waits(const struct wire *w);

/* Says that nothing more will be sent: close_notify and FIN. */
void wire_finish(struct wire *w);
/* Throws away what came since; true when the peer has closed too. */
bool wire_drained(struct wire *w);

#endif
