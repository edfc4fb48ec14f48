/* SPDX-License-Identifier: ISC */
#include "sched/lane.h"

#include <stdlib.h>
#include <string.h>

#include "sched/reaction.h"
#include "sys/clock.h"
#include "util/mem.h"

#define PLACE_MS (60 * 1000)
#define PROBED_MS (30 * 1000)
#define DELIVERER_MS 200 /* until it is looked whether one is back */
#define LASTED_MS (60 * 1000)

enum owed {
	OWED_NOTHING,
	OWED_NEXT, /* a round that has not begun */
	OWED_THIS  /* the round under way */
};

struct lane {
	struct lane_params params;
	struct loop_timer *timer; /* asleep: to the begin; else: the place */
	struct hosts_place *place;
	struct fetch *fetch;
	lane_fn fn;
	void *arg;
	uint64_t due;       /* by clock_boot_ms(); 0: not known */
	uint64_t probed_at; /* 0: never */
	uint64_t round_at;  /* the first of this session; 0: none yet */
	enum owed owed;
	bool leaving;
	bool detached; /* no deliverer knows the account */
	bool dropped;  /* its fetch was, as the deliverer went */
};

/* What ends well although a look is owed may have seen all before the mail
 * came that the look is for. */
static bool
answers(const struct lane *l, enum lane_says says,
    const struct fetch_result *result)
{
	if (l->owed != OWED_NEXT || says == LANE_LEFT)
		return l->owed != OWED_NOTHING;
	return says == LANE_ENDED &&
	    reaction_of(result->err.kind)->wait != REACT_NONE;
}

static void
tell(struct lane *l, enum lane_says says, const struct fetch_result *result,
    const struct fetch_round *round)
{
	struct lane_report report = { .says = says,
		.result = result,
		.round = round,
		.answers = answers(l, says, result),
		.lasted =
		    l->round_at != 0 && clock_ms() - l->round_at >= LASTED_MS };

	if (report.answers)
		l->owed = OWED_NOTHING;
	else if (says == LANE_ENDED && l->owed == OWED_NEXT)
		l->owed = OWED_THIS;
	l->fn(l->arg, l, &report);
}

static void
give_place_up(struct lane *l)
{
	hosts_leave(&l->place);
	if (l->fetch != NULL)
		loop_timer_stop(l->timer);
}

/* ---- a session ---- */

static void
on_round(void *arg, const struct fetch_round *round)
{
	struct lane *l = arg;

	give_place_up(l);
	if (l->round_at == 0)
		l->round_at = clock_ms();
	tell(l, LANE_ROUND, round->result, round);
	if (l->owed == OWED_NEXT && fetch_look(l->fetch))
		l->owed = OWED_THIS;
}

static void
on_fetch(void *arg, const struct fetch_result *result)
{
	struct lane *l = arg;
	enum lane_says says = l->leaving ? LANE_LEFT : LANE_ENDED;

	l->params.fetch.suspect = result->suspect;
	l->leaving = false;
	give_place_up(l);
	fetch_free(&l->fetch);
	tell(l, says, result, NULL);
}

static void
on_place(void *arg)
{
	struct lane *l = arg;

	l->round_at = 0;
	l->fetch = fetch_new(l->params.env, &l->params.fetch, on_fetch, l);
	loop_timer_arm(l->timer, l->params.place_ms);
}

static void
begin(struct lane *l)
{
	l->due = 0;
	l->place = hosts_ask(l->params.hosts, l->params.host, on_place, l);
}

static void
on_timer(void *arg)
{
	struct lane *l = arg;
	struct fetch_result none = { 0 };
	bool leaves = l->leaving;

	if (l->fetch != NULL) {
		give_place_up(l);
		return;
	}
	if (!leaves && l->detached) {
		loop_timer_arm(l->timer, DELIVERER_MS);
		return;
	}
	l->leaving = l->dropped = false;
	if (leaves)
		tell(l, LANE_LEFT, &none, NULL);
	else
		begin(l);
}

/* ---- what the keeper says ---- */

