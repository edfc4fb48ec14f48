/* SPDX-License-Identifier: ISC */
#include "proc/rolls.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_report.h"
#include "conf/conf_same.h"
#include "proc/secrets.h"
#include "proc/turns.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define RETRY_S 30 /* a secret that cannot be had; doubled each time */
#define RETRY_MAX_S 600
#define RETRY_THROTTLED_S 300 /* when a provider wants to be asked less */
#define RENEW_MAX_S 86400

enum life {
	QUEUED,   /* its secret is to be asked for */
	ASKING,   /* and is */
	HELPLESS, /* it could not be had; asked for again later */
	BROKEN,   /* the team cannot take it */
	GIVEN,    /* with the team */
	LEAVING   /* dropped; the team still has it */
};

struct entry {
	struct rolls_entry shown; /* first */
	struct rolls *rolls;
	enum life life;
	char *name;
	uint32_t after; /* the number that must leave first; 0: none */
	struct secret *secret;
	struct secrets_wait *waiting;
	struct loop_timer *retry;
	unsigned int tries;  /* for its secret, in vain */
	struct turn *turn;   /* waiting is for a process */
	bool want;           /* the team has one, and it is to be asked for */
	bool reopen;         /* close the breaker once its secret is there */
	bool refused;        /* its secret was; the status may not say so yet */
	bool other;          /* it must be another than that one */
	bool anew;           /* the user says so */
	uint64_t again_s;    /* a token is to be replaced then */
	struct err no_token; /* why that failed; for the status */
	bool polling;        /* a result is owed */
	bool again;          /* and then another */
};

struct rolls {
	struct loop *loop; /* not ours */
	struct team *team; /* not ours */
	char *state_dir, *user;
	const struct rolls_events *events;
	void *arg;
	struct entry **all; /* by number */
	size_t n, cap;
	struct entry **order; /* as configured; those that leave are not here */
	size_t n_order;
	struct loop_timer *ask; /* for the secrets of the queued */
	struct turns *turns;    /* of what runs a process for them */
	uint32_t last;          /* number given */
	bool stopping;
};

/* ---- finding ---- */

