/* SPDX-License-Identifier: ISC */
#include "sched/backoff.h"

static uint32_t
longest_ms(uint64_t base_ms, uint64_t ceiling_ms, unsigned int n)
{
	uint64_t ms = base_ms;

	while (n-- > 1 && ms > 0 && ms < ceiling_ms)
		ms *= 2;
	return (uint32_t)(ms < ceiling_ms ? ms : ceiling_ms);
}

static uint32_t
between(uint32_t low, uint32_t high, uint32_t chance)
{
	return low >= high ? high : low + chance % (high - low + 1);
}

uint64_t
backoff_wait_ms(
    uint32_t base_s, uint32_t ceiling_s, unsigned int n, uint32_t chance)
{
	uint64_t base_ms = (uint64_t)base_s * 1000;
	uint64_t ceiling_ms = (uint64_t)ceiling_s * 1000;

	return between((uint32_t)(base_ms / 2),
	    longest_ms(base_ms, ceiling_ms, n), chance);
}

uint32_t
backoff_ceiling_ms(unsigned int n)
{
	return longest_ms(BACKOFF_BASE_MS, BACKOFF_CEILING_MS, n);
}

uint32_t
backoff_ms(unsigned int n, uint32_t chance)
{
	uint32_t high = backoff_ceiling_ms(n);

	return between(high / 2, high, chance);
}
