/* SPDX-License-Identifier: ISC */
#include "proc/status_show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/mem.h"
#include "util/text.h"

#define CELL_MAX 256
#define COLUMNS 7
#define GAP 2
#define NAME_MIN 12 /* a name is not cut to less */

enum { NAME, STATE, WATCHED, LAST, NEXT, TODAY, HELD };

struct row {
	char cells[COLUMNS][CELL_MAX];
};

/* ---- collecting ---- */

void
status_show_daemon(struct status_show *s, const struct control_daemon *daemon)
{
	control_free_daemon(&s->daemon);
	s->daemon = *daemon;
	s->daemon.version = mem_strdup(daemon->version);
}

void
status_show_add(struct status_show *s, const struct control_account *account)
{
	struct control_account *a;

	s->accounts = mem_grow(s->accounts, s->n + 1, sizeof(*s->accounts));
	a = &s->accounts[s->n++];
	*a = *account;
	a->name = mem_strdup(account->name);
}

void
status_show_free(struct status_show *s)
{
	control_free_daemon(&s->daemon);
	for (size_t i = 0; i < s->n; i++)
		control_free_account(&s->accounts[i]);
	free(s->accounts);
	*s = (struct status_show){ 0 };
}

bool
status_show_fails(const struct control_account *a)
{
	return a->no_secret || a->status.failing_since != 0 ||
	    a->status.state == STATUS_REFUSED ||
	    a->status.state == STATUS_STOPPED;
}

/* ---- the table ---- */

/* The coarsest unit alone: "2m", "3h", "5d". */
static void
put_time(char *dst, size_t size, int64_t s)
{
	if (s < 0)
		s = 0;
	if (s < 120)
		snprintf(dst, size, "%" PRId64 "s", s);
	else if (s < 7200)
		snprintf(dst, size, "%" PRId64 "m", s / 60);
	else if (s < 172800)
		snprintf(dst, size, "%" PRId64 "h", s / 3600);
	else
		snprintf(dst, size, "%" PRId64 "d", s / 86400);
}

static void
put_ago(char *dst, size_t size, int64_t then, int64_t now)
{
	char t[32];

	put_time(t, sizeof(t), now - then);
	snprintf(dst, size, "%s%s", then == 0 ? "never" : t,
	    then == 0 ? "" : " ago");
}

static void
put_in(char *dst, size_t size, int64_t then, int64_t now)
{
	char t[32];

	put_time(t, sizeof(t), then - now);
	snprintf(
	    dst, size, "%s%s", then == 0 ? "-" : "in ", then == 0 ? "" : t);
}

static void
put_state(char *dst, size_t size, const struct control_account *a)
{
	const struct status *s = &a->status;

	if (a->paused)
		snprintf(dst, size, "paused");
	else if (a->no_secret)
		snprintf(dst, size, "waiting for its secret");
	else if (s->state == STATUS_WATCHING || s->state == STATUS_SLEEPING)
		snprintf(dst, size, "%s (%s)", status_state_name(s->state),
		    status_how_name(s->how));
	else
		snprintf(dst, size, "%s", status_state_name(s->state));
}

/* Of how many mailboxes the server tells. */
static void
put_watched(char *dst, size_t size, const struct status *s)
{
	if (s->watched + s->polled == 0)
		snprintf(dst, size, "-");
	else
		snprintf(dst, size, "%" PRIu32 " of %" PRIu64, s->watched,
		    (uint64_t)s->watched + s->polled);
}

static void
fill_row(struct row *r, const struct control_account *a, int64_t now)
{
	const struct status *s = &a->status;

	text_printable(r->cells[NAME], CELL_MAX, span_of(a->name));
	put_state(r->cells[STATE], CELL_MAX, a);
	put_watched(r->cells[WATCHED], CELL_MAX, s);
	put_ago(r->cells[LAST], CELL_MAX, s->last_success, now);
	put_in(r->cells[NEXT], CELL_MAX, a->paused ? 0 : s->next, now);
	snprintf(r->cells[TODAY], CELL_MAX, "%" PRIu64, s->today);
	snprintf(r->cells[HELD], CELL_MAX, "%" PRIu64, s->held);
}

