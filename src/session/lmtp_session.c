/* SPDX-License-Identifier: ISC */
#include "session/lmtp_session.h"

#include <stdlib.h>

#include "session/pump.h"
#include "session/wire_log.h"
#include "util/mem.h"

struct lmtp_session {
	struct lmtp *machine;
	struct pump *pump;
	lmtp_session_fn fn;
	void *arg; /* not ours */
	struct wire_log *trace;
};

/* Each reply is progress, whether it leads to an event or not: a hundred
 * recipients may take their time one by one. */
static enum lmtp_event
step(struct lmtp_session *s, struct span *in, struct lmtp_info *info)
{
	struct span before = *in;
	uint64_t replies = lmtp_replies(s->machine);
	enum lmtp_event ev = lmtp_step(s->machine, in, info);

	wire_log_heard(s->trace, before, *in, false);
	if (lmtp_replies(s->machine) != replies)
		pump_progress(s->pump);
	if (ev == LMTP_FAILED)
		info->err = *lmtp_error(s->machine);
	return ev;
}

static enum pump_fed
feed(void *arg, struct span *in)
{
	struct lmtp_session *s = arg;
	struct lmtp_info info;

	while (!pump_stopped(s->pump)) {
		enum lmtp_event ev = step(s, in, &info);

		if (ev == LMTP_MORE)
			return PUMP_MORE;
		if (ev == LMTP_UPGRADE)
			return PUMP_UPGRADE;
		s->fn(s->arg, ev, &info);
		if (ev == LMTP_CLOSED || ev == LMTP_FAILED)
			return PUMP_ENDED;
	}
	return PUMP_MORE;
}

static void
drained(void *arg)
{
	struct lmtp_session *s = arg;
	struct lmtp_info info = { 0 };

	if (lmtp_in_body(s->machine))
		s->fn(s->arg, LMTP_BODY, &info);
}

static struct span
output(void *arg)
{
	struct lmtp_session *s = arg;

	return lmtp_output(s->machine);
}

static void
sent(void *arg, size_t n)
{
	struct lmtp_session *s = arg;

	lmtp_sent(s->machine, n);
}

static bool
is_secret(void *arg)
{
	(void)arg;
	return false;
}

static bool
is_body(void *arg)
{
	struct lmtp_session *s = arg;

	return lmtp_output_is_body(s->machine);
}

static unsigned int
timeout(void *arg)
{
	struct lmtp_session *s = arg;

	return lmtp_timeout(s->machine);
}

static void
upgraded(void *arg)
{
	struct lmtp_session *s = arg;

	lmtp_upgraded(s->machine);
}

static void
expire(void *arg)
{
	struct lmtp_session *s = arg;

	lmtp_expire(s->machine);
}

static void
eof(void *arg)
{
	struct lmtp_session *s = arg;

	(void)lmtp_eof(s->machine); /* the next step says it again */
}

static void
broken(void *arg, const struct err *e)
{
	struct lmtp_session *s = arg;
	struct lmtp_info info = { 0 };

	info.err = *e;
	s->fn(s->arg, LMTP_FAILED, &info);
}

static void
release(void *arg)
{
	struct lmtp_session *s = arg;

	lmtp_free(&s->machine);
	wire_log_free(&s->trace);
	free(s);
}

static const struct pump_machine machine = { feed, output, sent, is_secret,
	timeout, upgraded, expire, eof, broken, release, drained, is_body,
	NULL };

struct lmtp_session *
lmtp_session_open(struct loop *loop, struct dns *dns,
    const struct conn_params *conn, const struct lmtp_params *params,
    const char *subject, lmtp_session_fn fn, void *arg)
{
	struct lmtp_session *s = mem_new(sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	s->trace = wire_log_new(subject, NULL, NULL);
	s->machine = lmtp_new(params);
	s->pump = pump_open(loop, dns, conn, &machine, s, subject);
	return s;
}

void
lmtp_session_free(struct lmtp_session **s)
{
	struct pump *pump = *s == NULL ? NULL : (*s)->pump;

	*s = NULL;
	pump_free(&pump);
}

struct lmtp *
lmtp_session_machine(struct lmtp_session *s)
{
	return s->machine;
}

void
lmtp_session_flush(struct lmtp_session *s)
{
	pump_flush(s->pump);
	if (lmtp_has_news(s->machine))
		pump_feed(s->pump);
}

size_t
lmtp_session_unsent(const struct lmtp_session *s)
{
	return lmtp_output(s->machine).n + conn_unsent(pump_conn(s->pump));
}
