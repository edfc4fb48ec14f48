/* SPDX-License-Identifier: ISC */
#include "deliver/server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "deliver/link.h"
#include "deliver/worker.h"
#include "ledger/ledger.h"
#include "sys/limit.h"
#include "sys/log.h"
#include "util/mem.h"

#define SPOOL "spool"
#define FILES_MAX 4096 /* messages open or being committed */

struct server {
	struct link_env env;
	struct link *link; /* NULL: no engine */
};

/* What no engine is told, or not in words. */
static void
log_job(const struct job *j)
{
	if ((j->kind == JOB_SETTLE || j->kind == JOB_GONE) &&
	    j->e.kind != ERR_NONE)
		log_error(j->account->name, "%s", j->e.text);
}

static void
on_done(void *arg, struct job_list *done)
{
	struct server *s = arg;
	struct job *j;

	STAILQ_FOREACH (j, done, next) {
		log_job(j);
		if (j->kind == JOB_COMMIT)
			s->env.room.files--;
		if (s->link != NULL && link_is_its(s->link, j))
			link_answer(s->link, j);
	}
	if (s->link != NULL)
		link_answered(s->link);
}

static char *
spool_beside(const char *ledger_path)
{
	const char *slash = strrchr(ledger_path, '/');
	int dir = slash == NULL ? 0 : (int)(slash - ledger_path) + 1;

	return mem_printf("%.*s" SPOOL, dir, ledger_path);
}

struct server *
server_new(struct loop *loop, const char *ledger_path, struct err *e)
{
	struct ledger *ledger = ledger_open(ledger_path, e);
	struct server *s;
	char *spool;

	if (ledger == NULL)
		return NULL;
	s = mem_new(sizeof(*s));
	s->env.loop = loop;
	s->env.room.max_files = limit_files(FILES_MAX);
	maildir_names_init(&s->env.room.names, ledger_token(ledger));
	spool = spool_beside(ledger_path);
	s->env.worker =
	    worker_new(loop, ledger, &s->env.room.names, spool, on_done, s, e);
	free(spool);
	if (s->env.worker == NULL)
		server_free(&s);
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
	worker_free(&s->env.worker);
	for (size_t i = 0; i < s->env.n_accounts; i++) {
		free(s->env.accounts[i]->name);
		free(s->env.accounts[i]->maildir);
		free(s->env.accounts[i]);
	}
	free(s->env.accounts);
	free(s);
}

/* An account that comes again under its number stands behind the earlier
 * one, which the worker may still be busy with. */
void
server_account(
    struct server *s, uint32_t number, const char *name, const char *maildir)
{
	struct job_account *a = mem_new(sizeof(*a));

	a->number = number;
	a->name = mem_strdup(name);
	a->maildir = mem_strdup(maildir);
	s->env.accounts = mem_grow(s->env.accounts, s->env.n_accounts + 1,
	    sizeof(struct job_account *));
	s->env.accounts[s->env.n_accounts++] = a;
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
server_stop(struct server *s, loop_fn fn, void *arg)
{
	if (s->link != NULL)
		link_deafen(s->link);
	worker_stop(s->env.worker, fn, arg);
}
