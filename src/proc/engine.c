/* SPDX-License-Identifier: ISC */
#include "proc/engine.h"

#include <signal.h>
#include <stdlib.h>

#include "io/ipc.h"
#include "io/sandbox.h"
#include "io/tls.h"
#include "proc/cas.h"
#include "proc/desks.h"
#include "proc/exporter.h"
#include "proc/limits.h"
#include "proc/tunnel_asks.h"
#include "proc/wire.h"
#include "sys/clock.h"
#include "util/mem.h"

#define PROGRESS_MS 250
#define PULSE_MS 1000
#define SLEPT_MS 2000      /* the machine was asleep for longer */
#define LARGE_OCTETS 16384 /* so much has each buffer of a busy connection */
#define DELIVERERS_MAX 100000

struct engine {
	struct loop *loop;
	struct ipc *supervisor;
	struct dns *dns;
	struct hosts *hosts;
	struct cas *cas;
	struct tunnel_asks *tunnels;
	struct desks *desks;
	struct exporter *exporter; /* NULL: nobody asks for metrics */
	struct loop_timer *progress, *pulse;
	uint64_t asleep; /* ms that the machine was, as of the last pulse */
	struct fetch_env **envs; /* by deliverer; NULL: never heard of */
	size_t n_envs;
	struct fetch_env bare;    /* of surveys: without a deliverer */
	struct histogram latency; /* of deliverers that are gone */
};

/* ---- time ---- */

static void
on_progress(void *arg)
{
	struct engine *g = arg;

	desks_progress(g->desks);
	loop_timer_arm(g->progress, PROGRESS_MS);
}

/* After a sleep every connection is doubtful. */
static void
on_pulse(void *arg)
{
	struct engine *g = arg;
	uint64_t asleep = clock_asleep_ms();

	if (asleep > g->asleep + SLEPT_MS) {
		log_notice("engine", "the machine was asleep for %llu s",
		    (unsigned long long)(asleep - g->asleep) / 1000);
		desks_probe(g->desks);
	}
	g->asleep = asleep;
	desks_look(g->desks);
	loop_timer_arm(g->pulse, PULSE_MS);
}

/* ---- what the supervisor says ---- */

static bool
hear_ca(struct engine *g, struct unpack *u, struct ipc_packet *packet)
{
	uint32_t number = unpack_u32(u);

	return unpack_ok(u) && packet->n_fds == 1 &&
	    cas_add(g->cas, number, packet->fds[0]);
}

static struct fetch_env *
env_of(const struct engine *g, uint32_t deliverer)
{
	struct fetch_env *env =
	    deliverer < g->n_envs ? g->envs[deliverer] : NULL;

	return env != NULL && env->client != NULL ? env : NULL;
}

static bool
hear_account(struct engine *g, struct unpack *u)
{
	uint32_t number = unpack_u32(u);
	bool stays = unpack_u8(u) != 0;
	const struct fetch_env *env = env_of(g, unpack_u32(u));

	if (stays && !loop_timer_armed(g->pulse)) {
		g->asleep = clock_asleep_ms();
		loop_timer_arm(g->pulse, PULSE_MS);
	}
	return env != NULL && desks_add(g->desks, number, stays, env, u);
}

static bool
hear_survey(struct engine *g, struct unpack *u)
{
	uint32_t number = unpack_u32(u);

	g->bare = (struct fetch_env){ .loop = g->loop, .dns = g->dns };
	return desks_survey(g->desks, number, &g->bare, u);
}

static bool
hear_limits(struct engine *g, struct unpack *u)
{
	log_set_level((enum log_level)unpack_u8(u));
	log_set_format((enum log_format)unpack_u8(u));
	g->hosts = hosts_new(g->loop, unpack_u32(u));
	if (unpack_u8(u) != 0)
		loop_timer_arm(g->progress, PROGRESS_MS);
	g->desks = desks_new(&(struct desks_params){ .loop = g->loop,
	    .supervisor = g->supervisor,
	    .hosts = g->hosts,
	    .cas = g->cas,
	    .tunnels = g->tunnels });
	return unpack_ok(u);
}

