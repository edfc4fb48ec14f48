/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_POP3_SESSION_H
#define MAILHAUL_SESSION_POP3_SESSION_H

/*
 * A POP3 machine on a connection. The machine's events go to the owner as
 * they are (POP3_UPGRADE and POP3_MORE are seen to here); after requests to
 * the machine the owner calls pop3_session_flush(). It ends with exactly one
 * POP3_CLOSED or POP3_FAILED, the latter with info->err filled.
 */

#include "io/conn.h"
#include "proto/pop3.h"

struct pop3_session;

/* From the loop. pop3_session_free() inside it is fine. */
typedef void (*pop3_session_fn)(
    void *arg, enum pop3_event ev, struct pop3_info *info);

/* subject is the account, for the trace; all is copied but conn->ctx. */
struct pop3_session *pop3_session_open(struct loop *loop, struct dns *dns,
    const struct conn_params *conn, const struct pop3_params *params,
    const char *subject, pop3_session_fn fn, void *arg);
void pop3_session_free(struct pop3_session **s);

struct pop3 *pop3_session_machine(struct pop3_session *s);
/* For questions about it; it is the session's. */
const struct conn *pop3_session_conn(const struct pop3_session *s);
void pop3_session_flush(struct pop3_session *s);
void pop3_session_pause(struct pop3_session *s, bool paused);

#endif
