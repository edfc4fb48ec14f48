/* SPDX-License-Identifier: ISC */
#include "io/reach.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "unit/io/peer.h"

#define SERVER "imap.example.org"

static struct secret *password;

/* One way to a server, and how it ended. */
struct way {
	struct loop *loop;
	struct dns *dns;
	struct reach *reach;
	unsigned int called;
	bool explain; /* ask why when it is reached */
	bool free_inside;
	int fd;
	char peer[120];
	struct err e;
};

static void
on_reached(void *arg, int fd, const char *peer, const struct err *e)
{
	struct way *w = arg;
	struct err late;

	w->called++;
	assert_int_equal(fd < 0, e != NULL);
	if (e != NULL) {
		w->e = *e;
	} else {
		w->fd = fd;
		snprintf(w->peer, sizeof(w->peer), "%s", peer);
	}
	if (w->free_inside)
		reach_free(&w->reach);
	if (e == NULL && w->explain) {
		err_set(&late, ERR_NET, 0, "it was closed");
		assert_true(reach_explain(w->reach, &late));
	} else {
		loop_stop(w->loop);
	}
}

static void
begin(struct way *w, const struct reach_params *params)
{
	w->fd = -1;
	w->loop = loop_new();
	w->dns = dns_new(w->loop, NULL);
	w->reach = reach_new(w->loop, w->dns, params, on_reached, w);
	assert_int_equal(w->called, 0); /* from the loop only */
}

static void
end(struct way *w)
{
	if (w->fd >= 0)
		close(w->fd);
	reach_free(&w->reach);
	dns_free(&w->dns);
	loop_free(&w->loop);
}

static void
go(struct way *w, const struct reach_params *params)
{
	begin(w, params);
	loop_run(w->loop);
}

