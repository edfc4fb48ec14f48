/* SPDX-License-Identifier: ISC */
#include "proc/status_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define NOW 1000000

static struct status_show show;
static char *text;
static size_t size;

static int
set_up(void **state)
{
	struct control_daemon d = {
		.pid = 42, .version = (char[]){ "1.2" }, .started = NOW - 7380
	};

	(void)state;
	status_show_daemon(&show, &d);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	status_show_free(&show);
	free(text);
	text = NULL;
	return 0;
}

static struct control_account *
add(const char *name, enum status_state state)
{
	struct control_account a = { .name = (char *)(uintptr_t)name,
		.status = { .state = state } };

	status_show_add(&show, &a);
	return &show.accounts[show.n - 1];
}

static void
break_it(struct control_account *a)
{
	a->status.failing_since = NOW - 720;
	err_set(&a->status.err, ERR_NET, 0, "connection refused by mx");
	a->status.failures[ERR_NET] = 3;
}

static void
add_a_few(void)
{
	struct control_account *a = add("work", STATUS_WATCHING);

	a->status.how = STATUS_IDLE;
	a->status.watched = 3;
	a->status.polled = 2;
	a->status.last_success = NOW - 130;
	a->status.today = 14;
	a = add("old", STATUS_SLEEPING);
	a->status.polled = 1;
	a->status.next = NOW + 51;
	break_it(add("team", STATUS_BACKOFF));
	add("late", STATUS_WAITING)->no_secret = true;
	add("quiet", STATUS_PAUSED)->paused = true;
}

static const char *
table(size_t width)
{
	FILE *out;

	free(text);
	out = open_memstream(&text, &size);
	status_show_table(&show, out, width, NOW);
	fclose(out);
	return text;
}

static void
shows_what_each_account_does(void **state)
{
	(void)state;
	add_a_few();
	assert_string_equal(table(0),
	    "mailhaul 1.2, pid 42, up for 2h 03m\n"
	    "5 accounts, 2 failing\n"
	    "ACCOUNT  STATE                   WATCHED  LAST    NEXT    TODAY  "
	    "HELD\n"
	    "work     watching (idle)         3 of 5   2m ago  -       14     "
	    "0\n"
	    "old      sleeping (poll)         0 of 1   never   in 51s  0      "
	    "0\n"
	    "team     trying again            -        never   -       0      "
	    "0\n"
	    "    connection refused by mx (for 12m)\n"
	    "late     waiting for its secret  -        never   -       0      "
	    "0\n"
	    "quiet    paused                  -        never   -       0      "
	    "0\n");
}

static void
says_that_there_are_none(void **state)
{
	(void)state;
	show.daemon.engine_restarts = 1;
	show.daemon.stopping = true;
	assert_string_equal(table(80),
	    "mailhaul 1.2, pid 42, ending, up for 2h 03m, restarts: engine 1, "
	    "deliverers 0\n0 accounts\n");
}

static void
cuts_names_to_fit_the_terminal(void **state)
{
	size_t longest = 0;

	(void)state;
	add_a_few();
	add("somebody@an.organisation.with.a.long.name.example", 0);
	assert_non_null(strstr(table(0), "long.name.example"));
	for (const char *p = table(80); *p != '\0';) {
		size_t n = strcspn(p, "\n");

		longest = n > longest ? n : longest;
		p += n + 1;
	}
	assert_int_equal(longest, 80);
	assert_non_null(strstr(text, "\nsomebody@"));
	(void)table(10); /* there is a least width */
	assert_non_null(strstr(text, "\nsomebody@..."));
}

static void
a_name_never_writes_to_the_terminal(void **state)
{
	(void)state;
	add("a\033[2Jb", STATUS_WATCHING);
	assert_null(strchr(table(80), '\033'));
}

static void
says_which_accounts_fail(void **state)
{
	struct control_account *a = add("a", STATUS_WATCHING);

	(void)state;
	assert_false(status_show_fails(a));
	a->paused = true;
	assert_false(status_show_fails(a));
	break_it(a);
	assert_true(status_show_fails(a));
	assert_true(status_show_fails(add("b", STATUS_REFUSED)));
	assert_true(status_show_fails(add("c", STATUS_STOPPED)));
	a = add("d", STATUS_WAITING);
	a->no_secret = true;
	assert_true(status_show_fails(a));
}

static json_int_t
integer(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

static const char *
string(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	assert_true(json_is_string(v));
	return json_string_value(v);
}

static void
programs_get_json(void **state)
{
	const json_t *accounts, *one;
	json_t *all;
	FILE *out;

	(void)state;
	add_a_few();
	out = open_memstream(&text, &size);
	status_show_json(&show, out);
	fclose(out);
	all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	assert_int_equal(integer(json_object_get(all, "daemon"), "pid"), 42);
	accounts = json_object_get(all, "accounts");
	assert_int_equal(json_array_size(accounts), 5);
	one = json_array_get(accounts, 0);
	assert_string_equal(string(one, "name"), "work");
	assert_string_equal(string(one, "state"), "watching");
	assert_string_equal(string(one, "how"), "idle");
	assert_int_equal(integer(one, "last_success"), NOW - 130);
	assert_true(json_is_null(json_object_get(one, "next")));
	assert_true(json_is_false(json_object_get(one, "failing")));
	assert_true(json_is_null(json_object_get(one, "error")));
	one = json_array_get(accounts, 2);
	assert_string_equal(string(one, "state"), "backoff");
	assert_int_equal(integer(one, "failing_since"), NOW - 720);
	assert_int_equal(integer(json_object_get(one, "failures"), "net"), 3);
	assert_string_equal(
	    string(json_object_get(one, "error"), "kind"), "net");
	assert_string_equal(
	    string(json_array_get(accounts, 3), "state"), "secret");
	assert_string_equal(
	    string(json_array_get(accounts, 4), "state"), "paused");
	json_decref(all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shows_what_each_account_does),
		TEST(says_that_there_are_none),
		TEST(cuts_names_to_fit_the_terminal),
		TEST(a_name_never_writes_to_the_terminal),
		TEST(says_which_accounts_fail),
		TEST(programs_get_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
