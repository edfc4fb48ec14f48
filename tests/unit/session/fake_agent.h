/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_SESSION_FAKE_AGENT_H
#define MAILHAUL_TESTS_UNIT_SESSION_FAKE_AGENT_H

/* Who answers for a login in tests of sessions: "Zmlyc3Q=" at first, then
 * "bGFzdA==" for the last; or, if it refuses, why not. Include it behind
 * stage.h. */

#include "io/ipc.h"
#include "session/agent.h"
#include "util/pack.h"

struct fake_agent {
	struct reach_tunnel way; /* for the session */
	struct loop *loop;       /* not ours */
	bool refuses;
	struct ipc *ipc;
	struct loop_timer *soon;
	reach_tunnel_fn fn;
	void *arg;
	unsigned int asked, opened, closed;
};

static inline void
fake_agent_hear(void *arg, struct ipc_packet *packet)
{
	struct fake_agent *a = arg;
	struct buf b;

	if (packet == NULL) {
		ipc_free(&a->ipc);
		return;
	}
	a->asked++;
	buf_init(&b, 100);
	pack_u8(&b, ERR_TEMP);
	pack_str(&b, "no ticket");
	if (a->refuses)
		ipc_send(a->ipc, AGENT_ERROR, buf_span(&b));
	else if (a->asked == 1)
		ipc_send(a->ipc, AGENT_RESPONSE, SPAN("Zmlyc3Q="));
	else
		ipc_send(a->ipc, AGENT_LAST, SPAN("bGFzdA=="));
	buf_deinit(&b);
}

static inline void
fake_agent_come(void *arg)
{
	struct fake_agent *a = arg;
	int fds[2];

	assert_int_equal(ipc_pair(fds, NULL), 0);
	a->ipc = ipc_new(a->loop, fds[1], fake_agent_hear, a);
	a->fn(a->arg, fds[0], NULL);
}

static inline void *
fake_agent_open(struct reach_tunnel *way, reach_tunnel_fn fn, void *arg)
{
	struct fake_agent *a = (struct fake_agent *)(void *)way;

	a->opened++;
	a->fn = fn;
	a->arg = arg;
	a->soon = loop_timer_new(a->loop, fake_agent_come, a);
	loop_timer_arm(a->soon, 0);
	return a;
}

static inline void
fake_agent_close(struct reach_tunnel *way, void *ticket)
{
	struct fake_agent *a = (struct fake_agent *)(void *)way;

	assert_ptr_equal(ticket, a);
	a->closed++;
	loop_timer_free(&a->soon);
}

static inline void
fake_agent_begin(struct fake_agent *a, struct loop *loop)
{
	*a = (struct fake_agent){ .way = { fake_agent_open, fake_agent_close },
		.loop = loop };
}

/* After the session is freed, before the loop is: each that was opened was
 * given back. */
static inline void
fake_agent_end(struct fake_agent *a)
{
	assert_int_equal(a->opened, a->closed);
	ipc_free(&a->ipc);
}

#endif
