/* SPDX-License-Identifier: ISC */
#include "proc/check_online.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "fetch/survey.h"
#include "io/ipc.h"
#include "io/sandbox.h"
#include "proc/findings.h"
#include "proc/findings_json.h"
#include "proc/findings_show.h"
#include "proc/limits.h"
#include "proc/refresh.h"
#include "proc/secrets.h"
#include "proc/team_engine.h"
#include "proc/tunnels.h"
#include "proc/turns.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define PACK_MAX (1 << 24) /* octets; more than any configuration */
#define LEAVE_MS 2000      /* the engine has nothing to save */
/* With nothing heard for so long the engine is stuck, whatever it waits for */
#define SILENT_MS ((SURVEY_DEADLINE_S + 30) * 1000)

struct job {                      /* an account that was asked for */
	struct check_online *all; /* not ours */
	const struct conf_account *account;
	struct secrets_wait *waiting;
	struct turn *turn; /* waiting is for a process */
	struct buf packed; /* for an engine that is not there yet */
	struct findings findings;
	bool asked, begun, ended;
};

struct check_online {
	struct conf *conf; /* not ours */
	const struct check_options *options;
	struct loop *loop;
	struct turns *turns;
	struct tunnels *tunnels;
	struct team_engine *engine;
	struct job *jobs; /* one for each account of the configuration */
	size_t left;      /* jobs that have not ended */
	size_t shown;     /* jobs that are shown, or need not be */
	json_t *json;     /* what is shown; NULL: as text */
	struct loop_timer *silent;
	struct loop_signal *sigint, *sigterm, *sighup;
	bool started; /* the engine */
	int status;
};

/* ---- what is shown ---- */

static void
show(const struct check_online *c, const struct job *j)
{
	bool mailboxes = c->options->mailboxes;

	if (c->json != NULL) {
		json_array_append_new(c->json,
		    findings_json(j->account, &j->findings, mailboxes));
	} else if (mailboxes) {
		findings_show_mailboxes(stdout, &j->findings, "");
		fflush(stdout);
		findings_show_error(stderr, j->account, &j->findings);
	} else if (!c->options->quiet) {
		findings_show(stdout, j->account, &j->findings, clock_wall_s());
	} else {
		findings_show_error(stderr, j->account, &j->findings);
	}
	fflush(stdout);
}

/* In the order of the configuration, each as soon as it can. */
static void
show_more(struct check_online *c)
{
	for (; c->shown < c->conf->n; c->shown++) {
		struct job *j = &c->jobs[c->shown];

		if (j->asked && !j->ended)
			return;
		if (j->asked)
			show(c, j);
		findings_deinit(&j->findings);
	}
}

/* ---- accounts ---- */

static void
stop_waiting(struct job *j)
{
	secrets_cancel(&j->waiting);
	turns_give_back(j->all->turns, &j->turn);
	buf_wipe(&j->packed);
}

static void
end_job(struct job *j, const struct err *e)
{
	struct check_online *c = j->all;

	if (j->ended)
		return;
	stop_waiting(j);
	j->ended = true;
	j->findings.e = *e;
	c->status =
	    reaction_worse(c->status, reaction_of(e->kind)->exit_status);
	show_more(c);
	if (--c->left == 0)
		loop_stop(c->loop);
}

static void
end_all(struct check_online *c, const struct err *e)
{
	for (size_t i = 0; i < c->conf->n; i++)
		if (c->jobs[i].asked)
			end_job(&c->jobs[i], e);
}

static void
heard(struct check_online *c)
{
	loop_timer_arm(c->silent, SILENT_MS);
}

static void
on_silent(void *arg)
{
	struct err e;

	err_set(&e, ERR_TEMP, 0, "the engine does not answer");
	end_all(arg, &e);
}

static void
hand_over(struct job *j)
{
	struct check_online *c = j->all;

	if (!c->started || j->ended || j->packed.n == 0)
		return;
	team_engine_survey(
	    c->engine, (uint32_t)(j - c->jobs), buf_span(&j->packed));
	buf_wipe(&j->packed);
	heard(c);
}

static void begin_jobs(struct check_online *c);

