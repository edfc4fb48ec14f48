/* SPDX-License-Identifier: ISC */
#include "proc/refresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "conf/secret.h"
#include "io/https.h"
#include "proc/proxy_url.h"
#include "proc/reader.h"
#include "proc/tokens.h"
#include "proto/oauth.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

#define STEP_MS 200 /* between two looks whether the lock is free */
#define MARGIN_S 300
#define SLACK_S 300 /* that clocks may differ */
#define CHANCE_S 60 /* not all accounts at once */
#define LEAST_S 30  /* between two questions, however short tokens last */
#define LAST_S 10   /* too short for a login */
#define PROXY_MAX 4096
#define SETTLE_MS 5000 /* an end of ours is not kept up for longer */

struct refresh {
	LIST_ENTRY(refresh) next; /* of the orphans */
	struct loop *loop;        /* not ours */
	struct refresh_params params;
	char *name, *provider, *state_dir; /* for longer than params */
	struct loop_timer *timer;
	struct https *https;
	struct reader *reader; /* of a user's client-secret-file */
	struct secret *client_secret;
	struct tokens tokens;
	int lock;         /* -1: not ours */
	uint64_t give_up; /* by clock_ms() */
	refresh_fn fn;    /* NULL: it is an orphan */
	void *arg;
};

/* Nobody wants them any more, but the provider was asked: he may have taken
 * back the token that is on disk, and what he answers is the only one. */
static LIST_HEAD(, refresh) orphans = LIST_HEAD_INITIALIZER(orphans);
static struct loop *settling; /* its end waits for them; or NULL */

static const struct conf_oauth2 *
provider(const struct refresh *r)
{
	return r->params.account->secret.oauth2;
}

/* ---- the end ---- */

static void
destroy(struct refresh *r)
{
	https_free(&r->https);
	reader_free(&r->reader);
	loop_timer_free(&r->timer);
	tokens_deinit(&r->tokens);
	secret_free(&r->client_secret);
	if (r->lock >= 0)
		close(r->lock);
	free(r->name);
	free(r->provider);
	free(r->state_dir);
	free(r);
}

static void
bury(struct refresh *r)
{
	LIST_REMOVE(r, next);
	destroy(r);
	if (settling != NULL && LIST_EMPTY(&orphans))
		loop_stop(settling);
}

static void
answer(struct refresh *r, struct secret *access, uint64_t again_s,
    const struct err *e)
{
	refresh_fn fn = r->fn;
	void *arg = r->arg;
	struct err why = { 0 };

	if (e != NULL)
		why = *e;
	if (fn == NULL) {
		secret_free(&access);
		bury(r);
		return;
	}
	destroy(r);
	fn(arg, access, again_s, e == NULL ? NULL : &why);
}

/* ---- how long a token lasts ---- */

static int64_t
margin_of(const struct tokens *t)
{
	int64_t life = t->expires - t->obtained;

	if (t->obtained == 0 || life <= 0 || life / 2 > MARGIN_S)
		return MARGIN_S;
	return life / 2;
}

/* A clock that was set back makes tokens look good that are not; one that was
 * set forward costs a question. */
static bool
lasts(const struct tokens *t, int64_t now, int64_t margin)
{
	if (t->expires == 0)
		return true; /* it was not said */
	if (t->obtained != 0 && now + SLACK_S < t->obtained)
		return false;
	return t->expires - now > margin;
}

static uint64_t
again_s(const struct tokens *t, int64_t now)
{
	int64_t left = t->expires - now - margin_of(t);

	if (t->expires == 0)
		return 0;
	if (left > 4 * CHANCE_S)
		left -= (int64_t)clock_jitter(CHANCE_S);
	return left > LEAST_S ? (uint64_t)left : LEAST_S;
}

static bool
was_refused(const struct refresh *r)
{
	return r->params.refused != NULL &&
	    secret_same(r->tokens.access, r->params.refused);
}

static bool
may_use(const struct refresh *r, int64_t margin)
{
	return r->tokens.access != NULL && !was_refused(r) &&
	    lasts(&r->tokens, clock_wall_s(), margin);
}

static void
use(struct refresh *r, uint64_t again)
{
	answer(r, secret_new(secret_span(r->tokens.access)), again, NULL);
}

/* The one before is better than none. */
static void
fail(struct refresh *r, const struct err *e)
{
	if (!may_use(r, LAST_S)) {
		answer(r, NULL, 0, e);
		return;
	}
	log_info(
	    r->name, "uses its token for as long as it lasts: %s", e->text);
	use(r, LEAST_S);
}

/* ---- what is on disk ---- */

static bool
is_ours(const struct refresh *r)
{
	return strcmp(r->tokens.client, provider(r)->client_id) == 0 &&
	    strcmp(r->tokens.token_url, provider(r)->token_url) == 0;
}

