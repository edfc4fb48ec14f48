/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_CRASH_H
#define MAILHAUL_SYS_CRASH_H

/*
 * Numbered points for the crash ring. In debug and asan builds
 * MAILHAUL_DIE_AT=n ends the process by SIGKILL when its n-th point is
 * passed; release builds compile this to nothing.
 */

#ifdef MAILHAUL_CRASH_POINTS
void crash_point(const char *name);
#else
#define crash_point(name) ((void)0)
#endif

#endif
