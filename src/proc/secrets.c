/* SPDX-License-Identifier: ISC */
#include "proc/secrets.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/secret.h"
#include "io/child.h"
#include "util/mem.h"
#include "util/text.h"

struct secrets_wait {
	const struct conf_account *account; /* not ours */
	struct child *child;                /* a command */
	struct loop_timer *timer;           /* anything else */
	secrets_fn fn;
	void *arg;
};

static void
answer(struct secrets_wait *w, struct secret *secret, const struct err *e)
{
	secrets_fn fn = w->fn;
	void *arg = w->arg;

	w->child = NULL;
	secrets_cancel(&w);
	fn(arg, secret, e);
}

static void
on_timer(void *arg)
{
	struct secrets_wait *w = arg;
	struct secret *secret = NULL;
	struct err e;

	if (conf_secret_read(w->account, &secret, &e) == 0)
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

struct secrets_wait *
secrets_get(struct loop *loop, const struct conf_account *account,
    secrets_fn fn, void *arg)
{
	struct secrets_wait *w = mem_new(sizeof(*w));
	struct child_params params = {
		.argv = (const char *const *)account->secret.command.v,
		.stdin_fd = -1,
		.out_max = SECRET_MAX + 2, /* its line end, or a sign of more */
		.err_max = 400,
		.timeout_ms = SECRETS_COMMAND_MS,
	};

	w->account = account;
	w->fn = fn;
	w->arg = arg;
	w->timer = loop_timer_new(loop, on_timer, w);
	if (account->secret.command.n > 0)
		w->child = child_start(loop, &params, on_child, w);
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
	loop_timer_free(&it->timer);
	free(it);
}
