/* SPDX-License-Identifier: ISC */
#include "sched/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "sched/keeper_own.h"
#include "sched/reaction.h"
#include "sched/spread.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

static const struct conf_account *
conf(const struct keeper *k)
{
	return k->params.who.conf;
}

static void
changed(struct keeper *k)
{
	k->events->changed(k->arg);
}

/* ---- when next ---- */

/* Without a session: so long from one fetch to the next. A server that shows
 * its mail in parts does not mean those. */
static uint64_t
sleep_ms(const struct keeper *k, const struct fetch_result *result)
{
	uint64_t least = result->delay_s * 1000;
	uint64_t s = conf(k)->protocol == CONF_POP3 ? conf(k)->interval_s
						    : conf(k)->poll_s;
	uint64_t ms;

	if (result->more && result->progress.messages > 0)
		return 0;
	ms = spread_interval_ms((uint32_t)s, clock_jitter(UINT32_MAX));
	return ms > least ? ms : least;
}

static uint64_t
breaker_wait_ms(struct keeper *k)
{
	int64_t now = clock_wall_s();
	int64_t at = breaker_next(&k->breaker, now, clock_jitter(UINT32_MAX));

	return at > now ? (uint64_t)(at - now) * 1000 : 0;
}

static void
refused(struct keeper *k, const struct err *e)
{
	uint64_t asked =
	    reaction_wait_ms(e, k->tries, clock_jitter(UINT32_MAX));
	uint64_t ms;

	breaker_refused(&k->breaker, clock_wall_s());
	keeper_remember(k);
	ms = breaker_wait_ms(k);
	lane_begin(k->main, ms > asked ? ms : asked);
	k->events->want(k->arg);
}

static void
react(struct keeper *k, const struct err *e)
{
	uint64_t ms;

	k->tries++;
	switch (reaction_of(e->kind)->wait) {
	case REACT_BREAKER:
		refused(k, e);
		return;
	case REACT_STOP:
		k->stopped = true;
		return;
	case REACT_NONE:
	case REACT_BACKOFF:
	case REACT_SLOWLY:
		break;
	}
	ms = reaction_wait_ms(e, k->tries, clock_jitter(UINT32_MAX));
	lane_begin(k->main, ms);
}

/* ---- what the sessions say ---- */

static bool
is_failure(const struct err *e)
{
	return e->kind != ERR_NONE && e->kind != ERR_CANCEL &&
	    reaction_of(e->kind)->wait != REACT_NONE;
}

/* No session lasts for ever. Only when the next cannot be had, too, is
 * something wrong. */
static bool
is_routine(const struct keeper *k, const struct lane_report *report)
{
	return report->result->err.kind == ERR_NET &&
	    report->result->logged_in && report->result->troubles == 0 &&
	    (report->lasted || lane_was_probed(k->main)) && k->tries == 0 &&
	    k->status.failing_since == 0;
}

static void
connect_again(struct keeper *k, const struct err *e)
{
	uint64_t ms = reaction_wait_ms(e, 1, clock_jitter(UINT32_MAX));

	k->tries++;
	log_info(conf(k)->name, "%s: connecting again", e->text);
	lane_begin(k->main, lane_was_probed(k->main) ? 0 : ms);
}

/* Who loses each session as soon as it waits has not succeeded: only a
 * session that lasted ends a row of failures. */
static void
on_ended(struct keeper *k, const struct lane_report *report)
{
	const struct fetch_result *result = report->result;

	keeper_count(k, result);
	k->watched = 0;
	keeper_learn_renew(k, result);
	if (result->logged_in)
		lane_fetch_params(k->main)->stay.no_idle = result->no_idle;
	if (report->lasted)
		k->tries = 0;
	if (is_routine(k, report)) {
		connect_again(k, &result->err);
		return;
	}
	if (is_failure(&result->err)) {
		keeper_failed(k, &result->err);
		react(k, &result->err);
		return;
	}
	k->tries = 0;
	keeper_succeeded(k, result);
	k->status.how = STATUS_POLL;
	lane_begin(k->main, sleep_ms(k, result));
}

