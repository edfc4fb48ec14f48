/* SPDX-License-Identifier: ISC */
#include "sched/status.h"

#include <stddef.h>

const char *
status_state_name(enum status_state state)
{
	static const char *const names[STATUS_STATES] = {
		[STATUS_WAITING] = "waiting",
		[STATUS_CONNECTING] = "connecting",
		[STATUS_FETCHING] = "fetching",
		[STATUS_WATCHING] = "watching",
		[STATUS_SLEEPING] = "sleeping",
		[STATUS_BACKOFF] = "trying again",
		[STATUS_THROTTLED] = "throttled",
		[STATUS_REFUSED] = "login refused",
		[STATUS_PAUSED] = "paused",
		[STATUS_STOPPED] = "stopped",
		[STATUS_LEAVING] = "leaving",
	};

	/* it may come from a packet */
	return (unsigned int)state < STATUS_STATES ? names[state] : "unknown";
}

const char *
status_how_name(enum status_how how)
{
	static const char *const names[] = {
		[STATUS_POLL] = "poll",
		[STATUS_IDLE] = "idle",
		[STATUS_NOTIFY] = "notify",
	};

	return (unsigned int)how <= STATUS_NOTIFY ? names[how] : "unknown";
}
