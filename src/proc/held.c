/* SPDX-License-Identifier: ISC */
#include "proc/held.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "proc/clerk.h"
#include "proc/commands.h"
#include "proc/held_show.h"
#include "util/mem.h"
#include "util/text.h"

#define SHOWN_MAX 200

struct shelf { /* where a ledger is */
	char *path;
	struct user *user; /* who looks into it; NULL: as we are */
};

struct held {
	struct conf *conf; /* not ours */
	struct shelf *shelves;
	size_t n_shelves;
	struct held_list list;
	const struct shelf **at; /* of each in the list */
};

static int
complain(const char *text)
{
	fprintf(stderr, "mailhaul: %s\n", text);
	return EX_TEMPFAIL;
}

/* ---- the ledgers ---- */

static void
add_shelf(struct held *h, char *path, struct user *user)
{
	h->shelves =
	    mem_grow(h->shelves, h->n_shelves + 1, sizeof(*h->shelves));
	h->shelves[h->n_shelves++] = (struct shelf){ path, user };
}

/* Of one that mail was delivered as. Only root may become another. */
static void
add_user(struct held *h, const char *name)
{
	struct user *user = mem_new(sizeof(*user));
	char *path =
	    mem_printf("%s/users/%s/ledger.sqlite", h->conf->state_dir, name);
	struct err e;

	if (name[0] == '.' || user_find(name, user, &e) != 0 ||
	    (geteuid() != 0 && geteuid() != user->uid)) {
		free(path);
		free(user);
		return;
	}
	if (user->uid == geteuid()) {
		free(user);
		user = NULL;
	}
	add_shelf(h, path, user);
}

static void
open_shelves(struct held *h)
{
	char *users = mem_printf("%s/users", h->conf->state_dir);
	DIR *d = opendir(users);
	const struct dirent *one;

	add_shelf(h, mem_printf("%s/ledger.sqlite", h->conf->state_dir), NULL);
	while (d != NULL && (one = readdir(d)) != NULL)
		add_user(h, one->d_name);
	if (d != NULL)
		closedir(d);
	free(users);
}

static void
close_all(struct held *h)
{
	for (size_t i = 0; i < h->n_shelves; i++) {
		free(h->shelves[i].path);
		free(h->shelves[i].user);
	}
	free(h->shelves);
	free(h->at);
	held_list_free(&h->list);
}

static int
read_shelf(struct held *h, const struct shelf *shelf, const char *account)
{
	const struct clerk_request request = {
		.verb = CLERK_READ, .path = shelf->path, .account = account
	};
	size_t before = h->list.n;
	struct err e = { 0 };
	int r = clerk_ask(shelf->user, &request, &h->list, &e);

	h->at = mem_grow(h->at, h->list.n + 1, sizeof(*h->at));
	for (size_t i = before; i < h->list.n; i++)
		h->at[i] = shelf;
	if (r < 0 && e.sys != ENOENT)
		return complain(e.text);
	return EX_OK;
}

/* One that cannot be read does not hide the others. */
static int
read_all(struct held *h, const char *account)
{
	int status = EX_OK;

	open_shelves(h);
	for (size_t i = 0; i < h->n_shelves; i++)
		if (read_shelf(h, &h->shelves[i], account) != EX_OK)
			status = EX_TEMPFAIL;
	return status;
}

/* ---- which ---- */

static int
no_account(const struct conf *conf, const char *name)
{
	char text[CONF_NO_ACCOUNT_MAX];

	fprintf(stderr, "mailhaul: %s\n",
	    conf_no_account(conf, name, text, sizeof(text)));
	return EX_USAGE;
}

static bool
is_called(const struct ledger_trouble *t, const char *name)
{
	char text[32];
	size_t box = strlen(t->mailbox);

	snprintf(text, sizeof(text), "id:%" PRId64, t->id);
	if (strcmp(name, text) == 0)
		return true;
	if (t->uid == 0)
		return t->uidl[0] != '\0' && strcmp(name, t->uidl) == 0;
	snprintf(text, sizeof(text), "%" PRIu32, t->uid);
	if (strncmp(name, t->mailbox, box) == 0 && name[box] == '/')
		name += box + 1;
	return strcmp(name, text) == 0;
}

/* Mailboxes are named by a server. */
static void
say_ambiguous(const char *account, const char *name,
    const struct ledger_trouble *one, const struct ledger_trouble *other)
{
	char first[SHOWN_MAX];
	char second[SHOWN_MAX];

	fprintf(stderr,
	    "mailhaul: %s: \"%s\" is in %s and in %s: say MAILBOX/UID or "
	    "id:N\n",
	    account, name,
	    text_printable(first, sizeof(first), span_of(one->mailbox)),
	    text_printable(second, sizeof(second), span_of(other->mailbox)));
}

/* The one that is called so; else NULL and words. */
static const struct ledger_trouble *
find(const struct held *h, const char *account, const char *name)
{
	const struct ledger_trouble *found = NULL;

	for (size_t i = 0; i < h->list.n; i++) {
		const struct ledger_trouble *t = &h->list.v[i];

		if (!is_called(t, name))
			continue;
		if (found != NULL) {
			say_ambiguous(account, name, found, t);
			return NULL;
		}
		found = t;
	}
	if (found == NULL)
		fprintf(stderr,
		    "mailhaul: %s: no message \"%s\" is held; \"mailhaul held "
		    "%s\" lists them\n",
		    account, name, account);
	return found;
}

