/* SPDX-License-Identifier: ISC */
#include "io/https.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/https_wire.h"

/* The process is this program again (see main()), and does what the request's
 * URL says. What the true one does is in https_child_test.c. */

static struct loop *loop;
static struct https *request;
static struct https_params params;
static unsigned int told;
static struct err error;
static unsigned int status;
static char body[4096];

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	params = (struct https_params){ .timeout_ms = 60000 };
	told = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	https_free(&request);
	loop_free(&loop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

static void
on_end(void *arg, const struct https_answer *a, const struct err *e)
{
	assert_ptr_equal(arg, &told);
	assert_true((a == NULL) == (e != NULL));
	told++;
	err_clear(&error);
	if (e != NULL)
		error = *e;
	status = a == NULL ? 0 : a->status;
	body[0] = '\0';
	if (a != NULL && a->body.n < sizeof(body)) {
		memcpy(body, a->body.p, a->body.n);
		body[a->body.n] = '\0';
	}
	https_free(&request); /* harmless here */
}

static void
ask(const char *url)
{
	params.url = url;
	request = https_start(loop, &params, on_end, &told);
	assert_int_equal(told, 0);
	loop_run(loop);
	assert_int_equal(told, 1);
}

static void
hands_over_the_request_and_tells_the_answer(void **state)
{
	(void)state;
	params.form = SPAN("a=1&b=2");
	params.proxy = "http://h:1";
	ask("https://echo/x");
	assert_int_equal(error.kind, ERR_NONE);
	assert_int_equal(status, 203);
	assert_string_equal(body, "https://echo/x a=1&b=2 http://h:1 argc:1");
}

/* More than a pipe would take. */
static void
hands_over_a_long_request(void **state)
{
	char *form = calloc(1, HTTPS_FORM_MAX);

	(void)state;
	memset(form, 'x', HTTPS_FORM_MAX);
	params.form = span_make(form, HTTPS_FORM_MAX);
	ask("https://count");
	assert_string_equal(body, "262144");
	free(form);
}

static void
tells_an_error(void **state)
{
	(void)state;
	ask("https://error");
	assert_int_equal(error.kind, ERR_TLS);
	assert_string_equal(error.text, "no trust");
}

static void
refuses_other_urls_from_the_loop(void **state)
{
	(void)state;
	ask("http://echo/");
	assert_int_equal(error.kind, ERR_CONFIG);
}

static void
believes_no_process_that_talks_nonsense(void **state)
{
	static const char *const urls[] = { "https://garbage",
		"https://nothing", "https://flood", "https://status",
		"https://killed" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		told = 0;
		ask(urls[i]);
		assert_int_equal(error.kind, ERR_TEMP);
		assert_non_null(strstr(error.text, "the process for HTTPS"));
	}
	assert_non_null(strstr(error.text, "SIGKILL"));
}

static void
shows_what_it_complains_of(void **state)
{
	(void)state;
	ask("https://status");
	assert_string_equal(error.text,
	    "the process for HTTPS exited with status 3: oh \\x1B no");
}

static void
ends_it_when_it_is_not_wanted(void **state)
{
	(void)state;
	params.url = "https://hang";
	request = https_start(loop, &params, on_end, &told);
	https_free(&request);
	assert_null(request);
	loop_run(loop);
	assert_int_equal(told, 0);
}

/* ---- the process ---- */

static void
reply(const struct https_answer *a, const struct err *e)
{
	struct buf b;

	https_pack_reply(&b, a, e);
	(void)!write(STDOUT_FILENO, buf_span(&b).p, buf_span(&b).n);
	buf_deinit(&b);
}

static void
echo(const struct https_request *r, int argc)
{
	char text[1000];
	struct https_answer a = { .status = 203 };

	snprintf(text, sizeof(text), "%s %.*s %s argc:%d", r->url,
	    (int)r->form.n, r->form.p, r->proxy, argc);
	a.body = span_of(text);
	reply(&a, NULL);
}

static void
count(const struct https_request *r)
{
	char text[32];
	struct https_answer a = { .status = 200 };

	snprintf(text, sizeof(text), "%zu", r->form.n);
	a.body = span_of(text);
	reply(&a, NULL);
}

static int
play(const struct https_request *r, int argc)
{
	const struct err e = { .kind = ERR_TLS, .text = "no trust" };
	static char zeros[65536];

	if (strstr(r->url, "//echo") != NULL)
		echo(r, argc);
	else if (strstr(r->url, "//count") != NULL)
		count(r);
	else if (strstr(r->url, "//error") != NULL)
		reply(NULL, &e);
	else if (strstr(r->url, "//garbage") != NULL)
		(void)!write(STDOUT_FILENO, zeros, 100);
	else if (strstr(r->url, "//flood") != NULL)
		for (int i = 0; i < 100; i++)
			(void)!write(STDOUT_FILENO, zeros, sizeof(zeros));
	else if (strstr(r->url, "//killed") != NULL)
		raise(SIGKILL);
	else if (strstr(r->url, "//hang") != NULL)
		pause();
	else if (strstr(r->url, "//status") != NULL)
		return fputs("oh \033 no\n", stderr) < 0 ? 0 : 3;
	return 0;
}

static int
be_the_process(int argc)
{
	static char in[HTTPS_REQUEST_MAX];
	struct https_request r;
	ssize_t n = read(STDIN_FILENO, in, sizeof(in));
	int result = 99;

	if (n > 0 && https_unpack_request(span_make(in, (size_t)n), &r))
		result = play(&r, argc);
	https_request_deinit(&r);
	return result;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    hands_over_the_request_and_tells_the_answer, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    hands_over_a_long_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    tells_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    refuses_other_urls_from_the_loop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    believes_no_process_that_talks_nonsense, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    shows_what_it_complains_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    ends_it_when_it_is_not_wanted, set_up, tear_down),
	};

	if (strcmp(argv[0], HTTPS_ROLE) == 0)
		return be_the_process(argc);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
