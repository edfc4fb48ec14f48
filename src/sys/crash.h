/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_CRASH_H
#define MAILHAUL_SYS_CRASH_H

/*
 * Numbered points for the crash ring. In debug and asan builds
 * MAILHAUL_DIE_AT=n ends the process by SIGKILL when its n-th point is
 * passed; release builds compile this to nothing.
 */

#include <stddef.h>

/* What a process behind walls writes for the tests: each is made when it is
 * asked for; NULL: no such file is wanted. */
#define CRASH_FILES 2

#ifdef MAILHAUL_CRASH_POINTS
void crash_point(const char *name);
const char *crash_file(size_t i);
#else
#define crash_point(name) ((void)0)
#define crash_file(i) ((void)(i), (const char *)NULL)
#endif

#endif
