/* SPDX-License-Identifier: ISC */
#include "proc/team_engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proc/member.h"
#include "proc/spawn.h"
#include "proc/stores.h"
#include "proc/wire.h"
#include "proc/wire_fact.h"
#include "sys/clock.h"
#include "util/mem.h"

#define HEAD_OCTETS 9     /* of an account: number, stays, deliverer */
#define UNSENT_MAX 100000 /* packets; more than all accounts at the start */

struct team_engine {
	struct team_engine_params params;
	const struct team_engine_events *events; /* not ours */
	void *arg;
	struct user *user; /* NULL: as we are */
	struct member *member;
	struct stores *stores;
	int64_t started; /* Unix seconds: the first of its engines was */
	int metrics;     /* -1: none */
	uint32_t lost;   /* deliverers that died */
	bool asked;      /* and no engine has answered yet */
};

/* ---- what we say ---- */

bool
team_engine_there(const struct team_engine *g)
{
	return member_link(g->member) != NULL;
}

static void
say(struct team_engine *g, enum wire_type type, struct buf *b)
{
	if (team_engine_there(g))
		ipc_send(member_link(g->member), (uint8_t)type, buf_span(b));
	buf_wipe(b); /* it may hold a secret */
}

static void
say_empty(struct team_engine *g, enum wire_type type)
{
	struct buf b;

	buf_init(&b, 0);
	say(g, type, &b);
}

static void
say_fd(struct team_engine *g, enum wire_type type, struct buf *b, int fd)
{
	if (team_engine_there(g))
		ipc_send_fds(member_link(g->member), (uint8_t)type, buf_span(b),
		    &fd, 1, false);
	buf_deinit(b);
}

void
team_engine_say(struct team_engine *g, uint8_t type, uint32_t number)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	say(g, (enum wire_type)type, &b);
}

void
team_engine_link(struct team_engine *g, uint32_t deliverer, int fd)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, deliverer);
	say_fd(g, WIRE_LINK, &b, fd);
	close(fd);
}

void
team_engine_tunnel_up(struct team_engine *g, uint32_t ticket, int fd)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, ticket);
	say_fd(g, WIRE_TUNNEL_UP, &b, fd);
	close(fd);
}

void
team_engine_tunnel_down(
    struct team_engine *g, uint32_t ticket, const struct err *e)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, ticket);
	wire_pack_err(&b, e);
	say(g, WIRE_TUNNEL_DOWN, &b);
}

static void
say_limits(struct team_engine *g)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)g->params.log_level);
	pack_u8(&b, (uint8_t)g->params.log_format);
	pack_u32(&b, g->params.max_connections_per_host);
	pack_u8(&b, g->params.progress);
	say(g, WIRE_LIMITS, &b);
}

static void
say_store(struct team_engine *g, uint32_t number)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	say_fd(g, WIRE_CA, &b, stores_fd(g->stores, number));
}

static uint32_t
restarts(const struct team_engine *g)
{
	return member_restarts(g->member) + g->lost;
}

void
team_engine_lost(struct team_engine *g)
{
	g->lost++;
	if (g->metrics >= 0)
		team_engine_say(g, WIRE_RESTARTS, restarts(g));
}

static void
say_metrics(struct team_engine *g)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u64(&b, (uint64_t)g->started);
	pack_u32(&b, restarts(g));
	if (g->metrics < 0)
		buf_deinit(&b);
	else
		say_fd(g, WIRE_METRICS, &b, g->metrics);
}

void
team_engine_metrics(struct team_engine *g, int fd)
{
	if (g->metrics >= 0)
		close(g->metrics);
	g->metrics = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	say_metrics(g);
}

void
team_engine_probe(struct team_engine *g)
{
	say_empty(g, WIRE_PROBE);
}

void
team_engine_ping(struct team_engine *g)
{
	g->asked = true;
	say_empty(g, WIRE_PING);
}

void
team_engine_kill(struct team_engine *g)
{
	member_kill(g->member);
}

void
team_engine_log_level(struct team_engine *g, enum log_level level)
{
	struct buf b;

	g->params.log_level = level;
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)level);
	say(g, WIRE_LEVEL, &b);
}

