/* SPDX-License-Identifier: ISC */
#include "proc/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/listen.h"
#include "io/lull.h"
#include "io/netlink.h"
#include "io/sandbox.h"
#include "proc/accounts.h"
#include "proc/certificates.h"
#include "proc/doors.h"
#include "proc/limits.h"
#include "proc/log_pipe.h"
#include "proc/pulse.h"
#include "proc/refresh.h"
#include "proc/reload.h"
#include "proc/requests.h"
#include "proc/rolls.h"
#include "proc/signals.h"
#include "proc/standing.h"
#include "proc/state_lock.h"
#include "proc/tell.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "util/mem.h"

#define QUIET_MS 3000
#define BUSY_MS 60000

struct daemon {
	const struct daemon_options *options;
	struct conf *first; /* what cannot change is as it says */
	struct conf *conf;  /* the present one; may be the first */
	struct loop *loop;
	struct team *team;
	struct rolls *rolls;
	struct certificates *certificates;
	struct accounts *accounts;
	struct requests *requests;
	struct standing *standing;
	struct tell *tell;
	struct pulse *pulse;
	struct listener *listener;
	struct netlink *netlink;
	struct log_pipe *log;
	struct signals *signals;
	struct loop_timer *deadline;
	struct lull *lull;
	unsigned long max_files; /* before we asked for more */
	int lock;
	int group;     /* of the control socket; -1 */
	int metrics;   /* a socket that listens; -1 */
	bool stopping; /* in order */
	int64_t started, reloaded;
	int status;
};

/* ---- accounts ---- */

static void
on_changed(void *arg, const struct rolls_entry *entry)
{
	struct daemon *d = arg;

	lull_stir(d->lull);
	tell_status(d->tell, entry->name, &entry->status);
	standing_changed(d->standing);
}

static void
on_entry_progress(void *arg, const struct rolls_entry *entry,
    const struct fetch_progress *progress)
{
	struct daemon *d = arg;

	requests_progress(d->requests, entry, progress);
}

static void
on_entry_result(void *arg, const struct rolls_entry *entry,
    const struct fetch_result *result)
{
	struct daemon *d = arg;

	requests_result(d->requests, entry, result);
}

static void
on_empty(void *arg)
{
	struct daemon *d = arg;

	loop_stop(d->loop);
}

static const struct rolls_events rolls_events = { on_changed, on_entry_progress,
	on_entry_result, on_empty };

/* Reading the configuration takes several times what is kept of it. */
static void
on_lull(void *arg)
{
	(void)arg;
	mem_trim();
}

static void
say(void *arg, bool bad, const char *line)
{
	struct daemon *d = arg;

	requests_reload_says(d->requests, bad, line);
}

static void
on_known(void *arg)
{
	struct daemon *d = arg;

	requests_reloaded(d->requests, EX_OK);
}

static void
on_accounts(void *arg)
{
	struct daemon *d = arg;

	standing_changed(d->standing);
}

static const struct accounts_events accounts_events = { say, on_known,
	on_accounts };

/* ---- the team ---- */

static void
on_progress(void *arg, uint32_t number, const struct fetch_progress *progress)
{
	struct daemon *d = arg;

	rolls_on_progress(d->rolls, number, progress);
}

static void
on_result(void *arg, uint32_t number, const struct fetch_result *result)
{
	struct daemon *d = arg;

	rolls_on_result(d->rolls, number, result);
}

static void
on_status(void *arg, uint32_t number, const struct status *status)
{
	struct daemon *d = arg;

	rolls_on_status(d->rolls, number, status);
}

static void
on_want(void *arg, uint32_t number)
{
	struct daemon *d = arg;

	rolls_on_want(d->rolls, number);
}

static void
on_gone(void *arg, uint32_t number)
{
	struct daemon *d = arg;

	rolls_on_gone(d->rolls, number);
}

static void
on_lost(void *arg, uint32_t number)
{
	struct daemon *d = arg;

	rolls_on_lost(d->rolls, number);
}

static void
on_ended(void *arg, enum team_role role, const char *user, const struct err *e)
{
	const char *of = user == NULL ? "" : " of ";

	(void)arg;
	log_error("mailhaul", "the %s%s%s: %s",
	    role == TEAM_ENGINE ? "engine" : "deliverer", of,
	    user == NULL ? "" : user, e->text);
}

static void
on_pong(void *arg)
{
	struct daemon *d = arg;

	pulse_on_pong(d->pulse);
}

static const struct rolls_entry *
entry_of(const struct daemon *d, uint32_t number)
{
	for (size_t i = 0; i < rolls_count(d->rolls); i++)
		if (rolls_at(d->rolls, i)->number == number)
			return rolls_at(d->rolls, i);
	return NULL;
}

