/* SPDX-License-Identifier: ISC */
#include "io/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/listen.h"
#include "sys/clock.h"
#include "util/mem.h"

#define BIG 5000000
#define PATIENCE_MS 30000

static struct loop *loop;
static struct http *http;
static unsigned int port, asked, fds_before;
static char last_path[9000];
static char last_query[100];
static char last_accept[100];

static unsigned int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static bool
answer(void *arg, const struct http_request *request, struct buf *body,
    const char **type)
{
	const char *path = request->path;
	assert_ptr_equal(arg, &asked);
	asked++;
	snprintf(last_path, sizeof(last_path), "%s", path);
	snprintf(last_query, sizeof(last_query), "%s",
	    request->query == NULL ? "none" : request->query);
	snprintf(last_accept, sizeof(last_accept), "%.*s",
	    (int)request->accept.n, request->accept.p);
	if (strcmp(path, "/metrics") == 0) {
		*type = "text/plain; version=0.0.4";
		return buf_printf(body, "mailhaul_up %d\n", 1) == 0;
	}
	if (strcmp(path, "/empty") == 0)
		return true;
	if (strcmp(path, "/big") == 0) {
		char *big = mem_new(BIG);

		memset(big, 'x', BIG);
		buf_add(body, span_make(big, BIG));
		free(big);
		return true;
	}
	return false;
}

static int
set_up(void **state)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	int fd;

	(void)state;
	fds_before = count_fds();
	loop = loop_new();
	fd = listen_ip("127.0.0.1", 0, NULL);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		return -1;
	port = ntohs(at.sin_port);
	asked = 0;
	http = http_new(loop, fd, answer, &asked);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	http_free(&http);
	assert_null(http);
	http_free(&http);
	loop_free(&loop);
	assert_int_equal(count_fds(), fds_before);
	return 0;
}

/* ---- a peer, in the same loop ---- */

struct peer {
	int fd;
	struct loop_fd *watch;
	char *got;
	size_t n;
	bool done;
};

static unsigned int waited_for;

static void
on_heard(void *arg, bool readable, bool writable)
{
	struct peer *p = arg;
	char chunk[65536];
	ssize_t n = recv(p->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	(void)readable;
	(void)writable;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		p->got = mem_grow(p->got, p->n + (size_t)n + 1, 1);
		memcpy(p->got + p->n, chunk, (size_t)n);
		p->n += (size_t)n;
		p->got[p->n] = '\0';
		return;
	}
	p->done = true;
	loop_fd_want(p->watch, false, false);
	if (waited_for > 0 && --waited_for == 0)
		loop_stop(loop);
}

