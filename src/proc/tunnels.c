/* SPDX-License-Identifier: ISC */
#include "proc/tunnels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf_list.h"
#include "io/child.h"
#include "io/own_env.h"
#include "proc/kerberos.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

#define SAID_MAX 1000 /* octets of what a program says last */
/* For a program to end by itself when its connection has: one that leads to
 * another host may have something to tell it. */
#define GRACE_MS 500
/* For all answers of one login by Kerberos, and the servers of the realm. */
#define KERBEROS_MS 180000

struct tunnel_recipe {
	enum tunnel_kind kind;
	char *account;
	char *owner; /* whose own account it is; NULL: ours */
	struct conf_list argv;
	unsigned int max; /* at a time */
};

struct tunnel {
	LIST_ENTRY(tunnel) next;
	struct tunnels *tunnels; /* not ours */
	enum tunnel_kind kind;
	uint32_t ticket;
	bool wanted;          /* else it is about to end, and has no ticket */
	char *account, *what; /* "tunnel ssh" */
	struct child *child;
	struct loop_timer *grace;
};

struct tunnels {
	struct loop *loop; /* not ours */
	unsigned long max_files;
	tunnels_fn ended;
	void *arg;
	LIST_HEAD(, tunnel) all;
};

static const char *const names[] = {
	[TUNNEL_TO_SERVER] = "tunnel",
	[TUNNEL_TO_KERBEROS] = "Kerberos",
};

/* ---- what is to be run ---- */

/* The role, and what it is to answer for. */
static void
add_kerberos(struct conf_list *argv, const struct conf_account *a)
{
	conf_list_add(argv, KERBEROS_ROLE);
	conf_list_add(argv, a->protocol == CONF_POP3 ? "pop" : "imap");
	conf_list_add(argv, a->tls_name != NULL ? a->tls_name : a->host);
	conf_list_add(argv, a->user);
}

static bool
has(const struct conf_account *a, enum tunnel_kind kind)
{
	return kind == TUNNEL_TO_KERBEROS ? a->auth == CONF_AUTH_GSSAPI
					  : a->tunnel.n > 0;
}

/* A session that is given up and the next may be there at once. */
struct tunnel_recipe *
tunnel_recipe_new(const struct conf_account *a, enum tunnel_kind kind)
{
	struct tunnel_recipe *r;

	if (!has(a, kind))
		return NULL;
	r = mem_new(sizeof(*r));
	r->kind = kind;
	r->account = mem_strdup(a->name);
	r->owner = mem_strdup(a->owner);
	r->max = 2 * a->max_connections + 2;
	if (kind == TUNNEL_TO_KERBEROS)
		add_kerberos(&r->argv, a);
	else
		conf_list_copy(&r->argv, &a->tunnel);
	return r;
}

void
tunnel_recipe_free(struct tunnel_recipe **p)
{
	struct tunnel_recipe *r = *p;

	*p = NULL;
	if (r == NULL)
		return;
	free(r->account);
	free(r->owner);
	conf_list_free(&r->argv);
	free(r);
}

/* ---- the end of one ---- */

static void
forget(struct tunnel *it)
{
	LIST_REMOVE(it, next);
	child_free(&it->child);
	loop_timer_free(&it->grace);
	free(it->account);
	free(it->what);
	free(it);
}

static struct span
last_line(struct span said)
{
	struct span line = SPAN("");

	said = span_trim(said);
	while (said.n > 0)
		line = span_until(&said, '\n');
	return span_trim(line);
}

static void
log_lines(const struct tunnel *it, struct span said)
{
	char shown[200];

	said = span_trim(said);
	while (said.n > 0)
		log_debug(it->account, "%s says: %s", it->what,
		    text_printable(shown, sizeof(shown),
			span_trim(span_until(&said, '\n'))));
}

