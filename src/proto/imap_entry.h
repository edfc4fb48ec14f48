/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_IMAP_ENTRY_H
#define MAILHAUL_PROTO_IMAP_ENTRY_H

/*
 * An IMAP session from its greeting to IMAP_READY: STARTTLS, CAPABILITY, the
 * login, CAPABILITY once more, ID. The rules of who may be trusted when are
 * all here:
 *
 *	- STARTTLS is sent whatever is offered, and has to succeed;
 *	- before TLS only the greeting and the tagged reply are looked at, and
 *	  nothing of them is kept;
 *	- one octet behind the answer to STARTTLS ends the session;
 *	- no credential leaves before TLS is up, unless the user wants none;
 *	- PREAUTH is taken on a clear connection that the user chose, and over a
 *	  tunnel, but never before STARTTLS.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/imap.h"
#include "proto/imap_login.h"
#include "proto/imap_read.h"
#include "proto/imap_say.h"
#include "util/buf.h"
#include "util/err.h"

struct imap_entry {
	unsigned int at; /* enum place in imap_entry.c */
	unsigned int timeout_s;
	enum imap_tls tls;
	bool preauth_ok;   /* the user chose a way on which it can be */
	bool lacks_secret; /* and cannot log in */
	bool secure;       /* TLS is up, or the user wants none */
	bool id;
	bool fresh; /* CAPABILITY was told since the login began */
	struct imap_login *login;  /* until it is over */
	struct sasl_choice choice; /* why NULL: none yet */
	char *user;
	struct secret *secret; /* to the end: see imap_entry_quotable() */
	bool keep_offer;
	struct buf caps, greeting;
	struct buf offered; /* caps as of the login, if it is to be kept */
	struct err err;     /* why IMAP_FAILED */
};

void imap_entry_init(struct imap_entry *n, const struct imap_params *params);
void imap_entry_deinit(struct imap_entry *n); /* wipes */

/* All but tagged replies, which go to imap_entry_done(). IMAP_MORE,
 * IMAP_CHALLENGED (r->text is the challenge) or IMAP_FAILED. */
enum imap_event imap_entry_hear(struct imap_entry *n, struct imap_say *say,
    enum imap_heard heard, const struct imap_read *r);

/* A command of ours was answered; behind octets of input follow the answer.
 * IMAP_MORE, IMAP_UPGRADE, IMAP_READY or IMAP_FAILED. */
enum imap_event imap_entry_done(struct imap_entry *n, struct imap_say *say,
    enum imap_verb verb, const struct imap_read *r, size_t behind);

/* After IMAP_CHALLENGED: a response is due, or why there is none. IMAP_MORE or
 * IMAP_FAILED; nothing happens when it is not due any more. */
bool imap_entry_waits(const struct imap_entry *n);
enum imap_event imap_entry_respond(struct imap_entry *n, struct imap_say *say,
    struct span response, bool last);
enum imap_event imap_entry_give_up(
    struct imap_entry *n, struct imap_say *say, const struct err *why);

/* True between IMAP_UPGRADE and imap_entry_upgraded(): no input is allowed. */
bool imap_entry_wants_tls(const struct imap_entry *n);
enum imap_event imap_entry_intruded(struct imap_entry *n); /* there was some */
void imap_entry_upgraded(struct imap_entry *n, struct imap_say *say);

/* What may be shown of a server's text: its front, or nothing when that holds
 * the credential. Servers repeat commands they do not understand. */
struct span imap_entry_quotable(const struct imap_entry *n, struct span text);

void imap_entry_learn(struct imap_entry *n, struct span capabilities);

unsigned int imap_entry_timeout(const struct imap_entry *n);
const char *imap_entry_name(const struct imap_entry *n);

#endif
