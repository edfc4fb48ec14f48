/* SPDX-License-Identifier: ISC */
#include "io/conn.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "unit/io/peer.h"
#include "util/mem.h"

/* One connection, what it reported, and what a test does about it. */
struct run {
	struct loop *loop;
	struct dns *dns;
	struct tls_ctx *ctx;
	struct conn *conn;
	struct loop_timer *guard;
	unsigned int seen[CONN_ERROR + 1];
	char order[64]; /* one letter an event, repeats once */
	struct buf got; /* what was taken from the input */
	bool keep;      /* leave input alone */
	bool guarded;
	bool dane; /* and whoever is asked for it says nothing */
	int silent;
	void (*on[CONN_ERROR + 1])(struct run *r);
	void *arg;
	struct err e;
};

static struct identity ca, server;

static void
note(struct run *r, enum conn_event ev)
{
	static const char letters[] = "UTIDCOE"; /* TimeOut is O */
	size_t n = strlen(r->order);

	r->seen[ev]++;
	if (n > 0 && r->order[n - 1] == letters[ev])
		return;
	if (n + 1 < sizeof(r->order))
		r->order[n] = letters[ev];
}

static void
take(struct run *r)
{
	struct span in = conn_input(r->conn);

	buf_add(&r->got, in);
	conn_drop(r->conn, in.n);
}

static void
on_event(void *arg, enum conn_event ev)
{
	struct run *r = arg;

	note(r, ev);
	if (ev == CONN_INPUT && !r->keep)
		take(r);
	if (ev == CONN_ERROR)
		r->e = *conn_error(r->conn);
	if (r->on[ev] != NULL)
		r->on[ev](r);
	if (ev == CONN_CLOSED || ev == CONN_ERROR)
		loop_stop(r->loop);
}

static void
on_guard(void *arg)
{
	struct run *r = arg;

	r->guarded = true;
	loop_stop(r->loop);
}

