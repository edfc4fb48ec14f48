/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_BACKOFF_H
#define MAILHAUL_SCHED_BACKOFF_H

/* How long to wait before the next try. Pure: the caller brings chance. */

#include <stdint.h>

#define BACKOFF_BASE_MS 1000
#define BACKOFF_CEILING_MS (30 * 60 * 1000)

/* The longest wait before try number n (the first retry is 1): the base,
 * doubled each time, up to the ceiling. */
uint32_t backoff_ceiling_ms(unsigned int n);

/* Between half of that and that; chance is any random number. The half keeps
 * a server from being asked again at once. */
uint32_t backoff_ms(unsigned int n, uint32_t chance);

#endif
