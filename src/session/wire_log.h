/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_WIRE_LOG_H
#define MAILHAUL_SESSION_WIRE_LOG_H

/* The server's half of the dialogue at log-level trace, line by line. The
 * octets of messages are left out, and so are lines that hold the
 * credential: servers repeat what they do not understand. */

#include <stdbool.h>

#include "util/secret.h"
#include "util/span.h"

struct wire_log;

/* Copies all. user and secret are NULL where there are none. */
struct wire_log *wire_log_new(
    const char *subject, const char *user, const struct secret *secret);
void wire_log_free(struct wire_log **w); /* wipes; NULL is fine */

/* What a step used: the front of before that is not in after any more. */
void wire_log_heard(
    struct wire_log *w, struct span before, struct span after, bool body);

#endif
