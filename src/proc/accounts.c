/* SPDX-License-Identifier: ISC */
#include "proc/accounts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "conf/conf_account.h"
#include "proc/users.h"
#include "sys/log.h"
#include "util/mem.h"

struct guest { /* an account of a user's own */
	TAILQ_ENTRY(guest) next;
	struct conf_account account;
	bool seen; /* since the files are being read: it is of now */
};

TAILQ_HEAD(guests, guest);

struct accounts {
	struct loop *loop;   /* not ours */
	struct rolls *rolls; /* not ours */
	struct tell *tell;   /* not ours */
	const struct accounts_events *events;
	void *arg;
	const struct conf *conf; /* not ours */
	struct guests guests;
	struct guests former; /* the rolls may still look at them */
	struct users *users;  /* who are being read */
	struct rolls_change change;
	bool known; /* and it was told */
};

/* ---- to the rolls ---- */

static size_t
count(const struct guests *guests)
{
	const struct guest *g;
	size_t n = 0;

	TAILQ_FOREACH (g, guests, next)
		n++;
	return n;
}

static void
hand_in(struct accounts *a, struct rolls_change *change)
{
	size_t n = a->conf->n + count(&a->guests);
	const struct conf_account **list = mem_array(n + 1, sizeof(*list));
	const char **names = mem_array(n + 1, sizeof(*names));
	const struct guest *g;
	size_t at = 0;

	for (size_t i = 0; i < a->conf->n; i++)
		list[at++] = &a->conf->accounts[i];
	TAILQ_FOREACH (g, &a->guests, next)
		list[at++] = &g->account;
	for (size_t i = 0; i < n; i++)
		names[i] = list[i]->name;
	tell_configure(a->tell, a->conf, names, n);
	rolls_set(a->rolls, list, n, change);
	free(list);
	free(names);
}

static void
clear(struct guests *guests)
{
	struct guest *g;

	while ((g = TAILQ_FIRST(guests)) != NULL) {
		TAILQ_REMOVE(guests, g, next);
		conf_account_deinit(&g->account);
		free(g);
	}
}

/* ---- who comes and who goes ---- */

static void
retire(struct accounts *a, struct guest *g)
{
	TAILQ_REMOVE(&a->guests, g, next);
	TAILQ_INSERT_TAIL(&a->former, g, next);
}

/* Those that were not seen now; owner NULL: of all users. */
static void
retire_old(struct accounts *a, const char *owner)
{
	struct guest *next;

	for (struct guest *g = TAILQ_FIRST(&a->guests); g != NULL; g = next) {
		next = TAILQ_NEXT(g, next);
		if (!g->seen &&
		    (owner == NULL || strcmp(g->account.owner, owner) == 0))
			retire(a, g);
	}
}

static void
add(struct accounts *a, struct conf_account *account)
{
	struct guest *g = mem_new(sizeof(*g));

	g->account = *account;
	g->seen = true;
	TAILQ_INSERT_TAIL(&a->guests, g, next);
}

/* All accounts of one user come together. */
static void
add_all(struct accounts *a, struct users_found *found)
{
	const char *owner = NULL;

	for (size_t i = 0; i < found->n; i++) {
		const char *his = found->accounts[i].owner;

		if (owner == NULL || strcmp(owner, his) != 0)
			retire_old(a, his);
		add(a, &found->accounts[i]);
		owner = his;
	}
	free(found->accounts);
	found->accounts = NULL;
	found->n = 0;
}

/* He keeps what he had, as far as it is allowed now. */
static void
keep(struct accounts *a, const char *owner)
{
	const struct conf *conf = a->conf;
	unsigned int accounts = 0, connections = 0;
	struct guest *g;

	TAILQ_FOREACH (g, &a->guests, next) {
		if (strcmp(g->account.owner, owner) != 0)
			continue;
		if (conf_account_command(&g->account) != NULL &&
		    !conf->user_commands)
			continue;
		accounts++;
		connections += g->account.max_connections;
		g->seen = accounts <= conf->user_accounts &&
		    connections <= conf->user_connections;
	}
	retire_old(a, owner);
}

/* ---- telling ---- */

static void
say(struct accounts *a, bool bad, const char *line)
{
	if (bad)
		log_warning("mailhaul", "%s", line);
	else
		log_notice("mailhaul", "%s", line);
	a->events->says(a->arg, bad, line);
}

static void
say_change(struct accounts *a)
{
	const struct rolls_change *c = &a->change;
	size_t n = count(&a->guests);
	char *line;

	if (n == 0 && c->added + c->changed + c->removed == 0)
		return;
	line = mem_printf(
	    "users have %zu account%s, %zu new, %zu changed, %zu removed", n,
	    n == 1 ? "" : "s", c->added, c->changed, c->removed);
	say(a, false, line);
	free(line);
}

static void
say_late(struct accounts *a, size_t left)
{
	char *line = mem_printf("the files of %zu user%s are still being read: "
				"the log will tell",
	    left, left == 1 ? "" : "s");

	a->events->says(a->arg, false, line);
	free(line);
}

static void
tell_known(struct accounts *a)
{
	if (a->known)
		return;
	a->known = true;
	a->events->known(a->arg);
}

/* ---- the users ---- */

static void
on_found(void *arg, struct users_found *found)
{
	struct accounts *a = arg;
	struct rolls_change change;

	for (size_t i = 0; i < found->errors.n; i++)
		say(a, true, found->errors.v[i]);
	for (size_t i = 0; i < found->failed.n; i++)
		keep(a, found->failed.v[i]);
	add_all(a, found);
	if (found->left == 0) {
		a->users = NULL;
		retire_old(a, NULL);
	}
	hand_in(a, &change);
	clear(&a->former);
	a->change.added += change.added;
	a->change.changed += change.changed;
	a->change.removed += change.removed;
	if (found->left == 0)
		say_change(a);
	else if (!a->known)
		say_late(a, found->left);
	a->events->changed(a->arg);
	tell_known(a);
}

/* ---- life ---- */

struct accounts *
accounts_new(struct loop *loop, struct rolls *rolls, struct tell *tell,
    const struct accounts_events *events, void *arg)
{
	struct accounts *a = mem_new(sizeof(*a));

	a->loop = loop;
	a->rolls = rolls;
	a->tell = tell;
	a->events = events;
	a->arg = arg;
	TAILQ_INIT(&a->guests);
	TAILQ_INIT(&a->former);
	return a;
}

void
accounts_free(struct accounts **p)
{
	struct accounts *a = *p;

	*p = NULL;
	if (a == NULL)
		return;
	users_cancel(&a->users);
	clear(&a->guests);
	clear(&a->former);
	free(a);
}

void
accounts_set(
    struct accounts *a, const struct conf *conf, struct rolls_change *change)
{
	struct guest *g;

	users_cancel(&a->users);
	a->conf = conf;
	hand_in(a, change);
	TAILQ_FOREACH (g, &a->guests, next)
		g->seen = false;
	a->change = (struct rolls_change){ 0 };
	a->known = false;
	a->users = users_load(a->loop, conf, on_found, a);
}

void
accounts_stop(struct accounts *a)
{
	users_cancel(&a->users);
	tell_known(a);
}