static int
read_tokens(struct refresh *r, struct err *e)
{
	int n;

	tokens_deinit(&r->tokens);
	n = tokens_read(r->state_dir, r->name, &r->tokens, e);
	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(e, ERR_AUTH, 0,
		    "it is not logged in: run \"mailhaul login %s\"", r->name);
	if (!is_ours(r))
		return err_set(e, ERR_AUTH, 0,
		    "its login is from another client-id or token-url: run "
		    "\"mailhaul login %s\" again",
		    r->name);
	return 0;
}

/* What the refusals belong to: any other is a new try. */
static void
mark(struct refresh *r)
{
	struct buf salt;

	buf_init(&salt, SECRET_MAX + 4096);
	(void)buf_add(&salt, span_of(provider(r)->client_id));
	(void)buf_addc(&salt, '\0');
	if (r->client_secret != NULL)
		(void)buf_add(&salt, secret_span(r->client_secret));
	(void)breaker_secret(&r->tokens.breaker,
	    breaker_mark(r->tokens.refresh, buf_span(&salt)));
	buf_wipe(&salt);
}

/* -1: it is not time yet. */
static int
ask_breaker(const struct refresh *r, struct err *e)
{
	const struct tokens *t = &r->tokens;
	int64_t now = clock_wall_s();
	int64_t next = breaker_next(&t->breaker, now, 0);
	char when[32];

	if (r->params.anew || next <= now)
		return 0;
	text_span_of_time(when, sizeof(when), (uint64_t)(next - now));
	return err_set(e, ERR_AUTH, 0, "%s; not asked again for %s",
	    t->why == NULL ? "the provider has refused" : t->why, when);
}

/* ---- the answer of the provider ---- */

static bool
is_final(const struct err *e)
{
	return e->kind == ERR_AUTH || e->kind == ERR_CONFIG;
}

static void
note_refusal(struct refresh *r, const struct err *e)
{
	struct err why;

	breaker_refused(&r->tokens.breaker, clock_wall_s());
	free(r->tokens.why);
	r->tokens.why = mem_strdup(e->text);
	if (tokens_write(r->state_dir, r->name, &r->tokens, &why) != 0)
		log_warning(r->name, "%s", why.text);
}

static void
replace(struct secret **old, struct secret **new)
{
	if (*new == NULL)
		return;
	secret_free(old);
	*old = *new;
	*new = NULL;
}

/* Saved first: when we are killed now, the next one of us goes on with it. */
static int
take_tokens(struct refresh *r, struct oauth_tokens *got, struct err *e)
{
	struct tokens *t = &r->tokens;

	t->obtained = clock_wall_s();
	t->expires =
	    got->expires_s == 0 ? 0 : t->obtained + (int64_t)got->expires_s;
	replace(&t->access, &got->access);
	replace(&t->refresh, &got->refresh);
	breaker_clear(&t->breaker);
	free(t->why);
	t->why = NULL;
	oauth_tokens_deinit(got);
	return tokens_write(r->state_dir, r->name, t, e);
}

static void
on_https(void *arg, const struct https_answer *a, const struct err *e)
{
	struct refresh *r = arg;
	struct oauth_tokens got;
	struct err why;

	r->https = NULL;
	if (e != NULL) {
		why = *e;
		err_prefix(&why, "oauth2 %s", r->provider);
		fail(r, &why);
		return;
	}
	if (oauth_read_tokens(a->status, a->body, &got, &why) != OAUTH_OK) {
		oauth_hush(&why, r->tokens.refresh);
		oauth_hush(&why, r->client_secret);
		err_prefix(&why, "oauth2 %s", r->provider);
		if (is_final(&why))
			note_refusal(r, &why);
		fail(r, &why);
	} else if (take_tokens(r, &got, &why) != 0) {
		answer(r, NULL, 0, &why);
	} else {
		log_info(r->name, "has a new token");
		use(r, again_s(&r->tokens, clock_wall_s()));
	}
}

/* ---- the question ---- */

static void
post(struct refresh *r)
{
	const struct conf_oauth2 *o = provider(r);
	const struct oauth_client client = { .id = o->client_id,
		.secret = r->client_secret,
		.scopes = o->scopes };
	struct https_params params = { .url = o->token_url,
		.ca_file = o->ca_file,
		.timeout_ms = REFRESH_HTTPS_MS,
		.user = r->params.user };
	struct buf form, proxy;

	buf_init(&form, OAUTH_FORM_MAX);
	buf_init(&proxy, PROXY_MAX);
	oauth_put_refresh(&form, &client, r->tokens.refresh);
	if (proxy_url_put(&proxy, &r->params.account->proxy))
		params.proxy = buf_span(&proxy).p;
	params.form = buf_span(&form);
	r->https = https_start(r->loop, &params, on_https, r);
	buf_wipe(&form);
	buf_wipe(&proxy);
}

