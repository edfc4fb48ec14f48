/* SPDX-License-Identifier: ISC */
#include "proc/tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "io/child.h"
#include "sched/incident.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

#define COMMAND_MS 60000
#define COMMANDS_MAX 8
#define ENV_MAX 10

struct subject { /* an account */
	TAILQ_ENTRY(subject) next;
	struct tell *tell; /* not ours */
	char *name;
	struct incident incident;
	struct loop_timer *due; /* it may have lasted long enough by then */
	struct child *child;
	bool listed;
};

struct tell {
	struct loop *loop; /* not ours */
	char **argv;       /* NULL: no command */
	uint32_t after_s;
	TAILQ_HEAD(, subject) subjects;
	struct subject *found; /* last; NULL: none */
	unsigned int running;
};

/* ---- running it ---- */

static void
add_env(char **env, size_t *n, const char *name, const char *value)
{
	if (value != NULL)
		env[(*n)++] = mem_printf("%s=%s", name, value);
}

static void
fill_env(char *env[ENV_MAX + 1], const struct subject *s)
{
	static const char *const kept[] = { "PATH", "HOME", "USER", "LOGNAME",
		"LANG" };
	const struct incident *i = &s->incident;
	char since[32];
	size_t n = 0;

	for (size_t k = 0; k < sizeof(kept) / sizeof(*kept); k++)
		add_env(env, &n, kept[k], getenv(kept[k]));
	snprintf(since, sizeof(since), "%" PRId64, i->since);
	add_env(env, &n, "MAILHAUL_EVENT", i->open ? "failing" : "recovered");
	add_env(env, &n, "MAILHAUL_ACCOUNT", s->name);
	add_env(env, &n, "MAILHAUL_KIND", err_kind_name(i->kind));
	add_env(env, &n, "MAILHAUL_REASON", i->text);
	add_env(env, &n, "MAILHAUL_SINCE", since);
	env[n] = NULL;
}

static void consider(struct subject *s);

static void
consider_all(struct tell *t)
{
	struct subject *s;

	TAILQ_FOREACH (s, &t->subjects, next)
		consider(s);
}

static void
on_child(void *arg, const struct child_result *result, const struct err *e)
{
	struct subject *s = arg;
	char verdict[80];
	char said[160];

	s->child = NULL;
	s->tell->running--;
	if (e != NULL)
		log_warning(s->name, "notify-command: %s", e->text);
	else if (result->timed_out || result->status != 0)
		log_warning(s->name, "notify-command %s: %s",
		    child_verdict(result, verdict, sizeof(verdict)),
		    text_printable(said, sizeof(said), span_trim(result->err)));
	consider_all(s->tell);
}

static void
run(struct subject *s)
{
	struct tell *t = s->tell;
	char *env[ENV_MAX + 1];
	struct child_params params = {
		.argv = (const char *const *)t->argv,
		.env = (const char *const *)env,
		.stdin_fd = -1,
		.err_max = 400,
		.timeout_ms = COMMAND_MS,
	};

	fill_env(env, s);
	incident_told(&s->incident);
	t->running++;
	s->child = child_start(t->loop, &params, on_child, s);
	for (size_t i = 0; env[i] != NULL; i++)
		free(env[i]);
}

/* ---- when ---- */

static void
consider(struct subject *s)
{
	struct tell *t = s->tell;
	int64_t now = clock_wall_s();
	int64_t left = s->incident.since + t->after_s - now;

	loop_timer_stop(s->due);
	if (t->argv == NULL || s->child != NULL || t->running >= COMMANDS_MAX)
		return; /* comes again when one has ended */
	if (incident_due(&s->incident, now, t->after_s))
		run(s);
	else if (s->incident.open && !s->incident.told)
		loop_timer_arm(s->due, left > 0 ? (uint64_t)left * 1000 : 1000);
}

static void
on_due(void *arg)
{
	consider(arg);
}

/* ---- subjects ---- */

/* Mostly the next asked for is the next, or a little behind it: thousands of
 * accounts are told of in their order. */
static struct subject *
find(struct tell *t, const char *name)
{
	struct subject *first = TAILQ_FIRST(&t->subjects);
	struct subject *s = t->found == NULL ? first : t->found;

	for (struct subject *end = s; s != NULL;) {
		if (strcmp(s->name, name) == 0) {
			t->found = s;
			return s;
		}
		s = TAILQ_NEXT(s, next) == NULL ? first : TAILQ_NEXT(s, next);
		if (s == end)
			break;
	}
	return NULL;
}

static void
free_subject(struct tell *t, struct subject *s)
{
	TAILQ_REMOVE(&t->subjects, s, next);
	if (t->found == s)
		t->found = NULL;
	if (s->child != NULL)
		t->running--;
	child_free(&s->child);
	loop_timer_free(&s->due);
	free(s->name);
	free(s);
}

static struct subject *
add(struct tell *t, const char *name)
{
	struct subject *s = mem_new(sizeof(*s));

	s->tell = t;
	s->name = mem_strdup(name);
	s->due = loop_timer_new(t->loop, on_due, s);
	TAILQ_INSERT_TAIL(&t->subjects, s, next);
	return s;
}

void
tell_status(struct tell *t, const char *name, const struct status *status)
{
	struct subject *s = find(t, name);
	int64_t now = clock_wall_s();
	uint64_t lasted_s;
	bool was_open;

	if (s == NULL)
		return;
	was_open = s->incident.open;
	if (status->failing_since != 0)
		(void)incident_failure(&s->incident, &status->err, now);
	else if (status->last_success >= s->incident.since)
		(void)incident_success(&s->incident, now, &lasted_s);
	if (!was_open && s->incident.open && status->failing_since < now)
		s->incident.since = status->failing_since;
	consider(s);
}

/* ---- the configuration ---- */

static void
free_argv(struct tell *t)
{
	for (size_t i = 0; t->argv != NULL && t->argv[i] != NULL; i++)
		free(t->argv[i]);
	free(t->argv);
	t->argv = NULL;
}

static void
set_command(struct tell *t, const struct conf_list *command)
{
	free_argv(t);
	if (command->n == 0)
		return;
	t->argv = mem_array(command->n + 1, sizeof(char *));
	for (size_t i = 0; i < command->n; i++)
		t->argv[i] = mem_strdup(command->v[i]);
}

void
tell_configure(
    struct tell *t, const struct conf *conf, const char *const *names, size_t n)
{
	struct subject *next;

	set_command(t, &conf->notify_command);
	t->after_s = (uint32_t)conf->notify_after_s;
	for (size_t i = 0; i < n; i++) {
		struct subject *s = find(t, names[i]);

		if (s == NULL)
			s = add(t, names[i]);
		s->listed = true;
	}
	for (struct subject *s = TAILQ_FIRST(&t->subjects); s != NULL;
	     s = next) {
		next = TAILQ_NEXT(s, next);
		if (!s->listed)
			free_subject(t, s);
		else
			s->listed = false;
	}
	consider_all(t);
}

struct tell *
tell_new(struct loop *loop)
{
	struct tell *t = mem_new(sizeof(*t));

	t->loop = loop;
	TAILQ_INIT(&t->subjects);
	return t;
}

void
tell_free(struct tell **p)
{
	struct tell *t = *p;

	*p = NULL;
	if (t == NULL)
		return;
	while (!TAILQ_EMPTY(&t->subjects))
		free_subject(t, TAILQ_FIRST(&t->subjects));
	free_argv(t);
	free(t);
}
