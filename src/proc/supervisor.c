/* SPDX-License-Identifier: ISC */
#include "proc/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/sandbox.h"
#include "proc/certificates.h"
#include "proc/limits.h"
#include "proc/refresh.h"
#include "proc/report.h"
#include "proc/secrets.h"
#include "proc/state_lock.h"
#include "proc/team.h"
#include "proc/turns.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define DRAW_MS 250
#define LOG_MAX 8192 /* octets of the children's lines kept at a time */

struct job {                           /* an account that was asked for */
	struct supervisor *supervisor; /* not ours */
	const struct conf_account *account;
	struct secrets_wait *waiting;
	struct turn *turn;    /* waiting is for a process */
	struct secret *token; /* that was given; no passwords */
	struct err refusal;   /* of that one: another is tried, once */
	size_t row;
	bool asked, begun, ended;
};

struct supervisor {
	struct conf *conf; /* not ours */
	const struct supervisor_options *options;
	struct loop *loop;
	struct team *team;
	struct certificates *certificates;
	struct turns *turns;
	struct report *report;
	struct job *jobs; /* one for each account of the configuration */
	size_t left;      /* jobs that have not ended */
	struct loop_signal *sigint, *sigterm, *sighup;
	struct loop_timer *draw;
	int log_fds[2]; /* the children's standard error, while lines move */
	struct loop_fd *log_watch;
	struct buf log;
	unsigned long max_files; /* before we asked for more */
	int lock;
	int status;
	uint64_t messages;
	bool stopping;
};

static struct supervisor *shown; /* whose moving lines the log goes above */

/* ---- the log and the moving lines ---- */

static void
log_above(enum log_level level, const char *line)
{
	(void)level;
	report_clear(shown->report);
	fprintf(stderr, "%s\n", line);
	fflush(stderr);
}

static void
show_lines(struct supervisor *s)
{
	struct span all = buf_span(&s->log);
	struct span rest = all;

	while (span_find(rest, '\n') < rest.n) {
		struct span line = span_until(&rest, '\n');

		report_clear(s->report);
		fprintf(stderr, "%.*s\n", (int)line.n, line.p);
	}
	fflush(stderr);
	buf_drop(&s->log, all.n - rest.n);
}

/* As of read(2). */
static ssize_t
read_lines(struct supervisor *s)
{
	size_t room;
	char *p = buf_room(&s->log, LOG_MAX, &room);
	ssize_t n;

	if (room == 0) { /* one endless line */
		buf_clear(&s->log);
		return 1;
	}
	n = read(s->log_fds[0], p, room);
	if (n > 0)
		buf_wrote(&s->log, (size_t)n);
	show_lines(s);
	return n;
}

static void
on_log(void *arg, bool readable, bool writable)
{
	struct supervisor *s = arg;

	(void)readable;
	(void)writable;
	if (read_lines(s) == 0)
		loop_fd_want(s->log_watch, false, false);
}

/* What the children said last: the loop ends before all of it is read. */
static void
drain_lines(struct supervisor *s)
{
	while (s->log_fds[0] >= 0 && read_lines(s) > 0)
		;
}

static void
on_draw(void *arg)
{
	struct supervisor *s = arg;

	report_draw(s->report);
	loop_timer_arm(s->draw, DRAW_MS);
}

