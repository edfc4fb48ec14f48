/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_FETCH_SIZES_H
#define MAILHAUL_FETCH_SIZES_H

/*
 * What LIST says of each message: its size, by its number. Numbers above
 * SIZES_MAX are not kept.
 */

#include <stddef.h>
#include <stdint.h>

#define SIZES_MAX 1000000

struct sizes { /* zeroed is empty */
	uint64_t *v;
	size_t n;
};

void sizes_deinit(struct sizes *s);

/* A size of 0 is kept as 1: it is known. */
void sizes_put(struct sizes *s, uint32_t number, uint64_t size);
uint64_t sizes_of(const struct sizes *s, uint32_t number); /* 0: not known */

#endif
