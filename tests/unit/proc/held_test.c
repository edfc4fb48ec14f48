/* SPDX-License-Identifier: ISC */
#include "proc/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>
#include <jansson.h>

#include "ledger/ledger.h"
#include "unit/proc/spoken.h"

static char dir[64], path[128];
static char work[] = "work";
static char pop[] = "pop";
static struct conf_account accounts[] = { { .name = work }, { .name = pop } };
static char control[] = "/nowhere/control";
static struct conf conf = { .path = path,
	.state_dir = dir,
	.control = control,
	.accounts = accounts,
	.n = 2 };

/* ---- a ledger ---- */

static void
note(struct ledger *l, int64_t box, uint32_t number, const char *reason)
{
	struct ledger_note n = { .box = box,
		.number = number,
		.state = LEDGER_HELD,
		.why = LEDGER_WHY_REFUSED,
		.reason = reason };
	struct err e;

	assert_int_equal(ledger_note(l, &n, 1, &e), 0);
}

static int64_t
open_box(struct ledger *l, const char *account, const char *mailbox)
{
	enum ledger_state state;
	uint32_t was;
	int64_t box;
	struct err e;

	assert_int_equal(ledger_box(l, account, mailbox, *mailbox != '\0', &box,
			     &state, &was, &e),
	    0);
	return box;
}

static void
list_uidl(struct ledger *l, int64_t box, struct span uidl)
{
	struct set fresh = { 0 };
	struct set owed = { 0 };
	struct set full = { 0 };
	uint32_t repeated, barred;
	struct err e;

	assert_int_equal(ledger_list_begin(l, box, &e), 0);
	assert_int_equal(ledger_list_add(l, box, 1, uidl, 10, &e), 0);
	assert_int_equal(ledger_list_end(l, box, &fresh, &owed, &repeated,
			     &full, &barred, &e),
	    0);
	set_deinit(&fresh);
	set_deinit(&owed);
	set_deinit(&full);
}

/* work: INBOX/7, INBOX/8, Lists/a/7, and one in a box of a hostile name; pop:
 * the UIDL "u-1". */
static void
fill_ledger(void)
{
	struct ledger *l;
	int64_t box;
	struct err e;

	snprintf(path, sizeof(path), "%s/ledger.sqlite", dir);
	l = ledger_open(path, &e);
	assert_non_null(l);
	box = open_box(l, work, "INBOX");
	note(l, box, 7, "seven");
	note(l, box, 8, "eight");
	note(l, open_box(l, work, "Lists/a"), 7, "other seven");
	note(l, open_box(l, work, "\033[2J"), 8, "hostile eight");
	box = open_box(l, pop, "");
	list_uidl(l, box, SPAN("u-1"));
	note(l, box, 1, "one");
	ledger_close(&l);
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailhaul-held-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mailhaul.conf", dir);
	fill_ledger();
	return 0;
}

static void
remove_ledger(void)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char name[160];

	for (size_t i = 0; i < 3; i++) {
		snprintf(
		    name, sizeof(name), "%s/ledger.sqlite%s", dir, names[i]);
		unlink(name);
	}
}

static int
tear_down(void **state)
{
	(void)state;
	remove_ledger();
	rmdir(dir);
	return 0;
}

/* ---- the command ---- */

#define WORDS_MAX 8

static int
say(bool json, const char *line)
{
	const char *words[WORDS_MAX];
	char copy[256];
	char *rest = copy;
	char *word;
	size_t n = 0;
	int status;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0' && n < WORDS_MAX)
			words[n++] = word;
	listen_to_both();
	status = held_command(&conf, words, n, json);
	read_both_back();
	return status;
}

static int
want_full(const char *account, const char *message)
{
	int status;

	listen_to_both();
	status = held_want_full(&conf, account, &message, 1);
	read_both_back();
	return status;
}

static int
look(void *arg, const struct ledger_trouble *t, struct err *e)
{
	struct ledger_trouble *found = arg;

	(void)e;
	if (strcmp(t->reason, found->reason) == 0) {
		found->state = t->state;
		found->full = t->full;
		found->id = t->id;
	}
	return 0;
}