static void
on_secret(void *arg, struct secret *secret, const struct err *e)
{
	struct job *j = arg;
	struct check_online *c = j->all;
	struct err why;

	j->waiting = NULL;
	turns_give_back(c->turns, &j->turn);
	heard(c);
	if (secret == NULL) {
		why = *e;
		end_job(j, &why);
	} else if (team_engine_pack(
		       c->engine, j->account, secret, &j->packed, &why) != 0) {
		end_job(j, &why);
	} else {
		j->findings.of_server = true;
		hand_over(j);
	}
	secret_free(&secret);
	begin_jobs(c);
}

/* Who has to wait for a turn comes when another has had his. */
static void
begin_jobs(struct check_online *c)
{
	struct secrets_params params = { .state_dir = c->conf->state_dir,
		.user = c->conf->engine_user,
		.anew = true };

	for (size_t i = 0; i < c->conf->n; i++) {
		struct job *j = &c->jobs[i];

		if (!j->asked || j->begun || j->ended)
			continue;
		if (secrets_need_process(j->account)) {
			j->turn = secrets_turn(c->turns, j->account);
			if (j->turn == NULL)
				continue;
		}
		j->begun = true;
		params.account = j->account;
		j->waiting = secrets_get(c->loop, &params, on_secret, j);
	}
}

/* ---- what the engine says ---- */

/* It may name any. */
static struct job *
job_of(struct check_online *c, uint32_t number)
{
	struct job *j = number < c->conf->n ? &c->jobs[number] : NULL;

	return j != NULL && j->asked && !j->ended ? j : NULL;
}

static void
on_started(void *arg)
{
	struct check_online *c = arg;

	c->started = true;
	for (size_t i = 0; i < c->conf->n; i++)
		if (c->jobs[i].asked)
			hand_over(&c->jobs[i]);
}

static void
on_fact(void *arg, uint32_t number, const struct fact *fact)
{
	struct job *j = job_of(arg, number);

	heard(arg);
	if (j != NULL)
		findings_add(&j->findings, fact);
}

static void
on_result(void *arg, uint32_t number, const struct fetch_result *result)
{
	struct job *j = job_of(arg, number);

	heard(arg);
	if (j != NULL)
		end_job(j, &result->err);
}

static void
on_engine_ended(void *arg, const struct err *e)
{
	end_all(arg, e);
}

/* Nobody asks for these. */
static void
on_progress(void *arg, uint32_t number, const struct fetch_progress *progress)
{
	(void)arg;
	(void)number;
	(void)progress;
}

static void
on_status(void *arg, uint32_t number, const struct status *status)
{
	(void)arg;
	(void)number;
	(void)status;
}

static void
on_number(void *arg, uint32_t number)
{
	(void)arg;
	(void)number;
}

static void
on_pong(void *arg)
{
	(void)arg;
}

/* ---- tunnels ---- */

static void
on_tunnel(void *arg, uint32_t number, uint32_t ticket, enum tunnel_kind kind)
{
	struct check_online *c = arg;
	const struct job *j = job_of(c, number);
	struct tunnel_recipe *recipe =
	    j == NULL ? NULL : tunnel_recipe_new(j->account, kind);
	struct err e;
	int fd = -1;

	if (recipe == NULL)
		tunnels_none(kind, &e);
	else
		fd = tunnels_open(c->tunnels, ticket, recipe, &e);
	tunnel_recipe_free(&recipe);
	if (fd < 0)
		team_engine_tunnel_down(c->engine, ticket, &e);
	else
		team_engine_tunnel_up(c->engine, ticket, fd);
}

static void
on_tunnel_close(void *arg, uint32_t ticket)
{
	struct check_online *c = arg;

	tunnels_close(c->tunnels, ticket);
}

static void
on_tunnel_ended(void *arg, uint32_t ticket, const struct err *e)
{
	struct check_online *c = arg;

	team_engine_tunnel_down(c->engine, ticket, e);
}

static const struct team_engine_events events = { on_started, on_progress,
	on_result, on_status, on_number, on_number, on_pong, on_tunnel,
	on_tunnel_close, on_engine_ended, on_fact, NULL };

/* ---- before and after ---- */

static void
on_signal(void *arg, int signo)
{
	struct err e;

	(void)signo;
	err_set(&e, ERR_CANCEL, 0, "interrupted");
	end_all(arg, &e);
}

static void
ask_for(struct check_online *c, const struct conf_account *a)
{
	struct job *j = &c->jobs[a - c->conf->accounts];

	if (j->asked)
		return;
	j->all = c;
	j->account = a;
	j->asked = true;
	buf_init(&j->packed, PACK_MAX);
	c->left++;
}

