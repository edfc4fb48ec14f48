/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The ledger's side is not there: the answers are the test's. */
static struct loop *loop;
static struct client *client;
static struct client_box *ledger;
static struct pop3_names names;

static void
on_box(void *arg, struct client_box_info *info)
{
	(void)arg;
	(void)info;
}

static void
on_ready(void *arg)
{
	(void)arg;
}

static void
on_name(void *arg, uint32_t number, const char *uidl)
{
	(void)arg;
	(void)number;
	(void)uidl;
}

static int
set_up(void **state)
{
	static const struct draft_style style = { 0 };
	struct client_box_params params = { .mailbox = "", .style = &style };
	int pair[2];

	(void)state;
	loop = loop_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[1]);
	client = client_new(loop, pair[0]);
	ledger = client_box_open(client, &params, on_box, on_ready, NULL);
	pop3_names_init(&names, true);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pop3_names_deinit(&names);
	client_box_close(&ledger);
	client_free(&client);
	loop_free(&loop);
	return 0;
}

static void
add(uint32_t first, uint32_t last)
{
	struct set numbers = { 0 };

	set_add(&numbers, first, last);
	pop3_names_add(&names, &numbers);
	set_deinit(&numbers);
}

static void
ask(void)
{
	pop3_names_ask(&names, ledger, on_name);
}

static void
lets_every_message_go_when_none_is_wanted(void **state)
{
	(void)state;
	pop3_names_init(&names, false);
	add(1, 9);
	ask();
	assert_int_equal(names.asked, 0);
	assert_true(pop3_names_has(&names, 7));
	assert_null(pop3_names_of(&names, 7));
	pop3_names_drop(&names, 7);
}

static void
has_a_name_when_it_has_come_and_until_it_is_dropped(void **state)
{
	(void)state;
	add(1, 2);
	assert_false(pop3_names_has(&names, 1));
	ask();
	assert_int_equal(names.asked, 2);
	assert_false(pop3_names_has(&names, 1));
	pop3_names_put(&names, 1, "a");
	assert_true(pop3_names_has(&names, 1));
	assert_string_equal(pop3_names_of(&names, 1), "a");
	assert_false(pop3_names_has(&names, 2));
	pop3_names_put(&names, 2, "b");
	pop3_names_drop(&names, 1);
	assert_false(pop3_names_has(&names, 1));
	assert_null(pop3_names_of(&names, 1));
	assert_string_equal(pop3_names_of(&names, 2), "b");
	pop3_names_drop(&names, 1);
	assert_true(pop3_names_has(&names, 2));
}

static void
lets_go_what_has_no_name(void **state)
{
	(void)state;
	add(5, 5);
	ask();
	pop3_names_put(&names, 5, NULL);
	assert_true(pop3_names_has(&names, 5));
	assert_null(pop3_names_of(&names, 5));
}

static void
asks_each_but_once(void **state)
{
	(void)state;
	add(1, 3);
	ask();
	ask();
	assert_int_equal(names.asked, 3);
}

/* It is asked again before it runs dry, and holds no more than it may. */
static void
asks_ahead_but_not_for_all(void **state)
{
	uint32_t n = 0;

	(void)state;
	add(1, 100000);
	ask();
	assert_int_equal(names.asked, POP3_NAMES_AHEAD);
	while (n < POP3_NAMES_AHEAD)
		pop3_names_put(&names, ++n, "x");
	ask();
	assert_int_equal(names.asked, 0); /* plenty are here */
	for (n = 1; n <= POP3_NAMES_AHEAD / 2; n++)
		pop3_names_drop(&names, n);
	ask();
	assert_int_equal(names.asked + names.n, POP3_NAMES_AHEAD);
	assert_true(pop3_names_has(&names, POP3_NAMES_AHEAD));
	assert_false(pop3_names_has(&names, 1));
}

static void
takes_no_name_that_nobody_asked_for(void **state)
{
	(void)state;
	pop3_names_put(&names, 1, "x");
	assert_false(pop3_names_has(&names, 1));
	add(1, 1);
	ask();
	pop3_names_put(&names, 1, "a");
	for (uint32_t n = 2; n < 5000; n++)
		pop3_names_put(&names, n, "y");
	assert_false(pop3_names_has(&names, 2));
	assert_string_equal(pop3_names_of(&names, 1), "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lets_every_message_go_when_none_is_wanted),
		TEST(has_a_name_when_it_has_come_and_until_it_is_dropped),
		TEST(lets_go_what_has_no_name),
		TEST(asks_each_but_once),
		TEST(asks_ahead_but_not_for_all),
		TEST(takes_no_name_that_nobody_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