static void
on_round(struct keeper *k, const struct fetch_round *round)
{
	static const enum status_how hows[] = {
		[FETCH_HOW_POLL] = STATUS_POLL,
		[FETCH_HOW_IDLE] = STATUS_IDLE,
		[FETCH_HOW_NOTIFY] = STATUS_NOTIFY,
	};

	k->status.how = hows[round->how];
	k->watched = round->watched;
	k->polled = round->polled;
	keeper_count(k, round->result);
	keeper_succeeded(k, round->result);
	keeper_learn_pushes(k, &k->pushes, round);
	if (round->how == FETCH_HOW_IDLE && round->polled > 0 && !k->paused)
		keeper_extras_open(k, round);
}

void
keeper_left(struct keeper *k)
{
	if (!k->leaving || lane_state(k->main) != LANE_ASLEEP ||
	    k->n_extras > 0)
		return;
	k->left = true;
	loop_timer_arm(k->soon, 0);
}

/* For good, or told to pause; and perhaps to resume before it had left. */
static void
on_left(struct keeper *k, const struct lane_report *report)
{
	keeper_count(k, report->result);
	k->watched = 0;
	keeper_left(k);
	if (k->leaving || k->paused || k->stopped || !k->begun)
		return;
	if (report->answers)
		lane_look(k->main);
	else
		lane_begin(k->main, 0);
}

static void
on_main(void *arg, struct lane *l, const struct lane_report *report)
{
	struct keeper *k = arg;

	(void)l;
	switch (report->says) {
	case LANE_ROUND:
		on_round(k, report->round);
		break;
	case LANE_ENDED:
		on_ended(k, report);
		break;
	case LANE_LEFT:
		on_left(k, report);
		break;
	}
	keeper_answer(k, report);
	changed(k);
}

/* ---- polls ---- */

static bool
owes(const struct keeper *k)
{
	bool any = lane_owes(k->main);

	for (size_t i = 0; i < k->n_extras; i++)
		any |= lane_owes(k->extras[i]->lane);
	return any;
}

void
keeper_answer(struct keeper *k, const struct lane_report *report)
{
	struct fetch_result *sum = k->answer;

	if (sum == NULL || k->answered)
		return;
	sum->progress.messages += report->result->progress.messages;
	sum->progress.total += report->result->progress.total;
	sum->progress.octets += report->result->progress.octets;
	sum->removed += report->result->removed;
	sum->troubles += report->result->troubles;
	if (sum->err.kind == ERR_NONE && report->result->err.kind != ERR_CANCEL)
		sum->err = report->result->err;
	if (owes(k))
		return;
	if (report->says == LANE_LEFT && sum->err.kind == ERR_NONE)
		err_set(&sum->err, ERR_CANCEL, 0,
		    "the account was told to stop before it had looked");
	k->answered = true;
	loop_timer_arm(k->soon, 0);
}

/* Nobody will look: say why. */
static void
answer_now(struct keeper *k, const struct err *e)
{
	k->answer->err = *e;
	k->answered = true;
	loop_timer_arm(k->soon, 0);
}

static bool
may_look(struct keeper *k)
{
	struct err e = k->status.err;

	if (k->begun && !k->paused && !k->leaving && !k->stopped &&
	    (!breaker_open(&k->breaker) || lane_state(k->main) != LANE_ASLEEP))
		return true;
	if (k->paused)
		err_set(&e, ERR_CANCEL, 0,
		    "the account is paused: mailhaul resume");
	else if (k->leaving || !k->begun)
		err_set(&e, ERR_CANCEL, 0, "the account is not at work");
	else if (!k->stopped && e.kind == ERR_NONE)
		err_set(&e, ERR_AUTH, 0,
		    "the login was refused: mailhaul resume tries it again");
	answer_now(k, &e);
	return false;
}

