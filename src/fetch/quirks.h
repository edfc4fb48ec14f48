/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_QUIRKS_H
#define MAILHAUL_FETCH_QUIRKS_H

/*
 * Which server it is, by what it says of itself, and what is done or has to be
 * known because of that. For people only: nothing is decided by it, since a
 * server may say anything.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

struct quirks_signs { /* none but host is NULL */
	bool is_pop3;
	const char *host;
	struct span greeting, capabilities; /* words apart by SP or LF */
	struct span id;                     /* its answer to ID */
};

struct quirk {
	const char *server, *what;
};

/* At most max of them; how many. */
size_t quirks_find(
    const struct quirks_signs *signs, struct quirk *out, size_t max);

#endif