static void
on_certificate(void *arg, uint32_t number, const struct certificate *c)
{
	struct daemon *d = arg;
	const struct rolls_entry *entry = entry_of(d, number);

	if (entry != NULL && entry->account != NULL)
		certificates_seen(d->certificates, entry->name,
		    entry->account->tls_warn_s, c, clock_wall_s());
}

static const struct team_events team_events = { on_progress, on_result,
	on_status, on_want, on_gone, on_lost, on_ended, on_pong,
	on_certificate };

static void
on_network(void *arg)
{
	struct daemon *d = arg;

	log_debug("mailhaul", "the network changed");
	team_probe(d->team);
}

/* ---- reload ---- */

static void
set_level(const struct daemon *d)
{
	unsigned int v = d->options->verbose;

	if (v == 0)
		log_set_level(d->conf->log_level);
	else
		log_set_level(v >= 3 ? LOG_LEVEL_TRACE
			: v == 2     ? LOG_LEVEL_DEBUG
				     : LOG_LEVEL_INFO);
}

static void
take(struct daemon *d, struct conf *new)
{
	struct rolls_change change;
	char *line;

	accounts_set(d->accounts, new, &change);
	if (d->conf != d->first)
		conf_free(&d->conf);
	d->conf = new;
	d->reloaded = clock_wall_s();
	log_set_format(new->log_format);
	set_level(d);
	team_log_level(d->team, log_level());
	line = mem_printf("reloaded: %zu account%s, %zu new, %zu changed, %zu "
			  "removed",
	    new->n, new->n == 1 ? "" : "s", change.added, change.changed,
	    change.removed);
	log_notice("mailhaul", "%s", line);
	say(d, false, line);
	free(line);
}

static void
reload(void *arg)
{
	struct daemon *d = arg;
	struct conf *new;

	if (d->stopping) {
		say(d, true, "the daemon is ending");
		requests_reloaded(d->requests, EX_TEMPFAIL);
		return;
	}
	standing_reloading(d->standing);
	new = reload_read(d->first, say, d);
	if (new != NULL)
		take(d, new); /* answered when the users' files are read */
	else
		requests_reloaded(d->requests, EX_CONFIG);
	standing_reloaded(d->standing);
}

/* ---- the control socket ---- */

static void
describe(void *arg, struct control_daemon *out)
{
	const struct daemon *d = arg;

	out->started = d->started;
	out->reloaded = d->reloaded;
	out->engine_restarts = team_restarts(d->team, TEAM_ENGINE);
	out->deliverer_restarts = team_restarts(d->team, TEAM_DELIVERER);
	out->stopping = d->stopping;
}

static const struct requests_hooks hooks = { describe, reload };

static void
on_connection(void *arg, int fd, const struct listen_peer *peer)
{
	struct daemon *d = arg;

	requests_add(
	    d->requests, fd, control_allows(peer, geteuid(), d->group));
}

static int
open_doors(struct daemon *d, struct err *e)
{
	int fd = doors_control(d->conf, &d->group, e);

	if (fd < 0)
		return -1;
	d->listener = listener_new(d->loop, fd, on_connection, d);
	return doors_metrics(d->conf, &d->metrics, e);
}

/* ---- signals ---- */

static void
on_deadline(void *arg)
{
	struct daemon *d = arg;

	log_warning("mailhaul",
	    "not all has ended in %u s (stop-timeout): the rest is cut off; "
	    "no mail is lost",
	    d->conf->stop_timeout_s);
	loop_stop(d->loop);
}

/* What is delivered is safe, also when the second signal ends us at once. */
static void
on_end_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	if (d->stopping)
		_exit(128 + signo);
	d->stopping = true;
	log_notice("mailhaul", "%s: ending", strsignal(signo));
	standing_stopping(d->standing);
	loop_timer_arm(d->deadline, (uint64_t)d->conf->stop_timeout_s * 1000);
	accounts_stop(d->accounts);
	rolls_stop(d->rolls);
}

static void
on_poll_signal(void *arg, int signo)
{
	struct daemon *d = arg;
	struct err e;

	log_info("mailhaul", "%s: looking at all accounts", strsignal(signo));
	for (size_t i = 0; i < rolls_count(d->rolls); i++)
		(void)rolls_poll(d->rolls, rolls_at(d->rolls, i)->number, &e);
}

static const struct signals_hooks on_signals = { on_end_signal, on_poll_signal,
	reload };

/* ---- before and after ---- */

