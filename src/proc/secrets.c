/* SPDX-License-Identifier: ISC */
#include "proc/secrets.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/secret.h"
#include "io/child.h"
#include "proc/reader.h"
#include "proc/refresh.h"
#include "util/mem.h"
#include "util/text.h"

struct secrets_wait {
	struct secrets_params params;
	struct child *child;     /* a command */
	struct refresh *refresh; /* a token */
	struct secret *refused;
	struct reader *reader;    /* a file of a user's own */
	struct user *user;        /* whose account it is; NULL: ours */
	struct user *asker;       /* for tokens, when it is ours */
	struct loop_timer *timer; /* anything else */
	struct err why;           /* set: there can be none */
	secrets_fn fn;
	void *arg;
};

static void
answer(struct secrets_wait *w, struct secret *secret, const struct err *e)
{
	secrets_fn fn = w->fn;
	void *arg = w->arg;
	struct err why = { 0 };

	if (e != NULL)
		why = *e;
	w->child = NULL;
	secrets_cancel(&w);
	fn(arg, secret, e == NULL ? NULL : &why);
}

static void
on_reader(void *arg, struct span said, const struct err *e)
{
	struct secrets_wait *w = arg;
	struct secret *secret;
	struct err why;

	w->reader = NULL;
	if (e != NULL) {
		answer(w, NULL, e);
		return;
	}
	secret = reader_secret_of(said, &why);
	answer(w, secret, secret == NULL ? &why : NULL);
}

/* Whatever a tunnel leads to may greet us as one who has logged in. When it
 * does not, the session says that there is no password. */
static bool
needs_none(const struct conf_account *a)
{
	const struct conf_secret *s = &a->secret;

	return a->tunnel.n > 0 && a->protocol == CONF_IMAP && s->file == NULL &&
	    s->command.n == 0 && s->credential == NULL && s->literal == NULL &&
	    s->netrc == NULL && s->token_command.n == 0 && s->oauth2 == NULL;
}

static void
on_timer(void *arg)
{
	struct secrets_wait *w = arg;
	struct secret *secret = NULL;
	struct err e;

	if (w->why.kind != ERR_NONE)
		answer(w, NULL, &w->why);
	else if (needs_none(w->params.account))
		answer(w, secret_new(SPAN("")), NULL);
	else if (conf_secret_read(w->params.account, &secret, &e) == 0)
		answer(w, secret, NULL);
	else
		answer(w, NULL, &e);
}

static const struct conf_list *
command_of(const struct secrets_wait *w)
{
	const struct conf_secret *from = &w->params.account->secret;

	return from->token_command.n > 0 ? &from->token_command
					 : &from->command;
}

static const char *
option_of(const struct secrets_wait *w)
{
	return w->params.account->secret.token_command.n > 0
	    ? "token-command"
	    : "password-command";
}

/* Its standard error says what is wrong; its standard output is the secret,
 * and is shown nowhere. */
static void
refuse(struct secrets_wait *w, const struct child_result *result)
{
	struct err e;
	char verdict[80];
	char said[120];

	text_printable(said, sizeof(said), span_trim(result->err));
	err_set(&e, ERR_AUTH, 0, "%s %s %s%s%s", option_of(w),
	    command_of(w)->v[0],
	    child_verdict(result, verdict, sizeof(verdict)),
	    said[0] == '\0' ? "" : ": ", said);
	answer(w, NULL, &e);
}

static void
on_child(void *arg, const struct child_result *result, const struct err *e)
{
	struct secrets_wait *w = arg;
	struct secret *secret;
	struct err why;
	bool missing;

	w->child = NULL;
	if (e != NULL) {
		missing = e->sys == ENOENT || e->sys == EACCES;
		err_set(&why, missing ? ERR_CONFIG : ERR_TEMP, e->sys, "%s: %s",
		    option_of(w), e->text);
		answer(w, NULL, &why);
	} else if (result->timed_out || result->status != 0) {
		refuse(w, result);
	} else {
		secret = conf_secret_of_output(result->out, option_of(w), &why);
		answer(w, secret, secret == NULL ? &why : NULL);
	}
}

/* ---- asking ---- */