static void
describe(const struct tunnel *it, const struct child_result *result,
    const struct err *no_start, struct err *e)
{
	char verdict[80], said[120];

	if (no_start != NULL) {
		bool missing =
		    no_start->sys == ENOENT || no_start->sys == EACCES;

		err_set(e, missing ? ERR_CONFIG : ERR_TEMP, no_start->sys,
		    "%s: %s", names[it->kind], no_start->text);
		return;
	}
	text_printable(said, sizeof(said), last_line(result->err));
	err_set(e, it->kind == TUNNEL_TO_SERVER ? ERR_NET : ERR_TEMP, 0,
	    "%.70s %s%s%s", it->what,
	    child_verdict(result, verdict, sizeof(verdict)),
	    said[0] == '\0' ? "" : ": ", said);
}

/* Also of one that is not wanted any more: the engine may have seen its socket
 * end before we saw the program end. What we have killed ourselves is no
 * news. */
static bool
is_news(const struct tunnel *it, const struct child_result *result)
{
	/* that for Kerberos goes when it sees that we are done with it */
	bool over = it->wanted && it->kind == TUNNEL_TO_SERVER;

	return over || (!result->timed_out && result->status != 0);
}

static void
on_child(void *arg, const struct child_result *result, const struct err *e)
{
	struct tunnel *it = arg;
	struct tunnels *t = it->tunnels;
	uint32_t ticket = it->ticket;
	bool wanted = it->wanted;
	struct err why;

	it->child = NULL;
	describe(it, result, e, &why);
	if (e == NULL && is_news(it, result)) {
		log_lines(it, result->err);
		log_info(it->account, "%s", why.text);
	}
	forget(it);
	if (wanted)
		t->ended(t->arg, ticket, &why);
}

/* ---- the begin of one ---- */

/* Which tickets and keys, where we are the user they are for; another finds his
 * own. */
static void
pick_for_kerberos(const char *env[OWN_ENV_MAX], const struct user *user)
{
	static const char *const ours[] = { "KRB5_CONFIG", "KRB5CCNAME",
		"KRB5_CLIENT_KTNAME", "HOME", NULL };
	static const char *const his[] = { "KRB5_CONFIG", NULL };

	own_env_pick(env, user == NULL ? ours : his);
}

static struct child *
run_kerberos(struct tunnel *it, const struct tunnel_recipe *r,
    const struct user *user, int fd)
{
	const char *env[OWN_ENV_MAX];
	const struct child_params params = {
		.argv = (const char *const *)r->argv.v,
		.program = "/proc/self/exe",
		.env = env,
		.user = user,
		.cwd = user == NULL ? NULL : "/",
		.stdin_fd = fd,
		.err_max = SAID_MAX,
		.timeout_ms = KERBEROS_MS,
		.whole_group = true,
		.max_files = it->tunnels->max_files,
	};

	pick_for_kerberos(env, user);
	return child_start(it->tunnels->loop, &params, on_child, it);
}

/* Nothing of our environment is for the program of another. */
static struct child *
run(struct tunnel *it, const struct tunnel_recipe *r, const struct user *user,
    int fd)
{
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8", NULL };
	const struct child_params params = {
		.argv = (const char *const *)r->argv.v,
		.env = user == NULL ? NULL : env,
		.user = user,
		.cwd = user == NULL ? NULL : "/",
		.stdin_fd = fd,
		.stdout_fd = fd,
		.err_max = SAID_MAX,
		.whole_group = true,
		.max_files = it->tunnels->max_files,
	};

	return child_start(it->tunnels->loop, &params, on_child, it);
}

