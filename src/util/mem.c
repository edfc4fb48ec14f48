/* SPDX-License-Identifier: ISC */
#include "util/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Nothing here may allocate, nor run the atexit handlers, which may. */
static _Noreturn void
out_of_memory(void)
{
	static const char line[] = "mailhaul: out of memory\n";
	ssize_t told = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)told;
	_exit(EX_OSERR);
}

void *
mem_new(size_t size)
{
	return mem_array(1, size);
}

void *
mem_array(size_t n, size_t size)
{
	/* calloc(3) may answer NULL to 0 octets; we never do */
	void *p = n == 0 || size == 0 ? calloc(1, 1) : calloc(n, size);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
mem_grow(void *p, size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1; /* realloc(p, 0) would free p */
	p = reallocarray(p, n, size);
	if (p == NULL)
		out_of_memory();
	return p;
}

char *
mem_strdup(const char *s)
{
	return s == NULL ? NULL : mem_spandup(span_of(s));
}

char *
mem_spandup(struct span s)
{
	char *copy;

	if (s.n == SIZE_MAX)
		out_of_memory();
	copy = mem_grow(NULL, s.n + 1, 1);
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

char *
mem_printf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return s;
}

/* The heap grows by little at a time: what is free at its end would be taken
 * for what is large. */
void
mem_tune(size_t large)
{
	mallopt(M_MMAP_THRESHOLD, (int)large);
	mallopt(M_TOP_PAD, (int)large / 2);
	mallopt(M_TRIM_THRESHOLD, (int)large * 2);
	mallopt(M_ARENA_MAX, 1); /* no thread of ours allocates much */
}

void
mem_trim(void)
{
	(void)malloc_trim(0);
}

void
mem_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}
