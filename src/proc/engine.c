/* SPDX-License-Identifier: ISC */
#include "proc/engine.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "io/ipc.h"
#include "io/sandbox.h"
#include "io/tls.h"
#include "proc/limits.h"
#include "proc/wire.h"
#include "sched/account.h"
#include "util/mem.h"

#define PROGRESS_MS 250
#define CA_MAX (16 * 1024 * 1024)
#define NUMBER_MAX 1000000 /* of accounts and certificate stores */

struct seat {                  /* an account and what belongs to it */
	struct engine *engine; /* not ours */
	struct conf_account *conf;
	struct secret *secret;
	struct account *account;
	uint32_t number;
};

struct ca {                  /* certificates that an account may name */
	struct tls_ctx *ctx; /* NULL: they could not be read, and */
	struct err e;        /* why */
};

struct engine {
	struct loop *loop;
	struct ipc *supervisor;
	struct dns *dns;
	struct hosts *hosts;
	struct loop_timer *progress;
	struct fetch_env env;
	struct seat **seats; /* by number; NULL: none */
	size_t n_seats;
	struct ca **cas; /* by number; NULL: none */
	size_t n_cas;
};

static void
say(struct engine *g, enum wire_type type, struct buf *b)
{
	ipc_send(g->supervisor, (uint8_t)type, buf_span(b));
	buf_deinit(b);
}

/* ---- what the supervisor hears ---- */

static void
report_progress(struct seat *s)
{
	struct fetch_progress progress;
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	account_progress(s->account, &progress);
	pack_u32(&b, s->number);
	wire_pack_progress(&b, &progress);
	say(s->engine, WIRE_PROGRESS, &b);
}

static void
on_progress(void *arg)
{
	struct engine *g = arg;

	for (size_t i = 0; i < g->n_seats; i++)
		if (g->seats[i] != NULL)
			report_progress(g->seats[i]);
	loop_timer_arm(g->progress, PROGRESS_MS);
}

static void
free_seat(struct seat *s)
{
	account_free(&s->account);
	wire_free_account(&s->conf);
	secret_free(&s->secret);
	free(s);
}

static void
on_account(void *arg, const struct fetch_result *result)
{
	struct seat *s = arg;
	struct engine *g = s->engine;
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, s->number);
	wire_pack_result(&b, result);
	g->seats[s->number] = NULL;
	free_seat(s);
	say(g, WIRE_RESULT, &b);
}

/* ---- what the supervisor says ---- */

static bool
have_room(void **list, size_t *n, uint32_t number)
{
	void **grown;

	if (number >= NUMBER_MAX)
		return false;
	if (number >= *n) {
		grown = mem_grow(*list, number + 1, sizeof(void *));
		for (size_t i = *n; i <= number; i++)
			grown[i] = NULL;
		*n = number + 1;
		*list = grown;
	}
	return true;
}

static struct tls_ctx *
read_ca(int fd, struct err *e)
{
	struct tls_ctx *ctx;
	struct stat st;
	void *map = MAP_FAILED;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= CA_MAX)
		map = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		err_set(e, ERR_TEMP, 0, "the certificates cannot be read");
		return NULL;
	}
	ctx = tls_ctx_new_pem(span_make(map, (size_t)st.st_size), e);
	munmap(map, (size_t)st.st_size);
	return ctx;
}

/* Bad ones are the trouble of the accounts that name them. */
static bool
hear_ca(struct engine *g, struct unpack *u, struct ipc_packet *packet)
{
	uint32_t number = unpack_u32(u);

	if (!unpack_ok(u) || packet->n_fds != 1 ||
	    !have_room((void **)&g->cas, &g->n_cas, number) ||
	    g->cas[number] != NULL)
		return false;
	g->cas[number] = mem_new(sizeof(**g->cas));
	g->cas[number]->ctx = read_ca(packet->fds[0], &g->cas[number]->e);
	return true;
}

/* NULL without *e: none is wanted. */
static struct tls_ctx *
ctx_of(const struct engine *g, uint32_t ca, const struct err **e)
{
	if (g->cas[ca] == NULL)
		return NULL;
	if (g->cas[ca]->ctx == NULL)
		*e = &g->cas[ca]->e;
	return g->cas[ca]->ctx;
}

