/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SESSION_WIRE_LOG_H
#define MAILHAUL_SESSION_WIRE_LOG_H

/* The server's half of the dialogue at log-level trace. The octets of
 * messages are left out. */

#include <stdbool.h>

#include "util/span.h"

/* What a step used: the front of before that is not in after any more. */
void wire_log_heard(
    const char *subject, struct span before, struct span after, bool body);

#endif
