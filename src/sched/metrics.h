/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_METRICS_H
#define MAILHAUL_SCHED_METRICS_H

/*
 * The state of the daemon as text for Prometheus and what reads the same.
 * There are two formats that differ where one file cannot serve both (the
 * names of counters in their descriptions), so the client chooses: what its
 * Accept header has decides.
 *
 *	bool open = metrics_wants_open(accept);
 *	metrics_write(&b, &m, open) -> 200, metrics_type(open)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sched/status.h"
#include "util/buf.h"
#include "util/histogram.h"

struct metrics_account {
	const char *account; /* its name; not ours */
	struct status status;
};

struct metrics {
	const char *version; /* not ours */
	int64_t now;         /* Unix seconds */
	int64_t started;     /* when the daemon was */
	uint64_t restarts;   /* of its processes that died */
	struct histogram commit;
	const struct metrics_account *accounts; /* not ours */
	size_t n;
};

/* accept: of the request; empty is fine. */
bool metrics_wants_open(struct span accept);
const char *metrics_type(bool open); /* the Content-Type */

/*
 * Adds the text to *b, 1 or 2 KiB for each account. -1 when it does not
 * fit: what is in *b is then of no use, as half of it would look like
 * accounts that are gone.
 */
int metrics_write(struct buf *b, const struct metrics *m, bool open);

#endif
