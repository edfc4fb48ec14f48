/* SPDX-License-Identifier: ISC */
#include "proc/held_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "sys/clock.h"
#include "unit/proc/spoken.h"

static struct held_list list;

static const struct ledger_trouble held = { .id = 12,
	.account = "work",
	.mailbox = "INBOX",
	.uid = 7,
	.uidl = "",
	.state = LEDGER_HELD,
	.why = LEDGER_WHY_SIZE,
	.tries = 1,
	.since = 1000000000,
	.size = 25300000,
	.stub = true,
	.reason = "too large",
	.about = "from al",
	.n_reached = 2 };
static const struct ledger_trouble later = { .id = 13,
	.account = "other",
	.mailbox = "",
	.uidl = "abc",
	.state = LEDGER_LATER,
	.why = LEDGER_WHY_REFUSED,
	.tries = 3,
	.since = 1000000000,
	.next = 1,
	.reason = "550 no",
	.about = "" };

static int
tear_down(void **state)
{
	(void)state;
	held_list_free(&list);
	return 0;
}

static void
print_table(void)
{
	listen_to_both();
	held_print_table(&list);
	read_both_back();
	assert_string_equal(err, "");
}

/* NULL when it is none. The caller frees it. */
static json_t *
print_json(void)
{
	json_error_t e;

	listen_to_both();
	held_print_json(&list);
	read_both_back();
	return json_loads(out, 0, &e);
}

static void
keeps_texts_of_its_own(void **state)
{
	char text[] = "first";
	struct ledger_trouble t = held;

	(void)state;
	t.mailbox = t.reason = text;
	t.about = NULL;
	held_list_add(&list, &t);
	held_list_add(&list, &later);
	memcpy(text, "other", 5);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[0].mailbox, "first");
	assert_string_equal(list.v[0].about, "");
	assert_int_equal(list.v[1].id, 13);
	held_list_free(&list);
	assert_int_equal(list.n, 0);
	held_list_free(&list);
}

/* ---- the table ---- */

static void
says_that_nothing_is_held(void **state)
{
	(void)state;
	print_table();
	assert_string_equal(out, "no message is held\n");
}

/* The place of a word in its line; -1: not there. */
static long
column_of(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	return at == NULL ? -1 : (long)(at - line);
}

static void
shows_a_table_with_columns_below_their_titles(void **state)
{
	char *first, *second;

	(void)state;
	held_list_add(&list, &held);
	held_list_add(&list, &later);
	print_table();
	first = strchr(out, '\n');
	*first++ = '\0';
	second = strchr(first, '\n');
	*second++ = '\0';
	assert_int_equal(column_of(out, "account"), 0);
	assert_int_equal(column_of(first, "work"), 0);
	assert_int_equal(column_of(second, "other"), 0);
	assert_int_equal(column_of(out, "message"), column_of(first, "7"));
	assert_int_equal(column_of(out, "message"), column_of(second, "abc"));
	assert_int_equal(
	    column_of(out, "state"), column_of(first, "held (stub)"));
	assert_int_equal(column_of(out, "state"), column_of(second, "later"));
	assert_int_equal(column_of(out, "next"), column_of(first, "never"));
	assert_int_equal(column_of(out, "next"), column_of(second, "now"));
	assert_int_equal(column_of(out, "size"), column_of(first, "25.3 MB"));
	assert_int_equal(
	    column_of(out, "reason"), column_of(first, "too large"));
	assert_int_equal(column_of(out, "reason"), column_of(second, "550"));
}

static void
says_when_a_message_is_tried_next(void **state)
{
	struct ledger_trouble t = later;

	(void)state;
	t.next = clock_wall_s() + 7260;
	held_list_add(&list, &t);
	print_table();
	assert_non_null(strstr(out, "in 2h 0"));
}

static void
names_a_message_by_its_id_when_it_has_no_other_name(void **state)
{
	struct ledger_trouble t = later;

	(void)state;
	t.uidl = "";
	held_list_add(&list, &t);
	print_table();
	assert_non_null(strstr(out, " id:13 "));
}

static void
says_what_is_due_in_full(void **state)
{
	struct ledger_trouble t = later;

	(void)state;
	t.full = true;
	held_list_add(&list, &t);
	print_table();
	assert_non_null(strstr(out, "due in full"));
}

/* A row is a line, and does nothing to a terminal. */
static void
shows_hostile_names_without_harm(void **state)
{
	static char name[3000];
	struct ledger_trouble t = held;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "a\nb\033[2J\r\xff", 10);
	t.mailbox = name;
	held_list_add(&list, &t);
	t.uid = 0;
	t.uidl = "\033]0;x\007\n";
	t.mailbox = "";
	held_list_add(&list, &t);
	print_table();
	assert_null(strchr(out, '\033'));
	assert_null(strchr(out, '\r'));
	assert_null(strchr(out, '\007'));
	assert_null(strchr(
	    strchr(strchr(strchr(out, '\n') + 1, '\n') + 1, '\n') + 1, '\n'));
	assert_true(strlen(out) < 2000);
	listen_to_both();
	held_print_one(&list.v[0]);
	read_both_back();
	assert_null(strchr(out, '\033'));
	assert_non_null(strstr(out, "mailbox: a\\x0Ab\\x1B[2J"));
}