/* Where number is or would be. */
static size_t
place_of(const struct rolls *r, uint32_t number)
{
	size_t low = 0;
	size_t high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->all[mid]->shown.number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct entry *
by_number(const struct rolls *r, uint32_t number)
{
	size_t i = place_of(r, number);

	return i < r->n && r->all[i]->shown.number == number ? r->all[i] : NULL;
}

/* Its place in the order, or n_order. Mostly the order is that of last time:
 * hint says where to look first. */
static size_t
by_name(const struct rolls *r, const char *name, size_t hint)
{
	for (size_t i = 0; i < r->n_order; i++) {
		size_t at = (hint + i) % r->n_order;

		if (r->order[at] != NULL &&
		    strcmp(r->order[at]->name, name) == 0)
			return at;
	}
	return r->n_order;
}

/* ---- telling ---- */

static void
tell_changed(struct entry *e)
{
	e->rolls->events->changed(e->rolls->arg, &e->shown);
}

/* Whoever is owed one. */
static void
tell_failure(struct entry *e, const struct err *why)
{
	struct fetch_result result = { .err = *why,
		.progress.doing = "failed" };
	struct rolls *r = e->rolls;
	unsigned int n = e->again ? 2 : e->polling ? 1 : 0;

	e->polling = e->again = false;
	while (n-- > 0)
		r->events->result(r->arg, &e->shown, &result);
}

/* ---- life ---- */

static void
stop_asking(struct entry *e)
{
	e->want = false;
	secrets_cancel(&e->waiting);
	turns_give_back(e->rolls->turns, &e->turn);
	loop_timer_stop(e->retry);
}

static void
free_entry(struct entry **p)
{
	struct entry *e = *p;

	*p = NULL;
	stop_asking(e);
	loop_timer_free(&e->retry);
	secret_free(&e->secret);
	free(e->name);
	free(e);
}

static void
take_out(struct rolls *r, struct entry *e)
{
	size_t i = place_of(r, e->shown.number);

	r->n--;
	memmove(&r->all[i], &r->all[i + 1], (r->n - i) * sizeof(*r->all));
	free_entry(&e);
}

/* What is not with the team has no status but ours. */
static void
refresh(struct entry *e)
{
	if (e->life == QUEUED || e->life == ASKING || e->life == HELPLESS)
		e->shown.status.state =
		    e->shown.paused ? STATUS_PAUSED : STATUS_WAITING;
}

static void
queue(struct entry *e)
{
	e->life = QUEUED;
	refresh(e);
	loop_timer_arm(e->rolls->ask, 0);
}

static void
note_failure(struct entry *e, const struct err *why)
{
	struct status *s = &e->shown.status;

	s->err = *why;
	s->failures[why->kind]++;
	if (s->failing_since == 0)
		s->failing_since = clock_wall_s();
}

static void
give(struct entry *e)
{
	struct rolls *r = e->rolls;
	struct err why;

	if (team_account(r->team, e->shown.number, e->shown.account, e->secret,
		true, &why) != 0) {
		e->life = BROKEN;
		e->shown.status.state = STATUS_STOPPED;
		note_failure(e, &why);
		log_error(e->name, "%s", why.text);
		tell_failure(e, &why);
		return;
	}
	e->life = GIVEN;
	if (e->shown.paused)
		team_pause(r->team, e->shown.number, true);
	else if (e->reopen)
		team_pause(r->team, e->shown.number, false);
	e->reopen = false;
	if (e->polling)
		team_poll(r->team, e->shown.number);
}

/* ---- secrets ---- */

static bool
was_refused(const struct entry *e)
{
	return e->refused || e->shown.status.refused > 0;
}

static void
on_retry(void *arg)
{
	struct entry *e = arg;

	if (e->life == LEAVING) {
		rolls_on_gone(e->rolls, e->shown.number);
	} else if (e->life == GIVEN) {
		e->want = true;
		loop_timer_arm(e->rolls->ask, 0);
	} else {
		queue(e);
	}
}

static uint64_t
retry_s(const struct entry *e, const struct err *why)
{
	uint64_t wait = RETRY_MAX_S;

	if (e->tries < 5)
		wait = (uint64_t)RETRY_S << e->tries;
	if (why->kind == ERR_THROTTLE && wait < RETRY_THROTTLED_S)
		wait = RETRY_THROTTLED_S;
	return wait < RETRY_MAX_S ? wait : RETRY_MAX_S;
}

/* A token does not last. */
static void
renew_later(struct entry *e)
{
	uint64_t s = e->again_s < RENEW_MAX_S ? e->again_s : RENEW_MAX_S;

	if (s > 0)
		loop_timer_arm(e->retry, s * 1000);
}

/* One line when it begins and one when it ends. */
static void
fail_secret(struct entry *e, const struct err *why)
{
	uint64_t wait = retry_s(e, why);

	if (e->tries++ == 0)
		log_warning(e->name, "waits for its secret: %s", why->text);
	e->life = HELPLESS;
	e->shown.no_secret = true;
	e->shown.status.next = clock_wall_s() + (int64_t)wait;
	note_failure(e, why);
	refresh(e);
	loop_timer_arm(e->retry, wait * 1000);
	tell_failure(e, why);
}

static void
first_secret(struct entry *e, struct secret *secret, const struct err *why)
{
	if (secret == NULL) {
		fail_secret(e, why);
		return;
	}
	e->secret = secret;
	if (e->tries > 0) {
		log_notice(e->name, "its secret is there");
		/* what the breaker knows is of another login */
		e->reopen = secrets_are_tokens(e->shown.account);
	}
	e->tries = 0;
	e->shown.no_secret = false;
	e->shown.status = (struct status){ .state = STATUS_WAITING };
	renew_later(e);
	give(e);
}

/* The one before may last, or be refused soon. Who was asked in vain while the
 * server refused what had expired begins anew when he answers. */
static void
fail_token(struct entry *e, const struct err *why)
{
	e->no_token = *why;
	loop_timer_arm(e->retry, retry_s(e, why) * 1000);
}

static void
take_token(struct entry *e, bool other)
{
	bool late = e->no_token.kind != ERR_NONE && was_refused(e);

	if (late && other && !e->shown.paused)
		e->reopen = true;
	err_clear(&e->no_token);
	renew_later(e);
}

/* The team has one already: is this another? */
static void
next_secret(struct entry *e, struct secret *secret, const struct err *why)
{
	struct team *team = e->rolls->team;
	bool token = secrets_are_tokens(e->shown.account);

	if (token && secret == NULL)
		fail_token(e, why);
	else if (token)
		take_token(e, !secret_same(secret, e->secret));
	if (secret == NULL) {
		if (e->tries++ == 0)
			log_warning(e->name,
			    "cannot ask for its secret again: %s", why->text);
	} else if (secret_same(secret, e->secret)) {
		secret_free(&secret);
	} else {
		secret_free(&e->secret);
		e->secret = secret;
		if (!token || e->tries > 0 || was_refused(e))
			log_notice(e->name, "has another secret");
		e->tries = 0;
		e->refused = false;
		team_secret(team, e->shown.number, e->secret);
	}
	if (e->reopen)
		team_pause(team, e->shown.number, e->shown.paused);
	e->reopen = false;
}

static void
on_secret(void *arg, struct secret *secret, const struct err *why)
{
	struct entry *e = arg;

	e->waiting = NULL;
	turns_give_back(e->rolls->turns, &e->turn);
	if (e->life == ASKING)
		first_secret(e, secret, why);
	else
		next_secret(e, secret, why);
	loop_timer_arm(e->rolls->ask, 0); /* there is room for another */
	tell_changed(e);
}

static bool
is_asked_for(const struct entry *e)
{
	if (e->life == QUEUED)
		return e->after == 0 && !e->shown.paused;
	return e->life == GIVEN && e->want;
}

/* Or waits until another has had its turn. */
static void
ask(struct entry *e)
{
	const struct conf_account *a = e->shown.account;
	struct rolls *r = e->rolls;
	const struct secrets_params params = { .account = a,
		.state_dir = r->state_dir,
		.user = r->user,
		.refused = e->other || e->refused ? e->secret : NULL,
		.anew = e->anew,
		.again_s = &e->again_s };

	if (secrets_need_process(a)) {
		e->turn = secrets_turn(r->turns, a);
		if (e->turn == NULL)
			return;
	}
	if (e->life == QUEUED)
		e->life = ASKING;
	e->want = e->other = e->anew = false;
	e->waiting = secrets_get(r->loop, &params, on_secret, e);
}

static void
on_ask(void *arg)
{
	struct rolls *r = arg;

	if (r->stopping) {
		if (r->n == 0)
			r->events->empty(r->arg);
		return;
	}
	for (size_t i = 0; i < r->n_order; i++)
		if (is_asked_for(r->order[i]))
			ask(r->order[i]);
}

/* ---- the accounts of a configuration ---- */

/* Its own account is still with the team under another number. */
static uint32_t
still_leaving(const struct rolls *r, const char *name)
{
	for (size_t i = r->n; i > 0; i--) /* the newest one is the last */
		if (r->all[i - 1]->life == LEAVING &&
		    strcmp(r->all[i - 1]->name, name) == 0)
			return r->all[i - 1]->shown.number;
	return 0;
}

static struct entry *
add(struct rolls *r, const struct conf_account *account)
{
	struct entry *e = mem_new(sizeof(*e));

	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : 2 * r->cap;
		r->all = mem_grow(r->all, r->cap, sizeof(struct entry *));
	}
	e->rolls = r;
	e->after = still_leaving(r, account->name);
	e->name = mem_strdup(account->name);
	e->shown.number = ++r->last;
	e->shown.name = e->name;
	e->shown.account = account;
	e->retry = loop_timer_new(r->loop, on_retry, e);
	r->all[r->n++] = e;
	return e;
}

