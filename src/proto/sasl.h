/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_SASL_H
#define MAILHAUL_PROTO_SASL_H

/*
 * A SASL exchange (RFC 4422) as base64 lines in and out. GNU SASL does PLAIN,
 * LOGIN, SCRAM and EXTERNAL; CRAM-MD5 is in proto/sasl_digest.h, what carries
 * an access token in proto/sasl_bearer.h. Used by the IMAP and the POP3
 * machine alike. No I/O; which mechanism it is to be says proto/sasl_choose.h.
 *
 * GSSAPI is the one whose library opens files and connections of its own. With
 * a service it is spoken here like the others; without, its responses are made
 * elsewhere, and this only knows how far they have come.
 */

#include <stdbool.h>

#include "util/buf.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

enum sasl_auth {
	SASL_AUTO,        /* see sasl_choose() */
	SASL_PLAIN,       /* RFC 4616 */
	SASL_LOGIN,       /* as a mechanism, or a command of the protocol */
	SASL_CRAM_MD5,    /* RFC 2195 */
	SASL_SCRAM_SHA_1, /* RFC 5802 */
	SASL_SCRAM_SHA_1_PLUS,
	SASL_SCRAM_SHA_256, /* RFC 7677 */
	SASL_SCRAM_SHA_256_PLUS,
	SASL_EXTERNAL, /* RFC 4422 A: the certificate says who we are */
	SASL_XOAUTH2,
	SASL_OAUTHBEARER, /* RFC 7628 */
	SASL_GSSAPI,      /* RFC 4752, with Kerberos */
	SASL_APOP,        /* no mechanism, but a command of POP3 */
	SASL_AUTHS
};

const char *sasl_name(enum sasl_auth auth); /* "SCRAM-SHA-256-PLUS" */

/* One of the -PLUS, which need a channel binding. */
bool sasl_binds(enum sasl_auth auth);
bool sasl_is_scram(enum sasl_auth auth); /* -PLUS or not */

/* Can SCRAM say this name? Not if it is no UTF-8, or has what SASLprep (RFC
 * 4013) forbids. */
bool sasl_scram_takes(const char *user);

struct sasl_params { /* all is copied */
	enum sasl_auth mechanism;
	const char *user;
	const struct secret *secret; /* password or token; NULL: empty */
	const char *host;            /* for OAUTHBEARER (NULL: not told), and
	                                of the service */
	const char *service; /* for GSSAPI: "imap"; NULL: it is elsewhere */
	unsigned int port;
	struct span binding; /* for -PLUS: tls-exporter (RFC 9266) */
};

struct sasl;

/* NULL and *e (ERR_CONFIG) when the mechanism cannot carry what is given. */
struct sasl *sasl_new(const struct sasl_params *params, struct err *e);
void sasl_free(struct sasl **s); /* wipes; NULL is fine */

bool sasl_client_first(const struct sasl *s); /* has an initial response */

/*
 * Answers a challenge (base64, may be empty) with a response (base64, may be
 * empty) added to *out. 0, or -1 and *e: the challenge was garbage
 * (ERR_PROTO), the server does not know the password either or says what is
 * wrong (ERR_AUTH), or there is no way to answer (ERR_CONFIG): then the
 * exchange is to be cancelled with "*". The challenge before an initial
 * response says nothing, so whatever stands there is not looked at.
 */
int sasl_step(
    struct sasl *s, struct span challenge, struct buf *out, struct err *e);

/* Its responses are made elsewhere: sasl_step() must not be called, but
 * sasl_responded() for each of them. last: the server has shown who it is. */
bool sasl_is_elsewhere(const struct sasl *s);
void sasl_responded(struct sasl *s, bool last);

bool sasl_is_finished(const struct sasl *s); /* all that is to be said, is */

/* The server says that we are in. -1 and *e (ERR_AUTH): it should have proven
 * first that it knows the password (RFC 5802 3) or has the keys of its service
 * (RFC 4752), or it refused the token. */
int sasl_finish(const struct sasl *s, struct err *e);

/* What the server said within the exchange of why it refuses, or NULL. */
const struct err *sasl_refusal(const struct sasl *s);

/* After a refusal: -PLUS ended for want of a channel binding that both know,
 * and before the password was put to use. */
bool sasl_unbound(const struct sasl *s);

#endif
