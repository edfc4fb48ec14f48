/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_FETCH_LMTP_SERVER_H
#define MAILHAUL_TESTS_UNIT_FETCH_LMTP_SERVER_H

/*
 * A scripted LMTP server in the loop of a rig. Its rules are those of rig.h,
 * with two lines more that a client never says: BODY when the first octets of
 * a message come, and BODY_END behind the last. No rule for BODY: nothing is
 * said.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/fetch/scripts.h"
#include "util/buf.h"
#include "util/mem.h"

#define BODY "<body>"
#define BODY_END "<end>"

#define LMTP_RULES_MAX 64

struct lmtp_server {
	struct loop *loop; /* not ours */
	int listener, fd;
	struct loop_fd *listen_watch, *watch;
	unsigned int port;
	const struct rig_rule *script;
	bool used[LMTP_RULES_MAX];
	bool in_body;
	struct buf in, body; /* body: all of them, one behind the other */
	unsigned int connections;
	char heard[65536];                 /* all lines, LF between */
	void (*on_line)(const char *line); /* NULL; before it is answered */
};

/* clang-format off */
#define LMTP_GREET ALWAYS(NULL, "220 here\r\n")
#define LMTP_HELLO ALWAYS("LHLO", "250 here\r\n")
#define LMTP_MAIL ALWAYS("MAIL FROM", "250 ok\r\n")
#define LMTP_RCPT ALWAYS("RCPT TO", "250 ok\r\n")
#define LMTP_DATA ALWAYS("DATA", "354 go\r\n")
#define LMTP_KEPT ALWAYS(BODY_END, "250 kept\r\n")
#define LMTP_RSET ALWAYS("RSET", "250 ok\r\n")
#define LMTP_QUIT THEN_HANG_UP("QUIT", "221 bye\r\n")
/* Behind the rules of a test. */
#define LMTP_REST LMTP_GREET, LMTP_HELLO, LMTP_MAIL, LMTP_RCPT, LMTP_DATA, \
	LMTP_KEPT, LMTP_RSET, LMTP_QUIT, END

/* clang-format on */

static inline void
lmtp_server_hang_up(struct lmtp_server *s)
{
	loop_fd_free(&s->watch);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static inline void
lmtp_server_act(struct lmtp_server *s, const struct rig_rule *rule)
{
	if (rule->say != NULL) {
		(void)send(s->fd, rule->say, strlen(rule->say), MSG_NOSIGNAL);
		s->in_body = strncmp(rule->say, "354", 3) == 0;
	}
	if (rule->say == NULL || rule->hang_up)
		lmtp_server_hang_up(s);
}

static inline void
lmtp_server_answer(struct lmtp_server *s, const char *line)
{
	const struct rig_rule *rule = s->script;

	if (line != NULL && s->on_line != NULL)
		s->on_line(line);
	for (size_t i = 0; s->fd >= 0; i++, rule++) {
		if (rule->say == NULL && rule->hear == NULL)
			return;
		if (s->used[i] || (line == NULL) != (rule->hear == NULL) ||
		    (line != NULL && strstr(line, rule->hear) == NULL))
			continue;
		s->used[i] = !rule->for_ever;
		lmtp_server_act(s, rule);
		return;
	}
}

static inline void
lmtp_server_note(struct lmtp_server *s, const char *line)
{
	size_t at = strlen(s->heard);

	snprintf(s->heard + at, sizeof(s->heard) - at, "%s\n", line);
}

static inline void
lmtp_server_hear(struct lmtp_server *s, struct span line)
{
	char *text;

	if (s->in_body && !span_eq(line, SPAN(".\r"))) {
		(void)buf_add(&s->body, line);
		(void)buf_add(&s->body, SPAN("\n"));
		return;
	}
	text = s->in_body ? mem_strdup(BODY_END) : mem_spandup(span_trim(line));
	s->in_body = false;
	lmtp_server_note(s, text);
	lmtp_server_answer(s, text);
	free(text);
}

static inline void
lmtp_server_on_client(void *arg, bool readable, bool writable)
{
	struct lmtp_server *s = arg;
	size_t room;
	char *p = buf_room(&s->in, 65536, &room);
	ssize_t n = recv(s->fd, p, room, MSG_DONTWAIT);

	(void)readable;
	(void)writable;
	if (n <= 0) {
		lmtp_server_hang_up(s);
		return;
	}
	buf_wrote(&s->in, (size_t)n);
	if (s->in_body)
		lmtp_server_answer(s, BODY);
	while (s->fd >= 0 && span_find(buf_span(&s->in), '\n') < s->in.n) {
		struct span all = buf_span(&s->in);
		struct span line = span_until(&all, '\n');

		lmtp_server_hear(s, line);
		buf_drop(&s->in, line.n + 1);
	}
}

static inline void
lmtp_server_on_connect(void *arg, bool readable, bool writable)
{
	struct lmtp_server *s = arg;

	(void)readable;
	(void)writable;
	lmtp_server_hang_up(s);
	s->fd = accept(s->listener, NULL, NULL);
	assert_true(s->fd >= 0);
	s->connections++;
	s->in_body = false;
	buf_clear(&s->in);
	s->watch = loop_fd_new(s->loop, s->fd, lmtp_server_on_client, s);
	loop_fd_want(s->watch, true, false);
	lmtp_server_answer(s, NULL);
}

static inline void
lmtp_server_listen(
    struct lmtp_server *s, const struct sockaddr *sa, socklen_t size)
{
	s->listener = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, sa, size), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	s->listen_watch =
	    loop_fd_new(s->loop, s->listener, lmtp_server_on_connect, s);
	loop_fd_want(s->listen_watch, true, false);
}

/* path: of a local socket, or NULL: on loopback. */
static inline void
lmtp_server_begin(struct lmtp_server *s, struct loop *loop,
    const struct rig_rule *script, const char *path)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(in);

	*s = (struct lmtp_server){ .loop = loop, .script = script, .fd = -1 };
	buf_init(&s->in, 1 << 20);
	buf_init(&s->body, 1 << 24);
	if (path != NULL) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
		lmtp_server_listen(s, (struct sockaddr *)&un, sizeof(un));
		return;
	}
	lmtp_server_listen(s, (struct sockaddr *)&in, size);
	getsockname(s->listener, (struct sockaddr *)&in, &size);
	s->port = ntohs(in.sin_port);
}

/* Another script from now on. */
static inline void
lmtp_server_play(struct lmtp_server *s, const struct rig_rule *script)
{
	s->script = script;
	memset(s->used, 0, sizeof(s->used));
	s->heard[0] = '\0';
	buf_clear(&s->body);
	s->connections = 0;
}

static inline void
lmtp_server_end(struct lmtp_server *s)
{
	lmtp_server_hang_up(s);
	loop_fd_free(&s->listen_watch);
	close(s->listener);
	buf_deinit(&s->in);
	buf_deinit(&s->body);
}

static inline unsigned int
lmtp_server_heard(const struct lmtp_server *s, const char *text)
{
	unsigned int n = 0;

	for (const char *p = s->heard; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

static inline bool
lmtp_server_has(const struct lmtp_server *s, const char *text)
{
	struct span body = buf_span(&s->body);

	return memmem(body.p, body.n, text, strlen(text)) != NULL;
}

#endif
