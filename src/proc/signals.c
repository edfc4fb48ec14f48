/* SPDX-License-Identifier: ISC */
#include "proc/signals.h"

#include <signal.h>
#include <stdlib.h>

#include "util/mem.h"

#define SIGNALS 4

struct signals {
	const struct signals_hooks *hooks;
	void *arg;
	struct loop_signal *each[SIGNALS];
};

static void
on_end(void *arg, int signo)
{
	const struct signals *s = arg;

	s->hooks->end(s->arg, signo);
}

static void
on_hangup(void *arg, int signo)
{
	const struct signals *s = arg;

	(void)signo;
	s->hooks->reload(s->arg);
}

static void
on_poll(void *arg, int signo)
{
	const struct signals *s = arg;

	s->hooks->poll(s->arg, signo);
}

struct signals *
signals_new(struct loop *loop, const struct signals_hooks *hooks, void *arg)
{
	static const struct {
		int signo;
		loop_signal_fn fn;
	} all[SIGNALS] = {
		{ SIGTERM, on_end },
		{ SIGINT, on_end },
		{ SIGHUP, on_hangup },
		{ SIGUSR1, on_poll },
	};
	struct signals *s = mem_new(sizeof(*s));

	s->hooks = hooks;
	s->arg = arg;
	for (size_t i = 0; i < SIGNALS; i++)
		s->each[i] = loop_signal_new(loop, all[i].signo, all[i].fn, s);
	return s;
}

void
signals_free(struct signals **p)
{
	struct signals *s = *p;

	*p = NULL;
	if (s == NULL)
		return;
	for (size_t i = 0; i < SIGNALS; i++)
		loop_signal_free(&s->each[i]);
	free(s);
}
