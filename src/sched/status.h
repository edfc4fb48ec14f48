/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_STATUS_H
#define MAILHAUL_SCHED_STATUS_H

/*
 * What an account of the daemon is doing, as plain data: made by the keeper
 * in the engine, shown by mailhaul status and by the metrics.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

enum status_state {
	STATUS_WAITING,    /* for a place at its host, or for its secret */
	STATUS_CONNECTING, /* and logging in */
	STATUS_FETCHING,
	STATUS_WATCHING,  /* IDLE or NOTIFY: the server tells of new mail */
	STATUS_SLEEPING,  /* until the next poll */
	STATUS_BACKOFF,   /* failed; the next try is due at next */
	STATUS_THROTTLED, /* the same, and the server asked for it */
	STATUS_REFUSED,   /* the breaker: one probe an hour at most */
	STATUS_PAUSED,    /* by mailhaul pause */
	STATUS_STOPPED,   /* a fault of the configuration: until a reload */
	STATUS_LEAVING,   /* ends in order */
	STATUS_STATES
};

enum status_how { STATUS_POLL, STATUS_IDLE, STATUS_NOTIFY };

struct status {
	enum status_state state;
	enum status_how how;  /* mail is noticed */
	uint32_t sessions;    /* connections that are logged in */
	uint32_t watched;     /* mailboxes whose server tells of mail */
	uint32_t polled;      /* the others */
	int64_t last_success; /* Unix seconds; 0: never since the start */
	int64_t next;         /* when something is due; 0: nothing is */
	uint64_t delivered;   /* since the start of the engine */
	uint64_t octets;      /* of them */
	uint64_t today;       /* of them, since midnight */
	uint64_t held;        /* messages that are held on the server */
	uint64_t failures[ERR_KINDS];
	uint32_t refused;      /* logins refused in a row */
	int64_t failing_since; /* Unix seconds; 0: all is well */
	struct err err;        /* of the last failure; kept until success */
};

/* "watching", "waiting to try again", ...: in words, for people. */
const char *status_state_name(enum status_state state);
/* "idle", "notify", "poll" */
const char *status_how_name(enum status_how how);

#endif
