/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_PARAMS_H
#define MAILHAUL_SCHED_PARAMS_H

/* From what the configuration says of an account to what a fetch of it needs
 * to know. */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "fetch/fetch.h"

struct params {
	const struct conf_account *conf; /* not ours; outlives the fetch */
	struct tls_ctx *tls;             /* not ours; NULL for tls = none */
	/* As in struct conn_params, of sessions with the server. */
	void (*secured)(void *arg, const struct conn *c);
	void *secured_arg;
	struct tls_ctx *delivery_tls;  /* the same of delivery-tls */
	const struct secret *secret;   /* not ours */
	struct reach_tunnel *tunnel;   /* not ours; if conf has one */
	struct reach_tunnel *kerberos; /* not ours; for auth = gssapi */
	uint32_t number;               /* as the deliverer knows it */
	bool stays;                    /* in the daemon: watch if told so */
};

/* Another secret, borrowed. */
void params_secret(struct fetch_params *f, const struct secret *secret);

/* Borrows from p. */
void params_fill(struct fetch_params *f, const struct params *p);

#endif
