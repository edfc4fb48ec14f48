/* SPDX-License-Identifier: ISC */
#include "io/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "sys/log.h"
#include "util/mem.h"

struct loop {
	struct event_base *base;
};

/* A session has a dozen timers, of which one or two are armed while it waits:
 * the event, five times as large, is there only then. */
struct loop_timer {
	struct event_base *base;
	struct event *ev; /* NULL: not armed */
	loop_fn fn;
	void *arg;
};

/* Two events, since going from "read" to "read and write" is then one call
 * of epoll_ctl(2), and reading goes on undisturbed. */
struct loop_fd {
	struct event_base *base;
	int fd;
	struct event *in, *out; /* NULL: not wanted */
	loop_fd_fn fn;
	void *arg;
};

struct loop_signal {
	struct event *ev;
	loop_signal_fn fn;
	void *arg;
};

/* Without its loop a process can do nothing, not even end in order: this is
 * out of memory or out of descriptors at its very start, or our bug. */
static void
must(bool good, const char *what)
{
	if (good)
		return;
	log_error("loop", "cannot %s: %s", what, strerror(errno));
	abort();
}

/* ---- the loop ---- */

/* Left alone, it writes lines of another look to standard error. */
static void
on_library(int severity, const char *text)
{
	if (severity == EVENT_LOG_WARN || severity == EVENT_LOG_ERR)
		log_warning("loop", "%s", text);
	else
		log_debug("loop", "%s", text);
}

struct loop *
loop_new(void)
{
	struct loop *loop = mem_new(sizeof(*loop));
	struct event_config *conf = event_config_new();

	event_set_log_callback(on_library);
	must(conf != NULL, "configure the event loop");
	/* Timers count from the call that arms them, in the same clock as
	 * clock_ms(): none fires before its deadline. */
	event_config_set_flag(conf,
	    EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME |
		EVENT_BASE_FLAG_IGNORE_ENV);
	loop->base = event_base_new_with_config(conf);
	must(loop->base != NULL, "start the event loop");
	event_config_free(conf);
	return loop;
}

void
loop_free(struct loop **loop)
{
	if (*loop == NULL)
		return;
	event_base_free((*loop)->base);
	free(*loop);
	*loop = NULL;
}

void
loop_run(struct loop *loop)
{
	must(event_base_dispatch(loop->base) >= 0, "run the event loop");
}

void
loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

void *
loop_base(struct loop *loop)
{
	return loop->base;
}

/* ---- timers ---- */

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	loop_timer_stop(t);
	t->fn(t->arg); /* may free t */
}

struct loop_timer *
loop_timer_new(struct loop *loop, loop_fn fn, void *arg)
{
	struct loop_timer *t = mem_new(sizeof(*t));

	t->base = loop->base;
	t->fn = fn;
	t->arg = arg;
	return t;
}

void
loop_timer_free(struct loop_timer **t)
{
	if (*t == NULL)
		return;
	loop_timer_stop(*t);
	free(*t);
	*t = NULL;
}

void
loop_timer_arm(struct loop_timer *t, uint64_t ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	if (t->ev == NULL)
		t->ev = evtimer_new(t->base, on_time, t);
	must(t->ev != NULL && evtimer_add(t->ev, &tv) == 0, "arm a timer");
}

void
loop_timer_stop(struct loop_timer *t)
{
	if (t->ev == NULL)
		return;
	event_free(t->ev);
	t->ev = NULL;
}

bool
loop_timer_armed(const struct loop_timer *t)
{
	return t->ev != NULL;
}

/* ---- descriptors ---- */

static void
on_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *w = arg;

	(void)fd;
	w->fn(w->arg, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

struct loop_fd *
loop_fd_new(struct loop *loop, int fd, loop_fd_fn fn, void *arg)
{
	struct loop_fd *w = mem_new(sizeof(*w));

	w->base = loop->base;
	w->fd = fd;
	w->fn = fn;
	w->arg = arg;
	return w;
}

static void
watch(struct loop_fd *w, struct event **ev, short what, bool want)
{
	if ((*ev != NULL) == want)
		return;
	if (!want) {
		event_free(*ev);
		*ev = NULL;
		return;
	}
	*ev = event_new(w->base, w->fd, (short)(what | EV_PERSIST), on_fd, w);
	must(*ev != NULL && event_add(*ev, NULL) == 0, "watch a descriptor");
}

void
loop_fd_free(struct loop_fd **w)
{
	if (*w == NULL)
		return;
	loop_fd_want(*w, false, false);
	free(*w);
	*w = NULL;
}

void
loop_fd_want(struct loop_fd *w, bool readable, bool writable)
{
	watch(w, &w->in, EV_READ, readable);
	watch(w, &w->out, EV_WRITE, writable);
}

/* ---- signals ---- */

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)what;
	s->fn(s->arg, (int)signo);
}

struct loop_signal *
loop_signal_new(struct loop *loop, int signo, loop_signal_fn fn, void *arg)
{
	struct loop_signal *s = mem_new(sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	s->ev = evsignal_new(loop->base, signo, on_signal, s);
	must(s->ev != NULL && evsignal_add(s->ev, NULL) == 0,
	    "watch for a signal");
	return s;
}

void
loop_signal_free(struct loop_signal **s)
{
	if (*s == NULL)
		return;
	event_free((*s)->ev);
	free(*s);
	*s = NULL;
}
