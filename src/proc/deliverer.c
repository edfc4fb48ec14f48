/* SPDX-License-Identifier: ISC */
#include "proc/deliverer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/mda.h"
#include "deliver/server.h"
#include "io/digest.h"
#include "io/ipc.h"
#include "io/sandbox.h"
#include "proc/limits.h"
#include "proc/walls.h"
#include "proc/wire.h"
#include "util/mem.h"

#define LARGE_OCTETS 65536

struct deliverer {
	struct loop *loop;
	struct ipc *supervisor;
	struct server *server;
	struct walls *walls;
	bool alone;         /* without a local socket */
	bool stays;         /* another is started when we end */
	uint64_t max_files; /* that an MDA may have open; 0: any */
	int lock;           /* the state is ours until we are gone */
};

static void
refuse(struct deliverer *d, const struct err *e)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	wire_pack_err(&b, e);
	ipc_send(d->supervisor, WIRE_REFUSE, buf_span(&b));
	buf_deinit(&b);
}

/* ---- what it may do ---- */

/* A set-user-ID MDA works only if we may still become more than we are. */
static void
give_up_privileges(bool mda_may_gain)
{
	struct err e;

	if (!mda_may_gain && sandbox_privileges(&e) != 0)
		log_notice("deliverer", "%s", e.text);
}

/* OpenSSL and the database look for files at their first use. */
static void
warm_up(const char *dir)
{
	struct digest_state *digest = digest_new();

	digest_free(&digest);
	(void)setenv("SQLITE_TMPDIR", dir, 1);
}

static bool
hear_places(struct deliverer *d, struct unpack *u)
{
	if (d->server != NULL)
		return false;
	while (unpack_more(u)) {
		bool make = unpack_u8(u) != 0;
		char *path = unpack_str(u);

		if (path != NULL)
			walls_add(d->walls, path, make);
		free(path);
	}
	return unpack_ok(u);
}

/* What is owed to a directory waits for that one: it may not be mounted. */
static void
on_owed(void *arg, const char *dir)
{
	struct deliverer *d = arg;

	if (dir != NULL)
		walls_add(d->walls, dir, false);
	else
		walls_put_up(d->walls, !d->alone);
}

/* A place may have been exchanged for another, behind our walls. */
static void
on_denied(void *arg)
{
	struct deliverer *d = arg;
	const char *path = walls_outdated(d->walls);
	struct err e;

	if (path == NULL || !d->stays)
		return;
	err_set(&e, ERR_TEMP, 0,
	    "%s is another directory than before: the deliverer starts anew",
	    path);
	refuse(d, &e);
}

/* ---- what it hears ---- */

/* Its number of descriptors is right. */
static struct server *
open_server(struct deliverer *d, const char *path, bool programs, struct err *e)
{
	const struct server_walls walls = { on_owed, on_denied, d };
	const char *slash = strrchr(path, '/');
	char *dir = mem_spandup(
	    span_make(path, slash == NULL ? 0 : (size_t)(slash - path)));

	walls_add(d->walls, dir, false);
	warm_up(dir);
	free(dir);
	return server_new(d->loop, path, programs ? NULL : &walls, e);
}

static bool
hear_ledger(struct deliverer *d, struct unpack *u, struct ipc_packet *packet)
{
	uint8_t level = unpack_u8(u);
	uint8_t format = unpack_u8(u);
	char *path = unpack_str(u);
	bool stays = unpack_u8(u) != 0;
	bool mda_may_gain = unpack_u8(u) != 0;
	bool programs = unpack_u8(u) != 0;
	bool sockets = unpack_u8(u) != 0;
	struct err e;

	d->max_files = unpack_u64(u);

	if (!unpack_ok(u) || packet->n_fds != 1 || d->server != NULL) {
		free(path);
		return false;
	}
	log_set_level((enum log_level)level);
	log_set_format((enum log_format)format);
	d->lock = packet->fds[0];
	packet->fds[0] = -1;
	d->stays = stays;
	/* syslog(3) connects again when the other side was restarted */
	d->alone = !sockets && format != LOG_SYSLOG;
	give_up_privileges(mda_may_gain);
	d->server = open_server(d, path, programs, &e);
	free(path);
	if (d->server == NULL)
		refuse(d, &e);
	else
		ipc_send(d->supervisor, WIRE_READY, SPAN(""));
	return true;
}