/* The one of that reason; its id is 0 when it is gone. */
static struct ledger_trouble
trouble(const char *reason)
{
	struct ledger_trouble found = { .reason = reason };
	char name[160];
	struct ledger *l;
	struct err e;

	snprintf(name, sizeof(name), "%s/ledger.sqlite", dir);
	l = ledger_open_existing(name, &e);
	assert_non_null(l);
	assert_int_equal(ledger_troubles(l, NULL, look, &found, &e), 0);
	ledger_close(&l);
	return found;
}

static bool
is_held(const char *reason)
{
	struct ledger_trouble t = trouble(reason);

	return t.id != 0 && t.state == LEDGER_HELD;
}

/* ---- listing ---- */

static void
lists_all_or_those_of_an_account(void **state)
{
	(void)state;
	assert_int_equal(say(false, ""), EX_OK);
	assert_non_null(strstr(out, "other seven"));
	assert_non_null(strstr(out, "u-1"));
	assert_int_equal(say(false, "list pop"), EX_OK);
	assert_null(strstr(out, "seven"));
	assert_non_null(strstr(out, "u-1"));
	assert_int_equal(say(false, "pop"), EX_OK);
	assert_non_null(strstr(out, "u-1"));
}

static void
lists_as_json(void **state)
{
	json_error_t e;
	json_t *all;

	(void)state;
	assert_int_equal(say(true, "list"), EX_OK);
	all = json_loads(out, 0, &e);
	assert_int_equal(json_array_size(all), 5);
	json_decref(all);
	assert_int_equal(say(true, "show work INBOX/7"), EX_OK);
	all = json_loads(out, 0, &e);
	assert_int_equal(json_array_size(all), 1);
	json_decref(all);
}

static void
holds_nothing_before_the_first_fetch(void **state)
{
	(void)state;
	remove_ledger();
	assert_int_equal(say(false, ""), EX_OK);
	assert_string_equal(out, "no message is held\n");
	assert_int_equal(say(false, "retry"), EX_OK);
	assert_int_equal(say(false, "show work 7"), EX_USAGE);
	assert_int_equal(want_full("work", "7"), EX_USAGE);
}

static void
says_when_the_ledger_cannot_be_read(void **state)
{
	char name[160];
	FILE *f;

	(void)state;
	remove_ledger();
	snprintf(name, sizeof(name), "%s/ledger.sqlite", dir);
	f = fopen(name, "w");
	fputs("this is no database, however long one looks at it", f);
	fclose(f);
	assert_int_equal(say(false, ""), EX_TEMPFAIL);
	assert_non_null(strstr(err, "ledger.sqlite"));
}

/* ---- which message ---- */

static void
finds_a_message_by_each_of_its_names(void **state)
{
	char by_id[64];

	(void)state;
	assert_int_equal(say(false, "show work INBOX/7"), EX_OK);
	assert_non_null(strstr(out, "reason: seven\n"));
	assert_int_equal(say(false, "show work Lists/a/7"), EX_OK);
	assert_non_null(strstr(out, "reason: other seven\n"));
	assert_int_equal(say(false, "show pop u-1"), EX_OK);
	assert_non_null(strstr(out, "reason: one\n"));
	snprintf(by_id, sizeof(by_id), "show work id:%lld",
	    (long long)trouble("eight").id);
	assert_int_equal(say(false, by_id), EX_OK);
	assert_non_null(strstr(out, "reason: eight\n"));
	assert_int_equal(say(false, "drop work INBOX/7"), EX_OK);
	assert_int_equal(say(false, "show work 7"), EX_OK);
	assert_non_null(strstr(out, "reason: other seven\n"));
}

static void
shows_several(void **state)
{
	(void)state;
	assert_int_equal(say(false, "show work INBOX/7 INBOX/8"), EX_OK);
	assert_non_null(strstr(out, "reason: seven\n"));
	assert_non_null(strstr(out, "reason: eight\n"));
}

static void
asks_which_one_of_two_is_meant(void **state)
{
	(void)state;
	assert_int_equal(say(false, "drop work 7"), EX_USAGE);
	assert_non_null(strstr(err, "INBOX"));
	assert_non_null(strstr(err, "Lists/a"));
	assert_true(is_held("seven"));
	assert_true(is_held("other seven"));
	assert_int_equal(say(false, "show work 8"), EX_USAGE);
	assert_null(strchr(err, '\033'));
}

