/* SPDX-License-Identifier: ISC */
#include "sched/spread.h"

#define AT_ONCE 10
#define STEP_MS 5
#define WINDOW_MAX_MS 60000

uint64_t
spread_start_ms(size_t i, size_t n, uint32_t chance)
{
	uint64_t window =
	    n < WINDOW_MAX_MS / STEP_MS ? n * STEP_MS : WINDOW_MAX_MS;

	if (i < AT_ONCE)
		return 0;
	return i * window / n + chance % (window / n + 1);
}

uint64_t
spread_interval_ms(uint32_t interval_s, uint32_t chance)
{
	uint64_t tenth = (uint64_t)interval_s * 100;

	return 9 * tenth + chance % (2 * tenth + 1);
}

uint64_t
spread_first_ms(uint32_t interval_s, uint32_t chance)
{
	uint64_t half = (uint64_t)interval_s * 500;

	return half + chance % (half + 1);
}
