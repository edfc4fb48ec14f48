/* SPDX-License-Identifier: ISC */
#include "proc/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "proc/control_client.h"
#include "proc/report.h"
#include "proc/status_show.h"
#include "sched/reaction.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

#define WATCH_MS 2000
#define DRAW_MS 250
#define WIDTH 80
#define WIDTH_MAX 1000

/* ---- the daemon ---- */

static bool
is_nobody(const struct err *e)
{
	return e->sys == ENOENT || e->sys == ECONNREFUSED;
}

static int
complain(const char *control, const struct err *e)
{
	if (is_nobody(e)) {
		fprintf(stderr,
		    "mailhaul: no daemon runs on this configuration (%s): "
		    "start it with \"mailhaul run\"\n",
		    control);
		return EX_UNAVAILABLE;
	}
	fprintf(stderr, "mailhaul: %s\n", e->text);
	return e->sys == EACCES || e->sys == EPERM ? EX_NOPERM : EX_TEMPFAIL;
}

/* ---- status ---- */

struct status_command {
	struct loop *loop;
	struct control_client *client;
	const char *const *names;
	size_t n;
	struct status_show show;
	bool json, watch;
};

static void
on_daemon(void *arg, const struct control_daemon *daemon)
{
	struct status_command *c = arg;

	status_show_daemon(&c->show, daemon);
}

static void
on_account(void *arg, const struct control_account *account)
{
	struct status_command *c = arg;

	status_show_add(&c->show, account);
}

static const struct control_client_events status_events = { .daemon = on_daemon,
	.account = on_account };

/* As wide as COLUMNS or the terminal say; a file is as wide as need be. */
static size_t
width_of_output(void)
{
	const char *columns = getenv("COLUMNS");
	struct span s = span_of(columns);
	struct winsize w;
	uint64_t n;

	if (text_number(&s, WIDTH_MAX, &n) && s.n == 0)
		return (size_t)n;
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	return WIDTH;
}

