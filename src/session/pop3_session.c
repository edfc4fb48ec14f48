/* SPDX-License-Identifier: ISC */
#include "session/pop3_session.h"

#include <stdlib.h>

#include "session/agent.h"
#include "session/pump.h"
#include "session/wire_log.h"
#include "sys/log.h"
#include "util/mem.h"

struct pop3_session {
	struct pop3 *machine;
	struct pump *pump;
	struct loop *loop;             /* not ours */
	struct reach_tunnel *kerberos; /* not ours; the way to an agent */
	struct agent *agent;           /* NULL: was not asked, or is done */
	pop3_session_fn fn;
	void *arg; /* not ours */
	struct wire_log *trace;
	char *subject;
};

static void
log_choice(const struct pop3_session *s)
{
	const struct sasl_choice *choice = pop3_login_choice(s->machine);

	if (choice != NULL)
		log_debug(s->subject, "logged in by %s: %s",
		    sasl_name(choice->mechanism), choice->why);
}

/* ---- by somebody else ---- */

static void
on_agent(void *arg, struct span response, bool last, const struct err *e)
{
	struct pop3_session *s = arg;

	if (e == NULL)
		pop3_respond(s->machine, response, last);
	else
		pop3_respond_failed(s->machine, e);
	pump_feed(s->pump); /* it may have failed by that */
	pump_flush(s->pump);
}

static void
ask_agent(struct pop3_session *s, struct span challenge)
{
	struct err e;

	if (s->agent == NULL && s->kerberos != NULL)
		s->agent = agent_new(s->loop, s->kerberos, on_agent, s);
	if (s->agent != NULL) {
		agent_ask(s->agent, challenge);
		return;
	}
	err_set(&e, ERR_CONFIG, 0, "GSSAPI cannot be spoken here");
	pop3_respond_failed(s->machine, &e);
}

/* ---- between the two ---- */

static enum pump_fed
feed(void *arg, struct span *in)
{
	struct pop3_session *s = arg;
	struct pop3_info info;

	while (!pump_stopped(s->pump)) {
		struct span before = *in;
		enum pop3_event ev = pop3_step(s->machine, in, &info);

		wire_log_heard(s->trace, before, *in, ev == POP3_BODY_DATA);
		if (ev == POP3_MORE)
			return PUMP_MORE;
		if (ev == POP3_UPGRADE)
			return PUMP_UPGRADE;
		if (ev == POP3_CHALLENGED) {
			ask_agent(s, info.data);
			continue;
		}
		if (ev == POP3_FAILED)
			info.err = *pop3_error(s->machine);
		if (ev == POP3_READY) {
			log_choice(s);
			agent_free(&s->agent);
		}
		if (ev == POP3_READY || ev == POP3_DONE)
			pump_progress(s->pump);
		s->fn(s->arg, ev, &info);
		if (ev == POP3_CLOSED || ev == POP3_FAILED)
			return PUMP_ENDED;
	}
	return PUMP_MORE;
}

static struct span
output(void *arg)
{
	struct pop3_session *s = arg;

	return pop3_output(s->machine);
}

static void
sent(void *arg, size_t n)
{
	struct pop3_session *s = arg;

	pop3_sent(s->machine, n);
}

static bool
is_secret(void *arg)
{
	struct pop3_session *s = arg;

	return pop3_output_is_secret(s->machine);
}

static unsigned int
timeout(void *arg)
{
	struct pop3_session *s = arg;

	return pop3_timeout(s->machine);
}

static void
upgraded(void *arg)
{
	struct pop3_session *s = arg;

	pop3_upgraded(s->machine);
}

static void
expire(void *arg)
{
	struct pop3_session *s = arg;

	pop3_expire(s->machine);
}

static void
eof(void *arg)
{
	struct pop3_session *s = arg;

	(void)pop3_eof(s->machine); /* the next step says it again */
}

static void
broken(void *arg, const struct err *e)
{
	struct pop3_session *s = arg;
	struct pop3_info info = { 0 };

	info.err = *e;
	s->fn(s->arg, POP3_FAILED, &info);
}

static void
release(void *arg)
{
	struct pop3_session *s = arg;

	agent_free(&s->agent);
	pop3_free(&s->machine);
	wire_log_free(&s->trace);
	free(s->subject);
	free(s);
}

static void
bind_channel(void *arg, struct span binding)
{
	struct pop3_session *s = arg;

	pop3_bind(s->machine, binding);
}

static const struct pump_machine machine = { feed, output, sent, is_secret,
	timeout, upgraded, expire, eof, broken, release, NULL, NULL,
	bind_channel };

struct pop3_session *
pop3_session_open(struct loop *loop, struct dns *dns,
    const struct conn_params *conn, const struct pop3_params *params,
    const char *subject, pop3_session_fn fn, void *arg)
{
	struct pop3_session *s = mem_new(sizeof(*s));

	s->loop = loop;
	s->kerberos = params->kerberos;
	s->fn = fn;
	s->arg = arg;
	s->subject = mem_strdup(subject);
	s->trace = wire_log_new(subject, params->user, params->secret);
	s->machine = pop3_new(params);
	s->pump = pump_open(loop, dns, conn, &machine, s, subject);
	return s;
}

void
pop3_session_free(struct pop3_session **s)
{
	struct pump *pump = *s == NULL ? NULL : (*s)->pump;

	*s = NULL;
	pump_free(&pump);
}

struct pop3 *
pop3_session_machine(struct pop3_session *s)
{
	return s->machine;
}

const struct conn *
pop3_session_conn(const struct pop3_session *s)
{
	return pump_conn(s->pump);
}

void
pop3_session_flush(struct pop3_session *s)
{
	pump_flush(s->pump);
}

void
pop3_session_pause(struct pop3_session *s, bool paused)
{
	pump_pause(s->pump, paused);
}