/* What the socket has first. */
static void
assert_first(struct way *w, const char *want)
{
	char got[64] = "";
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, PEER_PATIENCE_MS), 1);
	assert_true(recv(w->fd, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal(got, want);
}

/* ---- dialled ---- */

static void
greet(struct peer *p)
{
	peer_say(p, "* OK\r\n");
	peer_hear_end(p);
}

static void
dials(void **state)
{
	struct peer p = { .script = greet };
	struct way w = { 0 };
	char where[32];

	(void)state;
	peer_begin(&p);
	go(&w,
	    &(struct reach_params){ .host = "127.0.0.1",
		.port = p.port,
		.timeout_ms = PEER_PATIENCE_MS });
	snprintf(where, sizeof(where), "127.0.0.1:%u", p.port);
	assert_string_equal(w.peer, where);
	assert_first(&w, "* OK\r\n");
	assert_false(reach_explain(w.reach, &w.e));
	end(&w);
	assert_true(peer_end(&p));
}

/* ---- by a proxy ---- */

#define HELLO "\5\1"
#define TO_SERVER "\5\1\0\3\20" SERVER "\3\341"

static void
hear(struct peer *p, const char *s, size_t n)
{
	char octet;

	for (size_t i = 0; i < n && !p->failed; i++)
		if (peer_read(p, &octet, 1) != 1 || octet != s[i])
			peer_fail(p, "it said something else");
}

/* The last word comes with the server's first. */
static void
connect_by_socks(struct peer *p)
{
	hear(p, "\5\2\0\2", 4);
	peer_say_n(p, "\5", 1);
	peer_say_n(p, "\2", 1);
	hear(p, "\1\5alice\4open", 12);
	peer_say_n(p, "\1\0", 2);
	hear(p, TO_SERVER, sizeof(TO_SERVER) - 1);
	peer_say_n(p, "\5\0\0\1", 4);
	peer_say_n(p, "\0\0\0\0\0\0* OK\r\n", 12);
	peer_hear_end(p);
}

static void
connect_by_http(struct peer *p)
{
	peer_hear(p, "CONNECT " SERVER ":993 HTTP/1.1\r\nHost: " SERVER ":993");
	peer_hear(p, "\r\nProxy-Authorization: Basic YWxpY2U6b3Blbg==\r\n\r\n");
	peer_say(p, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n* OK\r\n");
	peer_hear_end(p);
}

static void
refuse(struct peer *p)
{
	peer_hear(p, "CONNECT " SERVER ":993 HTTP/1.1\r\nHost: " SERVER ":993");
	peer_hear(p, "\r\n\r\n");
	peer_say(p, "HTTP/1.1 502 Bad Gateway\r\n\r\n");
	peer_hear_end(p);
}

static void
hang_up(struct peer *p)
{
	hear(p, HELLO "\0", 3);
	peer_say_n(p, "\5", 1);
}

static void
hang(struct peer *p)
{
	hear(p, HELLO "\0", 3);
	peer_hear_end(p);
}

static struct reach_params
by_proxy(enum proxy_kind kind, unsigned int port, bool user)
{
	return (struct reach_params){ .host = SERVER,
		.port = 993,
		.timeout_ms = PEER_PATIENCE_MS,
		.proxy = { .kind = kind,
		    .host = "127.0.0.1",
		    .port = port,
		    .user = user ? "alice" : NULL,
		    .password = user ? password : NULL } };
}

static void
is_connected_by_a_proxy(void **state)
{
	static const peer_fn scripts[] = { connect_by_socks, connect_by_http };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct peer p = { .script = scripts[i] };
		struct way w = { .free_inside = i == 1 };
		struct reach_params params;
		char where[80];

		peer_begin(&p);
		params =
		    by_proxy(i == 0 ? PROXY_SOCKS5 : PROXY_HTTP, p.port, true);
		go(&w, &params);
		snprintf(where, sizeof(where),
		    SERVER ":993 by way of 127.0.0.1:%u", p.port);
		assert_string_equal(w.peer, where);
		assert_first(&w, "* OK\r\n");
		end(&w);
		assert_true(peer_end(&p));
	}
}

/* want has room for the port. */
static void
fails_by_proxy(
    enum proxy_kind kind, peer_fn script, unsigned int ms, const char *want)
{
	struct peer p = { .script = script };
	struct way w = { 0 };
	struct reach_params params;
	char start[80];

	peer_begin(&p);
	params = by_proxy(kind, p.port, false);
	if (ms > 0)
		params.timeout_ms = ms;
	go(&w, &params);
	assert_int_equal(w.called, 1);
	assert_int_equal(w.e.kind, ERR_NET);
	snprintf(start, sizeof(start), "the proxy 127.0.0.1:%u ", p.port);
	assert_memory_equal(w.e.text, start, strlen(start));
	assert_string_equal(w.e.text + strlen(start), want);
	end(&w);
	assert_true(peer_end(&p));
}

static void
says_why_a_proxy_does_not_connect(void **state)
{
	(void)state;
	fails_by_proxy(PROXY_HTTP, refuse, 0,
	    "cannot reach " SERVER ":993: 502 Bad Gateway");
	fails_by_proxy(PROXY_SOCKS5, hang_up, 0,
	    "has hung up instead of connecting us to " SERVER ":993");
	fails_by_proxy(PROXY_SOCKS5, hang, 300,
	    "has not connected us to " SERVER ":993 within 1 s");
}

static void
says_that_the_proxy_is_not_there(void **state)
{
	struct way w = { 0 };
	struct reach_params params;
	char want[80];
	unsigned int port;
	int fd = peer_listen(&port);

	(void)state;
	close(fd);
	params = by_proxy(PROXY_HTTP, port, false);
	go(&w, &params);
	snprintf(want, sizeof(want),
	    "the proxy: 127.0.0.1:%u: Connection refused", port);
	assert_string_equal(w.e.text, want);
	end(&w);
	w = (struct way){ 0 };
	params.proxy.user = "a:b"; /* HTTP cannot say that */
	go(&w, &params);
	assert_int_equal(w.e.kind, ERR_CONFIG);
	end(&w);
}

/* ---- by a tunnel ---- */

/* Made by us: pair[1] is the server. */
struct digger {
	struct reach_tunnel tunnel; /* first */
	struct loop *loop;
	struct loop_timer *step;
	int pair[2];
	reach_tunnel_fn fn;
	void *arg;
	unsigned int opened, closed, steps;
	const char *plan; /* a letter a step; see on_step() */
};

static void
give_end(struct digger *d)
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, d->pair), 0);
	assert_int_equal(fcntl(d->pair[0], F_SETFL, O_NONBLOCK), 0);
	d->fn(d->arg, d->pair[0], NULL);
}

static void
on_step(void *arg)
{
	struct digger *d = arg;
	struct err e;
	char step = d->plan[d->steps++];

	if (d->closed > 0 || step == '\0')
		return;
	loop_timer_arm(d->step, 1);
	switch (step) {
	case 's': /* a socket */
		give_end(d);
		break;
	case 'w': /* the server's first word */
		assert_int_equal(send(d->pair[1], "* OK\r\n", 6, 0), 6);
		break;
	case 'x': /* its end */
		close(d->pair[1]);
		d->pair[1] = -1;
		break;
	case 'd': /* the program's end */
		err_set(&e, ERR_CONFIG, 0, "tunnel ssh: no such host");
		d->fn(d->arg, -1, &e);
		break;
	case '.': /* nothing */
		break;
	default:
		fail_msg("%c", step);
	}
}