/* Its TLS needs an answer that nobody gives. */
static void
begin_dane(struct run *r)
{
	const struct tls_rules rules = { .verify = TLS_VERIFY_DANE };
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	char path[] = "/tmp/mailhaul-conn-XXXXXX";
	int fd = mkstemp(path);

	r->silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(r->silent, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(
	    getsockname(r->silent, (struct sockaddr *)&sa, &len), 0);
	dprintf(fd, "nameserver 127.0.0.1:%u\n", ntohs(sa.sin_port));
	close(fd);
	r->dns = dns_new_from(r->loop, path, "/dev/null", NULL);
	r->ctx = tls_ctx_new(&rules, NULL);
	unlink(path);
}

/* A port to be dialled, or a socket to be used. */
static void
begin_with(struct run *r, unsigned int port, int socket, bool tls)
{
	struct buf pem;

	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	r->loop = loop_new();
	if (r->dane) {
		begin_dane(r);
	} else {
		r->dns = socket > 0 ? NULL : dns_new(r->loop, NULL);
		r->ctx = tls_ctx_new_pem(buf_span(&pem), NULL);
	}
	buf_deinit(&pem);
	buf_init(&r->got, (size_t)64 << 20);
	r->guard = loop_timer_new(r->loop, on_guard, r);
	loop_timer_arm(r->guard, PEER_PATIENCE_MS);
	r->conn = conn_open(r->loop, r->dns,
	    &(struct conn_params){
		.host = socket > 0 ? "/run/lmtp"
		    : r->dane      ? "localhost"
				   : "127.0.0.1",
		.port = port,
		.socket = socket,
		.tls = tls,
		.ctx = r->ctx,
		.tls_name = "localhost",
		.tls_timeout_ms = 10000,
	    },
	    on_event, r);
}

static void
begin(struct run *r, unsigned int port, bool tls)
{
	begin_with(r, port, 0, tls);
}

static void
end(struct run *r)
{
	conn_free(&r->conn);
	loop_timer_free(&r->guard);
	dns_free(&r->dns);
	tls_ctx_free(&r->ctx);
	loop_free(&r->loop);
	buf_deinit(&r->got);
	if (r->dane)
		close(r->silent);
	assert_false(r->guarded);
}

static void
assert_got(struct run *r, const char *want)
{
	assert_int_equal(r->got.n, strlen(want));
	assert_memory_equal(buf_span(&r->got).p, want, r->got.n);
}

static void
say(struct run *r, const char *s)
{
	assert_int_equal(conn_write(r->conn, span_of(s)), 0);
}

static void
close_it(struct run *r)
{
	conn_close(r->conn);
}

static void
stop_it(struct run *r)
{
	loop_stop(r->loop);
}

/* ---- there and back ---- */

static void
say_hello(struct run *r)
{
	say(r, "hello\n");
}

static void
greet_and_echo(struct peer *p)
{
	if (p->id != NULL)
		peer_tls(p);
	peer_hear(p, "hello\n");
	peer_say(p, "welcome\n");
	peer_hear_end(p);
}

static void
close_after_welcome(struct run *r)
{
	if (r->got.n == strlen("welcome\n"))
		conn_close(r->conn);
}

static void
talks(bool tls)
{
	struct peer p = { .script = greet_and_echo,
		.id = tls ? &server : NULL };
	struct run r = { .on = { [CONN_UP] = say_hello,
			     [CONN_INPUT] = close_after_welcome } };
	char peer[64];

	peer_begin(&p);
	begin(&r, p.port, tls);
	snprintf(peer, sizeof(peer), "127.0.0.1:%u", p.port);
	loop_run(r.loop);
	assert_string_equal(r.order, "UDIC");
	assert_got(&r, "welcome\n");
	assert_string_equal(conn_peer(r.conn), peer);
	assert_int_equal(conn_octets_in(r.conn), 8);
	assert_int_equal(conn_is_tls(r.conn), tls);
	assert_true(strncmp(conn_tls_description(r.conn),
			tls ? "TLSv1." : "no TLS", 6) == 0);
	end(&r);
	assert_true(peer_end(&p));
}

static void
talks_plain(void **state)
{
	(void)state;
	talks(false);
}

static void
talks_tls(void **state)
{
	(void)state;
	talks(true);
}

static void
queues_what_is_written_before_it_is_up(void **state)
{
	struct peer p = { .script = greet_and_echo, .id = &server };
	struct run r = { .on = { [CONN_INPUT] = close_after_welcome } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	say(&r, "hello\n");
	assert_int_equal(conn_unsent(r.conn), 6);
	loop_run(r.loop);
	assert_string_equal(r.order, "UDIC");
	end(&r);
	assert_true(peer_end(&p));
}

/* ---- a socket from elsewhere ---- */

/* The other end is blocking. */
static void
open_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
}

static void
assert_heard(int fd, const char *want)
{
	char heard[64] = "";

	for (size_t n = 0; n + 1 < sizeof(heard);) {
		ssize_t got = recv(fd, heard + n, sizeof(heard) - 1 - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	assert_string_equal(heard, want);
}

static void
talks_over_a_socket_it_was_given(void **state)
{
	struct run r = { .on = {
			     [CONN_UP] = say_hello, [CONN_INPUT] = close_it } };
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(send(pair[1], "welcome\n", 8, 0), 8);
	shutdown(pair[1], SHUT_WR);
	begin_with(&r, 0, pair[0], false);
	say(&r, "early\n");
	assert_int_equal(r.seen[CONN_UP], 0); /* from the loop only */
	assert_string_equal(conn_peer(r.conn), "/run/lmtp");
	loop_run(r.loop);
	assert_string_equal(r.order, "UDIC");
	assert_got(&r, "welcome\n");
	end(&r);
	assert_heard(pair[1], "early\nhello\n"); /* and it is closed */
	close(pair[1]);
}

static void
closes_a_socket_it_was_given(void **state)
{
	struct run r = { 0 };
	int pair[2];

	(void)state;
	for (int closes = 0; closes < 2; closes++) {
		r = (struct run){ 0 };
		open_pair(pair);
		begin_with(&r, 0, pair[0], false);
		if (closes) {
			conn_close(r.conn);
			shutdown(pair[1], SHUT_WR);
			loop_run(r.loop);
			assert_string_equal(r.order, "C");
		}
		end(&r);
		assert_heard(pair[1], "");
		close(pair[1]);
	}
}

static void
begins_tls_on_a_socket_it_was_given(void **state)
{
	struct run r = { 0 };
	int pair[2];
	char octet;

	(void)state;
	open_pair(pair);
	begin_with(&r, 0, pair[0], true);
	shutdown(pair[1], SHUT_WR);
	loop_run(r.loop);
	assert_string_equal(r.order, "E");
	assert_int_equal(recv(pair[1], &octet, 1, 0), 1);
	assert_int_equal(octet, 22); /* a handshake's record */
	end(&r);
	close(pair[1]);
}

/* ---- by a proxy and by a tunnel ---- */

static void
begin_by(struct run *r, const struct conn_params *way)
{
	struct conn_params params = *way;
	struct buf pem;

	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	r->loop = loop_new();
	r->dns = dns_new(r->loop, NULL);
	r->ctx = tls_ctx_new_pem(buf_span(&pem), NULL);
	buf_deinit(&pem);
	buf_init(&r->got, 65536);
	r->guard = loop_timer_new(r->loop, on_guard, r);
	loop_timer_arm(r->guard, PEER_PATIENCE_MS);
	params.host = "localhost";
	params.port = 993;
	params.ctx = r->ctx;
	r->conn = conn_open(r->loop, r->dns, &params, on_event, r);
}

/* The server speaks at once behind the proxy's last word. */
static void
connect_and_greet(struct peer *p)
{
	peer_hear(p, "CONNECT localhost:993 HTTP/1.1\r\n");
	peer_hear(p, "Host: localhost:993\r\n\r\n");
	if (p->id == NULL) {
		peer_say(p, "HTTP/1.1 200 OK\r\n\r\nwelcome\n");
		peer_hear(p, "hello\n");
		peer_hear_end(p);
	} else {
		peer_say(p, "HTTP/1.1 200 OK\r\n\r\n");
		greet_and_echo(p);
	}
}

static void
talks_by_a_proxy(void **state)
{
	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		struct peer p = { .script = connect_and_greet,
			.id = tls ? &server : NULL };
		struct run r = { .on = { [CONN_UP] = say_hello,
				     [CONN_INPUT] = close_after_welcome } };
		char peer[64];

		peer_begin(&p);
		begin_by(&r,
		    &(struct conn_params){ .tls = tls == 1,
			.proxy = { .kind = PROXY_HTTP,
			    .host = "127.0.0.1",
			    .port = p.port } });
		loop_run(r.loop);
		assert_got(&r, "welcome\n");
		snprintf(peer, sizeof(peer),
		    "localhost:993 by way of 127.0.0.1:%u", p.port);
		assert_string_equal(conn_peer(r.conn), peer);
		assert_int_equal(conn_octets_in(r.conn), 8);
		end(&r);
		assert_true(peer_end(&p));
	}
}

/* A tunnel whose other end is pair[1]. */
struct digger {
	struct reach_tunnel tunnel; /* first */
	struct loop_timer *later;
	int pair[2];
	reach_tunnel_fn fn;
	void *arg;
	unsigned int closed;
	bool says_why;
};

static void *
open_way(struct reach_tunnel *t, reach_tunnel_fn fn, void *arg)
{
	struct digger *d = (struct digger *)(void *)t;

	d->fn = fn;
	d->arg = arg;
	return d;
}

static void
close_way(struct reach_tunnel *t, void *ticket)
{
	struct digger *d = (struct digger *)(void *)t;

	assert_ptr_equal(ticket, d);
	d->closed++;
}

/* Its socket first, then why it ended. */
static void
dig_on(void *arg)
{
	struct digger *d = arg;
	struct err e;

	if (d->pair[0] > 0) {
		d->fn(d->arg, d->pair[0], NULL);
		d->pair[0] = -1;
		loop_timer_arm(d->later, 20);
	} else if (d->says_why && d->closed == 0) {
		err_set(&e, ERR_NET, 0, "no route");
		d->fn(d->arg, -1, &e);
	}
}

static void
begin_digging(struct run *r, struct digger *d, bool tls)
{
	d->tunnel = (struct reach_tunnel){ open_way, close_way };
	open_pair(d->pair);
	begin_by(r, &(struct conn_params){ .tls = tls, .tunnel = &d->tunnel });
	d->later = loop_timer_new(r->loop, dig_on, d);
	loop_timer_arm(d->later, 0);
}

static void
talks_by_a_tunnel(void **state)
{
	struct run r = { .on = { [CONN_UP] = say_hello,
			     [CONN_INPUT] = close_after_welcome } };
	struct digger d = { 0 };

	(void)state;
	begin_digging(&r, &d, false);
	assert_int_equal(send(d.pair[1], "welcome\n", 8, 0), 8);
	shutdown(d.pair[1], SHUT_WR);
	loop_run(r.loop);
	assert_string_equal(r.order, "UDIC");
	assert_string_equal(
	    conn_peer(r.conn), "localhost:993 by way of the tunnel");
	assert_int_equal(d.closed, 1);
	loop_timer_free(&d.later);
	end(&r);
	assert_heard(d.pair[1], "hello\n");
	close(d.pair[1]);
}

/* It ends during the handshake, with a word or without. */
static void
says_why_a_tunnel_ended(void **state)
{
	(void)state;
	for (int why = 0; why < 2; why++) {
		struct run r = { 0 };
		struct digger d = { .says_why = why == 1 };

		begin_digging(&r, &d, true);
		shutdown(d.pair[1], SHUT_WR);
		loop_run(r.loop);
		assert_string_equal(r.order, "E");
		assert_int_equal(r.e.kind, ERR_NET);
		assert_string_equal(r.e.text,
		    why == 1 ? "no route"
			     : "localhost:993 by way of the tunnel: TLS "
			       "handshake: connection closed without a word");
		assert_int_equal(d.closed, why == 0);
		loop_timer_free(&d.later);
		end(&r);
		close(d.pair[1]);
	}
}

/* While it waits for that word. */
static void
may_be_closed_when_a_tunnel_has_ended(void **state)
{
	struct run r = { 0 };
	struct digger d = { 0 };
	char octet;

	(void)state;
	begin_digging(&r, &d, true);
	shutdown(d.pair[1], SHUT_WR);
	r.on[CONN_TIMEOUT] = close_it;
	conn_deadline(r.conn, 200);
	loop_run(r.loop);
	assert_string_equal(r.order, "OC");
	assert_int_equal(d.closed, 1);
	assert_int_equal(recv(d.pair[1], &octet, 1, 0), 1);
	loop_timer_free(&d.later);
	end(&r);
	close(d.pair[1]);
}

/* ---- floods ---- */

#define FLOOD_OCTETS ((size_t)8 << 20)

static void
flood(struct peer *p)
{
	char *octets = malloc(FLOOD_OCTETS);

	for (size_t i = 0; i < FLOOD_OCTETS; i++)
		octets[i] = (char)(i * 31 + (i >> 8));
	if (p->id != NULL)
		peer_tls(p);
	peer_say_n(p, octets, FLOOD_OCTETS);
	free(octets);
	if (p->ssl != NULL)
		SSL_shutdown(p->ssl);
}

static void
assert_flood(struct run *r)
{
	const char *p = buf_span(&r->got).p;

	assert_int_equal(r->got.n, FLOOD_OCTETS);
	for (size_t i = 0; i < FLOOD_OCTETS; i++)
		if (p[i] != (char)(i * 31 + (i >> 8)))
			fail_msg("octet %zu differs", i);
}

static void
takes_a_flood(bool tls)
{
	struct peer p = { .script = flood, .id = tls ? &server : NULL };
	struct run r = { 0 };

	peer_begin(&p);
	begin(&r, p.port, tls);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_flood(&r);
	end(&r);
	assert_true(peer_end(&p));
}

static void
takes_a_plain_flood(void **state)
{
	(void)state;
	takes_a_flood(false);
}

static void
takes_a_tls_flood(void **state)
{
	(void)state;
	takes_a_flood(true);
}

struct pauser {
	struct loop_timer *timer;
	bool paused;
	unsigned int pauses;
};

static void
on_resume(void *arg)
{
	struct run *r = arg;
	struct pauser *pauser = r->arg;

	pauser->paused = false;
	conn_pause(r->conn, false);
}

/* Uses a little, pauses, and goes on a little later. */
static void
nibble(struct run *r)
{
	struct pauser *pauser = r->arg;
	struct span in = conn_input(r->conn);
	struct span piece = span_take(&in, 40000);

	assert_false(pauser->paused);
	buf_add(&r->got, piece);
	conn_drop(r->conn, piece.n);
	conn_pause(r->conn, true);
	pauser->paused = true;
	pauser->pauses++;
	loop_timer_arm(pauser->timer, 1);
}

static void
pauses_in_a_flood(bool tls)
{
	struct peer p = { .script = flood, .id = tls ? &server : NULL };
	struct pauser pauser = { 0 };
	struct run r = {
		.keep = true,
		.arg = &pauser,
		.on = { [CONN_INPUT] = nibble },
	};

	peer_begin(&p);
	begin(&r, p.port, tls);
	pauser.timer = loop_timer_new(r.loop, on_resume, &r);
	loop_run(r.loop);
	assert_true(pauser.pauses > FLOOD_OCTETS / CONN_INPUT_MAX);
	assert_string_equal(r.order, "UIC");
	assert_flood(&r);
	loop_timer_free(&pauser.timer);
	end(&r);
	assert_true(peer_end(&p));
}

static void
loses_nothing_when_paused_plain(void **state)
{
	(void)state;
	pauses_in_a_flood(false);
}

static void
loses_nothing_when_paused_tls(void **state)
{
	(void)state;
	pauses_in_a_flood(true);
}

static void
on_drop_timer(void *arg)
{
	struct run *r = arg;

	if (r->conn != NULL && conn_input(r->conn).n == CONN_INPUT_MAX)
		take(r);
}

/* Full: nothing was used inside the callback. */
static void
drop_later(struct run *r)
{
	struct pauser *pauser = r->arg;

	if (conn_input(r->conn).n == CONN_INPUT_MAX)
		loop_timer_arm(pauser->timer, 1);
}

static void
goes_on_after_a_late_drop(void **state)
{
	struct peer p = { .script = flood, .id = &server };
	struct pauser pauser = { 0 };
	struct run r = {
		.keep = true,
		.arg = &pauser,
		.on = { [CONN_INPUT] = drop_later, [CONN_CLOSED] = take },
	};

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	pauser.timer = loop_timer_new(r.loop, on_drop_timer, &r);
	loop_run(r.loop);
	assert_flood(&r);
	loop_timer_free(&pauser.timer);
	end(&r);
	assert_true(peer_end(&p));
}

#define UPLOAD_OCTETS ((size_t)3 << 20)

static void
hear_upload(struct peer *p)
{
	size_t n = 0;
	char octets[4096];

	if (p->id != NULL)
		peer_tls(p);
	while (n < UPLOAD_OCTETS) {
		ssize_t r = peer_read(p, octets, sizeof(octets));

		if (r <= 0) {
			peer_fail(p, "upload is cut");
			return;
		}
		for (ssize_t i = 0; i < r; i++, n++)
			if (octets[i] != (char)(n * 7))
				peer_fail(p, "upload differs");
	}
}

static void
upload(struct run *r)
{
	char *octets = malloc(UPLOAD_OCTETS);

	for (size_t i = 0; i < UPLOAD_OCTETS; i++)
		octets[i] = (char)(i * 7);
	assert_int_equal(
	    conn_write(r->conn, span_make(octets, UPLOAD_OCTETS)), 0);
	free(octets);
}

static void
sends_much(bool tls)
{
	struct peer p = { .script = hear_upload, .id = tls ? &server : NULL };
	struct run r = { .on = {
			     [CONN_UP] = upload, [CONN_DRAINED] = close_it } };

	peer_begin(&p);
	begin(&r, p.port, tls);
	loop_run(r.loop);
	assert_string_equal(r.order, "UDC");
	end(&r);
	assert_true(peer_end(&p));
}

static void
sends_much_plain(void **state)
{
	(void)state;
	sends_much(false);
}

static void
sends_much_tls(void **state)
{
	(void)state;
	sends_much(true);
}

static void
say_nothing(struct peer *p)
{
	peer_hear_end(p);
}

static void
write_too_much(struct run *r)
{
	char *octets = calloc(1, CONN_OUTPUT_MAX);

	/* all of it fits once; the kernel has not seen it yet */
	assert_int_equal(
	    conn_write(r->conn, span_make(octets, CONN_OUTPUT_MAX)), 0);
	assert_int_equal(conn_write(r->conn, SPAN("x")), -1);
	free(octets);
}

static void
fails_when_too_much_waits(void **state)
{
	struct peer p = { .script = say_nothing };
	struct run r = { .on = { [CONN_UP] = write_too_much } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UE");
	assert_int_equal(r.e.kind, ERR_NET);
	assert_non_null(strstr(r.e.text, "takes nothing"));
	end(&r);
	assert_true(peer_end(&p));
}

/* ---- small records, cut ends ---- */

#define DROPS 3000

static void
say_octet_by_octet(struct peer *p)
{
	peer_tls(p);
	for (int i = 0; i < DROPS; i++)
		peer_say_n(p, &"0123456789"[i % 10], 1);
	SSL_shutdown(p->ssl);
	peer_hear_end(p);
}

static void
takes_one_octet_records(void **state)
{
	struct peer p = { .script = say_octet_by_octet, .id = &server };
	struct run r = { 0 };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_int_equal(r.got.n, DROPS);
	for (size_t i = 0; i < DROPS; i++)
		assert_int_equal(buf_span(&r.got).p[i], '0' + (int)(i % 10));
	end(&r);
	assert_true(peer_end(&p));
}

static void
half_close(struct peer *p)
{
	peer_say(p, "last words");
	shutdown(p->fd, SHUT_WR);
	peer_hear_end(p);
}

static void
reports_a_half_close_after_the_input(void **state)
{
	struct peer p = { .script = half_close };
	struct run r = { 0 };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_got(&r, "last words");
	assert_int_equal(conn_error(r.conn)->kind, ERR_NONE);
	end(&r);
	assert_true(peer_end(&p));
}

static void
end_raw(struct peer *p)
{
	peer_tls(p);
	peer_say(p, "last words");
	shutdown(p->fd, SHUT_WR);
	peer_hear_end(p);
}

static void
takes_an_end_without_close_notify_as_closed(void **state)
{
	struct peer p = { .script = end_raw, .id = &server };
	struct run r = { 0 };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_got(&r, "last words");
	assert_int_equal(conn_error(r.conn)->kind, ERR_NONE);
	end(&r);
	assert_true(peer_end(&p));
}

static void
hear_and_reset(struct peer *p)
{
	if (p->id != NULL)
		peer_tls(p);
	peer_hear(p, "hello\n");
	peer_reset(p);
}

static void
reports_a_reset(bool tls)
{
	struct peer p = { .script = hear_and_reset,
		.id = tls ? &server : NULL };
	struct run r = { .on = { [CONN_UP] = say_hello } };

	peer_begin(&p);
	begin(&r, p.port, tls);
	loop_run(r.loop);
	assert_string_equal(r.order, "UDE");
	assert_int_equal(r.e.kind, ERR_NET);
	assert_non_null(strstr(r.e.text, "127.0.0.1:"));
	assert_non_null(strstr(r.e.text, "reset by peer"));
	end(&r);
	assert_true(peer_end(&p));
}

static void
reports_a_reset_plain(void **state)
{
	(void)state;
	reports_a_reset(false);
}

static void
reports_a_reset_tls(void **state)
{
	(void)state;
	reports_a_reset(true);
}

/* The input is held while the reset of our write is noticed. */
static void
say_bye_and_leave(struct peer *p)
{
	peer_say(p, "* BYE too many\r\n");
	close(p->fd);
	p->fd = -1;
}

static void
keep_writing(struct run *r)
{
	if (r->seen[CONN_DRAINED] < 100)
		conn_write(r->conn, SPAN("NOOP\r\n"));
}

static void
hears_the_last_words_of_a_server_that_left(void **state)
{
	struct peer p = { .script = say_bye_and_leave };
	struct run r = { .on = {
			     [CONN_UP] = keep_writing,
			     [CONN_DRAINED] = keep_writing,
			 } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_got(&r, "* BYE too many\r\n");
	end(&r);
	assert_true(peer_end(&p));
}

static void
pause_it(struct run *r)
{
	struct pauser *pauser = r->arg;

	conn_pause(r->conn, true);
	if (!loop_timer_armed(pauser->timer))
		loop_timer_arm(pauser->timer, 20);
}

static void
go_on(void *arg)
{
	struct run *r = arg;

	struct pauser *pauser = r->arg;

	pauser->pauses++;
	r->on[CONN_INPUT] = NULL;
	conn_pause(r->conn, false);
}

static void
end_in_one_piece(struct peer *p)
{
	peer_tls(p);
	peer_cork(p, 1);
	peer_say(p, "last words");
	SSL_shutdown(p->ssl);
	peer_cork(p, 0);
	peer_hear_end(p);
}

/* Whether the end was read with the last words or behind them. */
static void
holds_the_end_back(peer_fn script, bool tls)
{
	struct peer p = { .script = script, .id = tls ? &server : NULL };
	struct pauser pauser = { 0 };
	struct run r = {
		.keep = true,
		.arg = &pauser,
		.on = { [CONN_INPUT] = pause_it, [CONN_CLOSED] = take },
	};

	peer_begin(&p);
	begin(&r, p.port, tls);
	pauser.timer = loop_timer_new(r.loop, go_on, &r);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_int_equal(pauser.pauses, 1); /* not closed before that */
	assert_got(&r, "last words");
	loop_timer_free(&pauser.timer);
	end(&r);
	assert_true(peer_end(&p));
}

static void
holds_the_end_back_while_paused(void **state)
{
	(void)state;
	holds_the_end_back(half_close, false);
	holds_the_end_back(end_in_one_piece, true);
}

static void
say_and_wait(struct peer *p)
{
	peer_say(p, "all at once");
	peer_hear_end(p);
}

static void
pause_once(struct run *r)
{
	if (r->seen[CONN_INPUT] == 1) {
		pause_it(r);
	} else {
		take(r);
		conn_close(r->conn);
	}
}

static void
resume_only(void *arg)
{
	struct run *r = arg;

	conn_pause(r->conn, false);
}

static void
reminds_of_waiting_input_after_a_pause(void **state)
{
	struct peer p = { .script = say_and_wait };
	struct pauser pauser = { 0 };
	struct run r = {
		.keep = true,
		.arg = &pauser,
		.on = { [CONN_INPUT] = pause_once },
	};

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	pauser.timer = loop_timer_new(r.loop, resume_only, &r);
	loop_run(r.loop);
	assert_int_equal(r.seen[CONN_INPUT], 2);
	assert_got(&r, "all at once");
	loop_timer_free(&pauser.timer);
	end(&r);
	assert_true(peer_end(&p));
}

/* TLS 1.2: the server has the last word of the handshake. */
static void
greet_with_the_handshake(struct peer *p)
{
	peer_cork(p, 1);
	peer_tls(p);
	peer_say(p, "ready\n");
	peer_cork(p, 0);
	peer_hear_end(p);
}

static void
sees_a_greeting_that_came_with_the_handshake(void **state)
{
	struct peer p = { .script = greet_with_the_handshake,
		.id = &server,
		.max_version = TLS1_2_VERSION };
	struct run r = { .on = { [CONN_INPUT] = close_it } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_got(&r, "ready\n");
	end(&r);
	assert_true(peer_end(&p));
}

/* ---- deadlines ---- */

static void
soon(struct run *r)
{
	conn_deadline(r->conn, 10);
}

static void
reports_the_deadline_and_still_stands(void **state)
{
	struct peer p = { .script = greet_and_echo };
	struct run r = { .on = {
			     [CONN_UP] = soon,
			     [CONN_TIMEOUT] = say_hello,
			     [CONN_INPUT] = close_after_welcome,
			 } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UODIC");
	assert_int_equal(r.seen[CONN_TIMEOUT], 1);
	end(&r);
	assert_true(peer_end(&p));
}

static void
clear_deadline(struct run *r)
{
	conn_deadline(r->conn, 1);
	conn_deadline(r->conn, 0);
	say_hello(r);
}

static void
forgets_a_deadline_of_zero(void **state)
{
	struct peer p = { .script = greet_and_echo };
	struct run r = { .on = {
			     [CONN_UP] = clear_deadline,
			     [CONN_INPUT] = close_after_welcome,
			 } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_int_equal(r.seen[CONN_TIMEOUT], 0);
	end(&r);
	assert_true(peer_end(&p));
}

static void
gives_up_a_silent_handshake(void **state)
{
	struct peer p = { .script = say_nothing };
	struct run r = { 0 };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	conn_free(&r.conn);
	r.conn = conn_open(r.loop, r.dns,
	    &(struct conn_params){
		.host = "127.0.0.1",
		.port = p.port,
		.tls = true,
		.ctx = r.ctx,
		.tls_timeout_ms = 50,
	    },
	    on_event, &r);
	loop_run(r.loop);
	assert_string_equal(r.order, "E");
	assert_int_equal(r.e.kind, ERR_NET);
	assert_non_null(strstr(r.e.text, "TLS handshake with 127.0.0.1:"));
	assert_non_null(strstr(r.e.text, "took longer than 1 s"));
	end(&r);
	assert_true(peer_end(&p));
}

/* Takes no octet, so that an orderly close cannot end either. */
static void
be_deaf(struct peer *p)
{
	const int *until = p->arg;

	peer_wait(p, *until, POLLIN);
}

static void
write_and_close(struct run *r)
{
	char *octets = calloc(1, CONN_OUTPUT_MAX);

	assert_int_equal(
	    conn_write(r->conn, span_make(octets, CONN_OUTPUT_MAX)), 0);
	free(octets);
	conn_close(r->conn);
}

static void
closes_a_deaf_server_after_a_while(void **state)
{
	int ends[2];
	struct peer p = {
		.script = be_deaf, .arg = &ends[0], .receive_octets = 4096
	};
	struct run r = { .on = { [CONN_UP] = write_and_close } };
	uint64_t before = clock_ms();

	(void)state;
	assert_int_equal(pipe(ends), 0);
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UC");
	assert_in_range(clock_ms() - before, 4900, 15000);
	end(&r);
	close(ends[1]);
	assert_true(peer_end(&p));
	close(ends[0]);
}

/* ---- STARTTLS ---- */

static void
play_starttls(struct peer *p)
{
	peer_say(p, "ready\n");
	peer_hear(p, "STARTTLS\n");
	peer_say(p, "go\n");
	if (!peer_tls(p))
		peer_fail(p, "no TLS");
	peer_hear(p, "secret\n");
	peer_say(p, "thanks\n");
	peer_hear_end(p);
}

static void
upgrade(struct run *r)
{
	if (r->seen[CONN_TLS_UP] > 0) {
		conn_close(r->conn);
	} else if (span_has(buf_span(&r->got), SPAN("go\n"))) {
		assert_int_equal(conn_starttls(r->conn, &r->e), 0);
		/* and what is written now goes out encrypted */
		say(r, "secret\n");
	} else {
		say(r, "STARTTLS\n");
	}
}

static void
upgrades_to_tls(void **state)
{
	struct peer p = { .script = play_starttls, .id = &server };
	struct run r = { .on = { [CONN_INPUT] = upgrade } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIDITDIC");
	assert_got(&r, "ready\ngo\nthanks\n");
	assert_true(conn_is_tls(r.conn));
	end(&r);
	assert_true(peer_end(&p));
}

static void
inject(struct peer *p)
{
	peer_say(p, "go\n* injected\n");
	peer_hear_end(p);
}

static void
refuse_to_upgrade(struct run *r)
{
	struct span in = conn_input(r->conn);

	if (in.n < strlen("go\n* injected\n"))
		return;
	conn_drop(r->conn, strlen("go\n"));
	assert_int_equal(conn_starttls(r->conn, &r->e), -1);
	conn_close(r->conn);
}

static void
refuses_bytes_behind_starttls(void **state)
{
	struct peer p = { .script = inject };
	struct run r = { .keep = true,
		.on = { [CONN_INPUT] = refuse_to_upgrade } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIC");
	assert_int_equal(r.e.kind, ERR_TLS);
	assert_non_null(strstr(r.e.text, "before TLS began"));
	assert_false(conn_is_tls(r.conn));
	end(&r);
	assert_true(peer_end(&p));
}

/* The second segment has arrived, but was not read yet. */
static void
inject_later(struct peer *p)
{
	int *pipe_fd = p->arg;

	peer_say(p, "go\n");
	peer_hear(p, "x");
	peer_say(p, "* injected\n");
	if (write(*pipe_fd, "x", 1) != 1)
		peer_fail(p, "pipe");
	peer_hear_end(p);
}

static void
wait_for_injection(struct run *r)
{
	int *pipe_fd = r->arg;
	char c;

	conn_pause(r->conn, true);
	assert_int_equal(read(*pipe_fd, &c, 1), 1);
	assert_int_equal(conn_starttls(r->conn, &r->e), -1);
	conn_close(r->conn);
}

static void
say_x(struct run *r)
{
	say(r, "x");
	conn_pause(r->conn, true);
}

static void
refuses_bytes_that_wait_in_the_kernel(void **state)
{
	int ends[2];
	struct peer p = { .script = inject_later };
	struct run r = {
		.arg = &ends[0],
		.on = { [CONN_INPUT] = say_x,
		    [CONN_DRAINED] = wait_for_injection },
	};

	(void)state;
	assert_int_equal(pipe(ends), 0);
	p.arg = &ends[1];
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_int_equal(r.e.kind, ERR_TLS);
	assert_non_null(strstr(r.e.text, "before TLS began"));
	end(&r);
	assert_true(peer_end(&p));
	close(ends[0]);
	close(ends[1]);
}

static void
answer_unasked(struct run *r)
{
	say(r, "STARTTLS\n");
	assert_int_equal(conn_starttls(r->conn, &r->e), -1);
	conn_close(r->conn);
}

static void
refuses_starttls_before_the_command_is_sent(void **state)
{
	struct peer p = { .script = say_nothing };
	struct run r = { .on = { [CONN_UP] = answer_unasked } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_int_equal(r.e.kind, ERR_TLS);
	assert_non_null(strstr(r.e.text, "before it was asked"));
	end(&r);
	assert_true(peer_end(&p));
}

static void
inject_into_handshake(struct peer *p)
{
	peer_say(p, "go\n");
	peer_hear(p, "\x16"); /* the first octet of the ClientHello */
	peer_say(p, "* OK injected\r\n");
	peer_hear_end(p);
}

static void
begin_upgrade(struct run *r)
{
	assert_int_equal(conn_starttls(r->conn, &r->e), 0);
}

static void
takes_plain_bytes_in_a_handshake_for_an_error(void **state)
{
	struct peer p = { .script = inject_into_handshake };
	struct run r = { .on = { [CONN_INPUT] = begin_upgrade } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UIE");
	assert_int_equal(r.e.kind, ERR_TLS);
	assert_non_null(strstr(r.e.text, "does not speak TLS"));
	assert_null(strstr(r.e.text, "starttls"));
	end(&r);
	assert_true(peer_end(&p));
}

static void
speak_plain(struct peer *p)
{
	peer_say(p, "* OK IMAP4rev1 ready\r\n");
	peer_hear_end(p);
}

static void
hints_at_starttls_on_a_plain_port(void **state)
{
	struct peer p = { .script = speak_plain };
	struct run r = { 0 };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "E");
	assert_int_equal(r.e.kind, ERR_TLS);
	assert_string_equal(r.e.text,
	    "the server does not speak TLS here, it said \"* OK IMAP4rev1 "
	    "ready\" (is tls = starttls meant?)");
	end(&r);
	assert_true(peer_end(&p));
}

/* ---- ends of our own ---- */

static void
free_it(struct run *r)
{
	conn_free(&r->conn);
	loop_stop(r->loop);
}

static void
frees_inside(enum conn_event ev, peer_fn script, bool tls)
{
	struct peer p = { .script = script, .id = tls ? &server : NULL };
	struct run r = { .on = { [CONN_UP] = say_hello } };

	r.on[ev] = free_it;
	peer_begin(&p);
	begin(&r, p.port, tls);
	loop_run(r.loop);
	assert_int_equal(r.seen[ev], 1);
	assert_null(r.conn);
	end(&r);
	peer_end(&p); /* cut off in the middle, it may complain */
}

static void
may_be_freed_inside_its_callbacks(void **state)
{
	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		frees_inside(CONN_UP, greet_and_echo, tls);
		frees_inside(CONN_DRAINED, greet_and_echo, tls);
		frees_inside(CONN_INPUT, greet_and_echo, tls);
	}
	frees_inside(CONN_CLOSED, half_close, false);
	frees_inside(CONN_CLOSED, end_raw, true);
	frees_inside(CONN_ERROR, hear_and_reset, false);
}

static void
free_on_timeout(struct run *r)
{
	conn_free(&r->conn);
	loop_stop(r->loop);
}

static void
may_be_freed_inside_its_timeout(void **state)
{
	struct peer p = { .script = say_nothing };
	struct run r = {
		.on = { [CONN_UP] = soon, [CONN_TIMEOUT] = free_on_timeout }
	};

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, false);
	loop_run(r.loop);
	assert_string_equal(r.order, "UO");
	end(&r);
	assert_true(peer_end(&p));
}

static void
closes_while_it_still_dials(void **state)
{
	struct peer p = { .script = say_nothing };
	struct run r = { 0 };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	conn_close(r.conn);
	loop_run(r.loop);
	assert_string_equal(r.order, "C");
	end(&r);
	/* the peer waits for a connection */
	begin(&r, p.port, false);
	r.on[CONN_UP] = stop_it;
	loop_run(r.loop);
	end(&r);
	assert_true(peer_end(&p));
}

static void
end_orderly(struct peer *p)
{
	char c;

	peer_tls(p);
	peer_hear(p, "hello\n");
	if (SSL_read(p->ssl, &c, 1) != 0 ||
	    SSL_get_shutdown(p->ssl) != SSL_RECEIVED_SHUTDOWN)
		peer_fail(p, "no close_notify");
}

static void
hello_and_close(struct run *r)
{
	say_hello(r);
	conn_close(r->conn);
	assert_int_equal(conn_write(r->conn, SPAN("late")), -1);
}

static void
sends_all_and_close_notify_before_it_closes(void **state)
{
	struct peer p = { .script = end_orderly, .id = &server };
	struct run r = { .on = { [CONN_UP] = hello_and_close } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "UC");
	end(&r);
	assert_true(peer_end(&p));
}

static void
reports_a_refused_connection(void **state)
{
	struct run r = { 0 };
	unsigned int port;
	int fd = peer_listen(&port);

	(void)state;
	close(fd);
	begin(&r, port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "E");
	assert_int_equal(r.e.kind, ERR_NET);
	assert_non_null(strstr(r.e.text, "Connection refused"));
	end(&r);
}

static void
reports_a_refused_certificate(void **state)
{
	struct identity other = identity_server(&ca, "DNS:other.example");
	struct peer p = { .script = greet_and_echo, .id = &other };
	struct run r = { .on = { [CONN_UP] = say_hello } };

	(void)state;
	peer_begin(&p);
	begin(&r, p.port, true);
	loop_run(r.loop);
	assert_string_equal(r.order, "E");
	assert_int_equal(r.e.kind, ERR_TLS);
	assert_non_null(strstr(r.e.text, "does not name localhost"));
	end(&r);
	peer_end(&p); /* it did not hear hello */
	identity_free(&other);
}

/* ---- DANE ---- */

static void
play_nothing_comes(struct peer *p)
{
	char c;

	if (peer_read(p, &c, 1) != 0)
		peer_fail(p, "something came");
}

static void
close_waiting(struct run *r)
{
	conn_close(r->conn);
}

static void
free_waiting(struct run *r)
{
	conn_free(&r->conn);
	loop_stop(r->loop);
}

/* Neither TLS nor a word in the clear begins before the DNS has spoken. */
static void
waits_for_the_dns(void **state)
{
	static void (*const ends[])(
	    struct run * r) = { close_waiting, free_waiting };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct peer p = { .id = &server, .script = play_nothing_comes };
		struct run r = { .dane = true,
			.on = { [CONN_TIMEOUT] = ends[i / 2] } };

		peer_begin(&p);
		begin(&r, p.port, i % 2 == 0);
		conn_deadline(r.conn, 50);
		loop_run(r.loop);
		assert_string_equal(r.order, i / 2 == 0 ? "OC" : "O");
		end(&r);
		assert_true(peer_end(&p));
	}
}

/* ---- */

static int
make_certificates(void **state)
{
	(void)state;
	ca = identity_ca("Test CA");
	server = identity_server(&ca, "DNS:localhost");
	return 0;
}

static int
free_certificates(void **state)
{
	(void)state;
	identity_free(&ca);
	identity_free(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks_plain),
		cmocka_unit_test(talks_tls),
		cmocka_unit_test(queues_what_is_written_before_it_is_up),
		cmocka_unit_test(talks_by_a_proxy),
		cmocka_unit_test(talks_by_a_tunnel),
		cmocka_unit_test(says_why_a_tunnel_ended),
		cmocka_unit_test(may_be_closed_when_a_tunnel_has_ended),
		cmocka_unit_test(talks_over_a_socket_it_was_given),
		cmocka_unit_test(waits_for_the_dns),
		cmocka_unit_test(closes_a_socket_it_was_given),
		cmocka_unit_test(begins_tls_on_a_socket_it_was_given),
		cmocka_unit_test(takes_a_plain_flood),
		cmocka_unit_test(takes_a_tls_flood),
		cmocka_unit_test(loses_nothing_when_paused_plain),
		cmocka_unit_test(loses_nothing_when_paused_tls),
		cmocka_unit_test(goes_on_after_a_late_drop),
		cmocka_unit_test(sends_much_plain),
		cmocka_unit_test(sends_much_tls),
		cmocka_unit_test(fails_when_too_much_waits),
		cmocka_unit_test(takes_one_octet_records),
		cmocka_unit_test(reports_a_half_close_after_the_input),
		cmocka_unit_test(takes_an_end_without_close_notify_as_closed),
		cmocka_unit_test(reports_a_reset_plain),
		cmocka_unit_test(reports_a_reset_tls),
		cmocka_unit_test(hears_the_last_words_of_a_server_that_left),
		cmocka_unit_test(holds_the_end_back_while_paused),
		cmocka_unit_test(reminds_of_waiting_input_after_a_pause),
		cmocka_unit_test(sees_a_greeting_that_came_with_the_handshake),
		cmocka_unit_test(reports_the_deadline_and_still_stands),
		cmocka_unit_test(forgets_a_deadline_of_zero),
		cmocka_unit_test(gives_up_a_silent_handshake),
		cmocka_unit_test(closes_a_deaf_server_after_a_while),
		cmocka_unit_test(upgrades_to_tls),
		cmocka_unit_test(refuses_bytes_behind_starttls),
		cmocka_unit_test(refuses_bytes_that_wait_in_the_kernel),
		cmocka_unit_test(refuses_starttls_before_the_command_is_sent),
		cmocka_unit_test(takes_plain_bytes_in_a_handshake_for_an_error),
		cmocka_unit_test(hints_at_starttls_on_a_plain_port),
		cmocka_unit_test(may_be_freed_inside_its_callbacks),
		cmocka_unit_test(may_be_freed_inside_its_timeout),
		cmocka_unit_test(closes_while_it_still_dials),
		cmocka_unit_test(sends_all_and_close_notify_before_it_closes),
		cmocka_unit_test(reports_a_refused_connection),
		cmocka_unit_test(reports_a_refused_certificate),
	};

	return cmocka_run_group_tests(
	    tests, make_certificates, free_certificates);
}
