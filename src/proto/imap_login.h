/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_LOGIN_H
#define MAILHAUL_PROTO_IMAP_LOGIN_H

/*
 * The words of an IMAP login: AUTHENTICATE (RFC 3501 6.2.2, SASL-IR RFC
 * 4959) or LOGIN (6.2.3, with literals where quoting will not do). It writes
 * commands and answers continuations; proto/imap.h knows when it may speak.
 * All it writes is to be treated as secret.
 */

#include <stdbool.h>

#include "proto/imap.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/span.h"

struct imap_login;

struct imap_login *imap_login_new(const struct imap_params *params);
void imap_login_free(struct imap_login **l); /* wipes; NULL is fine */

void imap_login_bind(struct imap_login *l, struct span binding); /* copied */

/* Adds a command (what follows the tag, to its CRLF) that suits what the
 * server can. -1 and *e: there is no way to log in. */
int imap_login_start(struct imap_login *l, struct span capabilities,
    struct buf *out, struct err *e);

/* What imap_login_start() has decided. */
const struct sasl_choice *imap_login_chosen(const struct imap_login *l);

/* Adds the answer to "+ challenge", unless imap_login_waits(). -1 and *e: the
 * server asks on after the exchange was cancelled. */
int imap_login_continue(struct imap_login *l, struct span challenge,
    struct buf *out, struct err *e);

/* The answer to the last challenge is made elsewhere: one of these is due. */
bool imap_login_waits(const struct imap_login *l);
int imap_login_respond(struct imap_login *l, struct span response, bool last,
    struct buf *out, struct err *e);
int imap_login_give_up(struct imap_login *l, const struct err *why,
    struct buf *out, struct err *e);

/* After OK. -1 and *e: but it is not one. */
int imap_login_finish(const struct imap_login *l, struct err *e);

/* Why the exchange was cancelled ("*" was sent), or what the server said
 * within it of why it refuses; NULL: neither. */
const struct err *imap_login_why(const struct imap_login *l);

/* What to say of a refusal, before the server's words. */
const char *imap_login_refused(const struct imap_login *l);

/* After NO or BAD (bad): true once, when another way is still to be tried by
 * imap_login_start(): by LOGIN where AUTHENTICATE PLAIN is not understood, or
 * without a channel binding that the server does not know. */
bool imap_login_again(struct imap_login *l, bool bad, struct span capabilities);

#endif
