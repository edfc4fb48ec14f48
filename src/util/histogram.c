/* SPDX-License-Identifier: ISC */
#include "util/histogram.h"

static const uint64_t bounds[HISTOGRAM_BOUNDS] = { 1000, 2000, 5000, 10000,
	20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000,
	10000000 };

uint64_t
histogram_bound_us(size_t i)
{
	return bounds[i];
}

static void
add_to_sum(struct histogram *h, uint64_t us)
{
	h->sum_us = us > UINT64_MAX - h->sum_us ? UINT64_MAX : h->sum_us + us;
}

void
histogram_add(struct histogram *h, uint64_t us)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && us > bounds[i])
		i++;
	h->bucket[i]++;
	h->count++;
	add_to_sum(h, us);
}

void
histogram_merge(struct histogram *sum, const struct histogram *one)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		sum->bucket[i] += one->bucket[i];
	sum->count += one->count;
	add_to_sum(sum, one->sum_us);
}
