/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "sched/keeper_own.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

/*
 * The sessions beside the first: each sits in one mailbox by IDLE. A mailbox
 * is seen to by one session at a time, or its mail could come twice; so the
 * first gives it away before another begins, and gets it back when that one
 * has ended for good.
 */

#define START_MS 1000 /* they begin within this time */
#define TRIES_MAX 3   /* then the first session polls that mailbox instead */

static void
list_without(struct keeper *k)
{
	struct fetch_stay *stay = &lane_fetch_params(k->main)->stay;

	k->without = mem_grow(k->without, k->n_extras + 1, sizeof(*k->without));
	for (size_t i = 0; i < k->n_extras; i++)
		k->without[i] = k->extras[i]->mailbox;
	stay->without = k->without;
	stay->n_without = k->n_extras;
}

static size_t
index_of(const struct keeper *k, const struct lane *l)
{
	size_t i = 0;

	while (k->extras[i]->lane != l)
		i++;
	return i;
}

void
keeper_extra_end(struct keeper *k, size_t i)
{
	struct keeper_extra *gone = k->extras[i];

	k->extras[i] = k->extras[--k->n_extras];
	k->polled++;
	list_without(k);
	lane_free(&gone->lane);
	if (lane_fetch(k->main) != NULL)
		fetch_take_back(lane_fetch(k->main), gone->mailbox);
	free(gone->mailbox);
	free(gone);
}

/* A server that wants no more sessions is not asked for as many again. */
static void
give_up(struct keeper *k, size_t i, const struct err *e)
{
	log_notice(k->params.who.conf->name,
	    "%s has no session of its own any more and is polled: %s",
	    k->extras[i]->mailbox,
	    e->kind == ERR_NONE ? "the server does not keep it" : e->text);
	k->max_extras = k->n_extras - 1;
	keeper_extra_end(k, i);
}

static bool
is_hopeless(const struct keeper_extra *x, const struct err *e)
{
	enum reaction_wait wait = reaction_of(e->kind)->wait;

	return x->tries >= TRIES_MAX ||
	    (wait != REACT_BACKOFF && e->kind != ERR_CANCEL);
}

static void
on_ended(struct keeper *k, size_t i, const struct lane_report *report)
{
	const struct fetch_result *result = report->result;
	struct keeper_extra *x = k->extras[i];
	uint64_t ms;

	x->watched = 0;
	x->tries = report->lasted ? 1 : x->tries + 1;
	if (is_hopeless(x, &result->err)) {
		give_up(k, i, &result->err);
		return;
	}
	ms = reaction_wait_ms(&result->err, x->tries, clock_jitter(UINT32_MAX));
	if (lane_was_probed(x->lane) && x->tries == 1)
		ms = 0;
	lane_begin(x->lane, ms);
}

static void
on_lane(void *arg, struct lane *l, const struct lane_report *report)
{
	struct keeper *k = arg;
	size_t i = index_of(k, l);
	struct lane_report told = *report;

	keeper_count(k, report->result);
	keeper_learn_renew(k, report->result);
	if (report->says == LANE_ROUND) {
		k->extras[i]->watched = report->round->watched;
		keeper_learn_pushes(k, &k->extras[i]->pushes, report->round);
	} else if (report->says == LANE_ENDED) {
		on_ended(k, i, report);
	} else {
		keeper_extra_end(k, i);
		keeper_left(k);
	}
	keeper_answer(k, &told);
	k->events->changed(k->arg);
}

static bool
is_open(const struct keeper *k, const char *mailbox)
{
	for (size_t i = 0; i < k->n_extras; i++)
		if (strcmp(k->extras[i]->mailbox, mailbox) == 0)
			return true;
	return false;
}

static void
open_one(struct keeper *k, const char *mailbox)
{
	struct keeper_extra *x = mem_new(sizeof(*x));
	struct lane_params lane = {
		.env = k->params.env, .hosts = k->params.hosts, .host = k->host
	};
	struct fetch_params *f = &lane.fetch;

	x->names[0] = x->mailbox = mem_strdup(mailbox);
	params_fill(f, &k->params.who);
	f->mailboxes = x->names;
	f->n_mailboxes = 1;
	f->stay = lane_fetch_params(k->main)->stay;
	f->stay.n_without = 0;
	f->stay.notify = false;
	x->lane = lane_new(&lane, on_lane, k);
	k->extras = mem_grow(k->extras, k->n_extras + 1, sizeof(*k->extras));
	k->extras[k->n_extras++] = x;
	list_without(k);
	lane_begin(x->lane, clock_jitter(START_MS));
}

void
keeper_extras_open(struct keeper *k, const struct fetch_round *round)
{
	struct fetch *f = lane_fetch(k->main);
	const char *name;

	for (size_t i = 0; k->n_extras < k->max_extras &&
	     (name = fetch_mailbox(f, i)) != NULL;
	     i++) {
		if (strcmp(name, round->home) == 0 || is_open(k, name))
			continue;
		fetch_give_away(f, name);
		k->polled--;
		open_one(k, name);
	}
}

void
keeper_extras_free(struct keeper *k)
{
	for (size_t i = 0; i < k->n_extras; i++) {
		lane_free(&k->extras[i]->lane);
		free(k->extras[i]->mailbox);
		free(k->extras[i]);
	}
	free(k->extras);
	free(k->without);
}
