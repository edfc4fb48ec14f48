/* SPDX-License-Identifier: ISC */
#include "proc/tunnels.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf_list.h"

#define PATIENCE_MS 20000

static struct loop *loop;
static struct tunnels *tunnels;
static struct conf_account account;
static struct tunnel_recipe *recipe;
static char name[] = "work";
/* what was told */
static unsigned int told;
static uint32_t told_ticket;
static struct err told_err;

static void
on_ended(void *arg, uint32_t ticket, const struct err *e)
{
	assert_ptr_equal(arg, &told);
	told++;
	told_ticket = ticket;
	told_err = *e;
	loop_stop(loop);
}

static int
set_up(void **state)
{
	(void)state;
	loop = loop_new();
	tunnels = tunnels_new(loop, 0, on_ended, &told);
	account = (struct conf_account){ .name = name, .max_connections = 1 };
	told = 0;
	return 0;
}

/* Nothing of it is left. */
static int
tear_down(void **state)
{
	(void)state;
	tunnels_free(&tunnels);
	tunnel_recipe_free(&recipe);
	conf_list_free(&account.tunnel);
	loop_free(&loop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

/* The account's tunnel is this program, with these words. */
static void
use(const char *program, const char *a, const char *b)
{
	tunnel_recipe_free(&recipe);
	conf_list_free(&account.tunnel);
	account.tunnel = (struct conf_list){ NULL, 0 };
	conf_list_add(&account.tunnel, program);
	if (a != NULL)
		conf_list_add(&account.tunnel, a);
	if (b != NULL)
		conf_list_add(&account.tunnel, b);
	recipe = tunnel_recipe_new(&account, TUNNEL_TO_SERVER);
	assert_non_null(recipe);
}

static int
dig(uint32_t ticket)
{
	struct err e;
	int fd = tunnels_open(tunnels, ticket, recipe, &e);

	assert_true(fd >= 0);
	assert_int_equal(told, 0);
	return fd;
}

/* n octets, or the end of it for 0. */
static void
assert_comes(int fd, const char *want)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[64] = "";

	for (size_t n = 0; n < strlen(want);) {
		ssize_t r;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		r = recv(fd, got + n, strlen(want) - n, 0);
		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_string_equal(got, want);
}

static void
assert_ends(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char octet;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(recv(fd, &octet, 1, 0) <= 0);
}

/* ---- */

static void
is_nothing_for_who_has_none(void **state)
{
	(void)state;
	assert_null(tunnel_recipe_new(&account, TUNNEL_TO_SERVER));
}

static void
speaks_with_the_program(void **state)
{
	int fd;

	(void)state;
	use("cat", NULL, NULL);
	fd = dig(7);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	assert_comes(fd, "hello");
	shutdown(fd, SHUT_WR); /* "cat" ends by itself */
	loop_run(loop);
	assert_int_equal(told, 1);
	assert_int_equal(told_ticket, 7);
	assert_string_equal(told_err.text, "tunnel cat exited with status 0");
	assert_ends(fd);
	close(fd);
}

static void
says_what_the_program_said_last(void **state)
{
	int fd;

	(void)state;
	use("sh", "-c",
	    "echo Warning: x >&2; echo 'Permission denied (publickey).' >&2; "
	    "exit 255");
	fd = dig(1);
	loop_run(loop);
	assert_int_equal(told_err.kind, ERR_NET);
	assert_string_equal(told_err.text,
	    "tunnel sh exited with status 255: Permission denied "
	    "(publickey).");
	assert_ends(fd);
	close(fd);
}

static void
says_that_there_is_no_such_program(void **state)
{
	int fd;

	(void)state;
	use("/no/such/program", NULL, NULL);
	fd = dig(1);
	loop_run(loop);
	assert_int_equal(told_err.kind, ERR_CONFIG);
	assert_string_equal(told_err.text,
	    "tunnel: cannot run /no/such/program: No such file or directory");
	assert_ends(fd);
	close(fd);
}

static void
ends_what_is_not_wanted_any_more(void **state)
{
	int fd;

	(void)state;
	use("sh", "-c", "echo up; sleep 100 & sleep 100");
	fd = dig(1);
	assert_comes(fd, "up\n");
	tunnels_close(tunnels, 2); /* nobody's */
	tunnels_close(tunnels, 1);
	tunnels_close(tunnels, 1);
	loop_run(loop); /* until nothing is left to watch */
	assert_int_equal(told, 0);
	assert_ends(fd); /* the whole group is gone */
	close(fd);
}

static void
ends_all_with_itself(void **state)
{
	int fds[2];

	(void)state;
	use("sh", "-c", "trap '' TERM; echo up; sleep 100");
	fds[0] = dig(1);
	fds[1] = dig(2);
	assert_comes(fds[0], "up\n");
	assert_comes(fds[1], "up\n");
	tunnels_close_all(tunnels);
	tunnels_free(&tunnels);
	for (size_t i = 0; i < 2; i++) {
		assert_ends(fds[i]);
		close(fds[i]);
	}
	assert_int_equal(told, 0);
}

static void
knows_who_answers_by_kerberos(void **state)
{
	struct err e;

	(void)state;
	assert_null(tunnel_recipe_new(&account, TUNNEL_TO_KERBEROS));
	assert_int_equal(tunnels_none(TUNNEL_TO_KERBEROS, &e), -1);
	assert_string_equal(e.text, "this account has no Kerberos now");
	assert_int_equal(tunnels_none(TUNNEL_TO_SERVER, &e), -1);
	assert_string_equal(e.text, "this account has no tunnel now");
	account.auth = CONF_AUTH_GSSAPI;
	account.host = account.user = name;
	tunnel_recipe_free(&recipe);
	recipe = tunnel_recipe_new(&account, TUNNEL_TO_KERBEROS);
	assert_non_null(recipe);
	/* it is no way to the server */
	assert_null(tunnel_recipe_new(&account, TUNNEL_TO_SERVER));
}

/* Those that are ending count, too. */
static void
bounds_the_number_of_an_account(void **state)
{
	int fds[4];
	struct err e;

	(void)state;
	use("cat", NULL, NULL);
	for (uint32_t i = 0; i < 4; i++)
		fds[i] = dig(i);
	tunnels_close(tunnels, 0);
	assert_int_equal(tunnels_open(tunnels, 9, recipe, &e), -1);
	assert_int_equal(e.kind, ERR_TEMP);
	assert_string_equal(
	    e.text, "4 tunnels of this account are running or ending");
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
}

static void
refuses_a_ticket_that_is_taken(void **state)
{
	struct err e;
	int fd;

	(void)state;
	use("cat", NULL, NULL);
	fd = dig(1);
	assert_int_equal(tunnels_open(tunnels, 1, recipe, &e), -1);
	tunnels_close(tunnels, 1);
	close(fd);
	fd = dig(1); /* it is free again */
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_nothing_for_who_has_none),
		TEST(speaks_with_the_program),
		TEST(says_what_the_program_said_last),
		TEST(says_that_there_is_no_such_program),
		TEST(ends_what_is_not_wanted_any_more),
		TEST(ends_all_with_itself),
		TEST(knows_who_answers_by_kerberos),
		TEST(bounds_the_number_of_an_account),
		TEST(refuses_a_ticket_that_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
