/* SPDX-License-Identifier: ISC */
#include "sched/backoff.h"

uint32_t
backoff_ceiling_ms(unsigned int n)
{
	uint64_t ms = BACKOFF_BASE_MS;

	while (n-- > 1 && ms < BACKOFF_CEILING_MS)
		ms *= 2;
	return ms < BACKOFF_CEILING_MS ? (uint32_t)ms : BACKOFF_CEILING_MS;
}

uint32_t
backoff_ms(unsigned int n, uint32_t chance)
{
	uint32_t half = backoff_ceiling_ms(n) / 2;

	return half + chance % (half + 1);
}
