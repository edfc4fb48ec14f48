/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_ENV_H
#define MAILHAUL_FETCH_ENV_H

#include "deliver/client.h"

struct dns;
struct loop;

/* Not ours; outlives the fetch. client is NULL while a deliverer is started
 * again; see fetch_detach(). */
struct fetch_env {
	struct loop *loop;
	struct dns *dns;
	struct client *client;
};

#endif
