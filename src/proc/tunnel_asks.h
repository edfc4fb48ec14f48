/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_TUNNEL_ASKS_H
#define MAILHAUL_PROC_TUNNEL_ASKS_H

/* The tunnels of an engine, and its agents for Kerberos: it can start no
 * program, so it asks the supervisor for each, by a ticket, and hears of it by
 * that. See tunnels.h. */

#include <stdint.h>

#include "io/ipc.h"
#include "io/reach.h"
#include "proc/tunnels.h"
#include "util/err.h"

struct tunnel_asks;

/* The way to the server of one account, for struct conn_params; or that to its
 * agent, for a session. */
struct tunnel_way {
	struct reach_tunnel tunnel;
	struct tunnel_asks *asks; /* not ours */
	enum tunnel_kind kind;
	uint32_t number; /* the account's, when it is asked for */
};

struct tunnel_asks *tunnel_asks_new(struct ipc *supervisor);
/* After all connections were freed. */
void tunnel_asks_free(struct tunnel_asks **a);

void tunnel_way_init(struct tunnel_way *w, struct tunnel_asks *asks,
    enum tunnel_kind kind, uint32_t number);

/* What the supervisor says. Nobody may be waiting for it any more. */
void tunnel_asks_up(struct tunnel_asks *a, uint32_t ticket, int fd);
void tunnel_asks_down(
    struct tunnel_asks *a, uint32_t ticket, const struct err *e);

#endif