/* clang-format off */
static const enum target_way ways[] = {
	[CONF_MAILDIR] = TARGET_MAILDIR,
	[CONF_MDA]     = TARGET_MDA,
	[CONF_LMTP]    = TARGET_RELAY,
	[CONF_SMTP]    = TARGET_RELAY,
	[CONF_MBOX]    = TARGET_MBOX,
};
static const enum mda_verdict verdicts[] = {
	[CONF_EXIT_ACCEPT] = MDA_ACCEPTED,
	[CONF_EXIT_LATER]  = MDA_LATER,
	[CONF_EXIT_HOLD]   = MDA_HOLD,
};

/* clang-format on */

/* It borrows from a. */
static void
fill_target(
    struct target *t, const struct conf_account *a, unsigned long max_files)
{
	*t = (struct target){ .way = ways[a->way],
		.name = a->name,
		.user = a->user,
		.path = a->way == CONF_MBOX ? a->mbox : a->maildir,
		.folders = a->maildir_folders,
		.argv = a->mda.v,
		.timeout_ms = a->mda_timeout_s * 1000,
		.parallel = a->mda_parallel,
		.max_files = max_files,
		.socket = a->relay.socket };
	for (size_t i = 0; i < 256; i++)
		t->exits[i] = (uint8_t)verdicts[a->mda_exit[i]];
}

static void
say_known(struct deliverer *d, uint32_t number)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	ipc_send(d->supervisor, WIRE_KNOWN, buf_span(&b));
	buf_deinit(&b);
}

static bool
hear_target(struct deliverer *d, struct unpack *u)
{
	uint32_t number;
	struct conf_account *a = wire_unpack_target(u, &number);
	struct target t;

	if (a == NULL)
		return false;
	fill_target(&t, a, (unsigned long)d->max_files);
	server_account(d->server, number, &t);
	wire_free_account(&a);
	say_known(d, number);
	return true;
}

static bool
hear_link(struct deliverer *d, struct ipc_packet *packet)
{
	if (packet->n_fds != 1)
		return false;
	server_attach(d->server, packet->fds[0]);
	packet->fds[0] = -1;
	return true;
}

static void
on_stopped(void *arg)
{
	struct deliverer *d = arg;

	loop_stop(d->loop);
}

static void
stop(struct deliverer *d)
{
	ipc_free(&d->supervisor);
	if (d->server == NULL)
		loop_stop(d->loop);
	else
		server_stop(d->server, on_stopped, d);
}

static bool
hear(struct deliverer *d, struct ipc_packet *packet)
{
	struct unpack u = unpack_of(packet->payload);

	if (packet->type == WIRE_PLACES)
		return hear_places(d, &u);
	if (packet->type == WIRE_LEDGER)
		return hear_ledger(d, &u, packet);
	if (d->server == NULL)
		return false;
	if (packet->type == WIRE_TARGET)
		return hear_target(d, &u);
	if (packet->type == WIRE_LINK)
		return hear_link(d, packet);
	if (packet->type == WIRE_FORGET) {
		server_forget(d->server, unpack_u32(&u));
		return unpack_ok(&u);
	}
	if (packet->type == WIRE_STOP) {
		server_halt(d->server);
		return true;
	}
	if (packet->type == WIRE_LEVEL) {
		log_set_level((enum log_level)unpack_u8(&u));
		return unpack_ok(&u);
	}
	return false;
}

/* The end of the supervisor, wanted or not, is ours: in order, the group at
 * work first. */
static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct deliverer *d = arg;

	if (packet == NULL || !hear(d, packet))
		stop(d);
}

int
deliverer_main(void)
{
	struct deliverer d = { .lock = -1 };
	struct err e;

	mem_tune(LARGE_OCTETS);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, not an end */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN); /* of a whole service: the supervisor's */
	signal(SIGHUP, SIG_IGN);
	umask(077);
	limits_raise_files();
	if (sandbox_secrets(&e) != 0)
		log_notice("deliverer", "%s", e.text);
	d.walls = walls_new();
	d.loop = loop_new();
	d.supervisor = ipc_new(d.loop, WIRE_FD, on_packet, &d);
	loop_run(d.loop);
	server_free(&d.server);
	walls_free(&d.walls);
	ipc_free(&d.supervisor);
	loop_free(&d.loop);
	if (d.lock >= 0)
		close(d.lock);
	return 0;
}
