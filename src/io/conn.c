/* SPDX-License-Identifier: ISC */
#include "io/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/dane.h"
#include "io/reach.h"
#include "io/wire.h"
#include "util/buf.h"
#include "util/mem.h"

/* After so much in one turn the other connections have theirs. */
#define ROUND_OCTETS ((size_t)4 * CONN_INPUT_MAX)
#define REST_MS 1000 /* without input: buffers are given back */
#define CLOSE_MS 5000
#define LINGER_MS 1000
#define TIMEOUT_DEFAULT_MS 30000

enum state {
	DIALLING,
	HANDSHAKE,
	STRANDED, /* the tunnel ended; it may say why */
	UP,
	CLOSING,
	LINGERING,
	DONE
};

struct conn {
	struct loop *loop; /* not ours */
	conn_fn fn;
	void *arg;
	enum state st;
	unsigned int busy; /* our frames on the stack */
	bool freed;        /* the owner let go; the last frame frees */

	char *host, *tls_name, *alpn, *peer;
	char *server;        /* "host:port" */
	struct tls_ctx *ctx; /* not ours */
	void (*secured)(void *arg, const struct conn *c);
	void *secured_arg;
	bool tls_first, tunnelled;
	unsigned int tls_timeout_ms;

	struct reach *reach; /* a tunnel: as long as we need it */
	struct dane *dane;   /* until the handshake; NULL: none is needed */
	struct wire wire;
	struct loop_fd *watch;

	struct loop_timer *kick;     /* work in the next round */
	struct loop_timer *phase;    /* the handshake's or the close's end */
	struct loop_timer *deadline; /* the owner's */
	struct loop_timer *rest;

	struct buf in, out;
	bool paused, resumed;
	bool dry; /* only the socket can bring more input */
	bool eof;
	bool active; /* since the rest timer was armed */
	/* what the last try to read (handshake included) or write waits for */
	bool read_waits_to_write, write_waits, write_waits_to_read;
	struct err e; /* kind is set: to be reported, or reported */
	uint64_t octets_in;
};

static void settle(struct conn *c);

/* ---- events ---- */

static void
enter(struct conn *c)
{
	c->busy++;
}

static void
leave(struct conn *c)
{
	if (--c->busy > 0)
		return;
	if (c->freed)
		free(c);
	else
		settle(c);
}

static void
emit(struct conn *c, enum conn_event ev)
{
	if (!c->freed)
		c->fn(c->arg, ev);
}

static void
stop(struct conn *c)
{
	c->st = DONE;
	reach_free(&c->reach);
	dane_free(&c->dane);
	loop_fd_free(&c->watch);
	loop_timer_stop(c->kick);
	loop_timer_stop(c->phase);
	loop_timer_stop(c->deadline);
	loop_timer_stop(c->rest);
}

static void
end(struct conn *c, enum conn_event ev)
{
	stop(c);
	emit(c, ev);
}

/* ---- output ---- */

static void
output_failed(struct conn *c)
{
	if (c->e.kind == ERR_NONE)
		err_set(&c->e, ERR_NET, 0, "closed by the server");
	err_prefix(&c->e, "%s", c->peer);
	buf_clear(&c->out);
	c->dry = false;
}

/* Hands what waits to the kernel, as far as it takes it. A failure is left
 * in c->e: the server's last words may still be there to be read. */
static void
flush(struct conn *c)
{
	bool had = c->out.n > 0;

	while (c->out.n > 0 && !c->write_waits && !c->write_waits_to_read) {
		size_t sent;
		enum tls_answer a =
		    wire_write(&c->wire, buf_span(&c->out), &sent, &c->e);

		buf_drop(&c->out, sent);
		c->write_waits = a == TLS_WANT_WRITE;
		c->write_waits_to_read = a == TLS_WANT_READ;
		if (a == TLS_FAILED || a == TLS_CLOSED) {
			output_failed(c);
			return;
		}
	}
	if (!had || c->out.n > 0)
		return;
	buf_release(&c->out);
	if (c->st == UP)
		emit(c, CONN_DRAINED);
}

/* ---- input ---- */

/* The end of a TLS stream without close_notify counts as an end of file:
 * the protocols know by themselves whether something was cut off. */
