/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SYS_LIMIT_H
#define MAILHAUL_SYS_LIMIT_H

/*
 * How many messages may be open at a time: each costs a descriptor, so a
 * quarter of what RLIMIT_NOFILE allows, between LIMIT_FILES_MIN and max.
 */
#define LIMIT_FILES_MIN 4
unsigned int limit_files(unsigned int max);

#endif
