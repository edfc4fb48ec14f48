/* SPDX-License-Identifier: ISC */
#include "proc/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf_list.h"
#include "proc/tokens.h"
#include "sys/clock.h"

static struct loop *loop;
static struct conf_account account;
static uint64_t again;
static struct secrets_params params = { .account = &account,
	.again_s = &again };
static struct secrets_wait *waiting;
static struct secret *got;
static struct err why;
static unsigned int answers;
static char path[64];

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	account = (struct conf_account){ .name = NULL };
	answers = 0;
	why = (struct err){ 0 };
	path[0] = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secrets_cancel(&waiting);
	secret_free(&got);
	loop_free(&loop);
	if (path[0] != '\0')
		unlink(path);
	return 0;
}

static void
on_secret(void *arg, struct secret *secret, const struct err *e)
{
	assert_ptr_equal(arg, &account);
	assert_true((secret == NULL) == (e != NULL));
	waiting = NULL;
	got = secret;
	if (e != NULL)
		why = *e;
	answers++;
	loop_stop(loop);
}

static void
begin(void)
{
	waiting = secrets_get(loop, &params, on_secret, &account);
	assert_int_equal(answers, 0); /* from the loop only */
}

static void
get(void)
{
	begin();
	loop_run(loop);
	assert_int_equal(answers, 1);
}

/* The arguments are not changed; argv only is not const. */
static void
get_from_command(char *const *argv)
{
	char *copy[8] = { NULL };
	size_t n = 0;

	for (; argv[n] != NULL; n++)
		copy[n] = argv[n];
	account.secret.command = (struct conf_list){ copy, n };
	get();
}

static void
get_from_shell(const char *script)
{
	char *text = strdup(script);
	char sh[] = "/bin/sh";
	char c[] = "-c";
	char *argv[] = { sh, c, text, NULL };

	get_from_command(argv);
	free(text);
}

static void
assert_got(struct span want)
{
	assert_non_null(got);
	assert_true(span_eq(secret_span(got), want));
}

static void
write_file(const char *text)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/mailhaul-secrets-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* ---- what needs no command ---- */

static void
takes_what_stands_in_the_configuration(void **state)
{
	(void)state;
	account.secret.literal = secret_new(SPAN("pass word"));
	get();
	assert_got(SPAN("pass word"));
	secret_free(&account.secret.literal);
}

static void
reads_a_file(void **state)
{
	(void)state;
	write_file("pass word\n");
	account.secret.file = path;
	get();
	assert_got(SPAN("pass word"));
}

static void
names_the_file_that_is_empty_and_the_one_that_is_missing(void **state)
{
	char missing[] = "/nonexistent/password";

	(void)state;
	write_file("");
	account.secret.file = path;
	get();
	assert_int_equal(why.kind, ERR_CONFIG);
	assert_non_null(strstr(why.text, path));
	answers = 0;
	account.secret.file = missing;
	get();
	assert_int_equal(why.kind, ERR_CONFIG);
	assert_non_null(strstr(why.text, missing));
}

/* What a tunnel leads to may have logged in for us. */
static void
needs_none_behind_a_tunnel(void **state)
{
	(void)state;
	conf_list_add(&account.tunnel, "ssh");
	get();
	assert_got(SPAN(""));
	secret_free(&got);
	answers = 0;
	account.secret.literal = secret_new(SPAN("pass word"));
	get();
	assert_got(SPAN("pass word"));
	secret_free(&account.secret.literal);
	secret_free(&got);
	answers = 0;
	account.protocol = CONF_POP3; /* knows no such thing */
	get();
	assert_int_equal(why.kind, ERR_CONFIG);
	assert_non_null(strstr(why.text, "no password"));
	conf_list_free(&account.tunnel);
}

static void
says_that_nothing_is_configured(void **state)
{
	(void)state;
	get();
	assert_null(got);
	assert_int_equal(why.kind, ERR_CONFIG);
	assert_non_null(strstr(why.text, "no password"));
}

/* ---- commands ---- */

static void
takes_the_first_line_of_a_command(void **state)
{
	(void)state;
	get_from_shell("echo 'pass word'; echo 'login: alice'");
	assert_got(SPAN("pass word"));
}

static void
takes_it_although_there_are_complaints(void **state)
{
	(void)state;
	get_from_shell("echo careful >&2; echo secret");
	assert_got(SPAN("secret"));
}

static void
says_what_the_command_says_is_wrong_but_never_its_output(void **state)
{
	(void)state;
	get_from_shell(
	    "echo hunter2; printf 'gpg: \\033[31mno key\\n' >&2; exit 3");
	assert_null(got);
	assert_int_equal(why.kind, ERR_AUTH);
	assert_non_null(strstr(why.text, "password-command"));
	assert_non_null(strstr(why.text, "/bin/sh"));
	assert_non_null(strstr(why.text, "exited with status 3"));
	assert_non_null(strstr(why.text, "no key"));
	assert_null(strchr(why.text, '\033'));
	assert_null(strstr(why.text, "hunter2"));
}

static void
says_that_the_command_was_killed(void **state)
{
	(void)state;
	get_from_shell("echo hunter2; kill -9 $$");
	assert_null(got);
	assert_non_null(strstr(why.text, "SIGKILL"));
	assert_null(strstr(why.text, "hunter2"));
}