static void
note_failure(struct conn *c, const struct err *before)
{
	if (c->e.kind == ERR_NET && c->e.sys == 0) {
		c->eof = true;
		c->e = *before;
	} else if (before->kind != ERR_NONE) {
		c->e = *before; /* the write that failed was first */
	} else {
		err_prefix(&c->e, "%s", c->peer);
	}
}

/* One piece. False when there is no more for now. */
static bool
receive(struct conn *c)
{
	struct err before = c->e;
	size_t n, got;
	char *room = buf_room(&c->in, CONN_INPUT_MAX - c->in.n, &n);
	enum tls_answer a;

	if (n == 0)
		return false;
	a = wire_read(&c->wire, room, n, &got, &c->e);
	buf_wrote(&c->in, got);
	c->octets_in += got;
	c->read_waits_to_write = a == TLS_WANT_WRITE;
	if (a == TLS_CLOSED)
		c->eof = true;
	if (a == TLS_FAILED)
		note_failure(c, &before);
	/* a short answer of a plain socket empties it: a call is saved */
	c->dry = a != TLS_OK || (!c->wire.secure && got < n);
	return !c->dry;
}

static bool
may_read(const struct conn *c)
{
	return c->st == UP && !c->paused && !c->eof && c->in.n < CONN_INPUT_MAX;
}

static void
take_input(struct conn *c)
{
	size_t left = ROUND_OCTETS;

	while (may_read(c) && !c->dry && left > 0) {
		size_t before = c->in.n;
		size_t got;

		while (receive(c))
			;
		got = c->in.n - before;
		left -= got < left ? got : left;
		c->active = true;
		if (got > 0) {
			c->resumed = false;
			emit(c, CONN_INPUT);
		}
		if (c->e.kind != ERR_NONE)
			break;
	}
}

/* Idle sessions are many and shall be small. */
static void
on_rest(void *arg)
{
	struct conn *c = arg;

	if (c->active) {
		c->active = false;
		loop_timer_arm(c->rest, REST_MS);
		return;
	}
	buf_release(&c->in);
	if (c->wire.secure)
		tls_rest(c->wire.tls);
}

/* ---- TLS ---- */

static void
begin_tls(struct conn *c)
{
	const char *name = c->tls_name != NULL ? c->tls_name : c->host;

	c->st = HANDSHAKE;
	c->dry = false; /* the first step is ours */
	/* a failure is left in c->e and reported in the next turn */
	if (wire_begin_tls(&c->wire, c->ctx, name, c->alpn, &c->e) == 0 &&
	    (c->dane == NULL || dane_apply(c->dane, c->wire.tls, &c->e) == 0))
		tls_resume(c->wire.tls, c->server);
	dane_free(&c->dane);
	loop_timer_arm(c->phase, c->tls_timeout_ms);
}

static void
tls_is_up(struct conn *c)
{
	loop_timer_stop(c->phase);
	c->st = UP;
	c->dry = false; /* the first octets may have come with the handshake */
	c->active = true;
	if (c->secured != NULL)
		c->secured(c->secured_arg, c);
	emit(c, c->tls_first ? CONN_UP : CONN_TLS_UP);
}

/* A tunnel that comes to its end during the handshake knows more. */
static bool
is_stranded(struct conn *c, const struct err *e)
{
	struct err otherwise = *e;

	err_prefix(&otherwise, "%s", c->peer);
	if (e->kind != ERR_NET || !c->tls_first || c->reach == NULL ||
	    !reach_explain(c->reach, &otherwise))
		return false;
	loop_timer_stop(c->phase);
	c->st = STRANDED;
	err_clear(&c->e);
	return true;
}

static void
handshake_failed(struct conn *c)
{
	struct err e = c->e;

	if (is_stranded(c, &e))
		return;
	if (e.kind == ERR_NET)
		err_prefix(&c->e, "%s", c->peer);
	else if (c->tls_first && tls_peer_is_plain(c->wire.tls))
		err_set(
		    &c->e, ERR_TLS, 0, "%s (is tls = starttls meant?)", e.text);
}

static void
handshake(struct conn *c)
{
	enum tls_answer a = wire_handshake(&c->wire, &c->e);

	c->dry = true;
	c->read_waits_to_write = a == TLS_WANT_WRITE;
	if (a == TLS_OK)
		tls_is_up(c);
	else if (a == TLS_FAILED)
		handshake_failed(c);
}

