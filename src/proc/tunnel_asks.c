/* SPDX-License-Identifier: ISC */
#include "proc/tunnel_asks.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "proc/wire.h"
#include "util/mem.h"

struct ask {
	LIST_ENTRY(ask) next;
	uint32_t ticket;
	reach_tunnel_fn fn;
	void *arg;
};

struct tunnel_asks {
	struct ipc *supervisor; /* not ours */
	uint32_t last;          /* ticket */
	LIST_HEAD(, ask) all;
};

static struct ask *
find(const struct tunnel_asks *a, uint32_t ticket)
{
	struct ask *it;

	LIST_FOREACH (it, &a->all, next)
		if (it->ticket == ticket)
			return it;
	return NULL;
}

static void
forget(struct ask *it)
{
	LIST_REMOVE(it, next);
	free(it);
}

static void *
open_way(struct reach_tunnel *tunnel, reach_tunnel_fn fn, void *arg)
{
	struct tunnel_way *w = (struct tunnel_way *)(void *)tunnel;
	struct ask *it = mem_new(sizeof(*it));
	struct buf b;

	it->ticket = ++w->asks->last;
	it->fn = fn;
	it->arg = arg;
	LIST_INSERT_HEAD(&w->asks->all, it, next);
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, w->number);
	pack_u32(&b, it->ticket);
	pack_u8(&b, (uint8_t)w->kind);
	ipc_send(w->asks->supervisor, WIRE_TUNNEL, buf_span(&b));
	buf_deinit(&b);
	return it;
}

static void
close_way(struct reach_tunnel *tunnel, void *ticket)
{
	struct tunnel_way *w = (struct tunnel_way *)(void *)tunnel;
	struct ask *it = ticket;
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, it->ticket);
	ipc_send(w->asks->supervisor, WIRE_TUNNEL_CLOSE, buf_span(&b));
	buf_deinit(&b);
	forget(it);
}

void
tunnel_asks_up(struct tunnel_asks *a, uint32_t ticket, int fd)
{
	struct ask *it = find(a, ticket);

	if (it == NULL)
		close(fd);
	else
		it->fn(it->arg, fd, NULL);
}

void
tunnel_asks_down(struct tunnel_asks *a, uint32_t ticket, const struct err *e)
{
	struct ask *it = find(a, ticket);
	reach_tunnel_fn fn;
	void *arg;

	if (it == NULL)
		return;
	fn = it->fn;
	arg = it->arg;
	forget(it);
	fn(arg, -1, e);
}

/* ---- life ---- */

void
tunnel_way_init(struct tunnel_way *w, struct tunnel_asks *asks,
    enum tunnel_kind kind, uint32_t number)
{
	*w = (struct tunnel_way){ .tunnel = { open_way, close_way },
		.asks = asks,
		.kind = kind,
		.number = number };
}

struct tunnel_asks *
tunnel_asks_new(struct ipc *supervisor)
{
	struct tunnel_asks *a = mem_new(sizeof(*a));

	a->supervisor = supervisor;
	LIST_INIT(&a->all);
	return a;
}

void
tunnel_asks_free(struct tunnel_asks **p)
{
	struct tunnel_asks *a = *p;

	*p = NULL;
	if (a == NULL)
		return;
	while (!LIST_EMPTY(&a->all))
		forget(LIST_FIRST(&a->all));
	free(a);
}
