/* SPDX-License-Identifier: ISC */
#include "sched/account.h"

#include <stdlib.h>

#include "sched/backoff.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

struct account {
	struct account_params params; /* of what account_new() was given */
	struct fetch_params fetch_params;
	struct hosts_place *place;
	struct loop_timer *timer; /* to the next try, or to the end */
	struct fetch *fetch;
	struct fetch_result sum; /* of the tries that ended */
	unsigned int tries;      /* in a row that brought nothing */
	bool stopped, ended;
	account_fn fn;
	void *arg;
};

/* ---- try after try ---- */

static void
add_up(struct fetch_progress *sum, const struct fetch_progress *one)
{
	sum->doing = one->doing;
	sum->messages += one->messages;
	sum->total += one->total;
	sum->octets += one->octets;
	sum->total_octets += one->total_octets;
}

static void
end(struct account *a)
{
	a->ended = true;
	hosts_leave(&a->place);
	loop_timer_arm(a->timer, 0);
}

/* A session that got somewhere and was lost is worth another at once; one
 * that could not even log in is for the next run. */
static bool
worth_another(struct account *a, const struct fetch_result *result)
{
	if (a->stopped || result->late)
		return false;
	if (result->progress.messages > 0)
		a->tries = 0;
	if (result->err.kind == ERR_NONE)
		return result->more && result->progress.messages > 0;
	return result->logged_in && reaction_of(result->err.kind)->retry &&
	    a->tries < a->params.who.conf->retries;
}

static void
on_fetch(void *arg, const struct fetch_result *result)
{
	struct account *a = arg;
	bool again = worth_another(a, result);
	uint32_t ms = 0;

	add_up(&a->sum.progress, &result->progress);
	a->sum.removed += result->removed;
	a->sum.troubles += result->troubles;
	a->sum.logged_in |= result->logged_in;
	a->sum.err = result->err;
	a->fetch_params.suspect = result->suspect;
	fetch_free(&a->fetch);
	if (!again) {
		end(a);
		return;
	}
	hosts_leave(&a->place);
	/* what was to come and did not is counted by the next try */
	a->sum.progress.total = a->sum.progress.messages;
	a->sum.progress.total_octets = a->sum.progress.octets;
	a->sum.progress.doing = "waiting to try again";
	if (result->err.kind != ERR_NONE) {
		ms = backoff_ms(++a->tries, clock_jitter(UINT32_MAX));
		log_warning(a->params.who.conf->name,
		    "%s; trying again in %.1f s", result->err.text,
		    ms / 1000.0);
	}
	loop_timer_arm(a->timer, ms);
}

static void
on_place(void *arg)
{
	struct account *a = arg;

	a->fetch = fetch_new(a->params.env, &a->fetch_params, on_fetch, a);
}

static void
on_timer(void *arg)
{
	struct account *a = arg;

	if (a->ended)
		a->fn(a->arg, &a->sum);
	else
		a->place = hosts_ask(
		    a->params.hosts, a->params.who.conf->host, on_place, a);
}

/* ---- life ---- */

struct account *
account_new(const struct account_params *params, account_fn fn, void *arg)
{
	struct account *a = mem_new(sizeof(*a));

	a->params = *params;
	a->fn = fn;
	a->arg = arg;
	a->sum.progress.doing = "waiting";
	params_fill(&a->fetch_params, &a->params.who);
	a->timer = loop_timer_new(params->env->loop, on_timer, a);
	loop_timer_arm(a->timer, 0);
	return a;
}

void
account_free(struct account **a)
{
	struct account *it = *a;

	*a = NULL;
	if (it == NULL)
		return;
	fetch_free(&it->fetch);
	hosts_leave(&it->place);
	loop_timer_free(&it->timer);
	free(it);
}

void
account_stop(struct account *a)
{
	if (a->stopped || a->ended)
		return;
	a->stopped = true;
	if (a->fetch != NULL) {
		fetch_stop(a->fetch);
		return;
	}
	err_set(&a->sum.err, ERR_CANCEL, 0, "interrupted");
	end(a);
}

void
account_progress(const struct account *a, struct fetch_progress *out)
{
	*out = a->sum.progress;
	if (a->fetch != NULL)
		add_up(out, fetch_progress(a->fetch));
}