/* What the team does not have leaves at once, but for what is owed a result:
 * that has to come from the loop. */
static void
leave(struct entry *e)
{
	struct rolls *r = e->rolls;
	bool given = e->life == GIVEN;

	stop_asking(e);
	e->life = LEAVING;
	e->shown.account = NULL;
	e->shown.status.state = STATUS_LEAVING;
	if (given)
		team_drop(r->team, e->shown.number);
	else if (e->polling)
		loop_timer_arm(e->retry, 0);
	else
		take_out(r, e);
}

/* Asks for its secret although the team has one. */
static void
ask_again(struct entry *e, bool reopen)
{
	e->reopen = reopen || e->reopen;
	e->other = was_refused(e);
	stop_asking(e);
	e->want = true;
	loop_timer_arm(e->rolls->ask, 0);
}

/* It did not change, but where its strings lie did. */
static void
keep(struct entry *e, const struct conf_account *account)
{
	bool asking = e->waiting != NULL || e->want;

	if (account == e->shown.account)
		return;
	e->shown.account = account;
	if (e->life == GIVEN && !e->shown.paused && was_refused(e)) {
		ask_again(e, true);
	} else if (e->life == GIVEN && asking) {
		ask_again(e, e->reopen);
	} else if (asking || e->life == HELPLESS) {
		stop_asking(e);
		queue(e);
	}
}

/* The engine has what they said. */
static bool
has_its_files(const struct entry *e, const struct conf_account *account)
{
	struct err why;
	bool same;

	if (e->life != GIVEN)
		return true;
	if (team_trusts(
		e->rolls->team, e->shown.number, account, &same, &why) != 0)
		log_warning(e->name, "%s: what it was stays", why.text);
	return same;
}

/* What has stopped for a fault of the configuration begins anew: the fault
 * may lie in a file that it names. */
