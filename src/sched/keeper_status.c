/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "sched/keeper_own.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"

/* What is said of an account: counts, its state, and the lines of the log. */

/* ---- counts ---- */

/* A number that changes at midnight. */
static int
day_of(int64_t now)
{
	time_t t = (time_t)now;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	return tm.tm_year * 366 + tm.tm_yday;
}

static void
turn_day(struct keeper *k)
{
	int day = day_of(clock_wall_s());

	if (day == k->today)
		return;
	k->today = day;
	k->status.today = 0;
}

/* The secret is good, whatever came of the session. */
static void
let_in(struct keeper *k)
{
	if (k->breaker.refused == 0)
		return;
	breaker_clear(&k->breaker);
	keeper_remember(k);
}

void
keeper_count(struct keeper *k, const struct fetch_result *result)
{
	const struct fetch_progress *p = &result->progress;

	turn_day(k);
	k->status.delivered += p->messages;
	k->status.today += p->messages;
	k->status.octets += p->octets;
	if (result->err.kind < ERR_KINDS && result->err.kind != ERR_NONE)
		k->status.failures[result->err.kind]++;
	if (result->logged_in && result->err.kind != ERR_AUTH)
		let_in(k);
	/* what is held may be tried again, or be dropped, by hand; and what
	 * is too large is held without being in trouble */
	if (result->logged_in)
		keeper_recall(k);
}

/* ---- failure and success ---- */

void
keeper_failed(struct keeper *k, const struct err *e)
{
	const char *name = k->params.who.conf->name;
	int64_t now = clock_wall_s();

	switch (incident_failure(&k->incident, e, now)) {
	case INCIDENT_BEGIN:
		log_error(name, "%s", e->text);
		break;
	case INCIDENT_AGAIN:
		log_error(name, "still fails, for %llu min: %s",
		    (unsigned long long)(now - k->incident.since) / 60,
		    e->text);
		break;
	case INCIDENT_END:
	case INCIDENT_QUIET:
		log_debug(name, "%s", e->text);
		break;
	}
	k->status.err = *e;
	k->status.failing_since = k->incident.since;
}

/* A message or mailbox that has troubles is told, but the account works. */
void
keeper_succeeded(struct keeper *k, const struct fetch_result *result)
{
	uint64_t lasted_s;
	int64_t now = clock_wall_s();

	k->status.last_success = now;
	k->status.failing_since = 0;
	k->status.err = result->err;
	if (incident_success(&k->incident, now, &lasted_s) == INCIDENT_END)
		log_notice(k->params.who.conf->name,
		    "works again, after %llu min",
		    (unsigned long long)lasted_s / 60);
}

void
keeper_remember(struct keeper *k)
{
	struct client_record record = { .refused = k->breaker.refused,
		.refused_at = k->breaker.last,
		.mark = k->breaker.mark };

	k->unsaved = k->detached;
	if (!k->unsaved)
		client_remember(
		    k->params.env->client, k->params.who.number, &record);
}

/* ---- the state ---- */

static enum status_state
asleep(const struct keeper *k)
{
	if (k->status.failing_since == 0)
		return k->status.last_success == 0 ? STATUS_WAITING
						   : STATUS_SLEEPING;
	if (breaker_open(&k->breaker))
		return STATUS_REFUSED;
	return k->status.err.kind == ERR_THROTTLE ? STATUS_THROTTLED
						  : STATUS_BACKOFF;
}

enum status_state
keeper_state(const struct keeper *k)
{
	if (k->leaving)
		return STATUS_LEAVING;
	if (k->paused)
		return STATUS_PAUSED;
	if (k->stopped)
		return STATUS_STOPPED;
	switch (lane_state(k->main)) {
	case LANE_ASLEEP:
		break;
	case LANE_QUEUED:
		return STATUS_WAITING;
	case LANE_CONNECTING:
		return STATUS_CONNECTING;
	case LANE_FETCHING:
		return STATUS_FETCHING;
	case LANE_WATCHING:
		return STATUS_WATCHING;
	}
	return asleep(k);
}

static bool
is_in_session(const struct lane *l)
{
	return lane_state(l) == LANE_FETCHING || lane_state(l) == LANE_WATCHING;
}

void
keeper_status(struct keeper *k, struct status *out)
{
	uint64_t due = lane_due_ms(k->main);

	turn_day(k);
	*out = k->status;
	out->state = keeper_state(k);
	out->refused = k->breaker.refused;
	out->next = due == 0 ? 0 : clock_wall_s() + (int64_t)(due / 1000);
	out->sessions = is_in_session(k->main);
	out->watched = (uint32_t)k->watched;
	out->polled = (uint32_t)k->polled;
	for (size_t i = 0; i < k->n_extras; i++) {
		out->sessions += is_in_session(k->extras[i]->lane);
		out->watched += (uint32_t)k->extras[i]->watched;
	}
}
