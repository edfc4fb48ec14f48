/* SPDX-License-Identifier: ISC */
#include "io/query.h"

#include <errno.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/query_parse.h"
#include "sys/file.h"
#include "util/mem.h"

#define SERVERS_MAX 3 /* as resolv.conf(5) has it */
#define ROUNDS 2
#define UDP_MS 2000
#define TCP_MS 5000
#define RESOLV_CONF_MAX 65536
#define DATAGRAMS_MAX 64 /* of a try: more are an attack by guessing */

struct server {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct query_servers {
	struct server v[SERVERS_MAX];
	size_t n;
};

struct query {
	struct loop *loop; /* not ours */
	query_fn fn;
	void *arg;
	bool telling;
	struct query_servers servers;
	struct query_question question;
	char *name;
	bool plain; /* without EDNS */
	bool tcp;
	unsigned int tries; /* the server's number, and those behind it again */
	unsigned int datagrams;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *timer; /* of a try; without fd: for the next one */
	struct buf in, out;
	struct err e;
};

/* ---- name servers ---- */

static void
add_server(struct query_servers *s, struct span word)
{
	struct server *to = &s->v[s->n];
	char text[80];
	int len = (int)sizeof(to->sa);

	if (s->n == SERVERS_MAX || word.n >= sizeof(text))
		return;
	memcpy(text, word.p, word.n);
	text[word.n] = '\0';
	if (evutil_parse_sockaddr_port(
		text, (struct sockaddr *)&to->sa, &len) != 0)
		return;
	to->len = (socklen_t)len;
	/* both have it at the same place */
	if (((struct sockaddr_in *)&to->sa)->sin_port == 0)
		((struct sockaddr_in *)&to->sa)->sin_port = htons(53);
	s->n++;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
read_line(struct query_servers *s, struct span line)
{
	size_t n = 0;

	if (!span_skip(&line, SPAN("nameserver")) || line.n == 0 ||
	    !is_blank(line.p[0]))
		return;
	line = span_trim(line);
	while (n < line.n && !is_blank(line.p[n]))
		n++;
	add_server(s, span_take(&line, n));
}

struct query_servers *
query_servers_new(const char *resolv_conf)
{
	struct query_servers *s = mem_new(sizeof(*s));
	struct span text;
	struct buf b;

	buf_init(&b, RESOLV_CONF_MAX);
	(void)file_read(resolv_conf, RESOLV_CONF_MAX, &b, NULL);
	for (text = buf_span(&b); text.n > 0;)
		read_line(s, span_until(&text, '\n'));
	buf_deinit(&b);
	if (s->n == 0)
		add_server(s, SPAN("127.0.0.1:53"));
	return s;
}

void
query_servers_free(struct query_servers **s)
{
	free(*s);
	*s = NULL;
}

static bool
is_loopback(const struct server *s)
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)(const void *)&s->sa;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)(const void *)&s->sa;

	if (s->sa.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static const struct server *
server_of(const struct query *q)
{
	return &q->servers.v[q->tries % q->servers.n];
}

/* ---- the end ---- */

static void
hang_up(struct query *q)
{
	loop_timer_stop(q->timer);
	loop_fd_free(&q->watch);
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	buf_deinit(&q->in);
	buf_deinit(&q->out);
	buf_init(&q->in, QUERY_MESSAGE_MAX + 2);
	buf_init(&q->out, sizeof(q->question.wire) + 64);
}

static void
destroy(struct query *q)
{
	hang_up(q);
	loop_timer_free(&q->timer);
	free(q->name);
	free(q);
}

static void
tell(struct query *q, const struct query_answer *answer)
{
	hang_up(q);
	q->telling = true;
	if (answer == NULL && q->question.n > 0)
		err_prefix(
		    &q->e, "the name server was asked about %s", q->name);
	q->fn(q->arg, answer, answer == NULL ? &q->e : NULL);
	destroy(q);
}

/* ---- tries ---- */

/* Who is asked next comes from the loop. */
static void
again(struct query *q)
{
	hang_up(q);
	loop_timer_arm(q->timer, 0);
}

static void
next_server(struct query *q)
{
	q->tries++;
	q->tcp = false;
	again(q);
}

static void
fail(struct query *q, int why)
{
	err_set(&q->e, ERR_NET, why, "%s", strerror(why));
	next_server(q);
}

/* False: wait for another. q may be gone when it is true. */
static bool
hear(struct query *q, struct span message)
{
	struct query_record records[QUERY_RECORDS_MAX];
	struct query_answer answer = { .records = records };
	bool ad;
	enum query_verdict v =
	    query_read(message, &q->question, records, &answer.n, &ad, &q->e);

	switch (v) {
	case QUERY_ANSWERED:
		answer.secure = ad && is_loopback(server_of(q));
		tell(q, &answer);
		return true;
	case QUERY_CUT:
		if (q->tcp) {
			err_set(&q->e, ERR_NET, 0, "its answer is cut off");
			next_server(q);
			return true;
		}
		q->tcp = true;
		again(q);
		return true;
	case QUERY_NO_EDNS:
		if (q->plain)
			next_server(q);
		else
			again(q);
		q->plain = true;
		return true;
	case QUERY_OTHER:
		return false;
	case QUERY_FAILED:
		next_server(q);
		return true;
	}
	return false;
}

static void
read_datagrams(struct query *q)
{
	char message[4096];
	ssize_t n;

	while ((n = recv(q->fd, message, sizeof(message), 0)) >= 0) {
		if (hear(q, span_make(message, (size_t)n)))
			return;
		if (++q->datagrams == DATAGRAMS_MAX) {
			err_set(&q->e, ERR_NET, 0, "too many wrong answers");
			next_server(q);
			return;
		}
	}
	if (errno != EAGAIN && errno != EINTR)
		fail(q, errno);
}

/* True when the whole message is there (RFC 1035 4.2.2), then *out is it. */
static bool
is_whole(const struct query *q, struct span *out)
{
	struct span s = buf_span(&q->in);
	size_t n;

	if (s.n < 2)
		return false;
	n = (size_t)(unsigned char)s.p[0] << 8 | (unsigned char)s.p[1];
	if (s.n < 2 + n)
		return false;
	*out = span_make(s.p + 2, n);
	return true;
}

static void
read_stream(struct query *q)
{
	struct span message;
	size_t room;
	char *p = buf_room(&q->in, 4096, &room);
	ssize_t n = recv(q->fd, p, room, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(q, n == 0 ? ECONNRESET : errno);
		return;
	}
	buf_wrote(&q->in, (size_t)n);
	if (is_whole(q, &message) && !hear(q, message))
		fail(q, EBADMSG);
}

static void
write_stream(struct query *q)
{
	struct span s = buf_span(&q->out);
	ssize_t n = send(q->fd, s.p, s.n, MSG_NOSIGNAL);

	if (n > 0)
		buf_drop(&q->out, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR) {
		fail(q, errno);
		return;
	}
	loop_fd_want(q->watch, true, q->out.n > 0);
}

static void
on_ready(void *arg, bool readable, bool writable)
{
	struct query *q = arg;

	if (writable && q->out.n > 0)
		write_stream(q);
	else if (readable && q->tcp)
		read_stream(q);
	else if (readable)
		read_datagrams(q);
}

/* The socket is new for each try, so that the kernel chooses the port anew:
 * with the number, that is what a forger would have to guess (RFC 5452). */
static int
connect_to(struct query *q)
{
	const struct server *s = server_of(q);
	int kind = q->tcp ? SOCK_STREAM : SOCK_DGRAM;

	q->fd = socket(s->sa.ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (q->fd < 0)
		return errno;
	if (connect(q->fd, (const struct sockaddr *)&s->sa, s->len) != 0 &&
	    errno != EINPROGRESS)
		return errno;
	return 0;
}

static int
send_datagram(struct query *q)
{
	struct span s = buf_span(&q->out);

	if (send(q->fd, s.p, s.n, MSG_NOSIGNAL) != (ssize_t)s.n)
		return errno;
	buf_clear(&q->out);
	return 0;
}

/* The message, with its length in front of it for a stream. */
static int
make_message(struct query *q)
{
	struct buf b;
	int r = 0;

	if (getrandom(&q->question.id, sizeof(q->question.id), 0) !=
	    (ssize_t)sizeof(q->question.id))
		r = EIO;
	buf_init(&b, q->out.max);
	query_put(&b, &q->question, !q->plain);
	if (q->tcp) {
		(void)buf_addc(&q->out, (char)(b.n >> 8));
		(void)buf_addc(&q->out, (char)(b.n & 0xff));
	}
	(void)buf_add(&q->out, buf_span(&b));
	buf_deinit(&b);
	return r;
}

static void
ask(struct query *q)
{
	int why = make_message(q);

	q->datagrams = 0;
	if (why == 0)
		why = connect_to(q);
	if (why == 0 && !q->tcp)
		why = send_datagram(q);
	if (why != 0) {
		fail(q, why);
		return;
	}
	q->watch = loop_fd_new(q->loop, q->fd, on_ready, q);
	loop_fd_want(q->watch, true, q->tcp);
	loop_timer_arm(q->timer, q->tcp ? TCP_MS : UDP_MS);
}

static void
on_timer(void *arg)
{
	struct query *q = arg;

	if (q->fd >= 0)
		fail(q, ETIMEDOUT);
	else if (q->question.n == 0 || q->tries == ROUNDS * q->servers.n)
		tell(q, NULL);
	else
		ask(q);
}

/* ---- life ---- */

struct query *
query_start(struct loop *loop, const struct query_servers *s,
    enum query_type type, const char *name, query_fn fn, void *arg)
{
	struct query *q = mem_new(sizeof(*q));

	q->loop = loop;
	q->servers = *s;
	q->name = mem_strdup(name);
	q->fn = fn;
	q->arg = arg;
	q->fd = -1;
	q->question.type = type;
	(void)query_question_init(&q->question, name, &q->e);
	q->timer = loop_timer_new(loop, on_timer, q);
	hang_up(q);
	loop_timer_arm(q->timer, 0);
	return q;
}

void
query_free(struct query **query)
{
	struct query *q = *query;

	*query = NULL;
	if (q != NULL && !q->telling)
		destroy(q);
}
