/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_LMTP_SESSION_H
#define MAILHAUL_SESSION_LMTP_SESSION_H

/*
 * An LMTP (or SMTP) machine on a connection. The machine's events go to the
 * owner as they are (LMTP_UPGRADE and LMTP_MORE are seen to here); after
 * requests to the machine the owner calls lmtp_session_flush(). It ends with
 * exactly one LMTP_CLOSED or LMTP_FAILED, the latter with info->err filled.
 *
 * While a body is open, LMTP_BODY comes again whenever all that was given is
 * with the kernel. The owner gives pieces until lmtp_session_unsent() is as
 * much as he wants to have in memory, and lmtp_end() behind the last.
 */

#include <stddef.h>

#include "io/conn.h"
#include "proto/lmtp.h"

struct lmtp_session;

/* From the loop. lmtp_session_free() inside it is fine. */
typedef void (*lmtp_session_fn)(
    void *arg, enum lmtp_event ev, struct lmtp_info *info);

/* subject is the account, for the trace; all is copied but conn->ctx. dns may
 * be NULL with conn->socket. */
struct lmtp_session *lmtp_session_open(struct loop *loop, struct dns *dns,
    const struct conn_params *conn, const struct lmtp_params *params,
    const char *subject, lmtp_session_fn fn, void *arg);
void lmtp_session_free(struct lmtp_session **s);

struct lmtp *lmtp_session_machine(struct lmtp_session *s);
void lmtp_session_flush(struct lmtp_session *s);

/* Octets that were said and are not with the kernel yet. */
size_t lmtp_session_unsent(const struct lmtp_session *s);

#endif