/* ---- the turn ---- */

/* All was sent. If the socket were closed while input waits unread, TCP would
 * reset the connection, and the server might never see our last words: what
 * comes is thrown away until the server closes too. */
static void
begin_linger(struct conn *c)
{
	if (c->e.kind != ERR_NONE || c->eof || c->wire.fd < 0) {
		end(c, CONN_CLOSED);
		return;
	}
	wire_finish(&c->wire);
	c->st = LINGERING;
	loop_timer_arm(c->phase, LINGER_MS);
}

static bool
may_write(const struct conn *c)
{
	return (c->st == UP || c->st == CLOSING) && c->out.n > 0 &&
	    !c->write_waits && !c->write_waits_to_read;
}

/* Something can be done that no socket will remind us of. */
static bool
wants_turn(const struct conn *c)
{
	bool input = may_read(c) || c->st == HANDSHAKE;

	return (input && !c->dry) || may_write(c) || c->e.kind != ERR_NONE ||
	    (c->st == CLOSING && c->out.n == 0) ||
	    (c->st == UP && !c->paused && (c->eof || c->resumed));
}

/* What the loop shall wake us for. */
static void
settle(struct conn *c)
{
	bool reads = (may_read(c) || c->st == HANDSHAKE) && c->dry;
	bool reversed = c->read_waits_to_write;
	bool lingers = c->st == LINGERING;

	if (c->watch == NULL)
		return;
	loop_fd_want(c->watch,
	    (reads && !reversed) || c->write_waits_to_read || lingers,
	    c->write_waits || (reads && reversed));
	if (wants_turn(c))
		loop_timer_arm(c->kick, 0);
	if (!loop_timer_armed(c->rest) && c->active)
		loop_timer_arm(c->rest, REST_MS);
}

static void
pump(struct conn *c)
{
	if (c->st == HANDSHAKE && c->e.kind == ERR_NONE)
		handshake(c);
	if ((c->st == UP || c->st == CLOSING) && c->e.kind == ERR_NONE)
		flush(c);
	if (c->st == UP && c->resumed && !c->paused) {
		c->resumed = false;
		if (c->in.n > 0)
			emit(c, CONN_INPUT);
	}
	take_input(c);
	if (c->st == CLOSING && (c->out.n == 0 || c->e.kind != ERR_NONE))
		begin_linger(c);
	else if (c->st == LINGERING && wire_drained(&c->wire))
		end(c, CONN_CLOSED);
	else if (c->st != DONE && c->e.kind != ERR_NONE)
		end(c, CONN_ERROR);
	else if (c->st == UP && c->eof && !c->paused)
		end(c, CONN_CLOSED);
	else if (c->st == UP) /* answers to what came go out at once */
		flush(c);
}

/* It is called twice when it has to be known first what the DNS says of the
 * certificate: the later one counts. */
static void
connected(struct conn *c)
{
	if (c->dane != NULL && !dane_is_known(c->dane))
		return;
	c->dry = true;
	if (c->tls_first) {
		begin_tls(c);
	} else {
		c->st = UP;
		emit(c, CONN_UP);
	}
}

static void
on_kick(void *arg)
{
	struct conn *c = arg;

	enter(c);
	if (c->st == DIALLING && c->watch != NULL && c->e.kind == ERR_NONE)
		connected(c); /* the socket was given to us */
	pump(c);
	leave(c);
}

static void
on_ready(void *arg, bool readable, bool writable)
{
	struct conn *c = arg;

	if (readable) {
		c->dry = c->dry && c->read_waits_to_write;
		c->write_waits_to_read = false;
	}
	if (writable) {
		c->write_waits = false;
		if (c->read_waits_to_write)
			c->dry = false;
	}
	enter(c);
	pump(c);
	leave(c);
}

static void
on_phase(void *arg)
{
	struct conn *c = arg;

	enter(c);
	if (c->st == CLOSING || c->st == LINGERING) {
		end(c, CONN_CLOSED);
	} else {
		err_set(&c->e, ERR_NET, ETIMEDOUT,
		    "TLS handshake with %s took longer than %u s", c->peer,
		    (c->tls_timeout_ms + 999) / 1000);
		end(c, CONN_ERROR);
	}
	leave(c);
}

