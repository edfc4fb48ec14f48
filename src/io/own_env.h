/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_IO_OWN_ENV_H
#define MAILHAUL_IO_OWN_ENV_H

/* What a process of ours may know of our environment: no secret is among
 * it. */

#include <stddef.h>

#define OWN_ENV_MAX 32

/* Pointers into environ, NULL-terminated. more: further names, to NULL; may
 * be NULL. */
void own_env_pick(const char *picked[OWN_ENV_MAX], const char *const *more);

#endif
