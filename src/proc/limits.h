/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_LIMITS_H
#define MAILHAUL_PROC_LIMITS_H

/* As many open descriptors as the system lets us have: letters are opened
 * ahead, and each is one. How many it was before, 0: not known. */
unsigned long limits_raise_files(void);

#endif
