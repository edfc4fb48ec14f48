/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_FLIGHTS_H
#define MAILHAUL_FETCH_FLIGHTS_H

/*
 * The FETCH commands that are under way, and what each has still to bring.
 * Several, so that the wire never idles for a round trip; each of a limited
 * number of messages, so that a refusal costs little.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/set.h"

#define FLIGHTS 8
#define FLIGHT_MAX 250    /* messages of one command */
#define FLIGHT_RANGES 100 /* ranges of its set: servers have short lines */

struct flight {
	uint32_t ticket; /* 0: free */
	struct set uids; /* asked for and not come yet */
};

struct flights {
	struct flight all[FLIGHTS]; /* zeroed is fine */
};

void flights_deinit(struct flights *f);
bool flights_any(const struct flights *f);

/* NULL: there is none. */
struct flight *flights_free(struct flights *f);
struct flight *flights_of_uid(struct flights *f, uint32_t uid);
struct flight *flights_of_ticket(struct flights *f, uint32_t ticket);

#endif
