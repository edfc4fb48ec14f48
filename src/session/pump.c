/* SPDX-License-Identifier: ISC */
#include "session/pump.h"

#include <stdlib.h>

#include "io/tls.h"
#include "sys/log.h"
#include "util/mem.h"

/* So many octets are progress whatever they are: a long message on a slow
 * line is not cut, a server that drips is. */
#define PROGRESS_OCTETS 16384

struct pump {
	struct loop *loop; /* not ours, as the next two */
	struct dns *dns;
	struct conn_params params; /* what it points to is not ours */
	struct conn *conn;
	struct loop_timer *again; /* feeds what waited while paused */
	const struct pump_machine *machine;
	void *arg;     /* not ours */
	char *subject; /* for the trace */
	size_t heard;  /* octets since the deadline was set */
	bool progress; /* and something was done in this time */
	bool paused, freed, running, upgrading, eof;
	bool ended; /* the owner was told so */
};

static void
release(struct pump *p)
{
	loop_timer_free(&p->again);
	conn_free(&p->conn);
	p->machine->release(p->arg);
	free(p->subject);
	free(p);
}

/* Returns false when p is no more. */
static bool
leave(struct pump *p)
{
	bool freed = p->freed;

	p->running = false;
	if (freed)
		release(p);
	return !freed;
}

/* The handshake of an upgrade has a deadline of its own. */
static void
set_deadline(struct pump *p)
{
	bool waits = !p->paused && !p->upgrading && !p->ended;
	unsigned int s = waits ? p->machine->timeout(p->arg) : 0;

	conn_deadline(p->conn, (uint64_t)s * 1000);
	p->heard = 0;
	p->progress = false;
}

/* Words alone do not move the deadline, or a server that says "still here"
 * could hold us for ever. */
static void
move_deadline(struct pump *p)
{
	if (p->progress || p->heard >= PROGRESS_OCTETS)
		set_deadline(p);
}

void
pump_progress(struct pump *p)
{
	p->progress = true;
}

void
pump_renew(struct pump *p)
{
	set_deadline(p);
}

static void
trace(const struct pump *p, struct span out)
{
	const struct pump_machine *m = p->machine;

	if (!log_wants(LOG_LEVEL_TRACE))
		return;
	if (m->is_secret(p->arg))
		out = SPAN("(credentials)");
	else if (m->is_body != NULL && m->is_body(p->arg))
		out = SPAN("(octets of the message)");
	log_wire(p->subject, 'C', out);
}

void
pump_flush(struct pump *p)
{
	struct span out;

	if (p->upgrading || p->running || p->ended)
		return;
	out = p->machine->output(p->arg);
	if (out.n == 0)
		return;
	trace(p, out);
	if (conn_write(p->conn, out) == 0)
		p->machine->sent(p->arg, out.n);
	set_deadline(p);
}

static void
fail(struct pump *p, const struct err *e)
{
	if (p->ended)
		return;
	p->ended = true;
	p->running = true;
	p->machine->broken(p->arg, e);
	(void)leave(p);
}

static void
upgrade(struct pump *p)
{
	struct err e;

	p->upgrading = true;
	set_deadline(p);
	if (conn_starttls(p->conn, &e) != 0)
		fail(p, &e);
}

static void
feed(struct pump *p)
{
	struct span in = conn_input(p->conn);
	size_t before = in.n;
	enum pump_fed fed;

	if (p->paused || p->upgrading || p->ended)
		return;
	p->running = true;
	fed = p->machine->feed(p->arg, &in);
	if (!p->freed)
		conn_drop(p->conn, before - in.n);
	p->heard += before - in.n;
	p->ended = fed == PUMP_ENDED;
	if (!leave(p))
		return;
	if (p->ended) {
		set_deadline(p);
		return;
	}
	pump_flush(p);
	if (fed == PUMP_UPGRADE) {
		upgrade(p);
	} else if (p->eof && !p->paused) {
		p->eof = false;
		p->machine->eof(p->arg);
		feed(p);
	} else {
		move_deadline(p);
	}
}

static void
on_drained(struct pump *p)
{
	if (p->machine->drained == NULL || p->upgrading || p->ended)
		return;
	p->running = true;
	p->machine->drained(p->arg);
	if (leave(p))
		pump_flush(p);
}

static void
on_again(void *arg)
{
	feed(arg);
}

static void
bind_channel(struct pump *p)
{
	unsigned char binding[TLS_BINDING_OCTETS];

	if (p->machine->bind == NULL || conn_binding(p->conn, binding) != 0)
		return;
	p->machine->bind(
	    p->arg, span_make((const char *)binding, sizeof(binding)));
	mem_wipe(binding, sizeof(binding));
}

static void on_conn(void *arg, enum conn_event ev);

static void
on_tls_up(struct pump *p)
{
	p->upgrading = false;
	bind_channel(p);
	p->machine->upgraded(p->arg);
	pump_flush(p);
	feed(p);
}

/* Not a word was said yet, so the machine need not know. */
static bool
connect_again(struct pump *p)
{
	if (p->params.socket > 0 || !conn_is_worth_another(p->conn))
		return false;
	log_debug(p->subject, "%s; once more, with a new TLS session",
	    conn_error(p->conn)->text);
	conn_free(&p->conn);
	p->conn = conn_open(p->loop, p->dns, &p->params, on_conn, p);
	conn_pause(p->conn, p->paused);
	return true;
}

static void
on_conn(void *arg, enum conn_event ev)
{
	struct pump *p = arg;

	switch (ev) {
	case CONN_UP:
		log_debug(p->subject, "connected to %s%s%s", conn_peer(p->conn),
		    conn_is_tls(p->conn) ? ", " : "",
		    conn_is_tls(p->conn) ? conn_tls_description(p->conn) : "");
		bind_channel(p);
		set_deadline(p);
		break;
	case CONN_TLS_UP:
		log_debug(p->subject, "upgraded to %s",
		    conn_tls_description(p->conn));
		on_tls_up(p);
		break;
	case CONN_INPUT:
		feed(p);
		break;
	case CONN_CLOSED:
		p->eof = true;
		feed(p);
		break;
	case CONN_TIMEOUT:
		p->machine->expire(p->arg);
		feed(p);
		break;
	case CONN_ERROR:
		if (!connect_again(p))
			fail(p, conn_error(p->conn));
		break;
	case CONN_DRAINED:
		on_drained(p);
		break;
	}
}

struct pump *
pump_open(struct loop *loop, struct dns *dns, const struct conn_params *params,
    const struct pump_machine *machine, void *arg, const char *subject)
{
	struct pump *p = mem_new(sizeof(*p));

	p->loop = loop;
	p->dns = dns;
	p->params = *params;
	p->machine = machine;
	p->arg = arg;
	p->subject = mem_strdup(subject);
	p->again = loop_timer_new(loop, on_again, p);
	p->conn = conn_open(loop, dns, params, on_conn, p);
	return p;
}

void
pump_free(struct pump **p)
{
	struct pump *it = *p;

	*p = NULL;
	if (it == NULL)
		return;
	it->freed = true;
	if (!it->running)
		release(it);
}

void
pump_feed(struct pump *p)
{
	loop_timer_arm(p->again, 0);
}

void
pump_pause(struct pump *p, bool paused)
{
	if (p->paused == paused)
		return;
	p->paused = paused;
	conn_pause(p->conn, paused);
	set_deadline(p);
	if (!paused)
		loop_timer_arm(p->again, 0);
}

bool
pump_stopped(const struct pump *p)
{
	return p->paused || p->freed;
}

struct conn *
pump_conn(struct pump *p)
{
	return p->conn;
}
