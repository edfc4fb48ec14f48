/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_SPREAD_H
#define MAILHAUL_SCHED_SPREAD_H

/*
 * Keeps many accounts from doing the same in the same moment: thousands of
 * TLS handshakes at once are a load for us, for the resolver and for the
 * server. Pure: the caller brings chance, any random number.
 */

#include <stddef.h>
#include <stdint.h>

/* How long account i of n (i < n) waits before it starts. The first few do
 * not; the others follow in order, 5 ms apart, all within a minute. */
uint64_t spread_start_ms(size_t i, size_t n, uint32_t chance);

/* From one poll to the next: the interval, a tenth more or less. */
uint64_t spread_interval_ms(uint32_t interval_s, uint32_t chance);

/* From the start to the first poll that follows: between half an interval
 * and a whole one, so that who started together drifts apart at once. */
uint64_t spread_first_ms(uint32_t interval_s, uint32_t chance);

#endif
