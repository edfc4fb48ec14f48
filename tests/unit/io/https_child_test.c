/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/https.h"
#include "unit/io/peer.h"

/* The true process, against a server with a certificate of its own. */

static struct loop *loop;
static struct https_params params;
static struct identity ca, server;
static char ca_file[64];
static char url[200];

/* What fn was told. */
static struct err error;
static unsigned int status;
static char type[300];
static size_t body_n;
static char body[4096];

/* What the server heard, and what it says. */
static char heard[8192];
static const char *answer;

static void
on_end(void *arg, const struct https_answer *a, const struct err *e)
{
	(void)arg;
	err_clear(&error);
	status = 0;
	if (e != NULL) {
		error = *e;
		return;
	}
	status = a->status;
	snprintf(type, sizeof(type), "%.*s", (int)a->type.n, a->type.p);
	body_n = a->body.n;
	snprintf(body, sizeof(body), "%.*s", (int)(body_n < 4000 ? body_n : 0),
	    a->body.p);
}

static void
run(void)
{
	status = 0;
	err_set(&error, ERR_MESSAGE, 0, "it was not told");
	(void)https_start(loop, &params, on_end, NULL);
	loop_run(loop);
	assert_int_not_equal(error.kind, ERR_MESSAGE);
}

/* Head and body of one request. */
static void
hear_request(struct peer *p)
{
	size_t n = strlen(heard), begin = n;
	const char *end = NULL, *length;

	while (end == NULL && n + 1 < sizeof(heard)) {
		if (peer_read(p, heard + n, 1) != 1)
			return;
		heard[++n] = '\0';
		end = strstr(heard + begin, "\r\n\r\n");
	}
	length = strstr(heard + begin, "Content-Length: ");
	for (long left = length == NULL ? 0 : strtol(length + 16, NULL, 10);
	     left > 0 && n + 1 < sizeof(heard); left--)
		if (peer_read(p, heard + n++, 1) != 1)
			return;
	heard[n] = '\0';
}

static void
script_answer(struct peer *p)
{
	heard[0] = '\0';
	if (!peer_tls(p))
		return;
	hear_request(p);
	peer_say(p, answer);
}

