/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_RELAYS_H
#define MAILHAUL_FETCH_RELAYS_H

/*
 * The connections to a fetch's server of LMTP or SMTP: as many relays as its
 * parameters allow, of which a letter goes to the one that has least to do.
 * With one, the server gets the letters in their order.
 */

#include "fetch/relay.h"

struct relays;

struct relays *relays_new(
    const struct fetch_env *env, const struct relay_params *params);

/* Each as with one relay. */
void relays_free(struct relays **r);
void relays_take(struct relays *r, struct letter **l,
    const struct letter_params *params, letter_fn fn);
void relays_stop(struct relays *r, const struct err *why);
void relays_leave(struct relays *r);

#endif