void
lane_begin(struct lane *l, uint64_t ms)
{
	if (lane_state(l) != LANE_ASLEEP)
		return;
	if (lane_owes(l))
		ms = 0;
	l->leaving = false;
	l->due = clock_boot_ms() + ms;
	loop_timer_arm(l->timer, ms);
}

void
lane_hold(struct lane *l)
{
	if (lane_state(l) != LANE_ASLEEP || l->leaving)
		return;
	l->due = 0;
	loop_timer_stop(l->timer);
}

void
lane_look(struct lane *l)
{
	switch (lane_state(l)) {
	case LANE_ASLEEP:
		lane_begin(l, 0);
		l->owed = OWED_THIS;
		break;
	case LANE_QUEUED:
	case LANE_CONNECTING:
		l->owed = OWED_THIS;
		break;
	case LANE_FETCHING:
		l->owed = OWED_NEXT;
		break;
	case LANE_WATCHING:
		l->owed = fetch_look(l->fetch) ? OWED_THIS : OWED_NEXT;
		break;
	}
}

void
lane_probe(struct lane *l)
{
	if (l->due != 0)
		loop_timer_arm(l->timer, lane_due_ms(l));
	if (l->fetch == NULL)
		return;
	l->probed_at = clock_ms();
	fetch_probe(l->fetch);
}

bool
lane_was_probed(const struct lane *l)
{
	return l->probed_at != 0 && clock_ms() - l->probed_at < PROBED_MS;
}

void
lane_leave(struct lane *l)
{
	if (l->leaving)
		return;
	l->leaving = true;
	if (l->fetch != NULL) {
		fetch_leave(l->fetch);
		return;
	}
	hosts_leave(&l->place);
	l->due = 0;
	loop_timer_arm(l->timer, 0);
}

/* ---- without a deliverer ---- */

void
lane_detach(struct lane *l)
{
	l->owed = OWED_NOTHING;
	l->detached = true;
	if (l->fetch == NULL && l->place == NULL)
		return;
	if (l->fetch != NULL && !l->leaving && fetch_detach(l->fetch))
		return;
	l->dropped = true;
	hosts_leave(&l->place);
	fetch_free(&l->fetch);
	loop_timer_stop(l->timer);
}

void
lane_attach(struct lane *l, uint32_t account)
{
	l->params.fetch.account = account;
	l->params.fetch.relay.account = account;
	l->detached = false;
	if (l->fetch != NULL)
		fetch_attach(l->fetch);
	if (!l->dropped)
		return;
	l->dropped = false;
	/* who was leaving has left, and is told so */
	loop_timer_arm(l->timer, 0);
}

/* ---- questions ---- */

enum lane_state
lane_state(const struct lane *l)
{
	const char *doing;

	if (l->fetch == NULL)
		return l->place == NULL ? LANE_ASLEEP : LANE_QUEUED;
	doing = fetch_progress(l->fetch)->doing;
	if (strcmp(doing, "connecting") == 0)
		return LANE_CONNECTING;
	return strcmp(doing, "watching") == 0 ? LANE_WATCHING : LANE_FETCHING;
}

uint64_t
lane_due_ms(const struct lane *l)
{
	uint64_t now = clock_boot_ms();

	return l->due > now ? l->due - now : 0;
}

bool
lane_owes(const struct lane *l)
{
	return l->owed != OWED_NOTHING;
}

struct fetch *
lane_fetch(struct lane *l)
{
	return l->fetch;
}

struct fetch_params *
lane_fetch_params(struct lane *l)
{
	return &l->params.fetch;
}

/* ---- life ---- */

struct lane *
lane_new(const struct lane_params *params, lane_fn fn, void *arg)
{
	struct lane *l = mem_new(sizeof(*l));

	l->params = *params;
	l->params.fetch.stay.round = on_round;
	if (l->params.place_ms == 0)
		l->params.place_ms = PLACE_MS;
	l->fn = fn;
	l->arg = arg;
	l->timer = loop_timer_new(params->env->loop, on_timer, l);
	return l;
}

void
lane_free(struct lane **l)
{
	struct lane *it = *l;

	*l = NULL;
	if (it == NULL)
		return;
	fetch_free(&it->fetch);
	hosts_leave(&it->place);
	loop_timer_free(&it->timer);
	free(it);
}
