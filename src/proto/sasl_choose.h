/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROTO_SASL_CHOOSE_H
#define MAILHAUL_PROTO_SASL_CHOOSE_H

/* Which way to log in: from what the server offers and what we have. Pure. */

#include <stdbool.h>

#include "proto/sasl.h"
#include "util/err.h"
#include "util/span.h"

struct sasl_offer {             /* by the server */
	struct span mechanisms; /* separated by blanks; empty: none is listed */
	bool command; /* IMAP's LOGIN, or POP3's USER and PASS, may be said */
	bool apop;    /* it is POP3 */
	bool hide;    /* the password stands among the mechanisms */
};

struct sasl_have {     /* on our side */
	bool password; /* that is not empty */
	bool token;    /* the secret is an access token */
	bool certificate;
	bool tls;
	bool clear;   /* the user wants no TLS (tls = none) */
	bool binding; /* a channel binding */
	bool scram;   /* sasl_scram_takes() the user */
};

struct sasl_choice {
	enum sasl_auth mechanism; /* never SASL_AUTO */
	bool command;             /* SASL_LOGIN by the protocol's own words */
	const char *why;          /* static: "the strongest of those ..." */
};

/*
 * wanted is what the configuration says. 0, or -1 and *e: ERR_AUTH, there is
 * no way in; ERR_CONFIG, there never is. Then nothing may be said of the
 * secret.
 */
int sasl_choose(enum sasl_auth wanted, const struct sasl_offer *offer,
    const struct sasl_have *have, struct sasl_choice *choice, struct err *e);

/* What to say before the server's words when it refuses what auto chose: some
 * offer what they cannot do for every user, as they lack his password. */
const char *sasl_choose_refused(enum sasl_auth mechanism);

#endif
