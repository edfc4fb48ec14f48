/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_MEM_H
#define MAILHAUL_UTIL_MEM_H

/*
 * Allocation that cannot fail: out of memory ends the process with a line on
 * standard error. Whatever a peer sizes is checked against a ceiling first.
 * The caller frees with free() or mem_free().
 */

#include <stddef.h>

#include "util/span.h"

void *mem_new(size_t size);                     /* zeroed */
void *mem_array(size_t n, size_t size);         /* zeroed; overflow is fatal */
void *mem_grow(void *p, size_t n, size_t size); /* realloc; not zeroed */
char *mem_strdup(const char *s);                /* NULL gives NULL */
char *mem_spandup(struct span s);               /* adds a NUL */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* At the start of a process that is to run for long: what has so many octets
 * comes from the system and goes back to it, instead of leaving holes between
 * what is small and stays. It costs a system call. */
void mem_tune(size_t large);
/* Gives back to the system what is free; milliseconds when there is much. */
void mem_trim(void);

/* Overwrites n octets in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);

#endif