static void
on_deadline(void *arg)
{
	struct conn *c = arg;

	enter(c);
	emit(c, CONN_TIMEOUT);
	leave(c);
}

/* A tunnel that fails during the handshake has our socket already. */
static void
on_reached(void *arg, int fd, const char *peer, const struct err *e)
{
	struct conn *c = arg;

	enter(c);
	if (fd < 0) {
		c->e = *e;
		end(c, CONN_ERROR);
		leave(c);
		return;
	}
	wire_init(&c->wire, fd);
	free(c->peer);
	c->peer = mem_strdup(peer);
	if (!c->tunnelled)
		reach_free(&c->reach);
	c->watch = loop_fd_new(c->loop, fd, on_ready, c);
	connected(c);
	pump(c);
	leave(c);
}

static void
on_dane(void *arg, const struct err *e)
{
	struct conn *c = arg;

	enter(c);
	if (e != NULL) {
		c->e = *e;
		end(c, CONN_ERROR);
	} else if (c->watch != NULL) {
		connected(c);
		pump(c);
	}
	leave(c);
}

/* ---- life ---- */

static unsigned int
or_default(unsigned int ms)
{
	return ms > 0 ? ms : TIMEOUT_DEFAULT_MS;
}

/* Whence the octets will come. */
static void
reach(struct conn *c, struct dns *dns, const struct conn_params *params)
{
	if (params->socket > 0) {
		c->peer = mem_strdup(params->host);
		wire_init(&c->wire, params->socket);
		c->watch = loop_fd_new(c->loop, params->socket, on_ready, c);
		loop_timer_arm(c->kick, 0);
		return;
	}
	c->peer = mem_printf("%s:%u", params->host, params->port);
	c->tunnelled = params->tunnel != NULL;
	if (c->tunnelled) /* it may still be on its way there */
		c->tls_timeout_ms += or_default(params->connect_timeout_ms);
	c->reach = reach_new(c->loop, dns,
	    &(struct reach_params){ .host = params->host,
		.port = params->port,
		.timeout_ms = or_default(params->connect_timeout_ms),
		.bind_address = params->bind_address,
		.family = params->family,
		.proxy = params->proxy,
		.tunnel = params->tunnel,
		.silent = params->tls },
	    on_reached, c);
}

/* The name of a server behind a proxy is told to nobody else. */
static void
begin_dane(struct conn *c, struct dns *dns, const struct conn_params *params)
{
	if (params->proxy.kind == PROXY_NONE && params->tunnel == NULL) {
		c->dane = dane_new(
		    c->loop, dns, params->host, params->port, on_dane, c);
		return;
	}
	err_set(&c->e, ERR_CONFIG, 0,
	    "tls-verify = dane asks the DNS for %s, past the proxy or tunnel: "
	    "use chain or pin",
	    c->host);
	reach_free(&c->reach);
	loop_timer_arm(c->kick, 0);
}

struct conn *
conn_open(struct loop *loop, struct dns *dns, const struct conn_params *params,
    conn_fn fn, void *arg)
{
	struct conn *c = mem_new(sizeof(*c));

	c->loop = loop;
	c->fn = fn;
	c->arg = arg;
	wire_init(&c->wire, -1);
	c->host = mem_strdup(params->host);
	c->server = mem_printf("%s:%u", params->host, params->port);
	c->tls_name = mem_strdup(params->tls_name);
	c->alpn = mem_strdup(params->alpn);
	c->ctx = params->ctx;
	c->secured = params->secured;
	c->secured_arg = params->secured_arg;
	c->tls_first = params->tls;
	c->tls_timeout_ms = or_default(params->tls_timeout_ms);
	c->kick = loop_timer_new(loop, on_kick, c);
	c->phase = loop_timer_new(loop, on_phase, c);
	c->deadline = loop_timer_new(loop, on_deadline, c);
	c->rest = loop_timer_new(loop, on_rest, c);
	buf_init(&c->in, CONN_INPUT_MAX);
	buf_init(&c->out, CONN_OUTPUT_MAX);
	reach(c, dns, params);
	if (c->ctx != NULL && tls_ctx_wants_dane(c->ctx))
		begin_dane(c, dns, params);
	return c;
}

