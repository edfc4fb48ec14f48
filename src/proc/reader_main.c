/* SPDX-License-Identifier: ISC */
#include "proc/reader_main.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "conf/conf_own.h"
#include "conf/secret.h"
#include "io/ipc.h"
#include "io/sandbox.h"
#include "io/tls_ca.h"
#include "proc/reader.h"
#include "proc/trust.h"
#include "proc/wire.h"
#include "util/mem.h"

#define CPU_S (READER_MS / 1000)

struct reading {
	struct loop *loop;
	struct ipc *supervisor;
};

static void
answer(struct reading *r, struct buf *b)
{
	struct span rest = buf_span(b);

	while (rest.n > 0)
		ipc_send(r->supervisor, WIRE_PIECE,
		    span_take(&rest,
			rest.n < IPC_PAYLOAD_MAX ? rest.n : IPC_PAYLOAD_MAX));
	ipc_send(r->supervisor, WIRE_WHOLE, SPAN(""));
	buf_wipe(b);
}

/* ---- the configuration ---- */

static int
read_pem(enum reader_pem what, const char *path, const char *dir,
    struct buf *pem, struct err *e)
{
	switch (what) {
	case READER_CA:
		return tls_read_ca(path, dir, pem, e);
	case READER_CRL:
		return trust_read(TRUST_CRL, path, pem, e);
	case READER_CERT:
		return trust_read(TRUST_CERT, path, pem, e);
	case READER_KEY:
		return trust_read(TRUST_KEY, path, pem, e);
	}
	return -1;
}

static void
pack_pem(struct buf *b, enum reader_pem what, const char *path, const char *dir,
    uint32_t *n)
{
	const char *shown = path == NULL ? dir : path;
	struct buf pem;
	struct err e;
	int r;

	if (shown == NULL)
		return;
	r = read_pem(what, path, dir, &pem, &e);
	if (r == 0 && pem.n > READER_CA_MAX)
		r = err_set(&e, ERR_CONFIG, 0, "%s: longer than %zu octets",
		    shown, READER_CA_MAX);
	if (r == 0 && pem.n + b->n > READER_MAX - CONF_OWN_MAX)
		r = err_set(&e, ERR_CONFIG, 0,
		    "%s: all certificates together are too long", shown);
	pack_u8(b, (uint8_t)what);
	pack_str(b, path);
	pack_str(b, dir);
	pack_u8(b, r == 0);
	if (r == 0)
		pack_span(b, buf_span(&pem));
	else
		pack_str(b, e.text);
	buf_wipe(&pem);
	(*n)++;
}

static void
pack_all_of(struct buf *b, const struct conf_account *a, uint32_t *n)
{
	pack_pem(b, READER_CA, a->tls_ca_file, a->tls_ca_dir, n);
	pack_pem(b, READER_CA, a->delivery_tls_ca_file, NULL, n);
	pack_pem(b, READER_CRL, a->tls_crl_file, NULL, n);
	pack_pem(b, READER_CERT, a->tls_cert, NULL, n);
	pack_pem(b, READER_KEY, a->tls_key, NULL, n);
}

/* Errors are so short that these may be beyond the limit by themselves. */
static void
pack_all_pem(struct buf *to, const struct conf *c)
{
	struct buf b;
	uint32_t n = 0;

	buf_init(&b, READER_MAX);
	for (size_t i = 0; c != NULL && i < c->n; i++) {
		if (b.n > READER_MAX - CONF_OWN_MAX - READER_CA_MAX)
			break; /* what is missing is an error, too */
		pack_all_of(&b, &c->accounts[i], &n);
	}
	pack_u32(to, n);
	(void)buf_add(to, buf_span(&b));
	buf_wipe(&b);
}

/* home is "~", too. */
static void
read_configuration(struct reading *r, const char *home)
{
	char *dir = mem_printf("%s/.config/mailhaul", home);
	struct conf *c;
	struct buf b;

	(void)setenv("HOME", home, 1);
	buf_init(&b, READER_MAX);
	c = conf_own_pack(dir, &b);
	pack_all_pem(&b, c);
	conf_free(&c);
	free(dir);
	answer(r, &b);
}

/* ---- a secret ---- */

static void
read_secret(struct reading *r, const struct conf_account *a)
{
	struct secret *secret = NULL;
	struct err e;
	struct buf b;

	buf_init(&b, READER_MAX);
	if (conf_secret_read(a, &secret, &e) == 0) {
		pack_u8(&b, 1);
		pack_span(&b, secret_span(secret));
	} else {
		pack_u8(&b, 0);
		pack_str(&b, e.text);
	}
	secret_free(&secret);
	answer(r, &b);
}

/* ---- */

static bool
hear(struct reading *r, struct ipc_packet *packet)
{
	struct unpack u = unpack_of(packet->payload);
	uint8_t what = unpack_u8(&u);
	char *path = unpack_str(&u);
	char *host = unpack_str(&u), *login = unpack_str(&u);
	struct conf_account a = { .host = host, .user = login };
	bool good = packet->type == WIRE_READ && unpack_ok(&u);

	if (what == READER_NETRC)
		a.secret.netrc = path;
	else
		a.secret.file = path;
	if (good && what == READER_CONFIGURATION)
		read_configuration(r, path);
	else if (good && (what == READER_SECRET || what == READER_NETRC))
		read_secret(r, &a);
	else
		good = false;
	free(path);
	free(host);
	free(login);
	return good;
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct reading *r = arg;

	if (packet == NULL || !hear(r, packet))
		loop_stop(r->loop);
}

/* It needs nothing but to read. What is refused, he may not do either. */
static void
put_up_walls(void)
{
	const struct sandbox_place everything = { "/", false };
	const struct rlimit cpu = { CPU_S, CPU_S };
	struct err e;

	(void)sandbox_secrets(&e);
	(void)sandbox_deliverer(&everything, 1, false, &e);
	(void)setrlimit(RLIMIT_CPU, &cpu);
}

int
reader_main(void)
{
	struct reading r = { 0 };

	signal(SIGPIPE, SIG_IGN);
	put_up_walls();
	r.loop = loop_new();
	r.supervisor = ipc_new(r.loop, WIRE_FD, on_packet, &r);
	loop_run(r.loop);
	ipc_free(&r.supervisor);
	loop_free(&r.loop);
	return 0;
}
