/* SPDX-License-Identifier: ISC */
#include "unit/fetch/scripted.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/fetch/rig.h"
#include "util/buf.h"
#include "util/mem.h"

#define RULES_MAX 64

struct guest {
	LIST_ENTRY(guest) link;
	struct scripted *server;
	int fd;
	struct loop_fd *watch;
	struct buf in;
	char idle_tag[16]; /* of the IDLE that DONE ends */
	char mailbox[64];  /* selected */
};

struct scripted {
	struct loop *loop; /* not ours */
	LIST_HEAD(, guest) guests;
	int listener;
	struct loop_fd *listen_watch;
	const struct rig_rule *script, *late;
	struct guest *late_to;
	struct loop_timer *later;
	bool used[RULES_MAX];
	bool many;
	const char *mark;
	loop_fn at_mark, at_any;
	void *at_arg, *any_arg;
	unsigned int shared;
	char *heard; /* not ours */
	size_t size;
};

/* ---- a client ---- */

static void
happened(struct scripted *s)
{
	if (s->at_any != NULL)
		s->at_any(s->any_arg);
}

static void
see_off(struct guest *g)
{
	struct scripted *s = g->server;

	if (s->late_to == g)
		s->late_to = NULL;
	LIST_REMOVE(g, link);
	loop_fd_free(&g->watch);
	close(g->fd);
	buf_deinit(&g->in);
	free(g);
	happened(s);
}

static bool
is_here(const struct scripted *s, const struct guest *g)
{
	const struct guest *it;

	LIST_FOREACH (it, &s->guests, link)
		if (it == g)
			return true;
	return false;
}