static void
peer_connect(struct peer *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };

	*p =
	    (struct peer){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		    .got = mem_new(1) };
	assert_int_equal(
	    connect(p->fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	p->watch = loop_fd_new(loop, p->fd, on_heard, p);
	loop_fd_want(p->watch, true, false);
}

static void
peer_say(struct peer *p, const char *text)
{
	assert_int_equal(send(p->fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static void
peer_end(struct peer *p)
{
	loop_fd_free(&p->watch);
	close(p->fd);
	free(p->got);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* Until n peers were hung up on, or for so long. */
static void
run_until(unsigned int n, unsigned int ms)
{
	struct loop_timer *t = loop_timer_new(loop, stop, NULL);

	waited_for = n;
	loop_timer_arm(t, ms);
	loop_run(loop);
	loop_timer_free(&t);
}

static void
ask(struct peer *p, const char *request)
{
	peer_connect(p);
	peer_say(p, request);
	run_until(1, PATIENCE_MS);
	assert_true(p->done); /* one request per connection */
}

static void
expect_answer(const char *request, const char *head, const char *body)
{
	struct peer p;
	const char *end;

	ask(&p, request);
	end = strstr(p.got, "\r\n\r\n");
	if (end == NULL || strncmp(p.got, head, strlen(head)) != 0)
		print_message("%s\n", p.got);
	assert_non_null(end);
	assert_memory_equal(p.got, head, strlen(head));
	assert_string_equal(end + 4, body);
	peer_end(&p);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- what it answers ---- */

static void
answers_a_path(void **state)
{
	struct peer p;

	(void)state;
	ask(&p, GET("/metrics"));
	assert_memory_equal(p.got, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(
	    strstr(p.got, "\r\nContent-Type: text/plain; version=0.0.4\r\n"));
	assert_non_null(strstr(p.got, "\r\nContent-Length: 14\r\n"));
	assert_non_null(strstr(p.got, "\r\n\r\nmailhaul_up 1\n"));
	peer_end(&p);
	assert_string_equal(last_query, "none");
	expect_answer(
	    "GET /metrics?a=b%20c&d HTTP/1.0\r\nAccept: text/x\r\n\r\n",
	    "HTTP/1.0 200 OK", "mailhaul_up 1\n");
	assert_string_equal(last_query, "a=b%20c&d");
	assert_string_equal(last_path, "/metrics");
	assert_string_equal(last_accept, "text/x");
	expect_answer(GET("/empty"), "HTTP/1.1 200 OK", "");
}

static void
answers_head_with_the_head_alone(void **state)
{
	struct peer p;

	(void)state;
	ask(&p, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_memory_equal(p.got, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(p.got, "\r\nContent-Length: 14\r\n"));
	assert_memory_equal(p.got + p.n - 4, "\r\n\r\n", 4);
	assert_null(strstr(p.got, "mailhaul"));
	peer_end(&p);
}

static void
says_what_is_not_there(void **state)
{
	(void)state;
	expect_answer(GET("/"), "HTTP/1.1 404 ", "there is nothing here\n");
	expect_answer(
	    GET("/metrics/"), "HTTP/1.1 404 ", "there is nothing here\n");
	expect_answer(
	    GET("/../etc/passwd"), "HTTP/1.1 404 ", "there is nothing here\n");
}

static void
refuses_other_methods(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE",
		"OPTIONS", "TRACE", "PATCH" };
	char request[100];
	struct peer p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		snprintf(request, sizeof(request),
		    "%s /metrics HTTP/1.1\r\nHost: x\r\n"
		    "Content-Length: 0\r\n\r\n",
		    methods[i]);
		ask(&p, request);
		assert_memory_equal(p.got, "HTTP/1.1 405 ", 13);
		assert_non_null(strstr(p.got, "\r\nAllow: GET, HEAD\r\n"));
		peer_end(&p);
	}
	assert_int_equal(asked, 0);
}

static void
sends_a_long_answer_whole(void **state)
{
	struct peer p;

	(void)state;
	ask(&p, GET("/big"));
	assert_non_null(strstr(p.got, "\r\nContent-Length: 5000000\r\n"));
	assert_true(p.n > BIG);
	assert_int_equal(strspn(p.got + p.n - BIG, "x"), BIG);
	peer_end(&p);
}

/* ---- what it bears ---- */

static void
hangs_up_on_nonsense(void **state)
{
	static const char *const nonsense[] = { "\r\n\r\n", "hello\r\n\r\n",
		"GET\r\n\r\n", "GET /metrics\r\n\r\n",
		"GET /metrics HTTP/9.9\r\n\r\n", "BREW / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x01\x01\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n" };
	struct peer p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		peer_connect(&p);
		peer_say(&p, nonsense[i]);
		shutdown(p.fd, SHUT_WR);
		run_until(1, PATIENCE_MS);
		assert_true(p.done);
		assert_null(strstr(p.got, "mailhaul_up"));
		peer_end(&p);
	}
	assert_int_equal(asked, 0);
}

static void
takes_no_more_than_a_small_head_and_no_body(void **state)
{
	static char long_head[40000];
	uint64_t start = clock_ms();
	struct peer p;

	(void)state;
	memset(long_head, 'a', sizeof(long_head) - 1);
	memcpy(long_head, "GET /metrics HTTP/1.1\r\nX: ", 26);
	peer_connect(&p);
	peer_say(&p, long_head); /* without an end */
	run_until(1, PATIENCE_MS);
	assert_true(p.done);
	peer_end(&p);
	memset(long_head, 'a', sizeof(long_head) - 1);
	memcpy(long_head, "GET /", 5);
	peer_connect(&p);
	peer_say(&p, long_head);
	run_until(1, PATIENCE_MS);
	assert_true(p.done);
	peer_end(&p);
	assert_true(clock_ms() - start < 4000); /* not for being slow */
	ask(&p,
	    "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
	    "hello");
	assert_memory_equal(p.got, "HTTP/1.1 413 ", 13);
	peer_end(&p);
	assert_int_equal(asked, 0);
}

/* One octet now and then is progress, but not enough of it. */
static struct peer slow;
static struct loop_timer *dripping;

static void
drip(void *arg)
{
	(void)arg;
	(void)send(slow.fd, "G", 1, MSG_NOSIGNAL);
	loop_timer_arm(dripping, 500);
}

static void
expect_hung_up_in_time(uint64_t start)
{
	assert_in_range(clock_ms() - start, HTTP_SECONDS * 1000 - 100,
	    HTTP_SECONDS * 1000 + 5000);
}

static void
hangs_up_on_who_is_slow(void **state)
{
	uint64_t start = clock_ms();
	struct peer silent;

	(void)state;
	peer_connect(&silent);
	peer_connect(&slow);
	dripping = loop_timer_new(loop, drip, NULL);
	loop_timer_arm(dripping, 0);
	run_until(2, PATIENCE_MS);
	loop_timer_free(&dripping);
	assert_true(silent.done && slow.done);
	expect_hung_up_in_time(start);
	peer_end(&silent);
	peer_end(&slow);
}

static void
lets_the_rest_wait_when_there_are_many(void **state)
{
	struct peer crowd[HTTP_PEERS_MAX], last;
	unsigned int i;

	(void)state;
	for (i = 0; i < HTTP_PEERS_MAX; i++)
		peer_connect(&crowd[i]);
	peer_connect(&last);
	peer_say(&last, GET("/metrics"));
	run_until(1, 1000);
	assert_int_equal(asked, 0);
	assert_false(last.done);
	/* two of them go */
	peer_say(&crowd[3], GET("/metrics"));
	run_until(2, PATIENCE_MS);
	assert_int_equal(asked, 2);
	assert_true(crowd[3].done && last.done);
	for (i = 0; i < HTTP_PEERS_MAX; i++)
		peer_end(&crowd[i]);
	peer_end(&last);
}

static void
raise_limit(void *arg)
{
	setrlimit(RLIMIT_NOFILE, arg);
}

static void
waits_when_no_descriptor_is_left(void **state)
{
	struct rlimit before, none;
	struct loop_timer *t;
	clock_t start;
	struct peer p;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	t = loop_timer_new(loop, raise_limit, &before);
	loop_timer_arm(t, 450);
	peer_connect(&p);
	peer_say(&p, GET("/metrics"));
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start = clock();
	run_until(1, PATIENCE_MS);
	assert_true(clock() - start < CLOCKS_PER_SEC / 10);
	assert_int_equal(asked, 1);
	loop_timer_free(&t);
	peer_end(&p);
}

static void
ends_the_connections_with_itself(void **state)
{
	struct peer p, q;

	(void)state;
	peer_connect(&p);
	peer_connect(&q);
	peer_say(&q, GET("/big")); /* and nobody reads it */
	loop_fd_want(q.watch, false, false);
	run_until(1, 300);
	http_free(&http);
	run_until(1, PATIENCE_MS);
	assert_true(p.done);
	peer_end(&p);
	peer_end(&q);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_a_path),
		TEST(answers_head_with_the_head_alone),
		TEST(says_what_is_not_there),
		TEST(refuses_other_methods),
		TEST(sends_a_long_answer_whole),
		TEST(hangs_up_on_nonsense),
		TEST(takes_no_more_than_a_small_head_and_no_body),
		TEST(hangs_up_on_who_is_slow),
		TEST(lets_the_rest_wait_when_there_are_many),
		TEST(waits_when_no_descriptor_is_left),
		TEST(ends_the_connections_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
