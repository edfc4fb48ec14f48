/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_RELAY_H
#define MAILHAUL_FETCH_RELAY_H

/*
 * Hands letters to an LMTP or SMTP server, one after the other over one
 * connection, which is made when the first comes. Of what a server has taken
 * the ledger knows before the server may take the next: whatever is killed
 * when, one message at most comes twice.
 *
 * A recipient that has a message never gets it again; who refuses it for now,
 * or for good, makes a note of it in the ledger. When the server itself is of
 * no use, the letters are given up with ERR_DELIVER.
 */

#include "fetch/env.h"
#include "session/lmtp_session.h"

struct relay;

struct relay_params {        /* not ours; outlives the relay */
	const char *subject; /* the account's name, for the log */
	uint32_t account;    /* its number with the deliverer */
	bool local;          /* by a socket that the deliverer connects */
	struct conn_params conn;
	struct lmtp_params lmtp;
	const char *const *recipients; /* when the message names none */
	size_t n_recipients;
	size_t parallel; /* connections; see relays.h */
};

struct relay *relay_new(
    const struct fetch_env *env, const struct relay_params *params);

/* Forgets its letters: the boxes are closed next. NULL is fine. */
void relay_free(struct relay **r);

/* All octets of the letter are there: it is the relay's. fn as with
 * letter_commit(). */
void relay_take(struct relay *r, struct letter **l,
    const struct letter_params *params, letter_fn fn);

/* How many letters it has. */
size_t relay_load(const struct relay *r);

/* What has not been taken by the server is given up soon, for this reason. */
void relay_stop(struct relay *r, const struct err *why);

/* Nothing more will be taken: says goodbye to the server, if one listens. That
 * goes out with the next round of the loop, and no answer is waited for. */
void relay_leave(struct relay *r);

#endif