/* ---- changing ---- */

static bool
is_another(const struct held_list *l, size_t i)
{
	return i == 0 || strcmp(l->v[i - 1].account, l->v[i].account) != 0;
}

/* It acts on what was changed now, not when it looks next. */
static void
nudge(const struct held *h, const char *account)
{
	const char **names = mem_array(h->list.n + 1, sizeof(*names));
	size_t n = 0;

	if (account != NULL)
		names[n++] = account;
	for (size_t i = 0; account == NULL && i < h->list.n; i++)
		if (is_another(&h->list, i))
			names[n++] = h->list.v[i].account;
	for (size_t i = 0; i < n; i++)
		command_nudge(h->conf->control, names[i]);
	free(names);
}

/* One that was delivered in the meantime needs no more. */
static int
change_one(struct held *h, size_t i, enum clerk_verb verb)
{
	const struct clerk_request request = {
		.verb = verb, .path = h->at[i]->path, .id = h->list.v[i].id
	};
	struct err e = { 0 };

	if (clerk_ask(h->at[i]->user, &request, NULL, &e) == 0 ||
	    e.sys == ENOENT)
		return EX_OK;
	return complain(e.text);
}

static int
change(struct held *h, const char *account, const char *const *names, size_t n,
    enum clerk_verb verb)
{
	int status = EX_OK;

	for (size_t i = 0; n == 0 && i < h->list.n && status == EX_OK; i++)
		status = change_one(h, i, verb);
	for (size_t i = 0; i < n && status == EX_OK; i++) {
		const struct ledger_trouble *t = find(h, account, names[i]);

		status = t == NULL
		    ? EX_USAGE
		    : change_one(h, (size_t)(t - h->list.v), verb);
	}
	return status;
}

static int
change_and_nudge(struct held *h, const char *account, const char *const *names,
    size_t n, enum clerk_verb verb)
{
	int status = change(h, account, names, n, verb);

	if (status == EX_OK)
		nudge(h, account);
	return status;
}

/* ---- the words ---- */

static int
show(struct held *h, const char *account, const char *const *names, size_t n,
    bool json)
{
	struct held_list some = { 0 };
	int status = EX_OK;

	for (size_t i = 0; i < n && status == EX_OK; i++) {
		const struct ledger_trouble *t = find(h, account, names[i]);

		if (t == NULL)
			status = EX_USAGE;
		else
			held_list_add(&some, t);
	}
	if (status == EX_OK && json)
		held_print_json(&some);
	for (size_t i = 0; i < some.n && status == EX_OK && !json; i++)
		held_print_one(&some.v[i]);
	held_list_free(&some);
	return status;
}

static int
list(const struct held *h, bool json, int status)
{
	if (json)
		held_print_json(&h->list);
	else
		held_print_table(&h->list);
	return status;
}

static int
usage(void)
{
	fputs("usage: mailhaul held [list] [--json] [ACCOUNT]\n"
	      "       mailhaul held show [--json] ACCOUNT MESSAGE...\n"
	      "       mailhaul held retry [ACCOUNT [MESSAGE...]]\n"
	      "       mailhaul held drop ACCOUNT MESSAGE...\n",
	    stderr);
	return EX_USAGE;
}

/* words begins with the account, if there is one. */
static int
act(struct held *h, const char *verb, const char *const *words, size_t n,
    bool json)
{
	const char *account = n > 0 ? words[0] : NULL;
	const char *const *names = words + 1;
	size_t n_names = n > 0 ? n - 1 : 0;
	int status = read_all(h, account);

	if (status != EX_OK && strcmp(verb, "list") != 0)
		return status;
	if (account != NULL && h->list.n == 0 &&
	    conf_find(h->conf, account) == NULL)
		return no_account(h->conf, account);
	if (strcmp(verb, "list") == 0)
		return n > 1 ? usage() : list(h, json, status);
	if (strcmp(verb, "show") == 0)
		return n < 2 ? usage() : show(h, account, names, n_names, json);
	if (strcmp(verb, "retry") == 0)
		return change_and_nudge(
		    h, account, names, n_names, CLERK_RETRY);
	if (strcmp(verb, "drop") == 0)
		return n < 2
		    ? usage()
		    : change_and_nudge(h, account, names, n_names, CLERK_DROP);
	return usage();
}

static bool
is_verb(const char *word)
{
	static const char *const verbs[] = { "list", "show", "retry", "drop" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(word, verbs[i]) == 0)
			return true;
	return false;
}

int
held_command(struct conf *conf, const char *const *words, size_t n, bool json)
{
	struct held h = { .conf = conf };
	const char *verb = "list";
	int status;

	if (n > 0 && is_verb(words[0])) {
		verb = words[0];
		words++;
		n--;
	}
	status = act(&h, verb, words, n, json);
	close_all(&h);
	return status;
}

int
held_want_full(struct conf *conf, const char *account,
    const char *const *messages, size_t n)
{
	struct held h = { .conf = conf };
	int status;

	if (conf_find(conf, account) == NULL)
		return no_account(conf, account);
	status = read_all(&h, account);
	if (status == EX_OK)
		status = change(&h, account, messages, n, CLERK_RETRY_FULL);
	close_all(&h);
	return status;
}