void
team_engine_stop(struct team_engine *g)
{
	say_empty(g, WIRE_STOP);
	member_last(g->member);
}

/* ---- accounts ---- */

/* A store is sent before the first account that names it. */
static int
find_store(struct team_engine *g, enum conf_tls tls, const struct trust *trust,
    uint32_t *number, struct err *e)
{
	uint32_t before = stores_count(g->stores);

	*number = 0;
	if (tls == CONF_TLS_NONE)
		return 0;
	if (stores_find(g->stores, trust, number, e) != 0)
		return -1;
	if (*number > before)
		say_store(g, *number);
	return 0;
}

int
team_engine_trust(struct team_engine *g, const struct conf_account *account,
    struct stores_pair *out, struct err *e)
{
	struct trust server, delivery;
	int r;

	trust_of_server(&server, account);
	trust_of_delivery(&delivery, account);
	*out = (struct stores_pair){ 0 };
	r = find_store(g, account->tls, &server, &out->server, e);
	if (r == 0)
		r = find_store(
		    g, account->delivery_tls, &delivery, &out->delivery, e);
	trust_deinit(&server);
	trust_deinit(&delivery);
	return r;
}

void
team_engine_reread(struct team_engine *g)
{
	stores_reread(g->stores);
}

int
team_engine_pack(struct team_engine *g, const struct conf_account *account,
    const struct secret *secret, struct buf *b, struct err *e)
{
	struct stores_pair trust;

	if (team_engine_trust(g, account, &trust, e) != 0)
		return -1;
	pack_u32(b, trust.server);
	pack_u32(b, trust.delivery);
	wire_pack_account(b, account, secret);
	if (b->n > IPC_PAYLOAD_MAX - HEAD_OCTETS)
		return err_set(e, ERR_CONFIG, 0,
		    "the mailboxes, the recipients and the secret of this "
		    "account are longer than %d octets",
		    IPC_PAYLOAD_MAX);
	return 0;
}

void
team_engine_account(struct team_engine *g, uint32_t number, bool stays,
    uint32_t deliverer, struct span packed)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	pack_u8(&b, stays);
	pack_u32(&b, deliverer);
	(void)buf_add(&b, packed);
	say(g, WIRE_ACCOUNT, &b);
}

void
team_engine_survey(struct team_engine *g, uint32_t number, struct span packed)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	(void)buf_add(&b, packed);
	say(g, WIRE_SURVEY, &b);
}

/* One that is too long cannot be used anyhow. */
void
team_engine_secret(
    struct team_engine *g, uint32_t number, const struct secret *secret)
{
	struct span octets = secret_span(secret);
	struct buf b;

	if (octets.n > IPC_PAYLOAD_MAX - HEAD_OCTETS)
		return;
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	pack_span(&b, octets);
	say(g, WIRE_SECRET, &b);
}

/* ---- what it says ---- */

static void
hear_progress(struct team_engine *g, uint32_t number, struct unpack *u)
{
	struct fetch_progress progress;
	char *doing;

	wire_unpack_progress(u, &progress);
	doing = (char *)(uintptr_t)progress.doing;
	if (unpack_ok(u))
		g->events->progress(g->arg, number, &progress);
	free(doing);
}

static void
hear_result(struct team_engine *g, uint32_t number, struct unpack *u)
{
	struct fetch_result result;
	char *doing;

	wire_unpack_result(u, &result);
	doing = (char *)(uintptr_t)result.progress.doing;
	if (unpack_ok(u))
		g->events->result(g->arg, number, &result);
	free(doing);
}

static void
hear_status(struct team_engine *g, uint32_t number, struct unpack *u)
{
	struct status status;

	wire_unpack_status(u, &status);
	if (unpack_ok(u))
		g->events->status(g->arg, number, &status);
}

/* Each is answered: who asks for ever and never listens would have our memory
 * filled. */
