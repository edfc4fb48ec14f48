/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_SETUP_H
#define MAILHAUL_PROC_SETUP_H

/* "mailhaul setup": prints a section of a configuration for an address, and
 * changes nothing. */

#include <stdbool.h>

/* The exit status: 0, 64 (that is no address) or 69 (nothing was found; what
 * was tried is on standard error). */
int setup_command(const char *address, bool pop3);

#endif
