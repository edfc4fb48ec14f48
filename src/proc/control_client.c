/* SPDX-License-Identifier: ISC */
#include "proc/control_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "io/ipc.h"
#include "io/listen.h"
#include "util/mem.h"

struct control_client {
	struct loop *loop; /* not ours */
	struct ipc *ipc;
	const struct control_client_events *events;
	void *arg;
	struct err err;
	int status;    /* of the request; -1: err */
	bool answered; /* wholly: what comes now is for the next request */
	bool gone;
};

static void
end(struct control_client *c, int status)
{
	if (!c->answered)
		c->status = status;
	c->answered = true;
	loop_stop(c->loop);
}

static bool
hear_say(const struct control_client *c, struct span payload)
{
	char *text;
	bool bad;

	if (!control_unpack_say(payload, &bad, &text))
		return false;
	if (!c->events->quiet)
		fprintf(bad ? stderr : stdout, "%s%s\n",
		    bad ? "mailhaul: " : "", text);
	free(text);
	return true;
}

static bool
hear_daemon(struct control_client *c, struct span payload)
{
	struct control_daemon d;

	if (!control_unpack_daemon(payload, &d))
		return false;
	if (c->events->daemon != NULL)
		c->events->daemon(c->arg, &d);
	control_free_daemon(&d);
	return true;
}

static bool
hear_account(struct control_client *c, struct span payload)
{
	struct control_account a;

	if (!control_unpack_account(payload, &a))
		return false;
	if (c->events->account != NULL)
		c->events->account(c->arg, &a);
	control_free_account(&a);
	return true;
}

static bool
hear_progress(struct control_client *c, struct span payload)
{
	struct fetch_progress p;
	char *name;

	if (!control_unpack_progress(payload, &name, &p))
		return false;
	if (c->events->progress != NULL)
		c->events->progress(c->arg, name, &p);
	control_free_progress(&name, &p);
	return true;
}

static bool
hear_result(struct control_client *c, struct span payload)
{
	struct fetch_result r;
	char *name;

	if (!control_unpack_result(payload, &name, &r))
		return false;
	if (c->events->result != NULL)
		c->events->result(c->arg, name, &r);
	control_free_result(&name, &r);
	return true;
}

static bool
hear_end(struct control_client *c, struct span payload)
{
	int status;

	if (!control_unpack_end(payload, &status))
		return false;
	end(c, status);
	return true;
}

static bool
hear(struct control_client *c, const struct ipc_packet *packet)
{
	switch (packet->type) {
	case CONTROL_SAY:
		return hear_say(c, packet->payload);
	case CONTROL_DAEMON:
		return hear_daemon(c, packet->payload);
	case CONTROL_ACCOUNT:
		return hear_account(c, packet->payload);
	case CONTROL_PROGRESS:
		return hear_progress(c, packet->payload);
	case CONTROL_RESULT:
		return hear_result(c, packet->payload);
	case CONTROL_END:
		return hear_end(c, packet->payload);
	default:
		return false;
	}
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct control_client *c = arg;

	if (packet == NULL) {
		err_set(&c->err, ERR_NET, 0,
		    "the daemon went away before it had answered");
		c->gone = true;
	} else if (control_is_foreign(packet->payload)) {
		err_set(&c->err, ERR_PROTO, 0,
		    "the daemon is of another version: restart it");
	} else if (hear(c, packet)) {
		return;
	} else {
		err_set(&c->err, ERR_PROTO, 0,
		    "the daemon says what makes no sense");
	}
	end(c, -1);
}

struct control_client *
control_client_new(struct loop *loop, const char *path,
    const struct control_client_events *events, void *arg, struct err *e)
{
	int fd = listen_connect_unix(path, SOCK_SEQPACKET, e);
	struct control_client *c;

	if (fd < 0)
		return NULL;
	c = mem_new(sizeof(*c));
	c->loop = loop;
	c->events = events;
	c->arg = arg;
	c->ipc = ipc_new(loop, fd, on_packet, c);
	return c;
}

void
control_client_free(struct control_client **p)
{
	struct control_client *c = *p;

	*p = NULL;
	if (c == NULL)
		return;
	ipc_free(&c->ipc);
	free(c);
}

int
control_client_ask(struct control_client *c, enum control_type verb,
    const char *const *names, size_t n, struct err *e)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	if (control_pack_request(&b, names, n) != 0) {
		buf_deinit(&b);
		return err_set(
		    e, ERR_CONFIG, 0, "that are too many names at a time");
	}
	c->status = -1;
	c->answered = c->gone;
	if (!c->gone) {
		ipc_send(c->ipc, (uint8_t)verb, buf_span(&b));
		loop_run(c->loop);
	}
	buf_deinit(&b);
	if (c->status < 0)
		*e = c->err;
	return c->status;
}