static void *
open_way(struct reach_tunnel *t, reach_tunnel_fn fn, void *arg)
{
	struct digger *d = (struct digger *)(void *)t;

	d->opened++;
	d->fn = fn;
	d->arg = arg;
	loop_timer_arm(d->step, 0);
	return d;
}

static void
close_way(struct reach_tunnel *t, void *ticket)
{
	struct digger *d = (struct digger *)(void *)t;

	assert_ptr_equal(ticket, d);
	assert_int_equal(d->closed, 0);
	d->closed++;
}

/* The whole of it; returns how often the tunnel was closed. */
static unsigned int
dig(struct way *w, const char *plan, bool silent, unsigned int ms)
{
	struct digger d = { .tunnel = { open_way, close_way },
		.pair = { -1, -1 },
		.plan = plan };

	w->fd = -1;
	w->loop = loop_new();
	d.step = loop_timer_new(w->loop, on_step, &d);
	/* there is no resolver: none is needed */
	w->reach = reach_new(w->loop, NULL,
	    &(struct reach_params){ .host = SERVER,
		.port = 993,
		.timeout_ms = ms,
		.tunnel = &d.tunnel,
		.silent = silent },
	    on_reached, w);
	assert_int_equal(d.opened, 1);
	assert_int_equal(w->called, 0);
	loop_run(w->loop);
	loop_timer_free(&d.step);
	end(w);
	if (d.pair[1] >= 0)
		close(d.pair[1]);
	return d.closed;
}

static void
is_there_when_a_tunnels_server_has_spoken(void **state)
{
	struct way w = { 0 };

	(void)state;
	assert_int_equal(dig(&w, "..s..w", false, PEER_PATIENCE_MS), 1);
	assert_int_equal(w.called, 1);
	assert_int_equal(w.e.kind, ERR_NONE);
	assert_string_equal(w.peer, SERVER ":993 by way of the tunnel");
}

static void
is_there_at_once_when_the_server_is_silent(void **state)
{
	struct way w = { .free_inside = true };

	(void)state;
	assert_int_equal(dig(&w, "s....", true, PEER_PATIENCE_MS), 1);
	assert_int_equal(w.e.kind, ERR_NONE);
}

static void
says_in_the_tunnels_words_why_it_ended(void **state)
{
	static const struct {
		const char *plan;
		bool silent;
	} cases[] = {
		{ "d", false },   /* nothing was started */
		{ "sd", false },  /* it is told before its socket ends */
		{ "sdx", false }, /* the same */
		{ "sxd", false }, /* and after */
		{ "sx...d", false },
		{ "sd", true },
		{ "s..d", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct way w = { .explain = cases[i].silent };

		/* "sd" alone leaves it to the limit */
		assert_int_equal(
		    dig(&w, cases[i].plan, cases[i].silent, 300), 0);
		assert_int_equal(w.called, cases[i].silent ? 2 : 1);
		assert_int_equal(w.e.kind, ERR_CONFIG);
		assert_string_equal(w.e.text, "tunnel ssh: no such host");
	}
}

static void
waits_for_nobodys_words_for_ever(void **state)
{
	struct way w = { 0 };

	(void)state;
	assert_int_equal(dig(&w, "sx", false, PEER_PATIENCE_MS), 1);
	assert_string_equal(w.e.text,
	    "the tunnel to " SERVER ":993 ended before the server said a word");
	w = (struct way){ .explain = true };
	assert_int_equal(dig(&w, "s", true, PEER_PATIENCE_MS), 1);
	assert_int_equal(w.called, 2);
	assert_string_equal(w.e.text, "it was closed");
}

static void
gives_a_silent_tunnel_up(void **state)
{
	static const char *const plans[] = { "", "s" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct way w = { 0 };

		assert_int_equal(dig(&w, plans[i], false, 50), 1);
		assert_string_equal(w.e.text,
		    "the tunnel to " SERVER ":993 has said nothing for 1 s");
	}
}

/* ---- */

static int
set_up(void **state)
{
	(void)state;
	password = secret_new(SPAN("open"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(&password);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dials),
		cmocka_unit_test(is_connected_by_a_proxy),
		cmocka_unit_test(says_why_a_proxy_does_not_connect),
		cmocka_unit_test(says_that_the_proxy_is_not_there),
		cmocka_unit_test(is_there_when_a_tunnels_server_has_spoken),
		cmocka_unit_test(is_there_at_once_when_the_server_is_silent),
		cmocka_unit_test(says_in_the_tunnels_words_why_it_ended),
		cmocka_unit_test(waits_for_nobodys_words_for_ever),
		cmocka_unit_test(gives_a_silent_tunnel_up),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
