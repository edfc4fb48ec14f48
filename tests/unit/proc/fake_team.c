/* SPDX-License-Identifier: ISC */
#include "fake_team.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct fake_team fake_team;
static char *heard;

void
fake_team_init(void)
{
	fake_team = (struct fake_team){ 0 };
	buf_init(&fake_team.words, 1 << 20);
}

void
fake_team_deinit(void)
{
	buf_deinit(&fake_team.words);
	free(heard);
	heard = NULL;
}

struct team *
fake_team_get(void)
{
	return (struct team *)&fake_team;
}

const char *
fake_team_heard(void)
{
	free(heard);
	heard = mem_spandup(buf_span(&fake_team.words));
	buf_clear(&fake_team.words);
	return heard;
}

/* ---- what it says by itself ---- */

enum word { WATCHING, FOUND, GONE, PONG };

struct answer {
	enum word word;
	uint32_t number;
	struct loop_timer *timer;
};

static void
on_answer(void *arg)
{
	struct answer *a = arg;
	const struct team_events *ev = fake_team.events;
	struct status s = { .state = STATUS_WATCHING, .how = STATUS_IDLE };
	struct fetch_result r = { .progress = {
				      .doing = "done", .messages = 1 } };

	switch (a->word) {
	case WATCHING:
		ev->status(fake_team.arg, a->number, &s);
		break;
	case FOUND:
		ev->result(fake_team.arg, a->number, &r);
		break;
	case GONE:
		ev->gone(fake_team.arg, a->number);
		break;
	case PONG:
		ev->pong(fake_team.arg);
		break;
	}
	loop_timer_free(&a->timer);
	free(a);
}

static void
answer(enum word word, uint32_t number)
{
	struct answer *a;

	if (fake_team.loop == NULL)
		return;
	a = mem_new(sizeof(*a));
	a->word = word;
	a->number = number;
	a->timer = loop_timer_new(fake_team.loop, on_answer, a);
	loop_timer_arm(a->timer, 0);
}

/* ---- what it is told ---- */

static const char *
between(void)
{
	return buf_span(&fake_team.words).n == 0 ? "" : ";";
}

static void
hear(const char *what, uint32_t number)
{
	buf_printf(&fake_team.words, "%s%s %u", between(), what, number);
}

void
team_expect(struct team *t, const struct conf_account *account)
{
	(void)t;
	fake_team.expected = account;
}

void
team_reread(struct team *t)
{
	(void)t;
}

int
team_trusts(struct team *t, uint32_t number, const struct conf_account *account,
    bool *same, struct err *e)
{
	(void)t;
	(void)number;
	*same = fake_team.other_files == NULL ||
	    strcmp(fake_team.other_files, account->name) != 0;
	if (!fake_team.no_files)
		return 0;
	*same = true;
	return err_set(e, ERR_CONFIG, 0, "no such file");
}

int
team_account(struct team *t, uint32_t number,
    const struct conf_account *account, const struct secret *secret, bool stays,
    struct err *e)
{
	struct span s = secret_span(secret);

	(void)t;
	if (fake_team.refuses != NULL &&
	    strcmp(fake_team.refuses, account->name) == 0)
		return err_set(e, ERR_CONFIG, 0, "no such certificates");
	hear("account", number);
	buf_printf(&fake_team.words, " %s secret=%.*s%s", account->name,
	    (int)s.n, s.p, stays ? "" : " once");
	answer(WATCHING, number);
	return 0;
}

void
team_secret(struct team *t, uint32_t number, const struct secret *secret)
{
	struct span s = secret_span(secret);

	(void)t;
	hear("secret", number);
	buf_printf(&fake_team.words, " %.*s", (int)s.n, s.p);
}

void
team_drop(struct team *t, uint32_t number)
{
	(void)t;
	hear("drop", number);
	if (!fake_team.stubborn)
		answer(GONE, number);
}

void
team_poll(struct team *t, uint32_t number)
{
	(void)t;
	hear("poll", number);
	answer(FOUND, number);
}

void
team_pause(struct team *t, uint32_t number, bool paused)
{
	(void)t;
	hear(paused ? "pause" : "resume", number);
}

void
team_probe(struct team *t)
{
	(void)t;
	buf_printf(&fake_team.words, "%sprobe", between());
}

void
team_ping(struct team *t)
{
	(void)t;
	buf_printf(&fake_team.words, "%sping", between());
	answer(PONG, 0);
}

void
team_kill_engine(struct team *t)
{
	(void)t;
	buf_printf(&fake_team.words, "%skill", between());
}

void
team_log_level(struct team *t, enum log_level level)
{
	(void)t;
	(void)level;
}

unsigned int
team_restarts(const struct team *t, enum team_role role)
{
	(void)t;
	return fake_team.restarts[role];
}

struct team *
team_new(struct loop *loop, const struct team_params *params,
    const struct team_events *events, void *arg, struct err *e)
{
	(void)params;
	(void)e;
	fake_team.loop = loop;
	fake_team.events = events;
	fake_team.arg = arg;
	return fake_team_get();
}

void
team_metrics(struct team *t, int fd)
{
	(void)t;
	(void)fd;
}

void
team_stop(struct team *t)
{
	(void)t;
	buf_printf(&fake_team.words, "%sstop", between());
}

void
team_free(struct team **t)
{
	*t = NULL;
}