static int
start_moving(struct supervisor *s, struct err *e)
{
	if (pipe2(s->log_fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_set(e, ERR_TEMP, errno, "pipe: %s", strerror(errno));
	/* the children may wait for us, rather than lose a line */
	(void)fcntl(s->log_fds[1], F_SETFL, 0);
	s->log_watch = loop_fd_new(s->loop, s->log_fds[0], on_log, s);
	loop_fd_want(s->log_watch, true, false);
	shown = s;
	log_set_sink(log_above);
	loop_timer_arm(s->draw, DRAW_MS);
	return 0;
}

/* ---- accounts ---- */

static void
end_job(struct job *j, const struct err *e)
{
	struct supervisor *s = j->supervisor;

	if (j->ended)
		return;
	j->ended = true;
	if (e->kind != ERR_NONE && e->kind != ERR_CANCEL)
		log_error(j->account->name, "%s", e->text);
	s->status =
	    reaction_worse(s->status, reaction_of(e->kind)->exit_status);
	if (--s->left == 0)
		loop_stop(s->loop);
}

static void
fail_job(struct job *j, const struct err *e)
{
	struct fetch_result result = { .err = *e, .progress.doing = "failed" };

	report_result(j->supervisor->report, j->row, &result);
	end_job(j, e);
}

static bool
is_queued(const struct job *j)
{
	return j->asked && !j->begun && !j->ended;
}

static void begin_jobs(struct supervisor *s);

static void
stop_waiting(struct job *j)
{
	secrets_cancel(&j->waiting);
	turns_give_back(j->supervisor->turns, &j->turn);
}

static bool
is_same_again(const struct job *j, const struct secret *secret)
{
	return j->refusal.kind != ERR_NONE && secret_same(j->token, secret);
}

static void
keep_token(struct job *j, const struct secret *secret)
{
	secret_free(&j->token);
	if (secret != NULL && secrets_are_tokens(j->account))
		j->token = secret_new(secret_span(secret));
}

static void
on_secret(void *arg, struct secret *secret, const struct err *e)
{
	struct job *j = arg;
	bool again = is_same_again(j, secret);
	struct err why;

	j->waiting = NULL;
	stop_waiting(j);
	keep_token(j, secret);
	if (secret == NULL)
		fail_job(j, e);
	else if (again)
		fail_job(j, &j->refusal);
	else if (team_account(j->supervisor->team,
		     (uint32_t)(j - j->supervisor->jobs), j->account, secret,
		     false, &why) != 0)
		fail_job(j, &why);
	secret_free(&secret);
	begin_jobs(j->supervisor);
}

/* Who has to wait for a turn comes when another has had his. */
static void
begin_jobs(struct supervisor *s)
{
	struct secrets_params params = { .state_dir = s->conf->state_dir,
		.user = s->conf->engine_user };

	for (size_t i = 0; i < s->conf->n; i++) {
		struct job *j = &s->jobs[i];

		if (!is_queued(j))
			continue;
		if (secrets_need_process(j->account)) {
			j->turn = secrets_turn(s->turns, j->account);
			if (j->turn == NULL)
				continue;
		}
		j->begun = true;
		params.account = j->account;
		params.refused = j->token;
		j->waiting = secrets_get(s->loop, &params, on_secret, j);
	}
}

/* The deliverers start while the secrets are fetched. */
static void
start_jobs(struct supervisor *s)
{
	for (size_t i = 0; i < s->conf->n; i++)
		if (s->jobs[i].asked)
			team_expect(s->team, s->jobs[i].account);
	begin_jobs(s);
}

static void
on_progress(void *arg, uint32_t number, const struct fetch_progress *progress)
{
	struct supervisor *s = arg;

	if (s->jobs[number].asked && !s->jobs[number].ended)
		report_progress(s->report, s->jobs[number].row, progress);
}

/* A token may have expired, whatever was said about its life. */
static bool
try_another(struct job *j, const struct err *e)
{
	if (e->kind != ERR_AUTH || j->token == NULL ||
	    j->refusal.kind != ERR_NONE || j->supervisor->stopping)
		return false;
	j->refusal = *e;
	j->begun = false;
	log_info(j->account->name, "%s; asking for another token", e->text);
	begin_jobs(j->supervisor);
	return true;
}

static void
on_result(void *arg, uint32_t number, const struct fetch_result *result)
{
	struct supervisor *s = arg;
	struct job *j = &s->jobs[number];

	if (!j->asked || j->ended || try_another(j, &result->err))
		return;
	s->messages += result->progress.messages;
	report_result(s->report, j->row, result);
	end_job(j, &result->err);
}

/* A deliverer takes along whose mail it delivers, the engine all. */
static bool
is_hit(const struct job *j, enum team_role role, const char *user)
{
	const char *run_as = j->account->run_as;

	if (role == TEAM_ENGINE)
		return true;
	if (user == NULL || run_as == NULL)
		return user == NULL && run_as == NULL;
	return strcmp(run_as, user) == 0;
}

static void
on_ended(void *arg, enum team_role role, const char *user, const struct err *e)
{
	struct supervisor *s = arg;

	for (size_t i = 0; i < s->conf->n; i++) {
		struct job *j = &s->jobs[i];

		if (!j->asked || j->ended || !is_hit(j, role, user))
			continue;
		stop_waiting(j);
		fail_job(j, e);
	}
	begin_jobs(s);
}

/* Of the daemon's accounts alone. */
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

static void
on_certificate(void *arg, uint32_t number, const struct certificate *c)
{
	struct supervisor *s = arg;
	const struct job *j = &s->jobs[number];

	if (j->asked)
		certificates_seen(s->certificates, j->account->name,
		    j->account->tls_warn_s, c, clock_wall_s());
}

static const struct team_events events = { on_progress, on_result, on_status,
	on_number, on_number, on_number, on_ended, on_pong, on_certificate };

/* The first signal ends in order, the second at once: what is delivered is
 * safe either way. */
static void
on_signal(void *arg, int signo)
{
	struct supervisor *s = arg;
	struct err e;

	if (s->stopping)
		_exit(128 + signo);
	s->stopping = true;
	log_warning("mailhaul", "%s: ending", strsignal(signo));
	err_set(&e, ERR_CANCEL, 0, "interrupted");
	for (size_t i = 0; i < s->conf->n; i++)
		if (s->jobs[i].waiting != NULL || is_queued(&s->jobs[i])) {
			stop_waiting(&s->jobs[i]);
			fail_job(&s->jobs[i], &e);
		}
	team_stop(s->team);
}

/* ---- before and after ---- */

static bool
ask_for(struct supervisor *s, struct conf_account *a)
{
	struct job *j = &s->jobs[a - s->conf->accounts];

	if (j->asked)
		return false;
	j->supervisor = s;
	j->account = a;
	j->asked = true;
	j->row = s->left++;
	return true;
}

/* -1 when a name is not in the configuration. */
static int
choose(struct supervisor *s, const char *const *names, size_t n)
{
	for (size_t i = 0; n == 0 && i < s->conf->n; i++)
		(void)ask_for(s, &s->conf->accounts[i]);
	for (size_t i = 0; i < n; i++) {
		struct conf_account *a = conf_find(s->conf, names[i]);
		char text[CONF_NO_ACCOUNT_MAX];

		if (a == NULL) {
			log_error("mailhaul", "%s",
			    conf_no_account(
				s->conf, names[i], text, sizeof(text)));
			return -1;
		}
		(void)ask_for(s, a);
	}
	return 0;
}

static enum log_level
level_of(const struct supervisor *s)
{
	enum log_level configured = s->conf->log_level;
	unsigned int v = s->options->verbose;

	if (s->options->quiet)
		return LOG_LEVEL_ERROR;
	if (v > 0)
		return v >= 3 ? LOG_LEVEL_TRACE
		    : v == 2  ? LOG_LEVEL_DEBUG
			      : LOG_LEVEL_INFO;
	/* one line per message is for the daemon's log */
	if (configured == LOG_LEVEL_INFO || configured == LOG_LEVEL_NOTICE)
		return LOG_LEVEL_WARNING;
	return configured;
}

static int
init(struct supervisor *s, struct err *e)
{
	enum report_style style =
	    report_style_for(s->options->quiet, s->options->verbose);
	struct team_params params;

	s->draw = loop_timer_new(s->loop, on_draw, s);
	s->lock = state_lock(s->conf->state_dir, e);
	if (s->lock < 0)
		return -1;
	s->certificates = certificates_new(s->loop, s->conf->state_dir);
	s->report = report_new(style, s->left);
	for (size_t i = 0; i < s->conf->n; i++)
		if (s->jobs[i].asked)
			report_name(s->report, s->jobs[i].row,
			    s->jobs[i].account->name);
	if (style == REPORT_MOVING && start_moving(s, e) != 0)
		return -1;
	s->sigint = loop_signal_new(s->loop, SIGINT, on_signal, s);
	s->sigterm = loop_signal_new(s->loop, SIGTERM, on_signal, s);
	s->sighup = loop_signal_new(s->loop, SIGHUP, on_signal, s);
	params = (struct team_params){ .state_dir = s->conf->state_dir,
		.lock_fd = s->lock,
		.stderr_fd = s->log_fds[1],
		.max_files = s->max_files,
		.max_connections_per_host = s->conf->max_connections_per_host,
		.engine_user = s->conf->engine_user,
		.progress = style == REPORT_MOVING,
		.log_level = level_of(s),
		.log_format = s->conf->log_format };
	s->team = team_new(s->loop, &params, &events, s, e);
	return s->team == NULL ? -1 : 0;
}

static void
deinit(struct supervisor *s)
{
	drain_lines(s); /* nobody shall wait for room in the pipe */
	team_free(&s->team);
	drain_lines(s);
	certificates_free(&s->certificates);
	if (s->report != NULL)
		report_clear(s->report);
	log_set_sink(NULL);
	loop_signal_free(&s->sigint);
	loop_signal_free(&s->sigterm);
	loop_signal_free(&s->sighup);
	loop_timer_free(&s->draw);
	loop_fd_free(&s->log_watch);
	for (size_t i = 0; i < 2; i++)
		if (s->log_fds[i] >= 0)
			close(s->log_fds[i]);
	buf_deinit(&s->log);
	report_free(&s->report);
	refresh_settle(s->loop);
	loop_free(&s->loop);
	if (s->lock >= 0)
		close(s->lock);
	for (size_t i = 0; i < s->conf->n; i++)
		secret_free(&s->jobs[i].token);
	free(s->jobs);
	turns_free(&s->turns);
}

static void
run(struct supervisor *s)
{
	struct err e;

	if (init(s, &e) != 0) {
		log_error("mailhaul", "%s", e.text);
		s->status = reaction_of(e.kind)->exit_status;
		return;
	}
	start_jobs(s);
	if (s->left > 0)
		loop_run(s->loop);
	report_end(s->report);
	if (s->options->exit_new && s->status == EX_OK && s->messages == 0)
		s->status = 1;
}

int
supervisor_fetch(struct conf *conf, const char *const *names, size_t n,
    const struct supervisor_options *options)
{
	struct supervisor s = { .conf = conf,
		.options = options,
		.log_fds = { -1, -1 },
		.lock = -1 };
	struct err e;

	log_set_level(options->quiet ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING);
	s.max_files = limits_raise_files();
	signal(SIGPIPE, SIG_IGN);
	if (sandbox_secrets(&e) != 0)
		log_notice("supervisor", "%s", e.text);
	s.loop = loop_new();
	s.turns = turns_new();
	s.jobs = mem_array(conf->n + 1, sizeof(*s.jobs));
	buf_init(&s.log, LOG_MAX);
	log_set_level(level_of(&s));
	if (choose(&s, names, n) != 0)
		s.status = EX_USAGE;
	else
		run(&s);
	deinit(&s);
	return s.status;
}
