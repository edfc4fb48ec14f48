/* SPDX-License-Identifier: ISC */
#include "proc/requests.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/mem.h"

#define PATIENCE_MS 30000

struct wait { /* for a result */
	TAILQ_ENTRY(wait) next;
	struct control_peer *peer;
	uint32_t number; /* of the account; 0: for a reload */
	bool later;      /* the next result is of a look before it asked */
};

struct requests {
	struct control *control;
	struct rolls *rolls; /* not ours */
	const struct requests_hooks *hooks;
	void *arg;
	TAILQ_HEAD(, wait) waits;
};

/* ---- who waits for what ---- */

static struct wait *
wait_for(struct requests *r, struct control_peer *peer, uint32_t number)
{
	struct wait *w = mem_new(sizeof(*w));

	w->peer = peer;
	w->number = number;
	TAILQ_INSERT_TAIL(&r->waits, w, next);
	return w;
}

static void
free_wait(struct requests *r, struct wait *w)
{
	TAILQ_REMOVE(&r->waits, w, next);
	free(w);
}

static bool
is_waiting(const struct requests *r, const struct control_peer *peer)
{
	const struct wait *w;

	TAILQ_FOREACH (w, &r->waits, next)
		if (w->peer == peer)
			return true;
	return false;
}

static struct wait *
next_of(struct wait *w, uint32_t number)
{
	while (w != NULL && w->number != number)
		w = TAILQ_NEXT(w, next);
	return w;
}

static void
on_gone(void *arg, struct control_peer *peer)
{
	struct requests *r = arg;
	struct wait *next;

	for (struct wait *w = TAILQ_FIRST(&r->waits); w != NULL; w = next) {
		next = TAILQ_NEXT(w, next);
		if (w->peer == peer)
			free_wait(r, w);
	}
}

/* ---- one account ---- */

static void
tell_account(struct control_peer *peer, const struct rolls_entry *entry)
{
	struct control_account a = { .paused = entry->paused,
		.no_secret = entry->no_secret,
		.status = entry->status };

	a.name = mem_strdup(entry->name);
	control_tell_account(peer, &a);
	free(a.name);
}

static void
fetch_one(struct requests *r, struct control_peer *peer,
    const struct rolls_entry *entry)
{
	struct fetch_result failed = { .progress.doing = "failed" };
	int skip = rolls_poll(r->rolls, entry->number, &failed.err);

	if (skip < 0)
		control_tell_result(peer, entry->name, &failed);
	else
		wait_for(r, peer, entry->number)->later = skip > 0;
}

static int
poll_one(struct requests *r, struct control_peer *peer,
    const struct rolls_entry *entry)
{
	struct err e;

	if (rolls_poll(r->rolls, entry->number, &e) >= 0)
		return EX_OK;
	control_say(peer, true, "%s: %s", entry->name, e.text);
	return EX_TEMPFAIL;
}

static int
do_one(struct requests *r, struct control_peer *peer, enum control_type verb,
    const struct rolls_entry *entry)
{
	switch (verb) {
	case CONTROL_STATUS:
		tell_account(peer, entry);
		break;
	case CONTROL_FETCH:
		fetch_one(r, peer, entry);
		break;
	case CONTROL_POLL:
		return poll_one(r, peer, entry);
	case CONTROL_PAUSE:
		rolls_pause(r->rolls, entry->number);
		break;
	case CONTROL_RESUME:
		rolls_resume(r->rolls, entry->number);
		break;
	default:
		break;
	}
	return EX_OK;
}

/* ---- requests ---- */

/* How many are meant; each is one of the rolls's, and none twice. */
struct chosen {
	const struct rolls_entry **v;
	size_t n;
};

static void
choose_one(struct chosen *c, const struct rolls_entry *entry)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i] == entry)
			return;
	c->v[c->n++] = entry;
}

/* -1 when a name is not known; the peer was told. */
static int
choose(struct requests *r, struct control_peer *peer,
    const struct control_request *request, struct chosen *c)
{
	size_t all = request->n == 0 ? rolls_count(r->rolls) : 0;

	c->n = 0;
	c->v = mem_array(all + request->n + 1, sizeof(*c->v));
	for (size_t i = 0; i < all; i++)
		c->v[c->n++] = rolls_at(r->rolls, i);
	for (size_t i = 0; i < request->n; i++) {
		const char *name = request->names[i];
		const char *near = rolls_nearest(r->rolls, name);
		const struct rolls_entry *entry = rolls_find(r->rolls, name);

		if (entry == NULL) {
			control_say(peer, true,
			    "the daemon has no account \"%s\"%s%s%s", name,
			    near == NULL ? "" : "; did you mean \"",
			    near == NULL ? "" : near,
			    near == NULL ? "" : "\"?");
			return -1;
		}
		choose_one(c, entry);
	}
	return 0;
}