static void
measure(const struct row *rows, size_t n, size_t *widths)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		widths[c] = 0;
		for (size_t i = 0; i < n; i++)
			if (strlen(rows[i].cells[c]) > widths[c])
				widths[c] = strlen(rows[i].cells[c]);
	}
}

/* Names give way first; what is still too wide stays so. */
static void
shrink(size_t *widths, size_t width)
{
	size_t all = (size_t)(COLUMNS - 1) * GAP;
	size_t spare;

	for (size_t c = 0; c < COLUMNS; c++)
		all += widths[c];
	spare = widths[NAME] > NAME_MIN ? widths[NAME] - NAME_MIN : 0;
	if (width == 0 || all <= width)
		return;
	widths[NAME] -= all - width < spare ? all - width : spare;
}

static void
put_row(FILE *out, const struct row *r, const size_t *widths)
{
	char name[CELL_MAX];
	size_t room = widths[NAME] + 1;

	text_printable(
	    name, room < CELL_MAX ? room : CELL_MAX, span_of(r->cells[NAME]));
	fprintf(out, "%-*s", (int)widths[NAME], name);
	for (size_t c = 1; c + 1 < COLUMNS; c++)
		fprintf(out, "  %-*s", (int)widths[c], r->cells[c]);
	fprintf(out, "  %s\n", r->cells[COLUMNS - 1]);
}

/* On lines of its own, so that all of it can be read. */
static void
put_error(FILE *out, const struct control_account *a, int64_t now)
{
	const struct status *s = &a->status;
	char since[32];

	if (!status_show_fails(a) || s->err.kind == ERR_NONE)
		return;
	put_time(since, sizeof(since), now - s->failing_since);
	fprintf(out, "    %s", s->err.text);
	if (s->failing_since != 0)
		fprintf(out, " (for %s)", since);
	fputc('\n', out);
}

static void
put_head(FILE *out, const struct status_show *s, int64_t now)
{
	const struct control_daemon *d = &s->daemon;
	size_t failing = 0;
	char up[32];

	for (size_t i = 0; i < s->n; i++)
		failing += status_show_fails(&s->accounts[i]);
	text_span_of_time(up, sizeof(up), (uint64_t)(now - d->started));
	fprintf(out, "mailhaul %s, pid %ld, %s for %s", d->version,
	    (long)d->pid, d->stopping ? "ending, up" : "up",
	    now > d->started ? up : "0s");
	if (d->engine_restarts + d->deliverer_restarts > 0)
		fprintf(out,
		    ", restarts: engine %" PRIu32 ", deliverers %" PRIu32,
		    d->engine_restarts, d->deliverer_restarts);
	fprintf(out, "\n%zu account%s", s->n, s->n == 1 ? "" : "s");
	if (failing > 0)
		fprintf(out, ", %zu failing", failing);
	fputc('\n', out);
}

void
status_show_table(
    const struct status_show *s, FILE *out, size_t width, int64_t now)
{
	static const struct row titles = { { "ACCOUNT", "STATE", "WATCHED",
	    "LAST", "NEXT", "TODAY", "HELD" } };
	struct row *rows = mem_array(s->n + 1, sizeof(*rows));
	size_t widths[COLUMNS];

	rows[0] = titles;
	for (size_t i = 0; i < s->n; i++)
		fill_row(&rows[i + 1], &s->accounts[i], now);
	measure(rows, s->n + 1, widths);
	shrink(widths, width);
	put_head(out, s, now);
	for (size_t i = 0; s->n > 0 && i <= s->n; i++) {
		put_row(out, &rows[i], widths);
		if (i > 0)
			put_error(out, &s->accounts[i - 1], now);
	}
	free(rows);
}