static int
show_status(const struct status_command *c)
{
	if (c->watch && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	if (c->json)
		status_show_json(&c->show, stdout);
	else
		status_show_table(
		    &c->show, stdout, width_of_output(), clock_wall_s());
	fflush(stdout);
	for (size_t i = 0; i < c->show.n; i++)
		if (status_show_fails(&c->show.accounts[i]))
			return EX_TEMPFAIL;
	return EX_OK;
}

static int
look_once(struct status_command *c, struct err *e)
{
	int status =
	    control_client_ask(c->client, CONTROL_STATUS, c->names, c->n, e);

	if (status == EX_OK)
		status = show_status(c);
	status_show_free(&c->show);
	return status;
}

static void
on_time(void *arg)
{
	struct status_command *c = arg;

	loop_stop(c->loop);
}

/* The daemon may go away in the meantime: the next look says so. */
static void
pause_a_moment(struct status_command *c)
{
	struct loop_timer *t = loop_timer_new(c->loop, on_time, c);

	loop_timer_arm(t, WATCH_MS);
	loop_run(c->loop);
	loop_timer_free(&t);
}

static bool
is_answer(int status)
{
	return status == EX_OK || status == EX_TEMPFAIL;
}

int
command_status(const char *control, const char *const *names, size_t n,
    bool json, bool watch)
{
	struct status_command c = {
		.names = names, .n = n, .json = json, .watch = watch
	};
	struct err e;
	int status = -1;

	c.loop = loop_new();
	c.client = control_client_new(c.loop, control, &status_events, &c, &e);
	if (c.client != NULL)
		status = look_once(&c, &e);
	while (watch && is_answer(status) && ferror(stdout) == 0) {
		pause_a_moment(&c);
		status = look_once(&c, &e);
	}
	if (status < 0)
		status = complain(control, &e);
	control_client_free(&c.client);
	loop_free(&c.loop);
	return status;
}

/* ---- orders ---- */

int
command_order(const char *control, enum control_type verb,
    const char *const *names, size_t n)
{
	static const struct control_client_events none = { 0 };
	struct loop *loop = loop_new();
	struct control_client *client;
	struct err e;
	int status = -1;

	client = control_client_new(loop, control, &none, NULL, &e);
	if (client != NULL)
		status = control_client_ask(client, verb, names, n, &e);
	if (status < 0)
		status = complain(control, &e);
	control_client_free(&client);
	loop_free(&loop);
	return status;
}

void
command_nudge(const char *control, const char *name)
{
	static const struct control_client_events deaf = { .quiet = true };
	struct loop *loop = loop_new();
	struct control_client *client;
	struct err e;

	client = control_client_new(loop, control, &deaf, NULL, &e);
	if (client != NULL)
		(void)control_client_ask(client, CONTROL_POLL, &name, 1, &e);
	control_client_free(&client);
	loop_free(&loop);
}

static void
on_revived(void *arg, const struct control_account *account)
{
	bool *paused = arg;

	*paused = account->paused;
}

bool
command_revive(const char *control, const char *name)
{
	static const struct control_client_events events = {
		.account = on_revived, .quiet = true
	};
	struct loop *loop = loop_new();
	struct control_client *client;
	bool paused = true; /* until we hear that it is there */
	int status = -1;
	struct err e;

	client = control_client_new(loop, control, &events, &paused, &e);
	if (client != NULL)
		(void)control_client_ask(client, CONTROL_STATUS, &name, 1, &e);
	if (!paused)
		status =
		    control_client_ask(client, CONTROL_RESUME, &name, 1, &e);
	if (status == EX_OK)
		(void)control_client_ask(client, CONTROL_POLL, &name, 1, &e);
	control_client_free(&client);
	loop_free(&loop);
	return status == EX_OK;
}

/* ---- fetch ---- */

struct fetch_command {
	const struct supervisor_options *options;
	struct loop *loop;
	struct loop_timer *draw;
	struct report *report; /* once all names are known */
	char **names;
	size_t n;
	uint64_t messages;
	int status;
};

static void
on_fetch_account(void *arg, const struct control_account *account)
{
	struct fetch_command *c = arg;

	c->names = mem_grow(c->names, c->n + 1, sizeof(*c->names));
	c->names[c->n++] = mem_strdup(account->name);
}

static void
need_report(struct fetch_command *c)
{
	if (c->report != NULL)
		return;
	c->report = report_new(
	    report_style_for(c->options->quiet, c->options->verbose), c->n);
	for (size_t i = 0; i < c->n; i++)
		report_name(c->report, i, c->names[i]);
}

/* n when it was not announced. */
static size_t
row_of(const struct fetch_command *c, const char *name)
{
	size_t i = 0;

	while (i < c->n && strcmp(c->names[i], name) != 0)
		i++;
	return i;
}

static void
on_fetch_progress(
    void *arg, const char *name, const struct fetch_progress *progress)
{
	struct fetch_command *c = arg;
	size_t row = row_of(c, name);

	need_report(c);
	if (row < c->n)
		report_progress(c->report, row, progress);
}

static void
on_fetch_result(void *arg, const char *name, const struct fetch_result *result)
{
	struct fetch_command *c = arg;
	const struct err *e = &result->err;
	size_t row = row_of(c, name);

	need_report(c);
	if (row < c->n)
		report_result(c->report, row, result);
	c->messages += result->progress.messages;
	c->status =
	    reaction_worse(c->status, reaction_of(e->kind)->exit_status);
	if (e->kind == ERR_NONE)
		return;
	report_clear(c->report);
	log_error(name, "%s", e->text);
}

static const struct control_client_events fetch_events = { .account =
							       on_fetch_account,
	.progress = on_fetch_progress,
	.result = on_fetch_result };

static void
on_draw(void *arg)
{
	struct fetch_command *c = arg;

	if (c->n > 0)
		need_report(c);
	if (c->report != NULL)
		report_draw(c->report);
	loop_timer_arm(c->draw, DRAW_MS);
}

static int
finish(struct fetch_command *c)
{
	need_report(c);
	report_end(c->report);
	if (c->options->exit_new && c->status == EX_OK && c->messages == 0)
		return 1;
	return c->status;
}

static void
free_fetch(struct fetch_command *c)
{
	report_free(&c->report);
	for (size_t i = 0; i < c->n; i++)
		free(c->names[i]);
	free(c->names);
	loop_timer_free(&c->draw);
	loop_free(&c->loop);
}

int
command_fetch(const char *control, const char *const *names, size_t n,
    const struct supervisor_options *options)
{
	struct fetch_command c = { .options = options };
	struct control_client *client;
	struct err e;
	int status = -1;

	c.loop = loop_new();
	c.draw = loop_timer_new(c.loop, on_draw, &c);
	client = control_client_new(c.loop, control, &fetch_events, &c, &e);
	if (client != NULL) {
		loop_timer_arm(c.draw, DRAW_MS);
		status =
		    control_client_ask(client, CONTROL_FETCH, names, n, &e);
		if (c.report != NULL)
			report_clear(c.report);
		if (status < 0)
			status = complain(control, &e);
		else if (status == EX_OK)
			status = finish(&c);
	} else if (!is_nobody(&e)) {
		status = complain(control, &e);
	}
	control_client_free(&client);
	free_fetch(&c);
	return status;
}
