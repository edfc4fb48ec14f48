/* SPDX-License-Identifier: ISC */
#include "proc/team.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/ipc.h"
#include "io/tls.h"
#include "proc/spawn.h"
#include "proc/wire.h"
#include "sys/file.h"
#include "util/mem.h"

#define END_MS 20000          /* for a child to leave by itself */
#define ACCOUNT_MAX (1 << 24) /* octets; more than any configuration */

struct member {
	const char *role;
	struct team *team; /* not ours */
	struct ipc *link;
	pid_t pid;
};

struct team {
	struct loop *loop; /* not ours */
	struct team_params params;
	const struct team_events *events; /* not ours */
	void *arg;
	struct member engine, deliverer;
	const char **cas; /* tls-ca-file by number from 1; not ours */
	uint32_t n_cas;
	bool broken;
};

static void
say(struct member *m, enum wire_type type, struct buf *b)
{
	ipc_send(m->link, (uint8_t)type, buf_span(b));
	buf_wipe(b); /* it may hold a secret */
}

/* ---- what they say ---- */

static void
broken(struct team *t, const struct err *e)
{
	if (t->broken)
		return;
	t->broken = true;
	t->events->broken(t->arg, e);
}

static void
gone(struct member *m)
{
	struct err e;
	char why[100] = "ended";

	ipc_free(&m->link);
	(void)spawn_reap(m->pid, END_MS, why, sizeof(why));
	m->pid = 0;
	err_set(&e, ERR_TEMP, 0,
	    "the process \"%s\" %s; what was delivered "
	    "is safe, run mailhaul again",
	    m->role, why);
	broken(m->team, &e);
}

static void
hear_progress(struct team *t, struct unpack *u)
{
	uint32_t number = unpack_u32(u);
	struct fetch_progress progress;
	char *doing;

	wire_unpack_progress(u, &progress);
	doing = (char *)(uintptr_t)progress.doing;
	if (unpack_ok(u) && number < t->params.conf->n)
		t->events->progress(t->arg, number, &progress);
	free(doing);
}

static void
hear_result(struct team *t, struct unpack *u)
{
	uint32_t number = unpack_u32(u);
	struct fetch_result result;
	char *doing;

	wire_unpack_result(u, &result);
	doing = (char *)(uintptr_t)result.progress.doing;
	if (unpack_ok(u) && number < t->params.conf->n)
		t->events->result(t->arg, number, &result);
	free(doing);
}

static void
on_engine(void *arg, struct ipc_packet *packet)
{
	struct member *m = arg;
	struct unpack u;

	if (packet == NULL) {
		gone(m);
		return;
	}
	u = unpack_of(packet->payload);
	if (packet->type == WIRE_PROGRESS)
		hear_progress(m->team, &u);
	else if (packet->type == WIRE_RESULT)
		hear_result(m->team, &u);
}

static void
on_deliverer(void *arg, struct ipc_packet *packet)
{
	struct member *m = arg;
	struct unpack u;
	struct err e;

	if (packet == NULL) {
		gone(m);
		return;
	}
	u = unpack_of(packet->payload);
	if (packet->type == WIRE_READY) {
		m->team->events->ready(m->team->arg);
	} else if (packet->type == WIRE_REFUSE) {
		wire_unpack_err(&u, &e);
		broken(m->team, &e);
	}
}

/* ---- what we say ---- */

static bool
wants_privileges(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++)
		if (conf->accounts[i].mda_new_privileges)
			return true;
	return false;
}

static void
introduce(struct team *t)
{
	char path[4096];
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)t->params.log_level);
	snprintf(
	    path, sizeof(path), "%s/ledger.sqlite", t->params.conf->state_dir);
	pack_str(&b, path);
	pack_u8(&b, wants_privileges(t->params.conf));
	pack_u64(&b, t->params.max_files);
	ipc_send_fds(t->deliverer.link, WIRE_LEDGER, buf_span(&b),
	    &t->params.lock_fd, 1, false);
	buf_clear(&b);
	pack_u8(&b, (uint8_t)t->params.log_level);
	pack_u32(&b, t->params.conf->max_connections_per_host);
	pack_u8(&b, t->params.progress);
	say(&t->engine, WIRE_LIMITS, &b);
}

/* They need no secret, and must be known before the engine asks for them: its
 * packets come by another way, and may overtake ours. */
static int
send_targets(struct team *t, struct err *e)
{
	const struct conf *conf = t->params.conf;
	struct buf b;

	for (size_t i = 0; i < conf->n; i++) {
		buf_init(&b, ACCOUNT_MAX);
		wire_pack_target(&b, (uint32_t)i, &conf->accounts[i]);
		if (b.n > IPC_PAYLOAD_MAX) {
			buf_deinit(&b);
			return err_set(e, ERR_CONFIG, 0,
			    "account %s: the paths and the arguments of mda "
			    "are longer than %d octets",
			    conf->accounts[i].name, IPC_PAYLOAD_MAX);
		}
		say(&t->deliverer, WIRE_TARGET, &b);
	}
	return 0;
}