static void
tell_daemon(struct requests *r, struct control_peer *peer)
{
	struct control_daemon d = { .pid = getpid(),
		.version = (char[]){ MAILHAUL_VERSION } };

	r->hooks->describe(r->arg, &d);
	control_tell_daemon(peer, &d);
}

/* Who fetches is told first how many there are. */
static int
do_all(struct requests *r, struct control_peer *peer, enum control_type verb,
    const struct chosen *c)
{
	int status = EX_OK;

	if (verb == CONTROL_STATUS)
		tell_daemon(r, peer);
	for (size_t i = 0; verb == CONTROL_FETCH && i < c->n; i++)
		tell_account(peer, c->v[i]);
	for (size_t i = 0; i < c->n; i++)
		if (do_one(r, peer, verb, c->v[i]) != EX_OK)
			status = EX_TEMPFAIL;
	return status;
}

static void
on_request(
    void *arg, struct control_peer *peer, const struct control_request *request)
{
	struct requests *r = arg;
	struct chosen c;
	int status;

	if (request->verb == CONTROL_RELOAD) {
		(void)wait_for(r, peer, 0);
		r->hooks->reload(r->arg);
		return;
	}
	status = choose(r, peer, request, &c) != 0
	    ? EX_USAGE
	    : do_all(r, peer, request->verb, &c);
	free(c.v);
	if (!is_waiting(r, peer))
		control_end(peer, status);
}

/* ---- results ---- */

void
requests_progress(struct requests *r, const struct rolls_entry *entry,
    const struct fetch_progress *progress)
{
	struct wait *w = TAILQ_FIRST(&r->waits);

	while ((w = next_of(w, entry->number)) != NULL) {
		if (!w->later)
			control_tell_progress(w->peer, entry->name, progress);
		w = TAILQ_NEXT(w, next);
	}
}

static void
end_wait(struct requests *r, struct wait *w, const char *name,
    const struct fetch_result *result)
{
	struct control_peer *peer = w->peer;

	control_tell_result(peer, name, result);
	free_wait(r, w);
	if (!is_waiting(r, peer))
		control_end(peer, EX_OK);
}

void
requests_result(struct requests *r, const struct rolls_entry *entry,
    const struct fetch_result *result)
{
	struct wait *w = TAILQ_FIRST(&r->waits);
	struct wait *next;

	while ((w = next_of(w, entry->number)) != NULL) {
		next = TAILQ_NEXT(w, next);
		if (w->later)
			w->later = false;
		else
			end_wait(r, w, entry->name, result);
		w = next;
	}
}

void
requests_reload_says(struct requests *r, bool bad, const char *line)
{
	struct wait *w = TAILQ_FIRST(&r->waits);

	while ((w = next_of(w, 0)) != NULL) {
		control_say(w->peer, bad, "%s", line);
		w = TAILQ_NEXT(w, next);
	}
}

void
requests_reloaded(struct requests *r, int status)
{
	struct wait *w = TAILQ_FIRST(&r->waits);
	struct wait *next;

	while ((w = next_of(w, 0)) != NULL) {
		next = TAILQ_NEXT(w, next);
		control_end(w->peer, status);
		free_wait(r, w);
		w = next;
	}
}

/* ---- life ---- */

static const struct control_events control_events = { on_request, on_gone };

struct requests *
requests_new(struct loop *loop, struct rolls *rolls,
    const struct requests_hooks *hooks, void *arg)
{
	struct requests *r = mem_new(sizeof(*r));

	r->control = control_new(loop, PATIENCE_MS, &control_events, r);
	r->rolls = rolls;
	r->hooks = hooks;
	r->arg = arg;
	TAILQ_INIT(&r->waits);
	return r;
}

void
requests_free(struct requests **p)
{
	struct requests *r = *p;

	*p = NULL;
	if (r == NULL)
		return;
	control_free(&r->control);
	while (!TAILQ_EMPTY(&r->waits))
		free_wait(r, TAILQ_FIRST(&r->waits));
	free(r);
}

void
requests_add(struct requests *r, int fd, bool allowed)
{
	control_add(r->control, fd, allowed);
}
