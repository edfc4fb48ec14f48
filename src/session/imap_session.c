/* SPDX-License-Identifier: ISC */
#include "session/imap_session.h"

#include <stdlib.h>

#include "session/agent.h"
#include "session/pump.h"
#include "session/wire_log.h"
#include "sys/log.h"
#include "util/mem.h"

struct imap_session {
	struct imap *machine;
	struct pump *pump;
	struct loop *loop;             /* not ours */
	struct reach_tunnel *kerberos; /* not ours; the way to an agent */
	struct agent *agent;           /* NULL: was not asked, or is done */
	imap_session_fn fn;
	void *arg; /* not ours */
	struct wire_log *trace;
	char *subject;
};

static void
log_choice(const struct imap_session *s)
{
	const struct sasl_choice *choice = imap_login_choice(s->machine);

	if (choice != NULL)
		log_debug(s->subject, "logged in by %s: %s",
		    sasl_name(choice->mechanism), choice->why);
}

/* ---- by somebody else ---- */

static void
on_agent(void *arg, struct span response, bool last, const struct err *e)
{
	struct imap_session *s = arg;

	if (e == NULL)
		imap_respond(s->machine, response, last);
	else
		imap_respond_failed(s->machine, e);
	pump_feed(s->pump); /* it may have failed by that */
	pump_flush(s->pump);
}

static void
ask_agent(struct imap_session *s, struct span challenge)
{
	struct err e;

	if (s->agent == NULL && s->kerberos != NULL)
		s->agent = agent_new(s->loop, s->kerberos, on_agent, s);
	if (s->agent != NULL) {
		agent_ask(s->agent, challenge);
		return;
	}
	err_set(&e, ERR_CONFIG, 0, "GSSAPI cannot be spoken here");
	imap_respond_failed(s->machine, &e);
}

/* ---- between the two ---- */

static enum pump_fed
feed(void *arg, struct span *in)
{
	struct imap_session *s = arg;
	struct imap_info info;

	while (!pump_stopped(s->pump)) {
		struct span before = *in;
		enum imap_event ev = imap_step(s->machine, in, &info);

		wire_log_heard(s->trace, before, *in, ev == IMAP_BODY_DATA);
		if (ev == IMAP_MORE)
			return PUMP_MORE;
		if (ev == IMAP_UPGRADE)
			return PUMP_UPGRADE;
		if (ev == IMAP_CHALLENGED) {
			ask_agent(s, info.data);
			continue;
		}
		if (ev == IMAP_FAILED)
			info.err = *imap_error(s->machine);
		if (ev == IMAP_READY) {
			log_choice(s);
			agent_free(&s->agent);
		}
		if (ev == IMAP_READY || ev == IMAP_DONE || ev == IMAP_IDLING)
			pump_progress(s->pump);
		s->fn(s->arg, ev, &info);
		if (ev == IMAP_CLOSED || ev == IMAP_FAILED)
			return PUMP_ENDED;
	}
	return PUMP_MORE;
}

static struct span
output(void *arg)
{
	struct imap_session *s = arg;

	return imap_output(s->machine);
}

static void
sent(void *arg, size_t n)
{
	struct imap_session *s = arg;

	imap_sent(s->machine, n);
}

static bool
is_secret(void *arg)
{
	struct imap_session *s = arg;

	return imap_output_is_secret(s->machine);
}

static unsigned int
timeout(void *arg)
{
	struct imap_session *s = arg;

	return imap_timeout(s->machine);
}

static void
upgraded(void *arg)
{
	struct imap_session *s = arg;

	imap_upgraded(s->machine);
}

static void
expire(void *arg)
{
	struct imap_session *s = arg;

	imap_expire(s->machine);
}

static void
eof(void *arg)
{
	struct imap_session *s = arg;

	(void)imap_eof(s->machine); /* the next step says it again */
}

static void
broken(void *arg, const struct err *e)
{
	struct imap_session *s = arg;
	struct imap_info info = { 0 };

	info.err = *e;
	s->fn(s->arg, IMAP_FAILED, &info);
}

static void
release(void *arg)
{
	struct imap_session *s = arg;

	agent_free(&s->agent);
	imap_free(&s->machine);
	wire_log_free(&s->trace);
	free(s->subject);
	free(s);
}

static void
bind_channel(void *arg, struct span binding)
{
	struct imap_session *s = arg;

	imap_bind(s->machine, binding);
}

static const struct pump_machine machine = { feed, output, sent, is_secret,
	timeout, upgraded, expire, eof, broken, release, NULL, NULL,
	bind_channel };

struct imap_session *
imap_session_open(struct loop *loop, struct dns *dns,
    const struct conn_params *conn, const struct imap_params *params,
    const char *subject, imap_session_fn fn, void *arg)
{
	struct imap_session *s = mem_new(sizeof(*s));

	s->loop = loop;
	s->kerberos = params->kerberos;
	s->fn = fn;
	s->arg = arg;
	s->subject = mem_strdup(subject);
	s->trace = wire_log_new(subject, params->user, params->secret);
	s->machine = imap_new(params);
	s->pump = pump_open(loop, dns, conn, &machine, s, subject);
	return s;
}

void
imap_session_free(struct imap_session **s)
{
	struct pump *pump = *s == NULL ? NULL : (*s)->pump;

	*s = NULL;
	pump_free(&pump);
}

struct imap *
imap_session_machine(struct imap_session *s)
{
	return s->machine;
}

const struct conn *
imap_session_conn(const struct imap_session *s)
{
	return pump_conn(s->pump);
}

void
imap_session_flush(struct imap_session *s)
{
	pump_flush(s->pump);
}

void
imap_session_hurry(struct imap_session *s, unsigned int seconds)
{
	imap_hurry(s->machine, seconds);
	pump_renew(s->pump);
}

void
imap_session_pause(struct imap_session *s, bool paused)
{
	pump_pause(s->pump, paused);
}