/* ---- JSON ---- */

/* For programs: these never change. */
static const char *
state_key(const struct control_account *a)
{
	static const char *const keys[STATUS_STATES] = {
		[STATUS_WAITING] = "waiting",
		[STATUS_CONNECTING] = "connecting",
		[STATUS_FETCHING] = "fetching",
		[STATUS_WATCHING] = "watching",
		[STATUS_SLEEPING] = "sleeping",
		[STATUS_BACKOFF] = "backoff",
		[STATUS_THROTTLED] = "throttled",
		[STATUS_REFUSED] = "refused",
		[STATUS_PAUSED] = "paused",
		[STATUS_STOPPED] = "stopped",
		[STATUS_LEAVING] = "leaving",
	};

	if (a->paused)
		return "paused";
	return a->no_secret ? "secret" : keys[a->status.state];
}

static json_t *
time_or_null(int64_t t)
{
	return t == 0 ? json_null() : json_integer(t);
}

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
failures_json(const struct status *s)
{
	json_t *all = json_object();

	for (int i = ERR_NONE + 1; i < ERR_KINDS; i++)
		if (s->failures[i] > 0)
			json_object_set_new(all,
			    err_kind_name((enum err_kind)i),
			    number(s->failures[i]));
	return all;
}

static json_t *
error_json(const struct err *e)
{
	json_t *one;

	if (e->kind == ERR_NONE)
		return json_null();
	one = json_object();
	json_object_set_new(one, "kind", json_string(err_kind_name(e->kind)));
	json_object_set_new(one, "text", json_string(e->text));
	return one;
}

static json_t *
account_json(const struct control_account *a)
{
	const struct status *s = &a->status;
	json_t *one = json_object();
	char name[CELL_MAX];

	text_printable(name, sizeof(name), span_of(a->name));
	json_object_set_new(one, "name", json_string(name));
	json_object_set_new(one, "state", json_string(state_key(a)));
	json_object_set_new(one, "how", json_string(status_how_name(s->how)));
	json_object_set_new(one, "failing", json_boolean(status_show_fails(a)));
	json_object_set_new(one, "sessions", number(s->sessions));
	json_object_set_new(one, "watched", number(s->watched));
	json_object_set_new(one, "polled", number(s->polled));
	json_object_set_new(one, "last_success", time_or_null(s->last_success));
	json_object_set_new(one, "next", time_or_null(s->next));
	json_object_set_new(one, "delivered", number(s->delivered));
	json_object_set_new(one, "octets", number(s->octets));
	json_object_set_new(one, "today", number(s->today));
	json_object_set_new(one, "held", number(s->held));
	json_object_set_new(one, "refused", number(s->refused));
	json_object_set_new(
	    one, "failing_since", time_or_null(s->failing_since));
	json_object_set_new(one, "failures", failures_json(s));
	json_object_set_new(one, "error", error_json(&s->err));
	return one;
}

static json_t *
daemon_json(const struct control_daemon *d)
{
	json_t *one = json_object();

	json_object_set_new(one, "pid", json_integer(d->pid));
	json_object_set_new(one, "version", json_string(d->version));
	json_object_set_new(one, "started", json_integer(d->started));
	json_object_set_new(one, "reloaded", json_integer(d->reloaded));
	json_object_set_new(one, "engine_restarts", number(d->engine_restarts));
	json_object_set_new(
	    one, "deliverer_restarts", number(d->deliverer_restarts));
	json_object_set_new(one, "stopping", json_boolean(d->stopping));
	return one;
}

void
status_show_json(const struct status_show *s, FILE *out)
{
	json_t *all = json_object();
	json_t *accounts = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(accounts, account_json(&s->accounts[i]));
	json_object_set_new(all, "daemon", daemon_json(&s->daemon));
	json_object_set_new(all, "accounts", accounts);
	json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
}