void
conn_free(struct conn **conn)
{
	struct conn *c = *conn;

	*conn = NULL;
	if (c == NULL)
		return;
	enter(c);
	c->freed = true;
	stop(c);
	loop_timer_free(&c->kick);
	loop_timer_free(&c->phase);
	loop_timer_free(&c->deadline);
	loop_timer_free(&c->rest);
	wire_deinit(&c->wire);
	buf_wipe(&c->in);
	buf_wipe(&c->out);
	free(c->host);
	free(c->server);
	free(c->tls_name);
	free(c->alpn);
	free(c->peer);
	leave(c);
}

/* ---- work ---- */

/* Inside a callback leave() does it. */
static void
touched(struct conn *c)
{
	if (c->busy == 0)
		settle(c);
}

struct span
conn_input(const struct conn *c)
{
	return buf_span(&c->in);
}

void
conn_drop(struct conn *c, size_t n)
{
	buf_drop(&c->in, n);
	touched(c);
}

int
conn_write(struct conn *c, struct span s)
{
	if (c->st >= CLOSING || c->e.kind != ERR_NONE)
		return -1;
	if (buf_add(&c->out, s) != 0) {
		err_set(&c->e, ERR_NET, 0, "%s takes nothing: %zu octets wait",
		    c->peer, c->out.n);
		if (c->st == DIALLING)
			reach_free(&c->reach);
		loop_timer_arm(c->kick, 0);
		return -1;
	}
	touched(c);
	return 0;
}

size_t
conn_unsent(const struct conn *c)
{
	return c->out.n;
}

void
conn_pause(struct conn *c, bool paused)
{
	if (c->paused != paused)
		c->resumed = !paused;
	c->paused = paused;
	touched(c);
}

int
conn_starttls(struct conn *c, struct err *e)
{
	if (c->st != UP || c->wire.tls != NULL)
		return err_set(e, ERR_TLS, 0, "TLS cannot begin now");
	if (c->out.n > 0)
		return err_set(e, ERR_TLS, 0,
		    "the server answered before it was asked to begin TLS");
	/* A server has nothing to say between its answer and our ClientHello:
	 * what lies in the kernel is as untrusted as what was read. */
	if (c->in.n > 0 || wire_input_waits(&c->wire))
		return err_set(e, ERR_TLS, 0,
		    "the server sent more behind its answer, before TLS "
		    "began: an attack or a broken server");
	buf_wipe(&c->in);
	begin_tls(c);
	touched(c);
	return 0;
}

void
conn_deadline(struct conn *c, uint64_t ms)
{
	loop_timer_stop(c->deadline);
	if (ms > 0 && c->st != DONE)
		loop_timer_arm(c->deadline, ms);
}

void
conn_close(struct conn *c)
{
	if (c->st >= CLOSING)
		return;
	if (c->st == DIALLING || c->st == STRANDED)
		reach_free(&c->reach);
	if (c->st == DIALLING)
		dane_free(&c->dane);
	if (c->st != UP) /* nothing was sent yet: nothing to end in order */
		buf_clear(&c->out);
	c->st = CLOSING;
	loop_timer_arm(c->phase, CLOSE_MS);
	loop_timer_arm(c->kick, 0);
}

/* ---- questions ---- */

const struct err *
conn_error(const struct conn *c)
{
	return &c->e;
}

bool
conn_is_worth_another(const struct conn *c)
{
	return c->tls_first && c->wire.tls != NULL &&
	    tls_resumption_failed(c->wire.tls);
}

bool
conn_is_tls(const struct conn *c)
{
	return c->wire.secure;
}

const char *
conn_peer(const struct conn *c)
{
	return c->peer;
}

int
conn_binding(const struct conn *c, unsigned char out[TLS_BINDING_OCTETS])
{
	return conn_is_tls(c) ? tls_binding(c->wire.tls, out) : -1;
}

const char *
conn_tls_description(const struct conn *c)
{
	return c->wire.secure ? tls_description(c->wire.tls) : "no TLS";
}

bool
conn_tls_info(const struct conn *c, struct tls_info *out)
{
	return c->wire.secure && tls_info(c->wire.tls, out);
}

bool
conn_refused(const struct conn *c, struct tls_info_certificate *out)
{
	return c->wire.tls != NULL && tls_refused(c->wire.tls, out);
}

uint64_t
conn_octets_in(const struct conn *c)
{
	return c->octets_in;
}
