/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_UTIL_SECRET_H
#define MAILHAUL_UTIL_SECRET_H

/*
 * A password or token. It is wiped when freed and never given to log_* or
 * err_set (make lint checks). Any octet may be in it.
 */

#include <stdbool.h>

#include "util/span.h"

struct secret;

#define SECRET_MAX 65536

struct secret *secret_new(struct span octets); /* copies; NULL above the max */
void secret_free(struct secret **s);           /* wipes; NULL is fine */
struct span secret_span(const struct secret *s);

/* In a time that does not tell where they differ. NULL is like no other. */
bool secret_same(const struct secret *a, const struct secret *b);

#endif