static void
hear_tunnel(struct team_engine *g, uint32_t number, struct unpack *u)
{
	uint32_t ticket = unpack_u32(u);
	uint8_t kind = unpack_u8(u);

	if (ipc_unsent(member_link(g->member)) > UNSENT_MAX)
		member_kill(g->member);
	else if (unpack_ok(u) && kind < TUNNEL_KINDS)
		g->events->tunnel(
		    g->arg, number, ticket, (enum tunnel_kind)kind);
}

static void
hear_fact(struct team_engine *g, uint32_t number, struct unpack *u)
{
	struct fact fact;

	if (wire_unpack_fact(u, &fact) && g->events->fact != NULL)
		g->events->fact(g->arg, number, &fact);
	wire_free_fact(&fact);
}

static void
hear_certificate(struct team_engine *g, uint32_t number, struct unpack *u)
{
	struct certificate c;

	if (certificate_unpack(u, &c) && g->events->certificate != NULL)
		g->events->certificate(g->arg, number, &c);
}

static void
hear(struct team_engine *g, uint8_t type, struct unpack *u)
{
	uint32_t number = unpack_u32(u);

	if (type == WIRE_PROGRESS)
		hear_progress(g, number, u);
	else if (type == WIRE_RESULT)
		hear_result(g, number, u);
	else if (type == WIRE_STATUS)
		hear_status(g, number, u);
	else if (type == WIRE_FACT)
		hear_fact(g, number, u);
	else if (type == WIRE_CERTIFICATE)
		hear_certificate(g, number, u);
	else if (type == WIRE_WANT && unpack_ok(u))
		g->events->want(g->arg, number);
	else if (type == WIRE_GONE && unpack_ok(u))
		g->events->gone(g->arg, number);
	else if (type == WIRE_TUNNEL)
		hear_tunnel(g, number, u);
	else if (type == WIRE_TUNNEL_CLOSE && unpack_ok(u))
		g->events->tunnel_close(g->arg, number);
}

/* ---- what happens to it ---- */

static void
on_started(void *arg)
{
	struct team_engine *g = arg;

	say_limits(g);
	for (uint32_t i = 1; i <= stores_count(g->stores); i++)
		say_store(g, i);
	say_metrics(g);
	if (g->asked) /* of one before it, which was dead already */
		team_engine_ping(g);
	g->events->started(g->arg);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct team_engine *g = arg;
	struct unpack u = unpack_of(packet->payload);

	if (packet->type != WIRE_PONG) {
		hear(g, packet->type, &u);
		return;
	}
	g->asked = false;
	g->events->pong(g->arg);
}

static void
on_ended(void *arg, const struct err *e)
{
	struct team_engine *g = arg;

	g->events->ended(g->arg, e);
}

static const struct member_events events = { NULL, on_started, on_packet,
	on_ended };

/* ---- life ---- */

static int
find_user(struct team_engine *g, struct err *e)
{
	if (g->params.user == NULL)
		return 0;
	g->user = mem_new(sizeof(*g->user));
	return user_find(g->params.user, g->user, e);
}

struct team_engine *
team_engine_new(struct loop *loop, const struct team_engine_params *params,
    const struct team_engine_events *of_engine, void *arg, struct err *e)
{
	struct team_engine *g = mem_new(sizeof(*g));
	struct member_params p = { .role = SPAWN_ENGINE,
		.stderr_fd = params->stderr_fd,
		.restarts = params->restarts };

	g->params = *params;
	g->events = of_engine;
	g->arg = arg;
	g->started = clock_wall_s();
	g->metrics = -1;
	g->stores = stores_new();
	if (find_user(g, e) != 0) {
		team_engine_free(&g, 0);
		return NULL;
	}
	p.user = g->user;
	g->member = member_new(loop, &p, &events, g);
	return g;
}

void
team_engine_free(struct team_engine **p, uint64_t deadline)
{
	struct team_engine *g = *p;

	if (g == NULL)
		return;
	*p = NULL;
	member_free_by(&g->member, deadline);
	stores_free(&g->stores);
	if (g->metrics >= 0)
		close(g->metrics);
	free(g->user);
	free(g);
}

unsigned int
team_engine_restarts(const struct team_engine *g)
{
	return member_restarts(g->member);
}
