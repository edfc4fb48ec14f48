/* SPDX-License-Identifier: ISC */
#include "deliver/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/link.h"
#include "deliver/worker.h"
#include "ledger/ledger.h"
#include "sys/limit.h"
#include "sys/log.h"
#include "util/mem.h"

#define SPOOL "spool"  /* of messages for mboxes, beside the ledger */
#define FILES_MAX 4096 /* messages open or being committed */

struct server {
	struct link_env env;
	struct server_walls walls;
	struct link *link; /* NULL: no engine */
	char *dir;         /* of the ledger */
	loop_fn stopped;
	void *stopped_arg;
};

/* What no engine is told, or not in words. */
static void
log_job(const struct job *j)
{
	bool silent = j->kind == JOB_SETTLE || j->kind == JOB_GONE ||
	    j->kind == JOB_MISSING || j->kind == JOB_NAMES ||
	    j->kind == JOB_RECALL || j->kind == JOB_REMEMBER ||
	    (j->kind == JOB_NOTE && !j->letter);

	if (silent && j->e.kind != ERR_NONE)
		log_error(j->account->target->name, "%s", j->e.text);
}

static bool
is_denied(const struct job *j)
{
	return j->e.sys == EACCES || (j->letter && j->commit.e.sys == EACCES);
}

static void
tell(struct server *s, struct job *j)
{
	bool here = s->link != NULL && link_is_its(s->link, j);

	log_job(j);
	if (is_denied(j) && s->walls.denied != NULL)
		s->walls.denied(s->walls.arg);
	if (j->letter && here)
		opener_done(&s->env.room, j);
	else if (j->letter)
		opener_lost(&s->env.room, j);
	if (here)
		link_answer(s->link, j);
}

static void
on_done(void *arg, struct job_list *done)
{
	struct server *s = arg;
	struct job *j;

	while ((j = STAILQ_FIRST(done)) != NULL) {
		STAILQ_REMOVE_HEAD(done, next);
		if (outlet_goes_on(s->env.outlet, j))
			continue;
		tell(s, j);
		job_free(&j);
	}
	roster_sweep(&s->env.accounts);
	if (s->link != NULL)
		link_answered(s->link);
}

static void
on_outlet(void *arg, struct job *j)
{
	struct server *s = arg;

	tell(s, j);
	job_free(&j);
	roster_sweep(&s->env.accounts);
	if (s->link != NULL)
		link_answered(s->link);
}

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	return mem_spandup(span_make(path, (size_t)(slash - path)));
}

/* Without a thread yet: what bounds this one, bounds those it begins. */
static int
put_up_walls(struct server *s, struct ledger *ledger, struct err *e)
{
	if (s->walls.owed == NULL)
		return 0;
	if (places_owed(ledger, s->walls.owed, s->walls.arg, e) < 0)
		return -1;
	s->walls.owed(s->walls.arg, NULL);
	return 0;
}

struct server *
server_new(struct loop *loop, const char *ledger_path,
    const struct server_walls *walls, struct err *e)
{
	struct server *s = mem_new(sizeof(*s));
	struct ledger *ledger;
	char *spool;

	s->env.loop = loop;
	if (walls != NULL)
		s->walls = *walls;
	roster_init(&s->env.accounts);
	s->dir = folder_of(ledger_path);
	ledger = ledger_open(ledger_path, e);
	if (ledger == NULL || put_up_walls(s, ledger, e) < 0) {
		ledger_close(&ledger);
		server_free(&s);
		return NULL;
	}
	s->env.room.spool = spool_new(s->dir);
	s->env.room.max_files = limit_files(FILES_MAX);
	maildir_names_init(&s->env.room.names, ledger_token(ledger));
	spool = mem_printf("%s/" SPOOL, s->dir);
	s->env.worker =
	    worker_new(loop, ledger, &s->env.room.names, spool, on_done, s, e);
	free(spool);
	if (s->env.worker == NULL)
		server_free(&s);
	else
		s->env.outlet = outlet_new(loop, s->env.worker, on_outlet, s);
	return s;
}

void
server_free(struct server **p)
{
	struct server *s = *p;

	if (s == NULL)
		return;
	*p = NULL;
	link_free(&s->link);
	for (size_t i = 0; i < s->env.accounts.n; i++)
		outlet_forget(s->env.accounts.v[i]);
	worker_free(&s->env.worker);
	outlet_free(&s->env.outlet);
	roster_deinit(&s->env.accounts);
	spool_free(&s->env.room.spool);
	free(s->dir);
	free(s);
}

void
server_account(struct server *s, uint32_t number, const struct target *target)
{
	roster_add(&s->env.accounts, number, target_copy(target));
}

void
server_forget(struct server *s, uint32_t number)
{
	roster_forget(&s->env.accounts, number);
}

static void
on_gone(void *arg)
{
	struct server *s = arg;

	link_free(&s->link);
}

void
server_attach(struct server *s, int fd)
{
	link_free(&s->link);
	s->link = link_new(&s->env, fd, on_gone, s);
}

void
server_halt(struct server *s)
{
	outlet_stop(
	    s->env.outlet, s->env.accounts.v, s->env.accounts.n, NULL, NULL);
}

static void
on_programs_ended(void *arg)
{
	struct server *s = arg;

	worker_stop(s->env.worker, s->stopped, s->stopped_arg);
}

void
server_stop(struct server *s, loop_fn fn, void *arg)
{
	if (s->link != NULL)
		link_deafen(s->link);
	s->stopped = fn;
	s->stopped_arg = arg;
	outlet_stop(s->env.outlet, s->env.accounts.v, s->env.accounts.n,
	    on_programs_ended, s);
}
