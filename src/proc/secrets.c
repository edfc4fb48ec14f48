/* SPDX-License-Identifier: ISC */
#include "proc/secrets.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/secret.h"
#include "io/child.h"
#include "proc/reader.h"
#include "util/mem.h"
#include "util/text.h"

struct secrets_wait {
	const struct conf_account *account; /* not ours */
	struct child *child;                /* a command */
	struct reader *reader;              /* a file of a user's own */
	struct user *user;        /* whose account it is; NULL: ours */
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
	else if (needs_none(w->account))
		answer(w, secret_new(SPAN("")), NULL);
	else if (conf_secret_read(w->account, &secret, &e) == 0)
		answer(w, secret, NULL);
	else
		answer(w, NULL, &e);
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
	err_set(&e, ERR_AUTH, 0, "password-command %s %s%s%s",
	    w->account->secret.command.v[0],
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
		err_set(&why, missing ? ERR_CONFIG : ERR_TEMP, e->sys,
		    "password-command: %s", e->text);
		answer(w, NULL, &why);
	} else if (result->timed_out || result->status != 0) {
		refuse(w, result);
	} else {
		secret = conf_secret_of_output(result->out, &why);
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
		.argv = (const char *const *)w->account->secret.command.v,
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
	if (w->account->owner == NULL)
		return true;
	if (w->account->secret.credential != NULL) {
		err_set(e, ERR_CONFIG, 0,
		    "password-credential is the administrator's: use "
		    "password-file");
		return false;
	}
	w->user = mem_new(sizeof(*w->user));
	return user_find(w->account->owner, w->user, e) == 0;
}

bool
secrets_need_process(const struct conf_account *account)
{
	return account->secret.command.n > 0 ||
	    (account->owner != NULL &&
		(account->secret.file != NULL ||
		    account->secret.netrc != NULL));
}

struct secrets_wait *
secrets_get(struct loop *loop, const struct conf_account *account,
    secrets_fn fn, void *arg)
{
	struct secrets_wait *w = mem_new(sizeof(*w));

	w->account = account;
	w->fn = fn;
	w->arg = arg;
	w->timer = loop_timer_new(loop, on_timer, w);
	if (!find_user(w, &w->why))
		loop_timer_arm(w->timer, 0);
	else if (account->secret.command.n > 0)
		w->child = run_command(loop, w);
	else if (w->user != NULL && account->secret.file != NULL)
		w->reader = reader_ask(loop, w->user, READER_SECRET,
		    account->secret.file, on_reader, w);
	else if (w->user != NULL && account->secret.netrc != NULL)
		w->reader =
		    reader_ask_netrc(loop, w->user, account->secret.netrc,
			account->host, account->user, on_reader, w);
	else
		loop_timer_arm(w->timer, 0);
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
	free(it->user);
	loop_timer_free(&it->timer);
	free(it);
}
