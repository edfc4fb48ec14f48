/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_POP3_WAY_H
#define MAILHAUL_PROTO_POP3_WAY_H

/*
 * How to log in to a POP3 server: which way, and the lines of AUTH (RFC 5034)
 * and APOP (RFC 1939 7). It owns what is known of the credential;
 * proto/pop3_login.h knows when it may be said.
 */

#include <stdbool.h>

#include "proto/pop3.h"
#include "proto/sasl.h"
#include "proto/sasl_choose.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/secret.h"
#include "util/span.h"

struct pop3_way {
	enum sasl_auth auth; /* as wanted */
	struct sasl_have have;
	char *user, *host;
	unsigned int port;
	struct secret *secret; /* to the end: the server may repeat it */
	struct buf binding;
	struct buf stamp;          /* of the greeting, for APOP alone */
	struct sasl_choice choice; /* why NULL: none yet */
	const char *why_again;     /* instead of the choice's */
	struct sasl *sasl;
	struct buf response; /* the last one, in base64 */
	bool held;           /* it waits for the first "+" */
	bool waits;          /* for a response from elsewhere */
	bool answered;       /* it said AUTH in more than one line */
	bool again;
};

void pop3_way_init(struct pop3_way *w, const struct pop3_params *params);
void pop3_way_forget(struct pop3_way *w); /* what was said: it is over */
void pop3_way_deinit(struct pop3_way *w);

void pop3_way_bind(struct pop3_way *w, struct span binding); /* copied */
void pop3_way_greeted(struct pop3_way *w, struct span greeting);

/* capabilities: lines separated by LF. 0 and w->choice, or -1 and *e. */
int pop3_way_choose(
    struct pop3_way *w, struct span capabilities, struct err *e);

/* Each adds one line with its CRLF; -1 and *e, with nothing said of the
 * secret. *secret: it is one. */
int pop3_way_auth(
    struct pop3_way *w, struct buf *out, bool *secret, struct err *e);
int pop3_way_answer(
    struct pop3_way *w, struct span challenge, struct buf *out, struct err *e);
/* Instead of pop3_way_answer(), where sasl_is_elsewhere(). */
int pop3_way_respond(struct pop3_way *w, struct span response, bool last,
    struct buf *out, struct err *e);
int pop3_way_apop(struct pop3_way *w, struct buf *out, struct err *e);

/* AUTH was refused, or cancelled by us: true once, when another way is still
 * to be tried by pop3_way_choose(). unknown: it was not understood. */
bool pop3_way_again(struct pop3_way *w, bool unknown);

/* What to say of a refusal, before the server's words. */
const char *pop3_way_refused(const struct pop3_way *w);

#endif
