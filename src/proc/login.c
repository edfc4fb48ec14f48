/* SPDX-License-Identifier: ISC */
#include "proc/login.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/sandbox.h"
#include "io/user.h"
#include "proc/commands.h"
#include "proc/login_client.h"
#include "proc/login_code.h"
#include "proc/login_device.h"
#include "proc/login_flow.h"
#include "proc/tokens.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "util/mem.h"
#include "util/text.h"

#define LOCK_EVERY_MS 200 /* the kernel tells nobody that a lock is free */
#define LOCK_TRIES 300    /* a refresh takes half of that at most */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define N_SIGNALS (sizeof(signals) / sizeof(*signals))

struct login {
	const struct conf *conf;
	const struct conf_account *account;
	enum login_way way;
	const char *redirect;
	struct login_flow flow;
	struct user owner; /* of the account, when it is a user's own */
	struct secret *client_secret;
	struct login_device *device;
	struct login_code *code;
	struct loop_signal *signals[N_SIGNALS];
	struct loop_timer *lock_timer;
	unsigned int lock_tries;
	struct oauth_tokens tokens;
	int64_t got_at; /* Unix seconds */
	struct err err; /* why it failed */
};

/* ---- words ---- */

static int
complain(const char *name, const struct err *e)
{
	fprintf(stderr, "mailhaul: %s: %s\n", name, e->text);
	return reaction_of(e->kind)->exit_status;
}

/* "offline_access" and what tells who one is are no scopes of an API, and often
 * not repeated. */
static bool
is_repeated(struct span scope)
{
	static const char *const quiet[] = { "offline_access", "offline",
		"openid", "email", "profile" };

	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++)
		if (span_eq(scope, span_of(quiet[i])))
			return false;
	return true;
}

static bool
has_word(struct span words, struct span word)
{
	while (words.n > 0)
		if (span_ieq(span_until(&words, ' '), word))
			return true;
	return false;
}

static void
warn_of_scope(const char *name, struct span scope)
{
	char text[128];

	fprintf(stderr,
	    "mailhaul: %s: warning: the scope \"%s\" was not granted: the mail "
	    "server may refuse the login\n",
	    name, text_printable(text, sizeof(text), scope));
}

static void
warn_of_scopes(const struct login *l)
{
	struct span asked = span_of(l->flow.client.scopes);
	struct span granted = span_of(l->tokens.scope);

	while (l->tokens.scope != NULL && asked.n > 0) {
		struct span one = span_until(&asked, ' ');

		if (one.n > 0 && is_repeated(one) && !has_word(granted, one))
			warn_of_scope(l->account->name, one);
	}
}

static void
warn_of_end(const struct login *l)
{
	char life[32];

	if (l->tokens.refresh != NULL)
		return;
	if (l->tokens.expires_s == 0)
		(void)snprintf(life, sizeof(life), "some time");
	else
		(void)text_span_of_time(
		    life, sizeof(life), l->tokens.expires_s);
	fprintf(stderr,
	    "mailhaul: %s: warning: this login ends after %s, and has to be "
	    "repeated then: the provider granted no offline access (no "
	    "refresh token); its scopes may lack it\n",
	    l->account->name, life);
}

static int
succeed(const struct login *l)
{
	const char *name = l->account->name;

	warn_of_scopes(l);
	warn_of_end(l);
	printf("Logged in. \"mailhaul check --online %s\" shows whether the "
	       "mail server agrees.\n",
	    name);
	fflush(stdout);
	if (command_revive(l->conf->control, name))
		printf("The daemon goes on with it.\n");
	return EX_OK;
}

/* ---- saving ---- */

static void
end(struct login *l)
{
	loop_stop(l->flow.loop);
}

static int
save_locked(struct login *l)
{
	const struct tokens t = {
		.access = l->tokens.access,
		.refresh = l->tokens.refresh,
		.expires = l->tokens.expires_s == 0
		    ? 0
		    : l->got_at + (int64_t)l->tokens.expires_s,
		.obtained = l->got_at,
		.client = l->flow.provider->client_id,
		.token_url = l->flow.provider->token_url,
	};

	return tokens_write(l->conf->state_dir, l->account->name, &t, &l->err);
}

/* Who refreshes the old tokens now would write over ours. */
static void
save(void *arg)
{
	struct login *l = arg;
	int fd = tokens_lock(l->conf->state_dir, l->account->name, &l->err);

	if (fd < 0 && l->err.sys == EAGAIN && ++l->lock_tries < LOCK_TRIES) {
		loop_timer_arm(l->lock_timer, LOCK_EVERY_MS);
		return;
	}
	if (fd >= 0) {
		err_clear(&l->err);
		(void)save_locked(l);
		close(fd);
	}
	end(l);
}

/* ---- the run ---- */

static void
on_done(void *arg, struct oauth_tokens *tokens, const struct err *e)
{
	struct login *l = arg;

	if (tokens == NULL) {
		l->err = *e;
		end(l);
		return;
	}
	l->tokens = *tokens;
	l->got_at = clock_wall_s();
	loop_timer_arm(l->lock_timer, 0);
}