/* The targets first: the deliverer hears nothing from the engine before. */
static int
link_them(struct team *t, struct err *e)
{
	int pair[2];

	if (send_targets(t, e) != 0 || ipc_pair(pair, e) != 0)
		return -1;
	ipc_send_fds(t->engine.link, WIRE_LINK, SPAN(""), &pair[0], 1, true);
	ipc_send_fds(t->deliverer.link, WIRE_LINK, SPAN(""), &pair[1], 1, true);
	return 0;
}

static int
send_ca(struct team *t, const char *file, uint32_t number, struct err *e)
{
	struct buf pem;
	struct buf b;
	int fd = memfd_create("certificates", MFD_CLOEXEC);

	if (fd < 0)
		return err_set(
		    e, ERR_TEMP, errno, "memfd: %s", strerror(errno));
	if (tls_read_ca(file, &pem, e) != 0) {
		close(fd);
		return -1;
	}
	if (file_write_all(fd, buf_span(&pem), "memfd", e) != 0) {
		buf_deinit(&pem);
		close(fd);
		return -1;
	}
	buf_deinit(&pem);
	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u32(&b, number);
	ipc_send_fds(t->engine.link, WIRE_CA, buf_span(&b), &fd, 1, true);
	buf_deinit(&b);
	return 0;
}

static bool
same_file(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Each store is read and sent once. */
static int
ca_number(struct team *t, enum conf_tls tls, const char *file, uint32_t *number,
    struct err *e)
{
	*number = 0;
	if (tls == CONF_TLS_NONE)
		return 0;
	for (*number = 1; *number <= t->n_cas; (*number)++)
		if (same_file(t->cas[*number - 1], file))
			return 0;
	if (send_ca(t, file, *number, e) != 0)
		return -1;
	t->cas = mem_grow(t->cas, ++t->n_cas, sizeof(*t->cas));
	t->cas[t->n_cas - 1] = file;
	return 0;
}

int
team_account(struct team *t, uint32_t number,
    const struct conf_account *account, const struct secret *secret,
    struct err *e)
{
	struct buf b;
	uint32_t ca, delivery_ca;

	if (ca_number(t, account->tls, account->tls_ca_file, &ca, e) != 0 ||
	    ca_number(t, account->delivery_tls, account->delivery_tls_ca_file,
		&delivery_ca, e) != 0)
		return -1;
	buf_init(&b, ACCOUNT_MAX);
	pack_u32(&b, number);
	pack_u32(&b, ca);
	pack_u32(&b, delivery_ca);
	wire_pack_account(&b, account, secret);
	if (b.n > IPC_PAYLOAD_MAX) {
		buf_wipe(&b);
		return err_set(e, ERR_CONFIG, 0,
		    "the mailboxes, the recipients and the secret of this "
		    "account are longer than %d octets",
		    IPC_PAYLOAD_MAX);
	}
	say(&t->engine, WIRE_ACCOUNT, &b);
	return 0;
}

void
team_stop(struct team *t)
{
	if (t->engine.link != NULL)
		ipc_send(t->engine.link, WIRE_STOP, SPAN(""));
	/* it waits for what it gave to the deliverer */
	if (t->deliverer.link != NULL)
		ipc_send(t->deliverer.link, WIRE_STOP, SPAN(""));
}

/* ---- life ---- */

static int
start(struct team *t, struct member *m, const char *role, ipc_fn fn,
    struct err *e)
{
	int fd;

	m->role = role;
	m->team = t;
	m->pid = spawn_role(role, NULL, t->params.stderr_fd, &fd, e);
	if (m->pid < 0) {
		m->pid = 0;
		return -1;
	}
	m->link = ipc_new(t->loop, fd, fn, m);
	return 0;
}

static void
dismiss(struct member *m)
{
	char why[100];

	ipc_free(&m->link); /* end of file is the word to leave */
	if (m->pid > 0 && !spawn_reap(m->pid, END_MS, why, sizeof(why)))
		log_error("supervisor", "the process \"%s\" %s", m->role, why);
	m->pid = 0;
}

struct team *
team_new(struct loop *loop, const struct team_params *params,
    const struct team_events *events, void *arg, struct err *e)
{
	struct team *t = mem_new(sizeof(*t));

	t->loop = loop;
	t->params = *params;
	t->events = events;
	t->arg = arg;
	if (start(t, &t->deliverer, SPAWN_DELIVERER, on_deliverer, e) == 0 &&
	    start(t, &t->engine, SPAWN_ENGINE, on_engine, e) == 0) {
		introduce(t);
		if (link_them(t, e) == 0)
			return t;
	}
	team_free(&t);
	return NULL;
}

/* The engine first, so that nothing new comes to the deliverer. */
void
team_free(struct team **t)
{
	struct team *it = *t;

	*t = NULL;
	if (it == NULL)
		return;
	dismiss(&it->engine);
	dismiss(&it->deliverer);
	free(it->cas);
	free(it);
}
