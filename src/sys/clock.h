/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_CLOCK_H
#define MAILHAUL_SYS_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);        /* monotonic milliseconds: for deadlines */
uint64_t clock_us(void);        /* the same, finer */
uint64_t clock_boot_ms(void);   /* the same, counting time asleep */
uint64_t clock_asleep_ms(void); /* so long the machine was, since its start */
int64_t clock_wall_s(void);     /* Unix time: for names and records only */
void clock_wall(int64_t *s, uint32_t *us);

/* A random number below n (n > 0), from getrandom(2). */
uint32_t clock_jitter(uint32_t n);

#endif