static bool
have_env(struct engine *g, uint32_t number)
{
	if (number >= DELIVERERS_MAX)
		return false;
	if (number >= g->n_envs) {
		g->envs = mem_grow(g->envs, number + 1, sizeof(*g->envs));
		while (g->n_envs <= number)
			g->envs[g->n_envs++] = NULL;
	}
	if (g->envs[number] == NULL) {
		g->envs[number] = mem_new(sizeof(**g->envs));
		g->envs[number]->loop = g->loop;
		g->envs[number]->dns = g->dns;
	}
	return g->envs[number]->client == NULL;
}

static bool
hear_link(struct engine *g, struct unpack *u, struct ipc_packet *packet)
{
	uint32_t number = unpack_u32(u);

	if (!unpack_ok(u) || packet->n_fds != 1 || !have_env(g, number))
		return false;
	g->envs[number]->client = client_new(g->loop, packet->fds[0]);
	packet->fds[0] = -1;
	return true;
}

static bool
hear_unlink(struct engine *g, struct unpack *u)
{
	struct fetch_env *env = env_of(g, unpack_u32(u));

	if (env == NULL)
		return unpack_ok(u);
	desks_drop_env(g->desks, env);
	histogram_merge(&g->latency, client_latency(env->client));
	client_free(&env->client);
	return unpack_ok(u);
}

static bool
hear_secret(struct engine *g, struct unpack *u)
{
	uint32_t number = unpack_u32(u);
	struct span secret = unpack_span(u);

	if (!unpack_ok(u))
		return false;
	desks_secret(g->desks, number, secret);
	return true;
}

static bool
hear_tunnel_up(struct engine *g, struct unpack *u, struct ipc_packet *packet)
{
	uint32_t ticket = unpack_u32(u);

	if (!unpack_ok(u) || packet->n_fds != 1)
		return false;
	tunnel_asks_up(g->tunnels, ticket, packet->fds[0]);
	packet->fds[0] = -1;
	return true;
}

static bool
hear_tunnel_down(struct engine *g, struct unpack *u)
{
	uint32_t ticket = unpack_u32(u);
	struct err e;

	wire_unpack_err(u, &e);
	if (!unpack_ok(u))
		return false;
	tunnel_asks_down(g->tunnels, ticket, &e);
	return true;
}

static bool
hear_of(struct engine *g, enum wire_type type, struct unpack *u)
{
	uint32_t number = unpack_u32(u);

	if (!unpack_ok(u))
		return false;
	if (type == WIRE_DROP)
		desks_drop(g->desks, number);
	else if (type == WIRE_POLL)
		desks_poll(g->desks, number);
	else
		desks_pause(g->desks, number, type == WIRE_PAUSE);
	return true;
}

static void
sum_latency(void *arg, struct histogram *sum)
{
	const struct engine *g = arg;

	*sum = g->latency;
	for (size_t i = 0; i < g->n_envs; i++)
		if (g->envs[i] != NULL && g->envs[i]->client != NULL)
			histogram_merge(
			    sum, client_latency(g->envs[i]->client));
}

static bool
hear_metrics(struct engine *g, struct unpack *u, struct ipc_packet *packet)
{
	if (packet->n_fds != 1 || g->exporter != NULL)
		return false;
	g->exporter =
	    exporter_new(g->loop, packet->fds[0], u, g->desks, sum_latency, g);
	packet->fds[0] = -1;
	return unpack_ok(u);
}

