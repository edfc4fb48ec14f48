/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_BACKOFF_H
#define MAILHAUL_SCHED_BACKOFF_H

/* How long to wait before the next try. Pure: the caller brings chance, any
 * random number. */

#include <stdint.h>

#define BACKOFF_BASE_MS 1000
#define BACKOFF_CEILING_MS (30 * 60 * 1000)

/*
 * For a daemon with many accounts: anything between half of base_s and the
 * longest wait before try number n, which is base_s for the first retry (1)
 * and doubles up to ceiling_s. All of that range and not its upper half, so
 * that accounts that lost their server together come back spread out as
 * widely as can be; not less than half of base_s, so that no server is
 * hammered by one of them. Base and ceiling are below 49 days.
 */
uint64_t backoff_wait_ms(
    uint32_t base_s, uint32_t ceiling_s, unsigned int n, uint32_t chance);

/* For a run that somebody waits for. The longest wait before try number n
 * (the first retry is 1): the base, doubled each time, up to the ceiling. */
uint32_t backoff_ceiling_ms(unsigned int n);

/* Between half of that and that. The half keeps a server from being asked
 * again at once. */
uint32_t backoff_ms(unsigned int n, uint32_t chance);

#endif