/* [0] is the engine's. */
static int
make_ends(enum tunnel_kind kind, int ends[2], struct err *e)
{
	int type = kind == TUNNEL_TO_SERVER ? SOCK_STREAM : SOCK_SEQPACKET;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(e, ERR_TEMP, errno, "%s: socketpair: %s",
		    names[kind], strerror(errno));
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static void
on_grace(void *arg)
{
	struct tunnel *it = arg;

	child_stop(it->child);
}

static struct tunnel *
find(const struct tunnels *t, uint32_t ticket)
{
	struct tunnel *it;

	LIST_FOREACH (it, &t->all, next)
		if (it->wanted && it->ticket == ticket)
			return it;
	return NULL;
}

/* Those that are ending count, too: an engine that only opens and closes gets
 * no more processes than one that works. */
static int
check(const struct tunnels *t, uint32_t ticket, const struct tunnel_recipe *r,
    struct err *e)
{
	const struct tunnel *it;
	unsigned int n = 0;

	LIST_FOREACH (it, &t->all, next)
		n +=
		    it->kind == r->kind && strcmp(it->account, r->account) == 0;
	if (n >= r->max)
		return err_set(e, ERR_TEMP, 0,
		    "%u %s of this account are running or ending", n,
		    r->kind == TUNNEL_TO_SERVER ? "tunnels"
						: "logins by Kerberos");
	if (find(t, ticket) != NULL)
		return err_set(e, ERR_TEMP, 0, "this tunnel is there already");
	return 0;
}

static char *
what_is(const struct tunnel_recipe *r)
{
	if (r->kind == TUNNEL_TO_KERBEROS)
		return mem_strdup(names[r->kind]);
	return mem_printf("%s %s", names[r->kind], r->argv.v[0]);
}

static int
open_for(struct tunnels *t, uint32_t ticket, const struct tunnel_recipe *r,
    const struct user *user, struct err *e)
{
	struct tunnel *it;
	int ends[2];

	if (make_ends(r->kind, ends, e) != 0)
		return -1;
	it = mem_new(sizeof(*it));
	it->tunnels = t;
	it->kind = r->kind;
	it->ticket = ticket;
	it->wanted = true;
	it->account = mem_strdup(r->account);
	it->what = what_is(r);
	it->grace = loop_timer_new(t->loop, on_grace, it);
	LIST_INSERT_HEAD(&t->all, it, next);
	it->child = r->kind == TUNNEL_TO_KERBEROS
	    ? run_kerberos(it, r, user, ends[1])
	    : run(it, r, user, ends[1]);
	close(ends[1]);
	return ends[0];
}

int
tunnels_open(struct tunnels *t, uint32_t ticket, const struct tunnel_recipe *r,
    struct err *e)
{
	struct user *user = NULL;
	int fd = -1;

	if (check(t, ticket, r, e) != 0)
		return -1;
	if (r->owner != NULL)
		user = mem_new(sizeof(*user));
	if (user == NULL || user_find(r->owner, user, e) == 0)
		fd = open_for(t, ticket, r, user, e);
	free(user);
	return fd;
}

int
tunnels_none(enum tunnel_kind kind, struct err *e)
{
	return err_set(
	    e, ERR_TEMP, 0, "this account has no %s now", names[kind]);
}

/* ---- and the end, by us ---- */

static void
dismiss(struct tunnel *it)
{
	it->wanted = false;
	loop_timer_arm(it->grace, GRACE_MS);
}

void
tunnels_close(struct tunnels *t, uint32_t ticket)
{
	struct tunnel *it = find(t, ticket);

	if (it != NULL)
		dismiss(it);
}

void
tunnels_close_all(struct tunnels *t)
{
	struct tunnel *it;

	LIST_FOREACH (it, &t->all, next)
		if (it->wanted)
			dismiss(it);
}

/* ---- life ---- */

struct tunnels *
tunnels_new(
    struct loop *loop, unsigned long max_files, tunnels_fn ended, void *arg)
{
	struct tunnels *t = mem_new(sizeof(*t));

	t->loop = loop;
	t->max_files = max_files;
	t->ended = ended;
	t->arg = arg;
	LIST_INIT(&t->all);
	return t;
}

void
tunnels_free(struct tunnels **p)
{
	struct tunnels *t = *p;

	*p = NULL;
	if (t == NULL)
		return;
	while (!LIST_EMPTY(&t->all))
		forget(LIST_FIRST(&t->all));
	free(t);
}