static bool
hear(struct engine *g, struct ipc_packet *packet)
{
	struct unpack u = unpack_of(packet->payload);

	if (packet->type == WIRE_LIMITS)
		return g->desks == NULL && hear_limits(g, &u);
	if (g->desks == NULL)
		return false;
	switch ((enum wire_type)packet->type) {
	case WIRE_LINK:
		return hear_link(g, &u, packet);
	case WIRE_UNLINK:
		return hear_unlink(g, &u);
	case WIRE_CA:
		return hear_ca(g, &u, packet);
	case WIRE_ACCOUNT:
		return hear_account(g, &u);
	case WIRE_SURVEY:
		return hear_survey(g, &u);
	case WIRE_SECRET:
		return hear_secret(g, &u);
	case WIRE_DROP:
	case WIRE_POLL:
	case WIRE_PAUSE:
	case WIRE_RESUME:
		return hear_of(g, (enum wire_type)packet->type, &u);
	case WIRE_PROBE:
		desks_probe(g->desks);
		return true;
	case WIRE_PING:
		ipc_send(g->supervisor, WIRE_PONG, SPAN(""));
		return true;
	case WIRE_STOP:
		desks_stop(g->desks);
		return true;
	case WIRE_LEVEL:
		log_set_level((enum log_level)unpack_u8(&u));
		return unpack_ok(&u);
	case WIRE_METRICS:
		return hear_metrics(g, &u, packet);
	case WIRE_RESTARTS:
		exporter_restarts(g->exporter, unpack_u32(&u));
		return unpack_ok(&u);
	case WIRE_TUNNEL_UP:
		return hear_tunnel_up(g, &u, packet);
	case WIRE_TUNNEL_DOWN:
		return hear_tunnel_down(g, &u);
	case WIRE_LIMITS:
	case WIRE_PLACES:
	case WIRE_LEDGER:
	case WIRE_TARGET:
	case WIRE_FORGET:
	case WIRE_READY:
	case WIRE_REFUSE:
	case WIRE_KNOWN:
	case WIRE_READ:
	case WIRE_PIECE:
	case WIRE_WHOLE:
	case WIRE_PROGRESS:
	case WIRE_RESULT:
	case WIRE_STATUS:
	case WIRE_WANT:
	case WIRE_GONE:
	case WIRE_FACT:
	case WIRE_CERTIFICATE:
	case WIRE_PONG:
	case WIRE_TUNNEL:
	case WIRE_TUNNEL_CLOSE:
		break;
	}
	return false;
}

/* Without a supervisor there is nobody to work for. */
static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct engine *g = arg;

	if (packet == NULL || !hear(g, packet))
		loop_stop(g->loop);
}

/* ---- life ---- */

static void
deinit(struct engine *g)
{
	exporter_free(&g->exporter);
	desks_free(&g->desks);
	for (size_t i = 0; i < g->n_envs; i++) {
		if (g->envs[i] != NULL)
			client_free(&g->envs[i]->client);
		free(g->envs[i]);
	}
	free(g->envs);
	tunnel_asks_free(&g->tunnels);
	cas_free(&g->cas);
	hosts_free(&g->hosts);
	loop_timer_free(&g->progress);
	loop_timer_free(&g->pulse);
	dns_free(&g->dns);
	ipc_free(&g->supervisor);
	loop_free(&g->loop);
}

static void
init(struct engine *g)
{
	g->loop = loop_new();
	g->progress = loop_timer_new(g->loop, on_progress, g);
	g->pulse = loop_timer_new(g->loop, on_pulse, g);
	g->cas = cas_new();
	g->supervisor = ipc_new(g->loop, WIRE_FD, on_packet, g);
	g->tunnels = tunnel_asks_new(g->supervisor);
}

int
engine_main(void)
{
	struct engine g = { 0 };
	struct err e;

	mem_tune(LARGE_OCTETS);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, not an end */
	signal(SIGINT, SIG_IGN);  /* the supervisor says when to stop */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* of a terminal that goes: to all of us */
	limits_raise_files();
	init(&g);
	tls_prepare();
	g.dns = dns_new(g.loop, &e);
	if (g.dns == NULL) {
		log_error("engine", "%s", e.text);
		deinit(&g);
		return 1;
	}
	if (sandbox_secrets(&e) != 0)
		log_notice("engine", "%s", e.text);
	if (sandbox_engine(&e) != 0)
		log_notice("engine", "%s", e.text);
	loop_run(g.loop);
	deinit(&g);
	return 0;
}
