/* SPDX-License-Identifier: ISC */
#include "session/agent.h"

#include <assert.h>
#include <stdlib.h>

#include "io/ipc.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/pack.h"

#define EXPLAIN_MS 1000 /* for who started it to say why it has ended */

struct agent {
	struct reach_tunnel *way; /* not ours */
	void *ticket;             /* NULL: it knows us no more */
	struct loop *loop;        /* not ours */
	struct ipc *ipc;          /* NULL: not there yet, or gone */
	struct loop_timer *late;
	struct buf challenge; /* until it is there */
	struct err why;       /* it has ended; ERR_NONE: not told */
	bool asked, gone, failed, too_long;
	agent_fn fn;
	void *arg;
};

/* ---- what comes of it ---- */

/* The last thing that is done with it in a call: it may be freed in there. */
static void
answer(struct agent *a, struct span response, bool last, const struct err *e)
{
	if (!a->asked || a->failed)
		return;
	a->asked = false;
	a->failed = e != NULL;
	loop_timer_stop(a->late);
	a->fn(a->arg, response, last, e);
}

static void
fail(struct agent *a, const struct err *e)
{
	struct err why = *e;

	answer(a, SPAN(""), false, &why);
}

static void
on_late(void *arg)
{
	struct agent *a = arg;
	struct err e;

	if (a->too_long)
		err_set(&e, ERR_PROTO, 0, "the server's challenge is too long");
	else if (a->why.kind != ERR_NONE)
		e = a->why;
	else if (a->gone)
		err_set(&e, ERR_TEMP, 0, "Kerberos: its process has ended");
	else
		err_set(&e, ERR_TEMP, 0, "Kerberos: no answer for %d s",
		    AGENT_WAIT_MS / 1000);
	fail(a, &e);
}

static void
hear_error(struct agent *a, struct span payload)
{
	struct unpack u = unpack_of(payload);
	uint8_t kind = unpack_u8(&u);
	struct span text = unpack_span(&u);
	struct err e;

	if (!unpack_ok(&u) || kind == ERR_NONE || kind >= ERR_KINDS)
		err_set(&e, ERR_TEMP, 0, "Kerberos: its process says nonsense");
	else
		err_set(
		    &e, (enum err_kind)kind, 0, "%.*s", (int)text.n, text.p);
	fail(a, &e);
}

/* It ends only when we do, unless something is wrong with it: then it is told
 * soon what, or was. */
static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct agent *a = arg;

	if (packet == NULL) {
		ipc_free(&a->ipc);
		a->gone = true;
		if (a->asked)
			loop_timer_arm(
			    a->late, a->why.kind == ERR_NONE ? EXPLAIN_MS : 0);
	} else if (packet->type == AGENT_RESPONSE ||
	    packet->type == AGENT_LAST) {
		answer(a, packet->payload, packet->type == AGENT_LAST, NULL);
	} else {
		hear_error(a, packet->payload);
	}
}

/* ---- asking ---- */

static void
send_challenge(struct agent *a)
{
	ipc_send(a->ipc, AGENT_CHALLENGE, buf_span(&a->challenge));
	buf_clear(&a->challenge);
}

static void
on_way(void *arg, int fd, const struct err *e)
{
	struct agent *a = arg;

	if (fd >= 0) {
		a->ipc = ipc_new(a->loop, fd, on_packet, a);
		if (a->asked && !a->too_long)
			send_challenge(a);
		return;
	}
	a->ticket = NULL;
	a->why = *e;
	if (a->ipc != NULL)
		return; /* it may have said more itself, which comes first */
	a->gone = true;
	fail(a, e);
}

void
agent_ask(struct agent *a, struct span challenge)
{
	assert(!a->asked);
	a->asked = true;
	a->too_long = buf_add(&a->challenge, challenge) != 0;
	if (a->ipc != NULL && !a->too_long)
		send_challenge(a);
	loop_timer_arm(a->late, a->gone || a->too_long ? 0 : AGENT_WAIT_MS);
}

/* ---- life ---- */

struct agent *
agent_new(struct loop *loop, struct reach_tunnel *way, agent_fn fn, void *arg)
{
	struct agent *a = mem_new(sizeof(*a));

	a->loop = loop;
	a->way = way;
	a->fn = fn;
	a->arg = arg;
	a->late = loop_timer_new(loop, on_late, a);
	buf_init(&a->challenge, IPC_PAYLOAD_MAX);
	a->ticket = way->open(way, on_way, a);
	return a;
}

void
agent_free(struct agent **p)
{
	struct agent *a = *p;

	*p = NULL;
	if (a == NULL)
		return;
	if (a->ticket != NULL)
		a->way->close(a->way, a->ticket);
	ipc_free(&a->ipc);
	loop_timer_free(&a->late);
	buf_wipe(&a->challenge);
	free(a);
}