/* ---- one ---- */

static void
shows_all_that_is_known_of_one(void **state)
{
	static const char *const lines[] = { "account: work\n",
		"mailbox: INBOX\n", "message: 7\n", "id: id:12\n",
		"state: held (stub)\n", "why: too large\n",
		"reason: too large\n", "about: from al\n", "size: 25.3 MB\n",
		"tries: 1\n", "since: 2001-09-09T01:46:40Z\n", "next: never\n",
		"reached: 2 recipients\n" };

	(void)state;
	listen_to_both();
	held_print_one(&held);
	read_both_back();
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_non_null(strstr(out, lines[i]));
	listen_to_both();
	held_print_one(&later);
	read_both_back();
	assert_non_null(strstr(out, "why: refused\n"));
	assert_non_null(strstr(out, "size: -\n"));
	assert_non_null(strstr(out, "next: 1970-01-01T00:00:01Z\n"));
}

/* ---- JSON ---- */

static const char *
text_of(const json_t *all, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(all, i), key));
}

static json_int_t
number_of(const json_t *all, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(all, i), key));
}

static void
prints_an_array_even_of_nothing(void **state)
{
	json_t *all = print_json();

	(void)state;
	assert_true(json_is_array(all));
	assert_int_equal(json_array_size(all), 0);
	json_decref(all);
}

static void
prints_all_that_is_known_as_json(void **state)
{
	json_t *all;

	(void)state;
	held_list_add(&list, &held);
	held_list_add(&list, &later);
	all = print_json();
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(number_of(all, 0, "id"), 12);
	assert_string_equal(text_of(all, 0, "account"), "work");
	assert_string_equal(text_of(all, 0, "mailbox"), "INBOX");
	assert_string_equal(text_of(all, 0, "message"), "7");
	assert_string_equal(text_of(all, 0, "state"), "held");
	assert_string_equal(text_of(all, 0, "why"), "too large");
	assert_string_equal(text_of(all, 0, "since"), "2001-09-09T01:46:40Z");
	assert_true(
	    json_is_null(json_object_get(json_array_get(all, 0), "next")));
	assert_int_equal(number_of(all, 0, "size"), 25300000);
	assert_true(
	    json_is_true(json_object_get(json_array_get(all, 0), "stub")));
	assert_int_equal(number_of(all, 0, "reached"), 2);
	assert_string_equal(text_of(all, 1, "message"), "abc");
	assert_string_equal(text_of(all, 1, "state"), "later");
	assert_int_equal(number_of(all, 1, "tries"), 3);
	assert_string_equal(text_of(all, 1, "next"), "1970-01-01T00:00:01Z");
	assert_string_equal(text_of(all, 1, "reason"), "550 no");
	json_decref(all);
}

/* No message may be missing, whatever its mailbox is called. */
static void
prints_json_of_hostile_names(void **state)
{
	static const char *const names[] = { "\"", "\\", "a\nb\033", "\xff\xfe",
		"\xc3", "\xed\xa0\x80", "\xc0\x80", "</script>", "\xc3\xa9" };
	static const size_t n = sizeof(names) / sizeof(*names);
	struct ledger_trouble t = held;
	json_t *all;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		t.mailbox = names[i];
		held_list_add(&list, &t);
	}
	all = print_json();
	assert_non_null(all);
	assert_int_equal(json_array_size(all), n);
	assert_string_equal(text_of(all, 0, "mailbox"), "\"");
	assert_string_equal(text_of(all, 2, "mailbox"), "a\nb\033");
	assert_string_equal(text_of(all, 3, "mailbox"), "\\xFF\\xFE");
	assert_string_equal(text_of(all, 8, "mailbox"), "\xc3\xa9");
	assert_null(strchr(out, '\033'));
	json_decref(all);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_texts_of_its_own),
		TEST(says_that_nothing_is_held),
		TEST(shows_a_table_with_columns_below_their_titles),
		TEST(says_when_a_message_is_tried_next),
		TEST(names_a_message_by_its_id_when_it_has_no_other_name),
		TEST(says_what_is_due_in_full),
		TEST(shows_hostile_names_without_harm),
		TEST(shows_all_that_is_known_of_one),
		TEST(prints_an_array_even_of_nothing),
		TEST(prints_all_that_is_known_as_json),
		TEST(prints_json_of_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