static void
on_signal(void *arg, int signo)
{
	struct login *l = arg;

	(void)signo;
	err_set(&l->err, ERR_CANCEL, 0, "interrupted: nothing was changed");
	end(l);
}

static int
begin(struct login *l)
{
	if (l->way == LOGIN_DEVICE) {
		l->device = login_device_new(&l->flow);
		return 0;
	}
	l->code = login_code_new(
	    &l->flow, l->way == LOGIN_LISTEN, l->redirect, &l->err);
	return l->code == NULL ? -1 : 0;
}

static void
run(struct login *l)
{
	l->flow.loop = loop_new();
	l->flow.done = on_done;
	l->flow.arg = l;
	l->lock_timer = loop_timer_new(l->flow.loop, save, l);
	for (size_t i = 0; i < N_SIGNALS; i++)
		l->signals[i] =
		    loop_signal_new(l->flow.loop, signals[i], on_signal, l);
	if (begin(l) == 0)
		loop_run(l->flow.loop);
	login_device_free(&l->device);
	login_code_free(&l->code);
	for (size_t i = 0; i < N_SIGNALS; i++)
		loop_signal_free(&l->signals[i]);
	loop_timer_free(&l->lock_timer);
	loop_free(&l->flow.loop);
}

/* ---- before it ---- */

static int
choose(const struct conf_oauth2 *o, enum login_way *way, struct err *e)
{
	if (*way == LOGIN_ANY)
		*way = o->device_url != NULL ? LOGIN_DEVICE : LOGIN_PASTE;
	if (*way == LOGIN_DEVICE && o->device_url == NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "oauth2 \"%s\" has no device-url: use --paste or --listen",
		    o->name);
	if (*way != LOGIN_DEVICE && o->auth_url == NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "oauth2 \"%s\" has no auth-url: use --device", o->name);
	return 0;
}

/* Whose own account that is: root opens no file that he has named, and asks
 * nobody for him but as him. */
static int
find_owner(struct login *l, struct err *e)
{
	const char *owner = l->account->owner;

	if (owner == NULL || geteuid() != 0)
		return 0;
	if (user_find(owner, &l->owner, e) != 0)
		return -1;
	l->flow.user = &l->owner;
	return 0;
}

static int
read_client(struct login *l, struct err *e)
{
	const struct conf_oauth2 *o = l->flow.provider;

	if (login_client_secret(o, l->flow.user, &l->client_secret, e) != 0)
		return -1;
	l->flow.client = (struct oauth_client){ .id = o->client_id,
		.secret = l->client_secret,
		.scopes = o->scopes };
	return 0;
}

/* Who reads the tokens owns the state directory. Root writes nothing into the
 * directory of somebody else, and leaves him no file that he cannot read. */
static int
become_owner(const char *state_dir, struct err *e)
{
	struct user user;
	struct stat st;

	if (geteuid() != 0 || stat(state_dir, &st) != 0 || st.st_uid == 0)
		return 0;
	if (user_find_uid(st.st_uid, &user, e) != 0 ||
	    user_become(&user, e) != 0)
		return err_prefix(e, "the owner of %s", state_dir);
	return 0;
}

/* Nobody shall log in for tokens that cannot be kept. */
static int
try_to_lock(const struct login *l, struct err *e)
{
	int fd = tokens_lock(l->conf->state_dir, l->account->name, e);

	if (fd < 0)
		return e->sys == EAGAIN ? 0 : -1;
	close(fd);
	return 0;
}

static int
prepare(struct login *l, struct err *e)
{
	if (choose(l->flow.provider, &l->way, e) != 0 ||
	    find_owner(l, e) != 0 || read_client(l, e) != 0 ||
	    become_owner(l->conf->state_dir, e) != 0)
		return -1;
	return try_to_lock(l, e);
}

static int
login(struct login *l)
{
	int status;

	if (prepare(l, &l->err) == 0)
		run(l);
	status = l->err.kind == ERR_NONE ? succeed(l)
					 : complain(l->account->name, &l->err);
	oauth_tokens_deinit(&l->tokens);
	secret_free(&l->client_secret);
	return status;
}

static int
no_account(const struct conf *conf, const char *name)
{
	char text[CONF_NO_ACCOUNT_MAX];

	fprintf(stderr, "mailhaul: %s\n",
	    conf_no_account(conf, name, text, sizeof(text)));
	return EX_USAGE;
}

int
login_run(
    struct conf *conf, const char *name, const struct login_options *options)
{
	struct login l = { .conf = conf,
		.account = conf_find(conf, name),
		.way = options->way,
		.redirect = options->redirect };

	(void)sandbox_secrets(NULL);
	if (l.account == NULL)
		return no_account(conf, name);
	l.flow.account = l.account;
	l.flow.provider = l.account->secret.oauth2;
	if (l.flow.provider == NULL) {
		fprintf(stderr,
		    "mailhaul: %s: it logs in without OAuth 2.0: add \"oauth2 "
		    "= ...\" to the account, see mailhaul.conf(5)\n",
		    name);
		return EX_CONFIG;
	}
	return login(&l);
}
