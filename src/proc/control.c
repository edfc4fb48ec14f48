/* SPDX-License-Identifier: ISC */
#include "proc/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sysexits.h>

#include "io/ipc.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

#define TEXT_MAX 1024

struct control_peer {
	LIST_ENTRY(control_peer) next;
	struct control *control; /* not ours */
	struct ipc *ipc;
	struct loop_timer *patience;
	size_t unsent; /* when the timer was armed */
	bool busy;     /* asked, and not yet answered */
};

struct control {
	struct loop *loop; /* not ours */
	const struct control_events *events;
	void *arg;
	LIST_HEAD(, control_peer) peers;
	size_t n;
	unsigned int patience_ms;
};

/* ---- peers ---- */

static void
free_peer(struct control_peer *p)
{
	LIST_REMOVE(p, next);
	p->control->n--;
	loop_timer_free(&p->patience);
	ipc_free(&p->ipc);
	free(p);
}

static void
drop(struct control_peer *p)
{
	struct control *c = p->control;

	if (p->busy)
		c->events->gone(c->arg, p);
	free_peer(p);
}

/* Who waits for an answer of ours may wait long; who is to read one, or to
 * ask, may not. */
static void
on_patience(void *arg)
{
	struct control_peer *p = arg;
	size_t unsent = ipc_unsent(p->ipc);
	bool reads = unsent == 0 || unsent < p->unsent;

	if (!reads || (!p->busy && p->unsent == 0)) {
		log_debug("control", "a peer is dropped: it %s",
		    reads ? "asks nothing" : "does not read");
		drop(p);
		return;
	}
	p->unsent = unsent;
	loop_timer_arm(p->patience, p->control->patience_ms);
}

static void
begin_patience(struct control_peer *p)
{
	p->unsent = ipc_unsent(p->ipc);
	loop_timer_arm(p->patience, p->control->patience_ms);
}

static void
take_request(struct control_peer *p, const struct ipc_packet *packet)
{
	struct control *c = p->control;
	struct control_request request;

	if (p->busy ||
	    !control_unpack_request(packet->type, packet->payload, &request)) {
		log_debug("control", "a peer is dropped: it makes no sense");
		drop(p);
		return;
	}
	p->busy = true;
	begin_patience(p);
	c->events->request(c->arg, p, &request);
	control_free_request(&request);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct control_peer *p = arg;

	if (packet != NULL && !control_is_foreign(packet->payload)) {
		take_request(p, packet);
		return;
	}
	if (packet != NULL && !p->busy)
		control_end(p, EX_PROTOCOL); /* it will see our version */
	drop(p);
}

/* ---- answers ---- */

static void
answer(struct control_peer *p, enum control_type type, struct buf *payload)
{
	ipc_send(p->ipc, (uint8_t)type, buf_span(payload));
	buf_deinit(payload);
}

void
control_say(struct control_peer *p, bool bad, const char *fmt, ...)
{
	char text[TEXT_MAX];
	char line[TEXT_MAX];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_printable(line, sizeof(line), span_of(text));
	buf_init(&b, IPC_PAYLOAD_MAX);
	control_pack_say(&b, bad, line);
	answer(p, CONTROL_SAY, &b);
}

void
control_tell_daemon(struct control_peer *p, const struct control_daemon *d)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	control_pack_daemon(&b, d);
	answer(p, CONTROL_DAEMON, &b);
}

void
control_tell_account(struct control_peer *p, const struct control_account *a)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	control_pack_account(&b, a);
	answer(p, CONTROL_ACCOUNT, &b);
}

void
control_tell_progress(struct control_peer *p, const char *name,
    const struct fetch_progress *progress)
{
	struct buf b;

	if (ipc_unsent(p->ipc) > 0)
		return;
	buf_init(&b, IPC_PAYLOAD_MAX);
	control_pack_progress(&b, name, progress);
	answer(p, CONTROL_PROGRESS, &b);
}

void
control_tell_result(
    struct control_peer *p, const char *name, const struct fetch_result *result)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	control_pack_result(&b, name, result);
	answer(p, CONTROL_RESULT, &b);
}

void
control_end(struct control_peer *p, int status)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	control_pack_end(&b, status);
	answer(p, CONTROL_END, &b);
	p->busy = false;
	begin_patience(p);
}

/* ---- life ---- */

struct control *
control_new(struct loop *loop, unsigned int patience_ms,
    const struct control_events *events, void *arg)
{
	struct control *c = mem_new(sizeof(*c));

	c->loop = loop;
	c->patience_ms = patience_ms;
	c->events = events;
	c->arg = arg;
	LIST_INIT(&c->peers);
	return c;
}

void
control_free(struct control **p)
{
	struct control *c = *p;
	struct control_peer *peer;

	*p = NULL;
	if (c == NULL)
		return;
	while ((peer = LIST_FIRST(&c->peers)) != NULL)
		free_peer(peer);
	free(c);
}

bool
control_allows(const struct listen_peer *peer, uid_t us, int group)
{
	return peer->known &&
	    (peer->uid == 0 || peer->uid == us ||
		(group >= 0 && listen_peer_in_group(peer, (gid_t)group)));
}

void
control_add(struct control *c, int fd, bool allowed)
{
	struct control_peer *p = mem_new(sizeof(*p));
	bool full = c->n >= CONTROL_PEERS_MAX;

	p->control = c;
	p->ipc = ipc_new(c->loop, fd, on_packet, p);
	p->patience = loop_timer_new(c->loop, on_patience, p);
	LIST_INSERT_HEAD(&c->peers, p, next);
	c->n++;
	begin_patience(p);
	if (allowed && !full)
		return;
	control_say(p, true, "%s",
	    allowed ? "too many clients ask at a time"
		    : "only root, its own user and the control-group may ask");
	control_end(p, allowed ? EX_TEMPFAIL : EX_NOPERM);
	free_peer(p); /* what was said stays readable */
}