static void
ask(struct refresh *r)
{
	struct err e;

	mark(r);
	/* what cannot be saved is not asked for: it may come once only */
	if (ask_breaker(r, &e) != 0 ||
	    tokens_write(r->state_dir, r->name, &r->tokens, &e) != 0)
		fail(r, &e);
	else
		post(r);
}

static void
on_reader(void *arg, struct span said, const struct err *e)
{
	struct refresh *r = arg;
	struct err why;

	r->reader = NULL;
	if (e == NULL)
		r->client_secret = reader_secret_of(said, &why);
	else
		why = *e;
	if (r->client_secret != NULL) {
		ask(r);
		return;
	}
	err_prefix(&why, "client-secret-file");
	fail(r, &why);
}

/* As with password-file: root opens no file that a user has named. */
static void
find_client_secret(struct refresh *r)
{
	const struct conf_oauth2 *o = provider(r);
	const struct conf_account a = { .secret.file = o->client_secret_file };
	struct err e;

	if (o->client_secret != NULL)
		r->client_secret = secret_new(secret_span(o->client_secret));
	if (o->client_secret_file != NULL && r->params.owner != NULL) {
		r->reader = reader_ask(r->loop, r->params.owner, READER_SECRET,
		    o->client_secret_file, on_reader, r);
		return;
	}
	if (o->client_secret_file != NULL &&
	    conf_secret_read(&a, &r->client_secret, &e) != 0) {
		err_prefix(&e, "client-secret-file");
		fail(r, &e);
		return;
	}
	ask(r);
}

/* ---- the way there ---- */

/* Another process has it: a moment, and what it got is there. */
static void
wait_for_lock(struct refresh *r, const struct err *e)
{
	struct err why = *e;

	if (clock_ms() < r->give_up) {
		loop_timer_arm(r->timer, STEP_MS);
		return;
	}
	why.kind = ERR_TEMP;
	fail(r, &why);
}

/* With the lock it is looked again: another may just have got one. */
static void
go_on_locked(struct refresh *r)
{
	struct err e;

	if (read_tokens(r, &e) != 0) {
		answer(r, NULL, 0, &e);
	} else if (may_use(r, margin_of(&r->tokens))) {
		use(r, again_s(&r->tokens, clock_wall_s()));
	} else if (r->tokens.refresh == NULL) {
		err_set(&e, ERR_AUTH, 0,
		    "its token has expired and the provider gave none to "
		    "refresh it: run \"mailhaul login %s\" again",
		    r->name);
		fail(r, &e);
	} else {
		find_client_secret(r);
	}
}

static void
on_timer(void *arg)
{
	struct refresh *r = arg;
	struct err e;

	if (read_tokens(r, &e) != 0) {
		answer(r, NULL, 0, &e);
		return;
	}
	if (may_use(r, margin_of(&r->tokens))) {
		use(r, again_s(&r->tokens, clock_wall_s()));
		return;
	}
	r->lock = tokens_lock(r->state_dir, r->name, &e);
	if (r->lock >= 0)
		go_on_locked(r);
	else if (e.sys == EAGAIN)
		wait_for_lock(r, &e);
	else
		fail(r, &e);
}

struct refresh *
refresh_get(struct loop *loop, const struct refresh_params *params,
    refresh_fn fn, void *arg)
{
	struct refresh *r = mem_new(sizeof(*r));

	r->loop = loop;
	r->params = *params;
	r->name = mem_strdup(params->account->name);
	r->provider = mem_strdup(provider(r)->name);
	r->state_dir = mem_strdup(params->state_dir);
	r->fn = fn;
	r->arg = arg;
	r->lock = -1;
	r->give_up = clock_ms() + REFRESH_LOCK_MS;
	r->timer = loop_timer_new(loop, on_timer, r);
	loop_timer_arm(r->timer, 0);
	return r;
}

void
refresh_cancel(struct refresh **p)
{
	struct refresh *r = *p;

	*p = NULL;
	if (r == NULL)
		return;
	if (r->https == NULL) {
		destroy(r);
		return;
	}
	r->fn = NULL;
	r->params = (struct refresh_params){ 0 }; /* it may be gone soon */
	LIST_INSERT_HEAD(&orphans, r, next);
}

static void
on_late(void *arg)
{
	loop_stop(arg);
}

void
refresh_settle(struct loop *loop)
{
	struct loop_timer *late;

	if (LIST_EMPTY(&orphans))
		return;
	late = loop_timer_new(loop, on_late, loop);
	loop_timer_arm(late, SETTLE_MS);
	settling = loop;
	loop_run(loop);
	settling = NULL;
	loop_timer_free(&late);
	while (!LIST_EMPTY(&orphans))
		bury(LIST_FIRST(&orphans));
}
