/* SPDX-License-Identifier: ISC */
#include "proc/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_account.h"
#include "conf/conf_list.h"
#include "proc/users.h"
#include "sys/log.h"
#include "util/mem.h"

/*
 * The rolls, the incidents and the users are of this test: what the rolls
 * hold is looked at as late as they would, so that a sanitizer finds what was
 * freed too early.
 */

struct users {
	users_fn fn;
	void *arg;
};

static struct users *asked;
static unsigned int loads, cancelled;

struct users *
users_load(struct loop *loop, const struct conf *conf, users_fn fn, void *arg)
{
	(void)loop;
	(void)conf;
	assert_null(asked);
	asked = mem_new(sizeof(*asked));
	*asked = (struct users){ fn, arg };
	loads++;
	return asked;
}

void
users_cancel(struct users **u)
{
	if (*u == NULL)
		return;
	assert_ptr_equal(*u, asked);
	free(asked);
	asked = *u = NULL;
	cancelled++;
}

#define HELD_MAX 8

static const struct conf_account *held[HELD_MAX];
static size_t n_held;

static bool
is_held(const char *name, const struct conf_account *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i]->name, name) == 0)
			return true;
	return false;
}

void
rolls_set(struct rolls *r, const struct conf_account *const *v, size_t n,
    struct rolls_change *out)
{
	(void)r;
	*out = (struct rolls_change){ 0 };
	for (size_t i = 0; i < n; i++)
		out->added += !is_held(v[i]->name, held, n_held);
	for (size_t i = 0; i < n_held; i++)
		out->removed += !is_held(held[i]->name, v, n);
	assert_true(n <= HELD_MAX);
	memcpy(held, v, n * sizeof(*v));
	n_held = n;
}

static char told_names[200];

void
tell_configure(
    struct tell *t, const struct conf *conf, const char *const *names, size_t n)
{
	(void)t;
	(void)conf;
	told_names[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(told_names);

		snprintf(told_names + at, sizeof(told_names) - at, "%s%s",
		    i == 0 ? "" : " ", names[i]);
	}
}

/* ---- what is heard ---- */

static struct accounts *accounts;
static struct conf conf;
static struct rolls_change change;
static struct buf said;
static unsigned int known, changed;

static void
on_says(void *arg, bool bad, const char *line)
{
	(void)arg;
	buf_printf(&said, "%s%s\n", bad ? "! " : "", line);
}

static void
on_known(void *arg)
{
	(void)arg;
	known++;
}

static void
on_changed(void *arg)
{
	(void)arg;
	changed++;
}

static const struct accounts_events events = { on_says, on_known, on_changed };

static char text[400];

static const char *
take_said(void)
{
	struct span s = buf_span(&said);

	snprintf(text, sizeof(text), "%.*s", (int)s.n, s.p);
	buf_clear(&said);
	return text;
}

static const char *
names(void)
{
	text[0] = '\0';
	for (size_t i = 0; i < n_held; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%s%s",
		    i == 0 ? "" : " ", held[i]->name);
	}
	assert_string_equal(text, told_names);
	return text;
}

