/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_IMAP_SESSION_H
#define MAILHAUL_SESSION_IMAP_SESSION_H

/*
 * An IMAP machine on a connection. The machine's events go to the owner as
 * they are (IMAP_UPGRADE and IMAP_MORE are seen to here); after requests to
 * the machine the owner calls imap_session_flush(). It ends with exactly one
 * IMAP_CLOSED or IMAP_FAILED, the latter with info->err filled.
 */

#include "io/conn.h"
#include "proto/imap.h"

struct imap_session;

/* From the loop. imap_session_free() inside it is fine. */
typedef void (*imap_session_fn)(
    void *arg, enum imap_event ev, struct imap_info *info);

/* subject is the account, for the trace; all is copied but conn->ctx. */
struct imap_session *imap_session_open(struct loop *loop, struct dns *dns,
    const struct conn_params *conn, const struct imap_params *params,
    const char *subject, imap_session_fn fn, void *arg);
void imap_session_free(struct imap_session **s);

struct imap *imap_session_machine(struct imap_session *s);
/* For questions about it; it is the session's. */
const struct conn *imap_session_conn(const struct imap_session *s);
void imap_session_flush(struct imap_session *s);
/* imap_hurry() for the answer that is due already, counted from now. */
void imap_session_hurry(struct imap_session *s, unsigned int seconds);
void imap_session_pause(struct imap_session *s, bool paused);

#endif