static void
look(struct keeper *k)
{
	if (k->recalling && !k->begun)
		return; /* the ledger's answer comes first */
	if (!may_look(k))
		return;
	lane_look(k->main);
	for (size_t i = 0; i < k->n_extras; i++)
		lane_look(k->extras[i]->lane);
	changed(k);
}

void
keeper_poll(struct keeper *k)
{
	if (k->answered) { /* that look is over */
		k->again = true;
		return;
	}
	if (k->answer == NULL) {
		k->answer = mem_new(sizeof(*k->answer));
		k->answer->progress.doing = "done";
	}
	look(k);
}

/* The owner may free us in any of them. */
static void
on_soon(void *arg)
{
	struct keeper *k = arg;
	struct fetch_result *answer = k->answer;
	bool again = k->again;

	if (!k->answered) {
		if (k->left)
			k->events->left(k->arg);
		return;
	}
	if (k->left || again)
		loop_timer_arm(k->soon, 0);
	k->answer = NULL;
	k->answered = k->again = false;
	if (again)
		keeper_poll(k);
	k->events->polled(k->arg, answer);
	free(answer);
}

/* ---- the start ---- */

/* Tokens come and go by the hour: another is no reason to forget what the
 * server said to the one before. */
#define TOKEN_MARK 1

static bool
has_token(const struct keeper *k)
{
	return conf(k)->secret.oauth2 != NULL ||
	    conf(k)->secret.token_command.n > 0;
}

static uint16_t
mark_of(const struct keeper *k)
{
	struct buf salt;
	uint16_t mark;

	if (has_token(k))
		return TOKEN_MARK;
	buf_init(&salt, 4096);
	(void)buf_add(&salt, span_make(k->salt, sizeof(k->salt)));
	(void)buf_add(&salt, span_of(conf(k)->name));
	mark = breaker_mark(k->params.who.secret, buf_span(&salt));
	buf_deinit(&salt);
	return mark;
}

static void
use_secret(struct keeper *k)
{
	if (breaker_secret(&k->breaker, mark_of(k)))
		keeper_remember(k);
}

static void
begin(struct keeper *k)
{
	uint64_t ms = k->params.start_ms;

	k->begun = true;
	if (k->paused || k->leaving)
		return;
	if (breaker_open(&k->breaker)) {
		struct err e;

		ms = breaker_wait_ms(k);
		err_set(&e, ERR_AUTH, 0,
		    "the login was refused %u times; mailhaul resume tries "
		    "it now",
		    k->breaker.refused);
		if (ms > 0)
			keeper_failed(k, &e);
	}
	lane_begin(k->main, ms);
}

static void
on_record(void *arg, const struct client_record *record)
{
	struct keeper *k = arg;
	bool first = !k->begun;

	k->recalling = false;
	if (k->stale)
		keeper_recall(k);
	if (record != NULL)
		k->status.held = record->held;
	if (record != NULL && first) {
		k->breaker = (struct breaker){ .refused = record->refused,
			.mark = record->mark,
			.last = record->refused_at };
		memcpy(k->salt, record->salt, sizeof(k->salt));
	}
	if (first) {
		use_secret(k);
		begin(k);
		if (k->answer != NULL)
			look(k);
	}
	changed(k);
}

void
keeper_recall(struct keeper *k)
{
	k->stale = k->recalling;
	if (k->recalling || k->detached)
		return;
	k->recalling = true;
	client_recall(
	    k->params.env->client, k->params.who.number, on_record, k);
}

/* ---- what the owner says ---- */

static void
leave_all(struct keeper *k)
{
	lane_leave(k->main);
	for (size_t i = 0; i < k->n_extras; i++)
		lane_leave(k->extras[i]->lane);
}

void
keeper_pause(struct keeper *k)
{
	if (k->paused || k->leaving)
		return;
	k->paused = true;
	leave_all(k);
	changed(k);
}