static bool
may_stay(const struct entry *e, const struct conf_account *account)
{
	if (account == e->shown.account)
		return true; /* it was not read anew */
	return e->life != BROKEN && e->shown.status.state != STATUS_STOPPED &&
	    conf_account_same(e->shown.account, account) &&
	    has_its_files(e, account);
}

/* The entry of account, in place of the old one (NULL: there is none). */
static struct entry *
renew(struct rolls *r, struct entry *old, const struct conf_account *account,
    struct rolls_change *change)
{
	bool paused = old != NULL && old->shown.paused;
	struct entry *e;

	if (old != NULL && may_stay(old, account)) {
		keep(old, account);
		return old;
	}
	if (old != NULL) {
		change->changed++;
		leave(old);
	} else {
		change->added++;
	}
	e = add(r, account);
	e->shown.paused = paused;
	queue(e);
	return e;
}

void
rolls_set(struct rolls *r, const struct conf_account *const *accounts, size_t n,
    struct rolls_change *out)
{
	struct entry **order = mem_array(n + 1, sizeof(struct entry *));

	*out = (struct rolls_change){ 0 };
	team_reread(r->team);
	for (size_t i = 0; i < n; i++)
		team_expect(r->team, accounts[i]);
	for (size_t i = 0; i < n; i++) {
		size_t at = by_name(r, accounts[i]->name, i);
		struct entry *old = at < r->n_order ? r->order[at] : NULL;

		if (old != NULL)
			r->order[at] = NULL;
		order[i] = renew(r, old, accounts[i], out);
	}
	for (size_t i = 0; i < r->n_order; i++)
		if (r->order[i] != NULL) {
			out->removed++;
			leave(r->order[i]);
		}
	free(r->order);
	r->order = order;
	r->n_order = n;
}

/* ---- questions ---- */

size_t
rolls_count(const struct rolls *r)
{
	return r->n_order;
}

const struct rolls_entry *
rolls_at(const struct rolls *r, size_t i)
{
	return &r->order[i]->shown;
}

const struct rolls_entry *
rolls_find(const struct rolls *r, const char *name)
{
	size_t at = by_name(r, name, 0);

	return at < r->n_order ? &r->order[at]->shown : NULL;
}

const char *
rolls_nearest(const struct rolls *r, const char *name)
{
	const char **names = mem_array(r->n_order + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < r->n_order; i++)
		names[i] = r->order[i]->name;
	nearest = conf_nearest_word(name, names);
	free(names);
	return nearest;
}

bool
rolls_settled(const struct rolls *r)
{
	for (size_t i = 0; i < r->n_order; i++) {
		const struct entry *e = r->order[i];

		if (e->life == ASKING ||
		    (e->life == QUEUED && !e->shown.paused))
			return false;
	}
	return true;
}

/* ---- orders ---- */

int
rolls_poll(struct rolls *r, uint32_t number, struct err *why)
{
	struct entry *e = by_number(r, number);

	if (e == NULL || e->life == LEAVING)
		return err_set(why, ERR_TEMP, 0, "it is being taken out");
	if (e->shown.paused)
		return err_set(why, ERR_TEMP, 0,
		    "is paused; \"mailhaul resume %s\" lets it go on", e->name);
	if (e->life == BROKEN || e->life == HELPLESS) {
		*why = e->shown.status.err;
		return -1;
	}
	if (e->life == GIVEN && e->polling) {
		e->again = true; /* that look may have begun already */
		return 1;
	}
	if (e->life == GIVEN)
		team_poll(r->team, number);
	e->polling = true;
	return 0;
}

void
rolls_pause(struct rolls *r, uint32_t number)
{
	struct entry *e = by_number(r, number);

	if (e == NULL || e->life == LEAVING || e->shown.paused)
		return;
	e->shown.paused = true;
	refresh(e);
	if (e->life == GIVEN)
		team_pause(r->team, number, true);
}

void
rolls_resume(struct rolls *r, uint32_t number)
{
	struct entry *e = by_number(r, number);

	if (e == NULL || e->life == LEAVING)
		return;
	e->shown.paused = false;
	refresh(e);
	if (e->life == HELPLESS) {
		e->anew = true;
		loop_timer_stop(e->retry);
		queue(e);
	} else if (e->life == QUEUED) {
		loop_timer_arm(r->ask, 0);
	} else if (e->life == GIVEN && was_refused(e)) {
		e->anew = true;
		ask_again(
		    e, true); /* the one that was refused would be again */
	} else if (e->life == GIVEN) {
		team_pause(r->team, number, false);
	}
}