static void
send_all(struct guest *g, const char *p, size_t n)
{
	while (n > 0) { /* blocking: scripts are small */
		ssize_t sent = send(g->fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		p += sent;
		n -= (size_t)sent;
	}
}

static void
say(struct guest *g, const char *text, const char *tag, size_t tag_n)
{
	const char *at;

	while ((at = strstr(text, "%T")) != NULL) {
		send_all(g, text, (size_t)(at - text));
		send_all(g, tag, tag_n);
		text = at + 2;
	}
	send_all(g, text, strlen(text));
}

static void
on_late(void *arg)
{
	struct scripted *s = arg;

	if (s->late_to != NULL)
		say(s->late_to, s->late->say, "", 0);
}

static void
answer_to(struct guest *g, const char *line, const char *tag, size_t tag_n)
{
	struct scripted *s = g->server;

	for (size_t i = 0;
	     s->script[i].say != NULL || s->script[i].hear != NULL; i++) {
		const struct rig_rule *rule = &s->script[i];

		if (s->used[i] || (line == NULL) != (rule->hear == NULL) ||
		    (line != NULL && strstr(line, rule->hear) == NULL))
			continue;
		s->used[i] = !rule->for_ever;
		if (rule->ms > 0) {
			s->late = rule;
			s->late_to = g;
			loop_timer_arm(s->later, rule->ms);
			return;
		}
		if (rule->say != NULL)
			say(g, rule->say, tag, tag_n);
		if (rule->say == NULL || rule->hang_up)
			see_off(g);
		return;
	}
}

static void
answer(struct guest *g, const char *line)
{
	size_t tag_n = line == NULL ? 0 : strcspn(line, " ");

	if (line != NULL && strstr(line, " IDLE") != NULL)
		snprintf(
		    g->idle_tag, sizeof(g->idle_tag), "%.*s", (int)tag_n, line);
	if (line != NULL && strcmp(line, "DONE") == 0) {
		answer_to(g, line, g->idle_tag, strlen(g->idle_tag));
		return;
	}
	answer_to(g, line, line, tag_n);
}

/* Its end may be there and not be read yet. */
static bool
is_alive(const struct guest *g)
{
	char c;

	return recv(g->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

static void
note_selected(struct guest *g, const char *line)
{
	const char *at = strstr(line, " SELECT \"");
	struct guest *it;

	if (at == NULL)
		return;
	at += strlen(" SELECT \"");
	snprintf(
	    g->mailbox, sizeof(g->mailbox), "%.*s", (int)strcspn(at, "\""), at);
	LIST_FOREACH (it, &g->server->guests, link)
		if (it != g && strcmp(it->mailbox, g->mailbox) == 0 &&
		    is_alive(it))
			g->server->shared++;
}

static void
hear_line(struct guest *g, struct span line)
{
	struct scripted *s = g->server;
	char *text = mem_spandup(span_trim(line));
	size_t at = strlen(s->heard);

	snprintf(s->heard + at, s->size - at, "%s\n", text);
	note_selected(g, text);
	if (s->mark != NULL && strstr(text, s->mark) != NULL)
		s->at_mark(s->at_arg);
	else
		answer(g, text);
	free(text);
	happened(s);
}

static void
on_client(void *arg, bool readable, bool writable)
{
	struct guest *g = arg;
	struct scripted *s = g->server;
	size_t room;
	char *p = buf_room(&g->in, 4096, &room);
	ssize_t n = recv(g->fd, p, room, MSG_DONTWAIT);

	(void)readable;
	(void)writable;
	if (n <= 0) {
		see_off(g);
		return;
	}
	buf_wrote(&g->in, (size_t)n);
	while (is_here(s, g) && span_find(buf_span(&g->in), '\n') < g->in.n) {
		struct span all = buf_span(&g->in);
		struct span line = span_until(&all, '\n');
		size_t used = line.n + 1;

		hear_line(g, line);
		if (is_here(s, g))
			buf_drop(&g->in, used);
	}
}

static void
see_all_off(struct scripted *s)
{
	struct guest *g;

	while ((g = LIST_FIRST(&s->guests)) != NULL)
		see_off(g);
}

static void
on_connect(void *arg, bool readable, bool writable)
{
	struct scripted *s = arg;
	struct guest *g = mem_new(sizeof(*g));
	int yes = 1;

	(void)readable;
	(void)writable;
	if (!s->many)
		see_all_off(s);
	g->server = s;
	buf_init(&g->in, 1 << 20);
	g->fd = accept(s->listener, NULL, NULL);
	assert_true(g->fd >= 0);
	/* an answer is said in pieces */
	setsockopt(g->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	g->watch = loop_fd_new(s->loop, g->fd, on_client, g);
	LIST_INSERT_HEAD(&s->guests, g, link);
	loop_fd_want(g->watch, true, false);
	answer(g, NULL);
	happened(s);
}

/* ---- what a test does ---- */

static bool
sits_in(const struct guest *g, const char *mailbox)
{
	return mailbox == NULL || strcmp(g->mailbox, mailbox) == 0;
}

size_t
scripted_say(struct scripted *s, const char *mailbox, const char *text)
{
	struct guest *g;
	size_t n = 0;

	LIST_FOREACH (g, &s->guests, link) {
		if (!sits_in(g, mailbox))
			continue;
		say(g, text, "", 0);
		n++;
	}
	return n;
}

size_t
scripted_hang_up(struct scripted *s, const char *mailbox)
{
	struct guest *g = LIST_FIRST(&s->guests);
	size_t n = 0;

	while (g != NULL) {
		struct guest *next = LIST_NEXT(g, link);

		if (sits_in(g, mailbox)) {
			see_off(g);
			n++;
		}
		g = next;
	}
	return n;
}

size_t
scripted_clients(const struct scripted *s)
{
	const struct guest *g;
	size_t n = 0;

	LIST_FOREACH (g, &s->guests, link)
		n++;
	return n;
}

unsigned int
scripted_shared(const struct scripted *s)
{
	return s->shared;
}

void
scripted_let_many(struct scripted *s)
{
	s->many = true;
}

void
scripted_watch(struct scripted *s, loop_fn fn, void *arg)
{
	s->at_any = fn;
	s->any_arg = arg;
}

void
scripted_open(struct scripted *s, const struct rig_rule *script,
    const char *mark, loop_fn at, void *arg)
{
	s->script = script;
	s->mark = mark;
	s->at_mark = at;
	s->at_arg = arg;
	memset(s->used, 0, sizeof(s->used));
	s->heard[0] = '\0';
	loop_fd_want(s->listen_watch, true, false);
}

void
scripted_close(struct scripted *s)
{
	loop_fd_want(s->listen_watch, false, false);
	see_all_off(s);
}

/* ---- life ---- */

unsigned int
scripted_port(const struct scripted *s)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);

	getsockname(s->listener, (struct sockaddr *)&sa, &len);
	return ntohs(sa.sin_port);
}

struct scripted *
scripted_new(struct loop *loop, char *heard, size_t size)
{
	struct scripted *s = mem_new(sizeof(*s));
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	LIST_INIT(&s->guests);
	s->loop = loop;
	s->heard = heard;
	s->size = size;
	s->later = loop_timer_new(loop, on_late, s);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	s->listen_watch = loop_fd_new(loop, s->listener, on_connect, s);
	return s;
}

void
scripted_free(struct scripted **s)
{
	struct scripted *it = *s;

	*s = NULL;
	it->at_any = NULL;
	see_all_off(it);
	loop_timer_free(&it->later);
	loop_fd_free(&it->listen_watch);
	close(it->listener);
	free(it);
}
