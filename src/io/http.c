/* SPDX-License-Identifier: ISC */
#include "io/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "util/mem.h"

#define LOOK_MS 250 /* for peers that are done, or too slow */

/* The library tells nobody when a connection ends: a reference of our own to
 * its buffers shows it, for then they have no callbacks any more. */
struct peer {
	LIST_ENTRY(peer) next;
	struct bufferevent *buffers;
	uint64_t deadline;
};

struct http {
	LIST_ENTRY(http) next;
	struct evhttp *server;
	struct evconnlistener *listener;
	struct loop_timer *look;
	LIST_HEAD(peer_list, peer) peers;
	unsigned int n_peers;
	http_fn fn;
	void *arg;
};

/* By its listener alone the library tells us of an error. */
static LIST_HEAD(http_list, http) servers = LIST_HEAD_INITIALIZER(servers);

/* As in io/loop.c: our bug, or the end of memory. */
static void
must(bool good, const char *what)
{
	if (good)
		return;
	log_error("http", "cannot %s", what);
	abort();
}

/* ---- the peers ---- */

static void
forget(struct http *h, struct peer *p)
{
	LIST_REMOVE(p, next);
	h->n_peers--;
	bufferevent_decref(p->buffers);
	free(p);
}

static bool
is_done(const struct peer *p)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(p->buffers, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void
look_at_peers(struct http *h)
{
	struct peer *p, *next;

	for (p = LIST_FIRST(&h->peers); p != NULL; p = next) {
		next = LIST_NEXT(p, next);
		if (is_done(p))
			forget(h, p);
		else if (clock_ms() >= p->deadline) /* the library sees it */
			shutdown(bufferevent_getfd(p->buffers), SHUT_RDWR);
	}
}

static void
take_peers(struct http *h)
{
	if (h->n_peers < HTTP_PEERS_MAX)
		evconnlistener_enable(h->listener);
	else
		evconnlistener_disable(h->listener);
}

static void
on_look(void *arg)
{
	struct http *h = arg;

	look_at_peers(h);
	take_peers(h);
	if (h->n_peers > 0)
		loop_timer_arm(h->look, LOOK_MS);
}

/* Somebody has connected. */
static struct bufferevent *
new_buffers(struct event_base *base, void *arg)
{
	struct http *h = arg;
	struct peer *p = mem_new(sizeof(*p));

	look_at_peers(h);
	/* The library shuts the socket down; that it is closed is left to the
	 * last reference, or its number would be used again while these
	 * buffers still listen to it. */
	p->buffers = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	must(p->buffers != NULL, "make buffers");
	bufferevent_incref(p->buffers);
	p->deadline = clock_ms() + HTTP_SECONDS * 1000;
	LIST_INSERT_HEAD(&h->peers, p, next);
	h->n_peers++;
	take_peers(h);
	if (!loop_timer_armed(h->look))
		loop_timer_arm(h->look, LOOK_MS);
	return p->buffers;
}

/* Out of descriptors, mostly: without a pause the loop would spin. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http *h;

	(void)arg; /* the library's own */
	evconnlistener_disable(listener);
	LIST_FOREACH (h, &servers, next) {
		if (h->listener == listener)
			loop_timer_arm(h->look, LOOK_MS);
	}
}

/* ---- a request ---- */

static void
say(struct evhttp_request *r, int code, const char *type, struct span body)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(r);
	struct evbuffer *out = evhttp_request_get_output_buffer(r);
	char length[24];

	snprintf(length, sizeof(length), "%zu", body.n);
	evhttp_add_header(head, "Content-Type", type);
	evhttp_add_header(head, "Content-Length", length);
	evhttp_add_header(head, "Connection", "close");
	if (evhttp_request_get_command(r) != EVHTTP_REQ_HEAD)
		must(evbuffer_add(out, body.p, body.n) == 0, "answer");
	evhttp_send_reply(r, code, NULL, NULL);
}

static void
say_error(struct evhttp_request *r, int code, struct span text)
{
	if (code == 405)
		evhttp_add_header(
		    evhttp_request_get_output_headers(r), "Allow", "GET, HEAD");
	say(r, code, "text/plain; charset=utf-8", text);
}

static void
on_request(struct evhttp_request *r, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(r);
	const char *accept =
	    evhttp_find_header(evhttp_request_get_input_headers(r), "Accept");
	struct http_request request = { .path = evhttp_uri_get_path(uri),
		.query = evhttp_uri_get_query(uri),
		.accept = span_of(accept == NULL ? "" : accept) };
	const char *type = "text/plain; charset=utf-8";
	enum evhttp_cmd_type command = evhttp_request_get_command(r);
	struct http *h = arg;
	struct buf body;

	if (command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD) {
		say_error(r, 405, SPAN("only GET and HEAD\n"));
		return;
	}
	buf_init(&body, HTTP_BODY_MAX);
	if (request.path != NULL && h->fn(h->arg, &request, &body, &type))
		say(r, 200, type, buf_span(&body));
	else
		say_error(r, 404, SPAN("there is nothing here\n"));
	buf_deinit(&body);
}

/* ---- its life ---- */

static void
set_limits(struct evhttp *server)
{
	evhttp_set_max_headers_size(server, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(server, 0);
	evhttp_set_timeout(server, HTTP_SECONDS);
	evhttp_set_default_content_type(server, NULL);
	/* all it knows: others than ours are refused in on_request() */
	evhttp_set_allowed_methods(server, UINT16_MAX);
}

struct http *
http_new(struct loop *loop, int fd, http_fn fn, void *arg)
{
	struct event_base *base = loop_base(loop);
	struct http *h = mem_new(sizeof(*h));

	h->fn = fn;
	h->arg = arg;
	h->look = loop_timer_new(loop, on_look, h);
	LIST_INIT(&h->peers);
	h->server = evhttp_new(base);
	h->listener = evconnlistener_new(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	must(h->server != NULL && h->listener != NULL, "make a server");
	set_limits(h->server);
	evhttp_set_gencb(h->server, on_request, h);
	evhttp_set_bevcb(h->server, new_buffers, h);
	must(evhttp_bind_listener(h->server, h->listener) != NULL, "listen");
	evconnlistener_set_error_cb(h->listener, on_accept_error);
	LIST_INSERT_HEAD(&servers, h, next);
	return h;
}

void
http_free(struct http **p)
{
	struct http *h = *p;

	*p = NULL;
	if (h == NULL)
		return;
	LIST_REMOVE(h, next);
	evhttp_free(h->server); /* the listener with it */
	while (!LIST_EMPTY(&h->peers))
		forget(h, LIST_FIRST(&h->peers));
	loop_timer_free(&h->look);
	free(h);
}
