/* SPDX-License-Identifier: ISC */
#include "session/wire_log.h"

#include "sys/log.h"

void
wire_log_heard(
    const char *subject, struct span before, struct span after, bool body)
{
	struct span used = span_make(before.p, before.n - after.n);

	if (!log_wants(LOG_LEVEL_TRACE) || used.n == 0)
		return;
	if (!body)
		log_wire(subject, 'S', used);
}