static struct child *
run_command(struct loop *loop, struct secrets_wait *w)
{
	/* Nothing of our environment is for the program of another. */
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8", NULL };
	const struct child_params params = {
		.argv = (const char *const *)command_of(w)->v,
		.env = w->user == NULL ? NULL : env,
		.user = w->user,
		.cwd = w->user == NULL ? NULL : "/",
		.stdin_fd = -1,
		.out_max = SECRET_MAX + 2, /* its line end, or a sign of more */
		.err_max = 400,
		.timeout_ms = SECRETS_COMMAND_MS,
	};

	return child_start(loop, &params, on_child, w);
}

/* There is no service whose credentials would be a user's. */
static bool
find_user(struct secrets_wait *w, struct err *e)
{
	if (w->params.account->owner == NULL)
		return true;
	if (w->params.account->secret.credential != NULL) {
		err_set(e, ERR_CONFIG, 0,
		    "password-credential is the administrator's: use "
		    "password-file");
		return false;
	}
	w->user = mem_new(sizeof(*w->user));
	return user_find(w->params.account->owner, w->user, e) == 0;
}

/* ---- tokens ---- */

static void
on_refresh(
    void *arg, struct secret *access, uint64_t again_s, const struct err *e)
{
	struct secrets_wait *w = arg;

	w->refresh = NULL;
	if (w->params.again_s != NULL)
		*w->params.again_s = again_s;
	answer(w, access, e);
}

/* Whose account it is asks; and root for nobody, if there is somebody else. */
static bool
find_asker(struct secrets_wait *w, struct err *e)
{
	if (w->user != NULL || w->params.user == NULL)
		return true;
	w->asker = mem_new(sizeof(*w->asker));
	return user_find(w->params.user, w->asker, e) == 0;
}

static void
get_token(struct loop *loop, struct secrets_wait *w)
{
	struct refresh_params params = { .account = w->params.account,
		.state_dir = w->params.state_dir,
		.owner = w->user,
		.refused = w->refused,
		.anew = w->params.anew };

	if (!find_asker(w, &w->why)) {
		loop_timer_arm(w->timer, 0);
		return;
	}
	params.user = w->user != NULL ? w->user : w->asker;
	w->refresh = refresh_get(loop, &params, on_refresh, w);
}

/* ---- whichever it is ---- */

bool
secrets_are_tokens(const struct conf_account *account)
{
	return account->secret.oauth2 != NULL ||
	    account->secret.token_command.n > 0;
}

bool
secrets_need_process(const struct conf_account *account)
{
	return account->secret.command.n > 0 || secrets_are_tokens(account) ||
	    (account->owner != NULL &&
		(account->secret.file != NULL ||
		    account->secret.netrc != NULL));
}

struct turn *
secrets_turn(struct turns *turns, const struct conf_account *account)
{
	if (account->owner == NULL && account->secret.oauth2 != NULL)
		return turns_take_provider(
		    turns, account->secret.oauth2->token_url);
	return turns_take(turns, account->owner);
}

static void
begin(struct loop *loop, struct secrets_wait *w)
{
	const struct conf_secret *from = &w->params.account->secret;

	if (!find_user(w, &w->why))
		loop_timer_arm(w->timer, 0);
	else if (from->oauth2 != NULL)
		get_token(loop, w);
	else if (command_of(w)->n > 0)
		w->child = run_command(loop, w);
	else if (w->user != NULL && from->file != NULL)
		w->reader = reader_ask(
		    loop, w->user, READER_SECRET, from->file, on_reader, w);
	else if (w->user != NULL && from->netrc != NULL)
		w->reader = reader_ask_netrc(loop, w->user, from->netrc,
		    w->params.account->host, w->params.account->user, on_reader,
		    w);
	else
		loop_timer_arm(w->timer, 0);
}

struct secrets_wait *
secrets_get(struct loop *loop, const struct secrets_params *params,
    secrets_fn fn, void *arg)
{
	struct secrets_wait *w = mem_new(sizeof(*w));

	w->params = *params;
	w->params.refused = NULL;
	if (params->refused != NULL)
		w->refused = secret_new(secret_span(params->refused));
	w->fn = fn;
	w->arg = arg;
	if (params->again_s != NULL)
		*params->again_s = 0;
	w->timer = loop_timer_new(loop, on_timer, w);
	begin(loop, w);
	return w;
}

void
secrets_cancel(struct secrets_wait **w)
{
	struct secrets_wait *it = *w;

	*w = NULL;
	if (it == NULL)
		return;
	child_free(&it->child);
	reader_free(&it->reader);
	refresh_cancel(&it->refresh);
	secret_free(&it->refused);
	free(it->user);
	free(it->asker);
	loop_timer_free(&it->timer);
	free(it);
}
