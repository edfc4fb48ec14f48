/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_ENV_H
#define MAILHAUL_FETCH_ENV_H

#include "deliver/client.h"

struct dns;
struct loop;

struct fetch_env { /* not ours; outlives the fetch */
	struct loop *loop;
	struct dns *dns;
	struct client *client;
};

#endif