static int
start_team(struct daemon *d, struct err *e)
{
	struct team_params params = {
		.state_dir = d->conf->state_dir,
		.lock_fd = d->lock,
		.stderr_fd = log_pipe_fd(d->log),
		.max_files = d->max_files,
		.max_connections_per_host = d->conf->max_connections_per_host,
		.engine_user = d->conf->engine_user,
		.end_ms = d->conf->stop_timeout_s * 1000,
		.restarts = true,
		.log_level = log_level(),
		.log_format = LOG_RELAY,
	};

	d->team = team_new(d->loop, &params, &team_events, d, e);
	return d->team == NULL ? -1 : 0;
}

static void
start_rest(struct daemon *d)
{
	const struct rolls_params rolls = { .state_dir = d->conf->state_dir,
		.user = d->conf->engine_user };
	struct pulse_params pulse = pulse_params_for(notify_watchdog_ms());
	struct rolls_change change;
	struct err e;

	d->netlink = netlink_new(d->loop, on_network, d, &e);
	if (d->netlink == NULL)
		log_notice("mailhaul",
		    "changes of the network are not noticed: %s", e.text);
	d->tell = tell_new(d->loop);
	d->rolls = rolls_new(d->loop, d->team, &rolls, &rolls_events, d);
	d->accounts =
	    accounts_new(d->loop, d->rolls, d->tell, &accounts_events, d);
	d->standing = standing_new(d->loop, d->rolls);
	d->requests = requests_new(d->loop, d->rolls, &hooks, d);
	d->pulse =
	    pulse_new(d->loop, d->team, &pulse, standing_alive, d->standing);
	d->started = d->reloaded = clock_wall_s();
	accounts_set(d->accounts, d->conf, &change);
	standing_changed(d->standing); /* there may be none to wait for */
}

static int
start(struct daemon *d, struct err *e)
{
	d->lock = state_lock(d->conf->state_dir, e);
	if (d->lock < 0)
		return -1;
	d->log = log_pipe_new(d->loop, e);
	d->certificates = certificates_new(d->loop, d->first->state_dir);
	if (d->log == NULL || open_doors(d, e) != 0 || start_team(d, e) != 0)
		return -1;
	if (d->metrics >= 0)
		team_metrics(d->team, d->metrics);
	start_rest(d);
	return 0;
}

/* The team waits for its processes, and they for room in the log. */
static void
end_team(struct daemon *d)
{
	if (d->team != NULL)
		team_stop(d->team);
	log_pipe_drain(d->log);
	team_free(&d->team);
	log_pipe_drain(d->log);
}

static void
stop(struct daemon *d)
{
	pulse_free(&d->pulse);
	netlink_free(&d->netlink);
	if (d->listener != NULL)
		doors_remove(d->first, d->metrics >= 0);
	listener_free(&d->listener);
	requests_free(&d->requests);
	standing_free(&d->standing);
	rolls_free(&d->rolls);
	accounts_free(&d->accounts);
	tell_free(&d->tell);
	if (d->log != NULL)
		end_team(d);
	if (d->metrics >= 0)
		close(d->metrics);
	certificates_free(&d->certificates);
	log_pipe_free(&d->log);
	signals_free(&d->signals);
	loop_timer_free(&d->deadline);
	lull_free(&d->lull);
	refresh_settle(d->loop);
	loop_free(&d->loop);
	if (d->lock >= 0)
		close(d->lock);
	if (d->conf != d->first)
		conf_free(&d->conf);
	conf_free(&d->first);
}

static void
run(struct daemon *d)
{
	struct err e;

	if (start(d, &e) != 0) {
		log_error("mailhaul", "%s", e.text);
		d->status = reaction_of(e.kind)->exit_status;
		return;
	}
	loop_run(d->loop);
	d->status = d->stopping ? EX_OK : EX_SOFTWARE;
}

int
daemon_run(struct conf *conf, const struct daemon_options *options)
{
	struct daemon d = { .options = options,
		.first = conf,
		.conf = conf,
		.lock = -1,
		.metrics = -1 };
	struct err e;

	signal(SIGPIPE, SIG_IGN); /* whoever reads the log may go */
	log_set_format(conf->log_format);
	set_level(&d);
	d.max_files = limits_raise_files();
	if (sandbox_secrets(&e) != 0)
		log_notice("mailhaul", "%s", e.text);
	reload_warn(conf);
	d.loop = loop_new();
	d.deadline = loop_timer_new(d.loop, on_deadline, &d);
	d.lull = lull_new(d.loop, QUIET_MS, BUSY_MS, on_lull, &d);
	d.signals = signals_new(d.loop, &on_signals, &d);
	log_notice("mailhaul", "mailhaul %s starts, pid %ld", MAILHAUL_VERSION,
	    (long)getpid());
	run(&d);
	stop(&d);
	if (d.status == EX_OK)
		log_notice("mailhaul", "ended");
	return d.status;
}
