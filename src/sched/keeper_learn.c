/* SPDX-License-Identifier: ISC */
#include "sched/keeper_own.h"
#include "sys/log.h"

/* What a session finds out about its server holds for all of the account. */

#define IDLED_MIN_S 60 /* an IDLE that was cut sooner teaches nothing */

/* NULL: no more. */
static struct lane *
lane_at(const struct keeper *k, size_t i)
{
	if (i == 0)
		return k->main;
	return i <= k->n_extras ? k->extras[i - 1]->lane : NULL;
}

static void
look_more_often(struct lane *l, uint64_t s)
{
	lane_fetch_params(l)->stay.safety_s = s;
	if (lane_fetch(l) != NULL)
		fetch_safety(lane_fetch(l), s);
}

void
keeper_learn_pushes(
    struct keeper *k, struct pushes *pushes, const struct fetch_round *round)
{
	struct fetch_stay *stay = &lane_fetch_params(k->main)->stay;
	uint64_t s = stay->poll_s;
	struct lane *l;

	if (round->heard)
		pushes_heard(pushes);
	if (!round->missed || !pushes_missed(pushes) || stay->safety_s <= s)
		return;
	log_warning(k->params.who.conf->name,
	    "the server does not tell of new mail although it has %s: it is "
	    "polled every %llu s",
	    round->how == FETCH_HOW_NOTIFY ? "NOTIFY" : "IDLE",
	    (unsigned long long)s);
	for (size_t i = 0; (l = lane_at(k, i)) != NULL; i++)
		look_more_often(l, s);
}

/* The server, or something on the way, ends sessions that are silent for so
 * long: speak sooner. */
void
keeper_learn_renew(struct keeper *k, const struct fetch_result *result)
{
	uint64_t s = result->idled_s * 3 / 4;
	struct lane *l;

	if (result->idled_s < IDLED_MIN_S ||
	    result->idled_s >= lane_fetch_params(k->main)->stay.renew_s)
		return;
	log_info(k->params.who.conf->name,
	    "an IDLE was cut after %llu s: it is renewed every %llu s now",
	    (unsigned long long)result->idled_s, (unsigned long long)s);
	for (size_t i = 0; (l = lane_at(k, i)) != NULL; i++)
		lane_fetch_params(l)->stay.renew_s = s;
}