static void
run_against(struct peer *p)
{
	if (p->id == NULL)
		p->id = &server;
	peer_begin(p);
	snprintf(url, sizeof(url), "https://localhost:%u/token?x=1", p->port);
	params.url = url;
	run();
	assert_true(peer_end(p));
}

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	params =
	    (struct https_params){ .timeout_ms = 20000, .ca_file = ca_file };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_free(&loop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

#define JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void
posts_a_form(void **state)
{
	struct peer p = { .script = script_answer };

	(void)state;
	answer = JSON "Content-Length: 2\r\n\r\n{}";
	params.form = SPAN("a=1&b=2");
	run_against(&p);
	assert_int_equal(error.kind, ERR_NONE);
	assert_int_equal(status, 200);
	assert_string_equal(type, "application/json");
	assert_string_equal(body, "{}");
	assert_ptr_equal(strstr(heard, "POST /token?x=1 HTTP/1.1\r\n"), heard);
	assert_non_null(strstr(
	    heard, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(heard, "\r\nUser-Agent: mailhaul/"));
	assert_non_null(strstr(heard, "\r\n\r\na=1&b=2"));
	assert_null(strstr(heard, "Expect:"));
	assert_null(strstr(heard, "Encoding:"));
}

static void
gets_a_page(void **state)
{
	struct peer p = { .script = script_answer };

	(void)state;
	answer = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nnone";
	run_against(&p);
	assert_int_equal(status, 404);
	assert_string_equal(body, "none");
	assert_ptr_equal(strstr(heard, "GET /token?x=1 HTTP/1.1\r\n"), heard);
}

/* Neither the environment's proxy nor a file of passwords counts. */
static void
listens_to_nothing_but_the_request(void **state)
{
	struct peer p = { .script = script_answer };
	char home[] = "/tmp/https_test.XXXXXX";
	char netrc[64];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(home));
	snprintf(netrc, sizeof(netrc), "%s/.netrc", home);
	f = fopen(netrc, "w");
	fputs("default login bob password hunter2\n", f);
	fclose(f);
	setenv("HOME", home, 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	answer = JSON "Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}";
	run_against(&p);
	assert_int_equal(status, 200);
	assert_null(strstr(heard, "Authorization:"));
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	unlink(netrc);
	rmdir(home);
}

static void
script_redirect(struct peer *p)
{
	char line[300];

	heard[0] = '\0';
	if (!peer_tls(p))
		return;
	hear_request(p);
	snprintf(line, sizeof(line),
	    "HTTP/1.1 302 Found\r\nLocation: https://localhost:%u/two\r\n"
	    "Content-Length: 0\r\n\r\n",
	    p->port);
	peer_say(p, line);
	if (!params.follow)
		return;
	hear_request(p);
	peer_say(p, JSON "Content-Length: 3\r\n\r\ntwo");
}

static void
follows_when_it_may(void **state)
{
	struct peer p = { .script = script_redirect };

	(void)state;
	params.follow = true;
	run_against(&p);
	assert_int_equal(status, 200);
	assert_string_equal(body, "two");
}

static void
does_not_follow_else(void **state)
{
	struct peer p = { .script = script_redirect };

	(void)state;
	run_against(&p);
	assert_int_equal(status, 302);
	params.form = SPAN("secret=1");
	run_against(&p);
	assert_int_equal(status, 302);
}

static void
leaves_https_for_nobody(void **state)
{
	struct peer p = { .script = script_answer };

	(void)state;
	params.follow = true;
	answer = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
		 "Content-Length: 0\r\n\r\n";
	run_against(&p);
	assert_int_equal(error.kind, ERR_PROTO);
	answer = "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\n"
		 "Content-Length: 0\r\n\r\n";
	run_against(&p);
	assert_int_equal(error.kind, ERR_PROTO);
}

static void
script_long(struct peer *p)
{
	static const char some[8192];
	int n = params.follow ? 33 : 32;

	heard[0] = '\0';
	if (!peer_tls(p))
		return;
	hear_request(p);
	peer_say(p, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	while (n-- > 0)
		(void)SSL_write(p->ssl, some, sizeof(some));
}

static void
takes_an_answer_up_to_the_limit(void **state)
{
	struct peer p = { .script = script_long };

	(void)state;
	run_against(&p);
	assert_int_equal(body_n, HTTPS_BODY_MAX);
	params.follow = true; /* more */
	run_against(&p);
	assert_int_equal(error.kind, ERR_PROTO);
	assert_non_null(strstr(error.text, "more than 262144 octets"));
}

static void
calls_what_is_not_http_so(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
	} all[] = { { "* OK IMAP4rev1 ready\r\n", ERR_PROTO }, { "", ERR_NET },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
		    ERR_NET } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct peer p = { .script = script_answer };

		answer = all[i].answer;
		run_against(&p);
		assert_int_equal(error.kind, all[i].kind);
		assert_non_null(strstr(error.text, "localhost:"));
	}
}

static void
script_refused(struct peer *p)
{
	(void)peer_tls(p);
}

static void
trusts_nobody_else(void **state)
{
	const struct identity other = identity_ca("another");
	struct identity wrong[] = { identity_server(&other, "DNS:localhost"),
		identity_server(&ca, "DNS:elsewhere.example") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct peer p = { .id = &wrong[i], .script = script_refused };

		run_against(&p);
		assert_int_equal(error.kind, ERR_TLS);
		assert_non_null(strstr(error.text, "localhost"));
		identity_free(&wrong[i]);
	}
	identity_free((struct identity *)(uintptr_t)&other);
}

static void
speaks_no_old_tls(void **state)
{
	struct peer p = { .script = script_refused,
		.max_version = TLS1_1_VERSION };

	(void)state;
	run_against(&p);
	assert_int_equal(error.kind, ERR_TLS);
}

static void
honours_ssl_cert_file(void **state)
{
	struct peer p = { .script = script_answer };

	(void)state;
	params.ca_file = NULL;
	setenv("SSL_CERT_FILE", ca_file, 1);
	answer = JSON "Content-Length: 2\r\n\r\n{}";
	run_against(&p);
	unsetenv("SSL_CERT_FILE");
	assert_int_equal(status, 200);
}

static void
says_which_file_is_missing(void **state)
{
	(void)state;
	params.ca_file = "/no/such/file";
	params.url = "https://localhost:1/";
	run();
	assert_int_equal(error.kind, ERR_CONFIG);
	assert_ptr_equal(
	    strstr(error.text, "ca-file: /no/such/file"), error.text);
}

static void
tells_of_a_closed_port(void **state)
{
	unsigned int port;
	int fd = peer_listen(&port);

	(void)state;
	close(fd);
	snprintf(url, sizeof(url), "https://localhost:%u/", port);
	params.url = url;
	run();
	assert_int_equal(error.kind, ERR_NET);
}

static void
tells_of_a_name_that_leads_nowhere(void **state)
{
	(void)state;
	params.url = "https://nowhere.invalid/";
	run();
	assert_int_equal(error.kind, ERR_NET);
	assert_non_null(strstr(error.text, "nowhere.invalid"));
}

static void
script_silent(struct peer *p)
{
	if (peer_tls(p))
		peer_hear_end(p);
}

static void
has_a_deadline(void **state)
{
	struct peer p = { .script = script_silent };

	(void)state;
	params.timeout_ms = 300;
	run_against(&p);
	assert_int_equal(error.kind, ERR_NET);
}

/* It hears CONNECT, and lets through what is its own server. */
static void
script_proxy(struct peer *p)
{
	char line[2048] = "";
	size_t n = 0;

	heard[0] = '\0';
	while (strstr(line, "\r\n\r\n") == NULL && n + 1 < sizeof(line))
		if (recv(p->fd, line + n++, 1, 0) != 1)
			return;
	memcpy(heard, line, n + 1);
	if (send(p->fd, "HTTP/1.1 200 OK\r\n\r\n", 19, MSG_NOSIGNAL) == 19 &&
	    peer_tls(p)) {
		hear_request(p);
		peer_say(p, answer);
	}
}

static void
goes_by_the_proxy_that_is_named(void **state)
{
	struct peer p = { .id = &server, .script = script_proxy };
	char proxy[100];

	(void)state;
	peer_begin(&p);
	snprintf(proxy, sizeof(proxy), "http://u:p%%40ss@127.0.0.1:%u", p.port);
	params.proxy = proxy;
	params.url = "https://localhost:9/far";
	answer = JSON "Content-Length: 2\r\n\r\n{}";
	run();
	assert_true(peer_end(&p));
	assert_int_equal(status, 200);
	assert_ptr_equal(
	    strstr(heard, "CONNECT localhost:9 HTTP/1.1\r\n"), heard);
	assert_non_null(
	    strstr(heard, "Proxy-Authorization: Basic dTpwQHNz\r\n"));
	assert_non_null(strstr(heard, "GET /far HTTP/1.1\r\n"));
}

static void
becomes_the_user(void **state)
{
	static struct user user;
	struct peer p = { .script = script_answer };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(user_find("nobody", &user, NULL), 0);
	params.user = &user;
	params.url = "https://localhost:1/";
	run();
	assert_int_equal(error.kind, ERR_CONFIG); /* not his to read */
	assert_int_equal(chmod(ca_file, 0644), 0);
	answer = JSON "Content-Length: 2\r\n\r\n{}";
	run_against(&p);
	assert_int_equal(status, 200);
	assert_int_equal(chmod(ca_file, 0600), 0);
}

/* ---- */

static int
make_authority(void **state)
{
	struct buf pem;
	int fd;

	(void)state;
	ca = identity_ca("a test authority");
	server = identity_server(&ca, "DNS:localhost");
	buf_init(&pem, 65536);
	identity_pem(&ca, &pem);
	snprintf(ca_file, sizeof(ca_file), "/tmp/https_ca.XXXXXX");
	fd = mkstemp(ca_file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf_span(&pem).p, pem.n), (ssize_t)pem.n);
	close(fd);
	buf_deinit(&pem);
	return 0;
}

static int
forget_authority(void **state)
{
	(void)state;
	unlink(ca_file);
	identity_free(&server);
	identity_free(&ca);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(posts_a_form),
		TEST(gets_a_page),
		TEST(listens_to_nothing_but_the_request),
		TEST(follows_when_it_may),
		TEST(does_not_follow_else),
		TEST(leaves_https_for_nobody),
		TEST(takes_an_answer_up_to_the_limit),
		TEST(calls_what_is_not_http_so),
		TEST(trusts_nobody_else),
		TEST(speaks_no_old_tls),
		TEST(honours_ssl_cert_file),
		TEST(says_which_file_is_missing),
		TEST(tells_of_a_closed_port),
		TEST(tells_of_a_name_that_leads_nowhere),
		TEST(has_a_deadline),
		TEST(goes_by_the_proxy_that_is_named),
		TEST(becomes_the_user),
	};

	if (argc > 0 && strcmp(argv[0], HTTPS_ROLE) == 0)
		return https_main();
	return cmocka_run_group_tests(tests, make_authority, forget_authority);
}
