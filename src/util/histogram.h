/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_HISTOGRAM_H
#define MAILHAUL_UTIL_HISTOGRAM_H

/*
 * How long something took, counted by size: bounds 1, 2, 5, 10 ... up to
 * 10 s, the same for all, so that histograms can be added up. Plain data.
 */

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 13

struct histogram { /* zeroed is empty */
	/* each alone, not cumulated; the last is what is above all bounds */
	uint64_t bucket[HISTOGRAM_BOUNDS + 1];
	uint64_t count;  /* of them all */
	uint64_t sum_us; /* stays at the largest number rather than wrap */
};

/* Bucket i holds what took at most so long, and longer than the one before;
 * i < HISTOGRAM_BOUNDS. */
uint64_t histogram_bound_us(size_t i);

void histogram_add(struct histogram *h, uint64_t us);
void histogram_merge(struct histogram *sum, const struct histogram *one);

#endif
