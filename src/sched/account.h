/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_ACCOUNT_H
#define MAILHAUL_SCHED_ACCOUNT_H

/*
 * An account's life in the engine: waits for a place at its host, fetches,
 * fetches again when the connection was lost on the way, and reports. No
 * account knows of another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sched/hosts.h"
#include "sched/params.h"

struct account;

struct account_params {
	const struct fetch_env *env; /* not ours */
	struct hosts *hosts;         /* not ours */
	struct params who;
};

/* From the loop, once: the end of it. account_free() inside it is fine. The
 * counts are those of all tries together. */
typedef void (*account_fn)(void *arg, const struct fetch_result *result);

struct account *account_new(
    const struct account_params *params, account_fn fn, void *arg);
void account_free(struct account **a);
void account_stop(struct account *a); /* see fetch_stop() */

/* All tries together. */
void account_progress(const struct account *a, struct fetch_progress *out);

#endif