void
rolls_stop(struct rolls *r)
{
	r->stopping = true;
	for (size_t i = 0; i < r->n_order; i++)
		leave(r->order[i]);
	r->n_order = 0;
	loop_timer_arm(r->ask, 0); /* there may be none that leaves */
}

/* ---- what the team tells ---- */

void
rolls_on_progress(
    struct rolls *r, uint32_t number, const struct fetch_progress *progress)
{
	struct entry *e = by_number(r, number);

	if (e != NULL)
		r->events->progress(r->arg, &e->shown, progress);
}

void
rolls_on_result(
    struct rolls *r, uint32_t number, const struct fetch_result *result)
{
	struct entry *e = by_number(r, number);

	if (e == NULL || !e->polling)
		return;
	e->polling = e->again;
	e->again = false;
	if (e->polling && e->life == GIVEN)
		team_poll(r->team, number);
	r->events->result(r->arg, &e->shown, result);
}

void
rolls_on_status(struct rolls *r, uint32_t number, const struct status *status)
{
	struct entry *e = by_number(r, number);
	int64_t last;

	if (e == NULL)
		return;
	last = e->shown.status.last_success;
	e->shown.status = *status;
	if (status->refused == 0) /* it was let in, or has begun anew */
		e->refused = false;
	/* why there is no other token is what helps */
	if (status->err.kind == ERR_AUTH && e->no_token.kind != ERR_NONE)
		e->shown.status.err = e->no_token;
	if (status->last_success == 0) /* of an engine before this one */
		e->shown.status.last_success = last;
	tell_changed(e);
}

void
rolls_on_want(struct rolls *r, uint32_t number)
{
	struct entry *e = by_number(r, number);

	if (e == NULL || e->life != GIVEN)
		return;
	e->refused = true;
	if (e->waiting == NULL && !e->want)
		ask_again(e, false);
}

/* Who waited for it to leave may begin. */
static void
let_begin(struct rolls *r, uint32_t number)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->all[i]->after == number) {
			r->all[i]->after = 0;
			loop_timer_arm(r->ask, 0);
		}
}

/* The engine cannot use it, and has said why. A reload tries it again. */
static void
be_given_back(struct entry *e)
{
	struct status *s = &e->shown.status;
	struct err why;

	if (s->err.kind == ERR_NONE) {
		err_set(&why, ERR_CONFIG, 0, "the engine cannot use it");
		note_failure(e, &why);
	}
	why = s->err;
	stop_asking(e);
	e->life = BROKEN;
	s->state = STATUS_STOPPED;
	log_error(e->name, "%s", why.text);
	tell_failure(e, &why);
	tell_changed(e);
}

void
rolls_on_gone(struct rolls *r, uint32_t number)
{
	struct entry *e = by_number(r, number);
	struct err why;

	if (e != NULL && e->life == GIVEN)
		be_given_back(e);
	if (e == NULL || e->life != LEAVING)
		return;
	err_set(&why, ERR_CANCEL, 0, "it was taken out");
	tell_failure(e, &why);
	take_out(r, e);
	let_begin(r, number);
	if (r->stopping && r->n == 0)
		r->events->empty(r->arg);
}

void
rolls_on_lost(struct rolls *r, uint32_t number)
{
	struct entry *e = by_number(r, number);
	struct err why;

	if (e != NULL && e->life == LEAVING) {
		rolls_on_gone(r, number);
		return;
	}
	if (e == NULL || e->life != GIVEN)
		return;
	err_set(&why, ERR_TEMP, 0, "its process ended; it is started again");
	tell_failure(e, &why);
	e->shown.status.state =
	    e->shown.paused ? STATUS_PAUSED : STATUS_WAITING;
	e->shown.status.sessions = 0;
	give(e);
	tell_changed(e);
}

/* ---- life of all ---- */

struct rolls *
rolls_new(struct loop *loop, struct team *team,
    const struct rolls_params *params, const struct rolls_events *events,
    void *arg)
{
	struct rolls *r = mem_new(sizeof(*r));

	r->loop = loop;
	r->team = team;
	r->state_dir = mem_strdup(params->state_dir);
	r->user = mem_strdup(params->user);
	r->events = events;
	r->arg = arg;
	r->ask = loop_timer_new(loop, on_ask, r);
	r->turns = turns_new();
	return r;
}

void
rolls_free(struct rolls **p)
{
	struct rolls *r = *p;

	*p = NULL;
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		free_entry(&r->all[i]);
	turns_free(&r->turns);
	loop_timer_free(&r->ask);
	free(r->all);
	free(r->order);
	free(r->state_dir);
	free(r->user);
	free(r);
}
