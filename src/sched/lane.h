/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_SCHED_LANE_H
#define MAILHAUL_SCHED_LANE_H

/*
 * One session of an account of the daemon: sleeps, waits for a place at its
 * host, fetches, and stays connected if it can. When it ended it sleeps until
 * it is told when to begin again; why and when is the keeper's affair.
 *
 * A place is held while it connects and fetches, at most a minute: who only
 * watches, or fetches a large mailbox, keeps nobody of the same host waiting.
 */

#include "fetch/fetch.h"
#include "sched/hosts.h"

struct lane;

enum lane_state {
	LANE_ASLEEP,
	LANE_QUEUED, /* for a place at its host */
	LANE_CONNECTING,
	LANE_FETCHING,
	LANE_WATCHING
};

enum lane_says {
	LANE_ROUND, /* all is fetched, and it watches */
	LANE_ENDED, /* the session is over; it sleeps */
	LANE_LEFT   /* after lane_leave(); it sleeps */
};

struct lane_report {
	enum lane_says says;
	const struct fetch_result *result; /* borrowed for the call */
	const struct fetch_round *round;   /* of ROUND; likewise */
	bool answers; /* it is what lane_look() asked for */
	bool lasted;  /* the session went on well after its first round */
};

/* From the loop. lane_free() inside it is fine, but not for ROUND. */
typedef void (*lane_fn)(
    void *arg, struct lane *l, const struct lane_report *report);

struct lane_params {
	const struct fetch_env *env; /* not ours */
	struct hosts *hosts;         /* not ours */
	const char *host;            /* "host:port"; not ours */
	struct fetch_params fetch;   /* stay.round is the lane's */
	uint64_t place_ms; /* a place is held no longer; 0: a minute */
};

struct lane *lane_new(const struct lane_params *params, lane_fn fn, void *arg);
void lane_free(struct lane **l);

/* What the next session is begun with; may be changed at any time. */
struct fetch_params *lane_fetch_params(struct lane *l);

/* So long from now, or at once if a look is owed; if it sleeps. Then it does
 * not leave any more, either. */
void lane_begin(struct lane *l, uint64_t ms);
void lane_hold(struct lane *l); /* sleeps until lane_begin() */
/* Look now, by beginning now if it sleeps; a report that answers follows. A
 * session that looked already and ends is followed by another for it, when
 * lane_begin() is called. */
void lane_look(struct lane *l);
/* Is the server still there? When not, it ends within seconds. One that sleeps
 * counts the time in which the machine did, too. */
void lane_probe(struct lane *l);
bool lane_was_probed(const struct lane *l); /* lately */
/* env's client goes: what rests stays, what fetches is dropped without a
 * report, and nothing is begun. And there is another, who knows the account. */
void lane_detach(struct lane *l);
void lane_attach(struct lane *l, uint32_t account);
void lane_leave(struct lane *l); /* in order; LANE_LEFT follows */

enum lane_state lane_state(const struct lane *l);
uint64_t lane_due_ms(const struct lane *l); /* until it begins; 0: unknown */
bool lane_owes(const struct lane *l);       /* a report that answers */
struct fetch *lane_fetch(struct lane *l);   /* NULL while there is none */

#endif