void
keeper_resume(struct keeper *k)
{
	bool was = k->paused || k->stopped || breaker_open(&k->breaker) ||
	    k->status.failing_since != 0;

	k->paused = k->stopped = false;
	k->tries = 0;
	if (k->breaker.refused > 0) {
		breaker_clear(&k->breaker);
		keeper_remember(k);
	}
	if (was && k->begun && !k->leaving)
		lane_begin(k->main, 0);
	changed(k);
}

/* A token may just have expired: the next one is tried at once, but once. */
static bool
is_new_try(const struct keeper *k, uint32_t refused_before)
{
	if (has_token(k))
		return k->breaker.refused == 1;
	return refused_before > 0 && k->breaker.refused == 0;
}

void
keeper_secret(struct keeper *k, const struct secret *secret)
{
	uint32_t before = k->breaker.refused;

	k->params.who.secret = secret;
	params_secret(lane_fetch_params(k->main), secret);
	for (size_t i = 0; i < k->n_extras; i++)
		params_secret(lane_fetch_params(k->extras[i]->lane), secret);
	if (!k->begun)
		return;
	use_secret(k);
	if (is_new_try(k, before) && !k->paused && !k->leaving)
		lane_begin(k->main, 0);
	changed(k);
}

/* What failed for want of a network is tried at once. */
static bool
is_worth_a_try(const struct keeper *k)
{
	return k->status.failing_since != 0 && k->status.err.kind == ERR_NET &&
	    !k->paused && !k->leaving;
}

void
keeper_probe(struct keeper *k)
{
	lane_probe(k->main);
	for (size_t i = 0; i < k->n_extras; i++)
		lane_probe(k->extras[i]->lane);
	if (lane_state(k->main) == LANE_ASLEEP && is_worth_a_try(k))
		lane_begin(k->main, 0);
}

void
keeper_detach(struct keeper *k)
{
	if (k->recalling)
		client_recall_cancel(k->params.env->client, k);
	k->recalling = k->stale = false;
	k->detached = true;
	k->answered = k->again = false;
	free(k->answer);
	k->answer = NULL;
	lane_detach(k->main);
	if (lane_fetch(k->main) == NULL)
		k->watched = 0;
	for (size_t i = 0; i < k->n_extras; i++) {
		lane_detach(k->extras[i]->lane);
		if (lane_fetch(k->extras[i]->lane) == NULL)
			k->extras[i]->watched = 0;
	}
}

void
keeper_attach(struct keeper *k, uint32_t number)
{
	k->params.who.number = number;
	k->detached = false;
	lane_attach(k->main, number);
	for (size_t i = 0; i < k->n_extras; i++)
		lane_attach(k->extras[i]->lane, number);
	if (k->unsaved)
		keeper_remember(k);
	keeper_recall(k);
	changed(k);
}

void
keeper_leave(struct keeper *k)
{
	if (k->leaving)
		return;
	k->leaving = true;
	leave_all(k);
	keeper_left(k); /* one that is paused has left before */
	changed(k);
}

/* ---- life ---- */

struct keeper *
keeper_new(const struct keeper_params *params,
    const struct keeper_events *events, void *arg)
{
	struct keeper *k = mem_new(sizeof(*k));
	struct lane_params lane = { .env = params->env,
		.hosts = params->hosts };

	k->params = *params;
	k->events = events;
	k->arg = arg;
	k->params.who.stays = true;
	k->host = mem_printf("%s:%u", conf(k)->host, conf(k)->port);
	k->max_extras = conf(k)->max_connections - 1;
	k->soon = loop_timer_new(params->env->loop, on_soon, k);
	params_fill(&lane.fetch, &k->params.who);
	lane.host = k->host;
	k->main = lane_new(&lane, on_main, k);
	keeper_recall(k);
	return k;
}

void
keeper_free(struct keeper **p)
{
	struct keeper *k = *p;

	*p = NULL;
	if (k == NULL)
		return;
	if (k->recalling)
		client_recall_cancel(k->params.env->client, k);
	keeper_extras_free(k);
	lane_free(&k->main);
	loop_timer_free(&k->soon);
	free(k->answer);
	free(k->host);
	free(k);
}