static void
start(struct seat *s, uint32_t ca, uint32_t delivery_ca)
{
	struct engine *g = s->engine;
	const struct err *e = NULL;
	struct tls_ctx *tls = ctx_of(g, ca, &e);
	struct tls_ctx *delivery_tls = ctx_of(g, delivery_ca, &e);

	if (e != NULL) {
		on_account(s, &(struct fetch_result){ .err = *e });
		return;
	}

	s->account = account_new(&(struct account_params){ .env = &g->env,
				     .hosts = g->hosts,
				     .who = { .conf = s->conf,
					 .tls = tls,
					 .delivery_tls = delivery_tls,
					 .secret = s->secret,
					 .number = s->number } },
	    on_account, s);
}

static bool
hear_account(struct engine *g, struct unpack *u)
{
	struct seat *s = mem_new(sizeof(*s));
	uint32_t ca, delivery_ca;

	s->engine = g;
	s->number = unpack_u32(u);
	ca = unpack_u32(u);
	delivery_ca = unpack_u32(u);
	s->conf = wire_unpack_account(u, &s->secret);
	if (s->conf == NULL || ca >= g->n_cas || delivery_ca >= g->n_cas ||
	    !have_room((void **)&g->seats, &g->n_seats, s->number) ||
	    g->seats[s->number] != NULL) {
		free_seat(s);
		return false;
	}
	g->seats[s->number] = s;
	start(s, ca, delivery_ca);
	return true;
}

static bool
hear_limits(struct engine *g, struct unpack *u)
{
	log_set_level((enum log_level)unpack_u8(u));
	g->hosts = hosts_new(g->loop, unpack_u32(u));
	if (unpack_u8(u) != 0)
		loop_timer_arm(g->progress, PROGRESS_MS);
	return unpack_ok(u);
}

static bool
hear_link(struct engine *g, struct ipc_packet *packet)
{
	if (packet->n_fds != 1 || g->env.client != NULL)
		return false;
	g->env.client = client_new(g->loop, packet->fds[0]);
	packet->fds[0] = -1;
	return true;
}

static void
stop_all(struct engine *g)
{
	for (size_t i = 0; i < g->n_seats; i++)
		if (g->seats[i] != NULL)
			account_stop(g->seats[i]->account);
}

static bool
hear(struct engine *g, struct ipc_packet *packet)
{
	struct unpack u = unpack_of(packet->payload);

	switch ((enum wire_type)packet->type) {
	case WIRE_LINK:
		return hear_link(g, packet);
	case WIRE_LIMITS:
		return hear_limits(g, &u);
	case WIRE_CA:
		return g->hosts != NULL && hear_ca(g, &u, packet);
	case WIRE_ACCOUNT:
		return g->hosts != NULL && g->env.client != NULL &&
		    hear_account(g, &u);
	case WIRE_STOP:
		stop_all(g);
		return true;
	case WIRE_LEDGER:
	case WIRE_TARGET:
	case WIRE_FORGET:
	case WIRE_UNLINK:
	case WIRE_SECRET:
	case WIRE_DROP:
	case WIRE_POLL:
	case WIRE_PAUSE:
	case WIRE_RESUME:
	case WIRE_PROBE:
	case WIRE_PING:
	case WIRE_METRICS:
	case WIRE_READY:
	case WIRE_REFUSE:
	case WIRE_KNOWN:
	case WIRE_PROGRESS:
	case WIRE_RESULT:
	case WIRE_STATUS:
	case WIRE_WANT:
	case WIRE_GONE:
	case WIRE_PONG:
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
	for (size_t i = 0; i < g->n_seats; i++)
		if (g->seats[i] != NULL)
			free_seat(g->seats[i]);
	free(g->seats);
	for (size_t i = 0; i < g->n_cas; i++)
		if (g->cas[i] != NULL) {
			tls_ctx_free(&g->cas[i]->ctx);
			free(g->cas[i]);
		}
	free(g->cas);
	client_free(&g->env.client);
	hosts_free(&g->hosts);
	loop_timer_free(&g->progress);
	dns_free(&g->dns);
	ipc_free(&g->supervisor);
	loop_free(&g->loop);
}

/* The first place is for "no certificates". */
static void
init(struct engine *g)
{
	g->loop = loop_new();
	g->progress = loop_timer_new(g->loop, on_progress, g);
	(void)have_room((void **)&g->cas, &g->n_cas, 0);
	g->supervisor = ipc_new(g->loop, WIRE_FD, on_packet, g);
	g->env.loop = g->loop;
}

int
engine_main(void)
{
	struct engine g = { 0 };
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, not an end */
	signal(SIGINT, SIG_IGN);  /* the supervisor says when to stop */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* of a terminal that goes: to all of us */
	limits_raise_files();
	init(&g);
	tls_prepare();
	g.dns = dns_new(g.loop, &e);
	g.env.dns = g.dns;
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
