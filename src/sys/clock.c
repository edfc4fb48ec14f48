/* SPDX-License-Identifier: ISC */
#include "sys/clock.h"

#include <sys/random.h>
#include <time.h>

static uint64_t
us_of(clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
clock_ms(void)
{
	return us_of(CLOCK_MONOTONIC) / 1000;
}

uint64_t
clock_us(void)
{
	return us_of(CLOCK_MONOTONIC);
}

uint64_t
clock_boot_ms(void)
{
	return us_of(CLOCK_BOOTTIME) / 1000;
}

uint64_t
clock_asleep_ms(void)
{
	uint64_t awake = clock_ms(); /* first: time goes on between the two */

	return clock_boot_ms() - awake;
}

int64_t
clock_wall_s(void)
{
	int64_t s;

	clock_wall(&s, NULL);
	return s;
}

void
clock_wall(int64_t *s, uint32_t *us)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	*s = t.tv_sec;
	if (us != NULL)
		*us = (uint32_t)(t.tv_nsec / 1000);
}

/* Jitter only spreads load: if the kernel has no random octets for us yet,
 * the clock does. */
static uint32_t
random_word(void)
{
	struct timespec t = { 0 };
	uint32_t v;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) == (ssize_t)sizeof(v))
		return v;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_nsec * 2654435761U;
}

uint32_t
clock_jitter(uint32_t n)
{
	/* the high half of the product is below n, and biased by less than
	 * one in 2^32 / n */
	return (uint32_t)((uint64_t)random_word() * n >> 32);
}
