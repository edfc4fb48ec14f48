/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_CAS_H
#define MAILHAUL_PROC_CAS_H

/* What accounts ask of TLS, by the numbers that the supervisor gives it; 0 is
 * "none". Each is read once and shared by its accounts. */

#include <stdbool.h>
#include <stdint.h>

#include "io/tls.h"
#include "util/err.h"

struct cas;

struct cas *cas_new(void);
void cas_free(struct cas **c);

/* As of tls_rules_pack() from fd, which stays the caller's. False: number is taken or makes
 * no sense. What cannot be read is the trouble of who asks for it. */
bool cas_add(struct cas *c, uint32_t number, int fd);
bool cas_has(const struct cas *c, uint32_t number);
/* NULL for 0; NULL and *e when it could not be read. */
struct tls_ctx *cas_get(
    const struct cas *c, uint32_t number, const struct err **e);

#endif
