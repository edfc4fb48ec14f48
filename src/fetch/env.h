/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_ENV_H
#define MAILHAUL_FETCH_ENV_H

#include "deliver/client.h"
#include "io/dns.h"
#include "io/loop.h"

struct fetch_env { /* not ours; outlives the fetch */
	struct loop *loop;
	struct dns *dns;
	struct client *client;
};

#endif