static void
knows_no_message_by_a_name_that_is_near(void **state)
{
	static const char *const names[] = { "9", "70", "INBOX/70", "INBOX",
		"INBOX:7", "INBOX7", "inbox/7", "Lists/7", "/7", "id:0",
		"id:", "INBOX/", "7x", "07" };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(line, sizeof(line), "drop work %s", names[i]);
		assert_int_equal(say(false, line), EX_USAGE);
		assert_non_null(strstr(err, "is held"));
	}
	assert_int_equal(say(false, "show pop 1"), EX_USAGE);
	assert_int_equal(say(false, "show pop 0"), EX_USAGE);
	assert_true(is_held("seven") && is_held("eight"));
}

static void
takes_no_message_of_another_account(void **state)
{
	(void)state;
	assert_int_equal(say(false, "drop work u-1"), EX_USAGE);
	assert_int_equal(say(false, "drop pop INBOX/7"), EX_USAGE);
	assert_true(is_held("one") && is_held("seven"));
}

static void
says_which_account_is_near(void **state)
{
	(void)state;
	assert_int_equal(say(false, "list wrok"), EX_USAGE);
	assert_non_null(strstr(err, "no account \"wrok\""));
	assert_non_null(strstr(err, "did you mean \"work\"?"));
	assert_int_equal(want_full("wrok", "7"), EX_USAGE);
}

/* It may have been renamed, and its messages are still there. */
static void
knows_an_account_that_is_in_the_ledger_alone(void **state)
{
	(void)state;
	conf.n = 1; /* without pop */
	assert_int_equal(say(false, "list pop"), EX_OK);
	assert_non_null(strstr(out, "u-1"));
	conf.n = 2;
}

/* ---- changing ---- */

static void
drops_one_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(say(false, "drop work INBOX/7"), EX_OK);
	assert_int_equal(trouble("seven").id, 0);
	assert_true(is_held("eight") && is_held("other seven"));
}

static void
tries_one_again_or_all_of_an_account_or_all(void **state)
{
	(void)state;
	assert_int_equal(say(false, "retry work INBOX/7"), EX_OK);
	assert_false(is_held("seven"));
	assert_true(is_held("eight"));
	assert_int_equal(say(false, "retry work"), EX_OK);
	assert_false(is_held("eight"));
	assert_true(is_held("one"));
	assert_int_equal(say(false, "retry"), EX_OK);
	assert_false(is_held("one"));
	assert_false(trouble("one").full);
}

static void
wants_one_in_full(void **state)
{
	(void)state;
	assert_int_equal(want_full("work", "INBOX/8"), EX_OK);
	assert_false(is_held("eight"));
	assert_true(trouble("eight").full);
	assert_false(trouble("seven").full);
	assert_int_equal(want_full("work", "7"), EX_USAGE);
}

static void
changes_what_stands_before_a_name_that_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(
	    say(false, "drop work INBOX/7 wrong INBOX/8"), EX_USAGE);
	assert_int_equal(trouble("seven").id, 0);
	assert_true(is_held("eight"));
}

static void
explains_itself_when_words_are_missing_or_too_many(void **state)
{
	static const char *const lines[] = { "show", "show work", "drop",
		"drop work", "list work 7", "work 7" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(say(false, lines[i]), EX_USAGE);
		assert_non_null(strstr(err, "usage: mailhaul held"));
	}
	assert_true(is_held("seven"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_all_or_those_of_an_account),
		TEST(lists_as_json),
		TEST(holds_nothing_before_the_first_fetch),
		TEST(says_when_the_ledger_cannot_be_read),
		TEST(finds_a_message_by_each_of_its_names),
		TEST(shows_several),
		TEST(asks_which_one_of_two_is_meant),
		TEST(knows_no_message_by_a_name_that_is_near),
		TEST(takes_no_message_of_another_account),
		TEST(says_which_account_is_near),
		TEST(knows_an_account_that_is_in_the_ledger_alone),
		TEST(drops_one_and_no_other),
		TEST(tries_one_again_or_all_of_an_account_or_all),
		TEST(wants_one_in_full),
		TEST(changes_what_stands_before_a_name_that_is_wrong),
		TEST(explains_itself_when_words_are_missing_or_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
