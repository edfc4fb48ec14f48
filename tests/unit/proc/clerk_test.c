/* SPDX-License-Identifier: ISC */
#include "proc/clerk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/ledger.h"
#include "proc/spawn.h"

static char dir[64], path[128];
static struct user user; /* who we are: a process of its own all the same */

static void
note(struct ledger *l, const char *account, uint32_t number)
{
	enum ledger_state state;
	struct ledger_note n = { .number = number,
		.state = LEDGER_HELD,
		.why = LEDGER_WHY_REFUSED,
		.size = 99,
		.reason = "sorry",
		.about = "From x" };
	uint32_t was;
	struct err e;

	assert_int_equal(
	    ledger_box(l, account, "INBOX", 1, &n.box, &state, &was, &e), 0);
	assert_int_equal(ledger_note(l, &n, 1, &e), 0);
}

static int
set_up(void **state)
{
	struct ledger *l;
	struct err e;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-clerk-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ledger.sqlite", dir);
	l = ledger_open(path, &e);
	assert_non_null(l);
	note(l, "a", 7);
	note(l, "b", 8);
	ledger_close(&l);
	assert_int_equal(user_find_uid(geteuid(), &user, &e), 0);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char name[160];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, names[i]);
		unlink(name);
	}
	return rmdir(dir);
}

static struct held_list
read_of(const char *account)
{
	const struct clerk_request r = {
		.verb = CLERK_READ, .path = path, .account = account
	};
	struct held_list list = { 0 };
	struct err e;

	assert_int_equal(clerk_ask(&user, &r, &list, &e), 0);
	return list;
}

static void
tells_all_that_the_ledger_says(void **state)
{
	struct held_list list = read_of(NULL);
	const struct ledger_trouble *t = &list.v[1];

	(void)state;
	assert_int_equal(list.n, 2);
	assert_string_equal(t->account, "b");
	assert_string_equal(t->mailbox, "INBOX");
	assert_int_equal(t->uid, 8);
	assert_string_equal(t->uidl, "");
	assert_int_equal(t->state, LEDGER_HELD);
	assert_int_equal(t->why, LEDGER_WHY_REFUSED);
	assert_int_equal(t->size, 99);
	assert_string_equal(t->reason, "sorry");
	assert_string_equal(t->about, "From x");
	assert_true(t->since > 1000000000);
	held_list_free(&list);
	list = read_of("a");
	assert_int_equal(list.n, 1);
	held_list_free(&list);
}

static void
changes_what_it_is_told_to(void **state)
{
	struct held_list list = read_of("a");
	struct clerk_request r = {
		.verb = CLERK_RETRY_FULL, .path = path, .id = list.v[0].id
	};
	struct err e;

	(void)state;
	held_list_free(&list);
	assert_int_equal(clerk_ask(&user, &r, NULL, &e), 0);
	list = read_of("a");
	assert_int_equal(list.v[0].state, LEDGER_LATER);
	assert_true(list.v[0].full);
	held_list_free(&list);
	r.verb = CLERK_DROP;
	assert_int_equal(clerk_ask(&user, &r, NULL, &e), 0);
	list = read_of("a");
	assert_int_equal(list.n, 0);
	held_list_free(&list);
	r.id = 4711;
	assert_int_equal(clerk_ask(&user, &r, NULL, &e), -1);
	assert_int_equal(e.sys, ENOENT);
}

static void
says_what_is_wrong(void **state)
{
	struct clerk_request r = { .verb = CLERK_READ, .path = "/nowhere/l" };
	struct held_list list = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(clerk_ask(&user, &r, &list, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	r.path = "/dev/null/l";
	assert_int_equal(clerk_ask(&user, &r, &list, &e), -1);
	assert_non_null(strstr(e.text, "/dev/null/l"));
	assert_int_equal(list.n, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    tells_all_that_the_ledger_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    changes_what_it_is_told_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    says_what_is_wrong, set_up, tear_down),
	};

	if (argc > 0 && strcmp(argv[0], SPAWN_CLERK) == 0)
		return clerk_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