/* -1 when a name is not in the configuration. */
static int
choose(struct check_online *c, const char *const *names, size_t n)
{
	for (size_t i = 0; n == 0 && i < c->conf->n; i++)
		ask_for(c, &c->conf->accounts[i]);
	for (size_t i = 0; i < n; i++) {
		const struct conf_account *a = conf_find(c->conf, names[i]);
		char text[CONF_NO_ACCOUNT_MAX];

		if (a == NULL) {
			fprintf(stderr, "%s\n",
			    conf_no_account(
				c->conf, names[i], text, sizeof(text)));
			return -1;
		}
		ask_for(c, a);
	}
	return 0;
}

static enum log_level
level_of(const struct check_options *o)
{
	if (o->quiet)
		return LOG_LEVEL_ERROR;
	if (o->verbose == 0)
		return LOG_LEVEL_WARNING;
	return o->verbose == 1 ? LOG_LEVEL_INFO
	    : o->verbose == 2  ? LOG_LEVEL_DEBUG
			       : LOG_LEVEL_TRACE;
}

static int
start_engine(struct check_online *c, struct err *e)
{
	const struct team_engine_params params = {
		.user = c->conf->engine_user,
		.stderr_fd = -1,
		.max_connections_per_host = c->conf->max_connections_per_host,
		.log_level = level_of(c->options),
		.log_format = c->conf->log_format,
	};

	c->engine = team_engine_new(c->loop, &params, &events, c, e);
	return c->engine == NULL ? -1 : 0;
}

static void
run(struct check_online *c)
{
	struct err e;

	c->sigint = loop_signal_new(c->loop, SIGINT, on_signal, c);
	c->sigterm = loop_signal_new(c->loop, SIGTERM, on_signal, c);
	c->sighup = loop_signal_new(c->loop, SIGHUP, on_signal, c);
	if (start_engine(c, &e) != 0) {
		fprintf(stderr, "mailhaul: %s\n", e.text);
		c->status = reaction_of(e.kind)->exit_status;
		return;
	}
	heard(c);
	begin_jobs(c);
	if (c->left > 0)
		loop_run(c->loop);
}

static void
deinit(struct check_online *c)
{
	for (size_t i = 0; i < c->conf->n; i++)
		if (c->jobs[i].asked) {
			stop_waiting(&c->jobs[i]);
			findings_deinit(&c->jobs[i].findings);
		}
	team_engine_free(&c->engine, clock_ms() + LEAVE_MS);
	tunnels_free(&c->tunnels);
	loop_signal_free(&c->sigint);
	loop_signal_free(&c->sigterm);
	loop_signal_free(&c->sighup);
	loop_timer_free(&c->silent);
	turns_free(&c->turns);
	refresh_settle(c->loop);
	loop_free(&c->loop);
	free(c->jobs);
}

/* "list" is of one account, so it is no list. */
static void
print_json(const struct check_online *c)
{
	json_t *all = c->options->mailboxes
	    ? json_incref(json_array_get(c->json, 0))
	    : json_pack("{s:O}", "accounts", c->json);

	if (all != NULL && json_dumpf(all, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	json_decref(all);
}

int
check_online(struct conf *conf, const char *const *names, size_t n,
    const struct check_options *options)
{
	struct check_online c = { .conf = conf, .options = options };
	unsigned long max_files;
	struct err e;

	log_set_level(level_of(options));
	max_files = limits_raise_files();
	signal(SIGPIPE, SIG_IGN);
	if (sandbox_secrets(&e) != 0)
		log_notice("supervisor", "%s", e.text);
	c.loop = loop_new();
	c.turns = turns_new();
	c.tunnels = tunnels_new(c.loop, max_files, on_tunnel_ended, &c);
	c.silent = loop_timer_new(c.loop, on_silent, &c);
	c.jobs = mem_array(conf->n + 1, sizeof(*c.jobs));
	if (options->json)
		c.json = json_array();
	if (choose(&c, names, n) != 0)
		c.status = EX_USAGE;
	else
		run(&c);
	if (c.json != NULL && c.status != EX_USAGE)
		print_json(&c);
	json_decref(c.json);
	deinit(&c);
	return c.status;
}
