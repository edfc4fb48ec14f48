/* SPDX-License-Identifier: ISC */
#include "proc/standing.h"

#include <stdlib.h>

#include "sys/log.h"
#include "sys/notify.h"
#include "util/mem.h"

#define LINE_MS 1000

struct standing {
	const struct rolls *rolls; /* not ours */
	struct loop_timer *line;
	bool ready, stopping;
};

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void
say_line(void *arg)
{
	const struct standing *s = arg;
	size_t n = rolls_count(s->rolls);
	size_t watching = 0;
	size_t failing = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rolls_entry *e = rolls_at(s->rolls, i);

		watching += e->status.state == STATUS_WATCHING;
		failing += e->no_secret || e->status.failing_since != 0;
	}
	notify_say("STATUS=%zu account%s: %zu watching, %zu failing", n,
	    plural(n), watching, failing);
}

void
standing_changed(struct standing *s)
{
	if (s->stopping)
		return;
	if (!loop_timer_armed(s->line))
		loop_timer_arm(s->line, LINE_MS);
	if (s->ready || !rolls_settled(s->rolls))
		return;
	s->ready = true;
	log_notice("mailhaul", "ready: %zu account%s", rolls_count(s->rolls),
	    plural(rolls_count(s->rolls)));
	notify_say("READY=1");
}

void
standing_reloading(struct standing *s)
{
	(void)s;
	notify_reloading();
}

void
standing_reloaded(struct standing *s)
{
	notify_say("READY=1");
	s->ready = true; /* it was told so, whatever is still on its way */
	say_line(s);
}

void
standing_stopping(struct standing *s)
{
	s->stopping = true;
	loop_timer_stop(s->line);
	notify_say("STOPPING=1\nSTATUS=ending");
}

void
standing_alive(void *s)
{
	(void)s;
	notify_say("WATCHDOG=1");
}

struct standing *
standing_new(struct loop *loop, const struct rolls *rolls)
{
	struct standing *s = mem_new(sizeof(*s));

	s->rolls = rolls;
	s->line = loop_timer_new(loop, say_line, s);
	return s;
}

void
standing_free(struct standing **p)
{
	struct standing *s = *p;

	*p = NULL;
	if (s == NULL)
		return;
	loop_timer_free(&s->line);
	free(s);
}