static void
drop_line(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static int
set_up(void **state)
{
	static char name[] = "ours";
	static struct conf_account ours = { .name = name };

	(void)state;
	conf = (struct conf){ .accounts = &ours,
		.n = 1,
		.user_accounts = 2,
		.user_connections = 4 };
	n_held = 0;
	loads = cancelled = known = changed = 0;
	buf_init(&said, 4000);
	log_set_sink(drop_line);
	accounts = accounts_new(NULL, NULL, NULL, &events, NULL);
	accounts_set(accounts, &conf, &change);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	accounts_free(&accounts);
	log_set_sink(NULL);
	buf_deinit(&said);
	return asked != NULL;
}

/* ---- what users have ---- */

static struct users_found found;

static void
add(const char *owner, const char *name, unsigned int connections)
{
	struct conf_account *a;

	found.accounts =
	    mem_grow(found.accounts, found.n + 1, sizeof(*found.accounts));
	a = &found.accounts[found.n++];
	*a = (struct conf_account){ .max_connections = connections };
	a->owner = mem_strdup(owner);
	a->name = mem_printf("%s/%s", owner, name);
}

static void
say_found(size_t left)
{
	struct users *u = asked;

	found.left = left;
	u->fn(u->arg, &found);
	assert_int_equal(found.n, 0);
	conf_list_free(&found.errors);
	conf_list_free(&found.failed);
	if (left == 0) {
		free(u);
		asked = NULL;
	}
}

static void
begin(void)
{
	add("alice", "work", 1);
	add("alice", "home", 1);
	add("bob", "b", 1);
	say_found(0);
	take_said();
}

static void
ours_do_not_wait_for_users(void **state)
{
	(void)state;
	assert_string_equal(names(), "ours");
	assert_int_equal(change.added, 1);
	assert_int_equal(known, 0);
	say_found(0);
	assert_string_equal(names(), "ours");
	assert_string_equal(take_said(), "");
	assert_int_equal(known, 1);
}

static void
users_have_theirs_behind_ours(void **state)
{
	(void)state;
	add("alice", "work", 1);
	add("bob", "b", 1);
	conf_list_add(&found.errors, "user carol: no");
	say_found(0);
	assert_string_equal(names(), "ours alice/work bob/b");
	assert_string_equal(take_said(),
	    "! user carol: no\n"
	    "users have 2 accounts, 2 new, 0 changed, 0 removed\n");
	assert_int_equal(changed, 1);
}

static void
a_reload_leaves_users_theirs_until_they_are_read(void **state)
{
	(void)state;
	begin();
	accounts_set(accounts, &conf, &change);
	assert_int_equal(change.added + change.removed, 0);
	assert_string_equal(names(), "ours alice/work alice/home bob/b");
	add("alice", "work", 1);
	say_found(0);
	assert_string_equal(names(), "ours alice/work");
	assert_string_equal(
	    take_said(), "users have 1 account, 0 new, 0 changed, 2 removed\n");
}

static void
who_could_not_be_read_keeps_his(void **state)
{
	(void)state;
	begin();
	accounts_set(accounts, &conf, &change);
	conf_list_add(&found.failed, "alice");
	conf_list_add(&found.failed, "mallory");
	say_found(0);
	assert_string_equal(names(), "ours alice/work alice/home");
}

static void
but_not_more_than_he_may_have_now(void **state)
{
	(void)state;
	add("alice", "work", 1);
	add("alice", "home", 2);
	conf_list_add(&found.accounts[0].secret.command, "x");
	add("bob", "b", 1);
	say_found(0);
	accounts_set(accounts, &conf, &change);
	conf_list_add(&found.failed, "alice");
	add("bob", "b", 1);
	say_found(0);
	assert_string_equal(names(), "ours alice/home bob/b");
	conf.user_connections = 1;
	accounts_set(accounts, &conf, &change);
	conf_list_add(&found.failed, "alice");
	conf_list_add(&found.failed, "bob");
	say_found(0);
	assert_string_equal(names(), "ours bob/b");
	conf.user_accounts = 0;
	accounts_set(accounts, &conf, &change);
	conf_list_add(&found.failed, "bob");
	say_found(0);
	assert_string_equal(names(), "ours");
}

/* What they had stays until they are read, or all is. */
static void
slow_ones_come_later(void **state)
{
	(void)state;
	begin();
	accounts_set(accounts, &conf, &change);
	known = 0;
	add("bob", "c", 1);
	say_found(1);
	assert_string_equal(names(), "ours alice/work alice/home bob/c");
	assert_string_equal(take_said(),
	    "the files of 1 user are still being read: the log will tell\n");
	assert_int_equal(known, 1);
	add("alice", "work", 1);
	say_found(0);
	assert_string_equal(names(), "ours bob/c alice/work");
	assert_string_equal(take_said(),
	    "users have 2 accounts, 1 new, 0 changed, 2 removed\n");
	assert_int_equal(known, 1);
}

static void
a_reload_begins_reading_anew(void **state)
{
	(void)state;
	add("alice", "work", 1);
	say_found(1);
	accounts_set(accounts, &conf, &change);
	assert_int_equal(cancelled, 1);
	assert_int_equal(loads, 2);
	say_found(0);
	assert_string_equal(names(), "ours");
	assert_int_equal(known, 2);
}

static void
nobody_is_waited_for_at_the_end(void **state)
{
	(void)state;
	accounts_stop(accounts);
	assert_int_equal(cancelled, 1);
	assert_int_equal(known, 1);
	accounts_stop(accounts);
	assert_int_equal(known, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ours_do_not_wait_for_users),
		TEST(users_have_theirs_behind_ours),
		TEST(a_reload_leaves_users_theirs_until_they_are_read),
		TEST(who_could_not_be_read_keeps_his),
		TEST(but_not_more_than_he_may_have_now),
		TEST(slow_ones_come_later),
		TEST(a_reload_begins_reading_anew),
		TEST(nobody_is_waited_for_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