static void
says_that_the_command_cannot_be_run(void **state)
{
	char missing[] = "/nonexistent/pass";
	char *argv[] = { missing, NULL };

	(void)state;
	get_from_command(argv);
	assert_null(got);
	assert_int_equal(why.kind, ERR_CONFIG);
	assert_non_null(strstr(why.text, "password-command"));
	assert_non_null(strstr(why.text, missing));
}

static void
refuses_a_command_that_prints_nothing(void **state)
{
	(void)state;
	get_from_shell("exit 0");
	assert_null(got);
	assert_int_equal(why.kind, ERR_CONFIG);
	answers = 0;
	get_from_shell("echo; echo hunter2");
	assert_null(got);
	assert_int_equal(why.kind, ERR_CONFIG);
	assert_null(strstr(why.text, "hunter2"));
}

static void
refuses_a_secret_that_is_cut_off(void **state)
{
	(void)state;
	get_from_shell("head -c 70000 /dev/zero | tr '\\0' x");
	assert_null(got);
	assert_int_equal(why.kind, ERR_CONFIG);
	answers = 0;
	get_from_shell("head -c 65536 /dev/zero | tr '\\0' x; echo; echo y");
	assert_non_null(got);
	assert_int_equal(secret_span(got).n, SECRET_MAX);
}

/* ---- cancelling ---- */

static void
on_timer(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
is_silent_once_cancelled(void **state)
{
	char sh[] = "/bin/sh";
	char c[] = "-c";
	char text[] = "exec sleep 1000";
	char *argv[] = { sh, c, text, NULL };
	struct loop_timer *timer = loop_timer_new(loop, on_timer, NULL);

	(void)state;
	begin();
	secrets_cancel(&waiting);
	assert_null(waiting);
	secrets_cancel(&waiting);
	account.secret.command = (struct conf_list){ argv, 3 };
	begin();
	secrets_cancel(&waiting); /* kills it, too */
	loop_timer_arm(timer, 20);
	loop_run(loop);
	assert_int_equal(answers, 0);
	loop_timer_free(&timer);
}

/* ---- tokens ---- */

static void
asks_a_command_for_a_token(void **state)
{
	static char tool[] = "echo", token[] = "ya29.token";
	static char *argv[] = { tool, token, NULL };
	static char *broken[] = { tool, NULL };

	(void)state;
	account.secret.token_command = (struct conf_list){ argv, 2 };
	assert_true(secrets_are_tokens(&account));
	assert_true(secrets_need_process(&account));
	again = 77;
	get();
	assert_got(SPAN("ya29.token"));
	assert_int_equal(again, 0); /* when it is refused */
	secret_free(&got);
	answers = 0;
	account.secret.token_command = (struct conf_list){ broken, 1 };
	get();
	assert_string_equal(
	    why.text, "the first line that token-command printed is empty");
	answers = 0;
	broken[0] = (char[]){ "false" };
	get();
	assert_int_equal(why.kind, ERR_AUTH);
	assert_string_equal(
	    why.text, "token-command false exited with status 1");
}

static void
asks_for_the_token_of_a_login(void **state)
{
	static char id[] = "client", url[] = "https://127.0.0.1:1/";
	struct conf_oauth2 provider = {
		.name = id, .client_id = id, .token_url = url
	};
	const struct tokens t = { .access = secret_new(SPAN("t1")),
		.expires = clock_wall_s() + 3600,
		.client = id,
		.token_url = url };
	char dir[] = "/tmp/mailhaul-secrets-XXXXXX", file[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	account.name = id;
	account.secret.oauth2 = &provider;
	params.state_dir = dir;
	assert_true(secrets_are_tokens(&account));
	assert_int_equal(tokens_write(dir, id, &t, &why), 0);
	get();
	assert_got(SPAN("t1"));
	assert_true(again > 3000 && again < 3600);
	secret_free((struct secret **)(uintptr_t)&t.access);
	snprintf(file, sizeof(file), "%s/tokens/client.json", dir);
	assert_int_equal(unlink(file), 0);
	secret_free(&got);
	answers = 0;
	get();
	assert_int_equal(why.kind, ERR_AUTH);
	assert_non_null(strstr(why.text, "mailhaul login client"));
	*strrchr(file, '/') = '\0';
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_what_stands_in_the_configuration),
		TEST(reads_a_file),
		TEST(names_the_file_that_is_empty_and_the_one_that_is_missing),
		TEST(needs_none_behind_a_tunnel),
		TEST(says_that_nothing_is_configured),
		TEST(takes_the_first_line_of_a_command),
		TEST(takes_it_although_there_are_complaints),
		TEST(says_what_the_command_says_is_wrong_but_never_its_output),
		TEST(says_that_the_command_was_killed),
		TEST(says_that_the_command_cannot_be_run),
		TEST(refuses_a_command_that_prints_nothing),
		TEST(refuses_a_secret_that_is_cut_off),
		TEST(is_silent_once_cancelled),
		TEST(asks_a_command_for_a_token),
		TEST(asks_for_the_token_of_a_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
