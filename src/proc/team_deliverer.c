/* SPDX-License-Identifier: ISC */
#include "proc/team_deliverer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/member.h"
#include "proc/needs.h"
#include "proc/spawn.h"
#include "proc/user_state.h"
#include "proc/wire.h"
#include "util/mem.h"

struct team_deliverer {
	struct team_deliverer_params params;
	const struct team_deliverer_events *events; /* not ours */
	void *arg;
	struct user *user; /* NULL: as we are */
	struct member *member;
	struct needs needs;
	struct needs given; /* what the process has; of its places: so many */
	char *ledger;       /* its path, for the next start */
	int lock;           /* on it; -1: none */
	bool ready;
};

/* ---- what it hears at its start ---- */

/* The lock is taken for each process anew: it holds it until its end. */
static int
on_prepare(void *arg, struct err *e)
{
	struct team_deliverer *d = arg;

	free(d->ledger);
	d->ledger = NULL;
	if (d->user == NULL) {
		d->ledger = mem_printf("%s/ledger.sqlite", d->params.state_dir);
		return 0;
	}
	if (d->lock >= 0)
		close(d->lock);
	d->lock = user_state_open(d->params.state_dir, d->user, &d->ledger, e);
	return d->lock < 0 ? -1 : 0;
}

static void
tell_places(const struct team_deliverer *d)
{
	struct buf b;
	size_t at = 0;

	buf_init(&b, IPC_PAYLOAD_MAX);
	while (needs_pack_places(&d->needs, &at, &b)) {
		ipc_send(member_link(d->member), WIRE_PLACES, buf_span(&b));
		buf_clear(&b);
	}
	buf_deinit(&b);
}

static void
tell_ledger(struct team_deliverer *d)
{
	struct ipc *link = member_link(d->member);
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)d->params.log_level);
	pack_u8(&b, (uint8_t)d->params.log_format);
	pack_str(&b, d->ledger);
	pack_u8(&b, d->params.restarts);
	pack_u8(&b, d->given.privileges);
	pack_u8(&b, d->given.programs);
	pack_u8(&b, d->given.sockets);
	pack_u64(&b, d->params.max_files);
	if (d->user == NULL)
		ipc_send_fds(link, WIRE_LEDGER, buf_span(&b),
		    &d->params.lock_fd, 1, false);
	else
		ipc_send_fds(
		    link, WIRE_LEDGER, buf_span(&b), &d->lock, 1, true);
	if (d->user != NULL)
		d->lock = -1;
	buf_deinit(&b);
}

static void
on_started(void *arg)
{
	struct team_deliverer *d = arg;

	d->given = d->needs;
	tell_places(d);
	tell_ledger(d);
}

/* ---- what it says ---- */

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct team_deliverer *d = arg;
	struct unpack u = unpack_of(packet->payload);
	uint32_t number;

	if (packet->type == WIRE_READY) {
		d->ready = true;
		d->events->ready(d->arg);
	} else if (packet->type == WIRE_KNOWN) {
		number = unpack_u32(&u);
		if (unpack_ok(&u))
			d->events->known(d->arg, number);
	}
}

static void
on_ended(void *arg, const struct err *e)
{
	struct team_deliverer *d = arg;

	d->ready = false;
	d->events->ended(d->arg, e);
}

static const struct member_events events = { on_prepare, on_started, on_packet,
	on_ended };

/* ---- what it needs ---- */

/* Who runs programs has no walls. */
static bool
has_all(const struct team_deliverer *d)
{
	const struct needs *has = &d->given, *needs = &d->needs;

	if (has->privileges != needs->privileges ||
	    has->programs != needs->programs)
		return false;
	return has->programs ||
	    (has->sockets == needs->sockets && has->n == needs->n);
}

bool
team_deliverer_expect(struct team_deliverer *d, const struct conf_account *a)
{
	needs_add(&d->needs, a);
	return member_link(d->member) == NULL || has_all(d);
}

void
team_deliverer_replace(struct team_deliverer *d)
{
	d->ready = false;
	member_replace(d->member);
}

/* ---- what we say ---- */

void
team_deliverer_target(struct team_deliverer *d, struct span packed)
{
	ipc_send(member_link(d->member), WIRE_TARGET, packed);
}

void
team_deliverer_forget(struct team_deliverer *d, uint32_t number)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	ipc_send(member_link(d->member), WIRE_FORGET, buf_span(&b));
	buf_deinit(&b);
}

void
team_deliverer_link(struct team_deliverer *d, int fd)
{
	ipc_send_fds(member_link(d->member), WIRE_LINK, SPAN(""), &fd, 1, true);
}

void
team_deliverer_halt(struct team_deliverer *d)
{
	if (member_link(d->member) != NULL)
		ipc_send(member_link(d->member), WIRE_STOP, SPAN(""));
}

/* One that has just been started hears it behind WIRE_LEDGER. */
void
team_deliverer_log_level(struct team_deliverer *d, enum log_level level)
{
	const char octet = (char)level;

	d->params.log_level = level;
	if (member_link(d->member) != NULL)
		ipc_send(
		    member_link(d->member), WIRE_LEVEL, span_make(&octet, 1));
}

/* ---- life ---- */

static int
find_user(struct team_deliverer *d, struct err *e)
{
	if (d->params.user == NULL)
		return 0;
	d->user = mem_new(sizeof(*d->user));
	return user_find(d->params.user, d->user, e);
}

struct team_deliverer *
team_deliverer_new(struct loop *loop,
    const struct team_deliverer_params *params,
    const struct team_deliverer_events *of_deliverer, void *arg, struct err *e)
{
	struct team_deliverer *d = mem_new(sizeof(*d));
	struct member_params p = { .role = SPAWN_DELIVERER,
		.stderr_fd = params->stderr_fd,
		.restarts = params->restarts };

	d->params = *params;
	d->events = of_deliverer;
	d->arg = arg;
	d->lock = -1;
	if (find_user(d, e) != 0) {
		team_deliverer_free(&d, 0);
		return NULL;
	}
	p.user = d->user;
	d->member = member_new(loop, &p, &events, d);
	return d;
}

void
team_deliverer_free(struct team_deliverer **p, uint64_t deadline)
{
	struct team_deliverer *d = *p;

	if (d == NULL)
		return;
	*p = NULL;
	member_free_by(&d->member, deadline);
	if (d->lock >= 0)
		close(d->lock);
	needs_deinit(&d->needs);
	free(d->ledger);
	free(d->user);
	free(d);
}

const char *
team_deliverer_user(const struct team_deliverer *d)
{
	return d->user == NULL ? NULL : d->user->name;
}

bool
team_deliverer_is(const struct team_deliverer *d, const char *user)
{
	if (d->user == NULL || user == NULL)
		return d->user == NULL && user == NULL;
	return strcmp(d->user->name, user) == 0;
}

bool
team_deliverer_ready(const struct team_deliverer *d)
{
	return d->ready && member_link(d->member) != NULL;
}

unsigned int
team_deliverer_restarts(const struct team_deliverer *d)
{
	return member_restarts(d->member);
}

bool
team_deliverer_dismiss(struct team_deliverer *d)
{
	d->ready = false;
	return member_dismiss(d->member);
}
